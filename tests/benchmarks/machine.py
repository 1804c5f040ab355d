"""What the figures of a benchmark depend on."""

from __future__ import annotations

import importlib
import os
import platform
import sys
from pathlib import Path

from threadpoolctl import threadpool_info


def describe_machine(modules):
    """Return processor, cores, BLAS, and the versions of these modules."""
    versions = {name: importlib.import_module(name).__version__ for name in modules}
    libraries = [lib for lib in threadpool_info() if lib["user_api"] == "blas"]
    blas = [f"{lib['internal_api']} {lib['version']}" for lib in libraries]
    kernels = {lib.get("architecture", "?") for lib in libraries}
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "blas": f"{', '.join(sorted(set(blas)))} ({', '.join(sorted(kernels))} kernels)",
        "versions": versions,
    }


def _processor():
    """Return the processor's name; Python itself does not know it on Linux."""
    if sys.platform == "linux":
        for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor()
