"""What the figures of a benchmark depend on, and a process in which no variable forces them.

Some machines set variables that choose the kernels of a BLAS, for the sake of old builds, or how
threads wait. A user's machine does not, so figures that are published come from libraries that
chose for themselves. Programs therefore start with `run_unforced(main)`.
"""

from __future__ import annotations

import importlib
import os
import platform
import subprocess
import sys
from datetime import date
from pathlib import Path

from threadpoolctl import threadpool_info

# Variables that choose kernels, or their block sizes, in place of the library.
KERNEL_VARIABLES = (
    "OPENBLAS_CORETYPE",
    "OPENBLAS_L2_SIZE",
    "NVPL_BLAS_DEBUG_CPU_TYPE",
    "BLIS_ARCH_TYPE",
    "MKL_CBWR",
    "MKL_DEBUG_CPU_TYPE",
    "MKL_ENABLE_INSTRUCTIONS",
    "ONEDNN_MAX_CPU_ISA",
    "DNNL_MAX_CPU_ISA",
    "ATEN_CPU_CAPABILITY",
    "NPY_DISABLE_CPU_FEATURES",
    "NPY_ENABLE_CPU_FEATURES",
)
# Variables that say how threads wait: with OMP_WAIT_POLICY=PASSIVE, two threads of PyTorch were
# seven times slower.
WAITING_VARIABLES = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME")
# Set in the child process, which must not start another one.
CHILD = "SKLEARN_RNN_BENCHMARK_CHILD"


# ---- a process without these variables ----


def run_unforced(main, *, keep_kernel=False):
    """Call `main` and exit; in a child process if the environment has variables to unset.

    The child runs the command line of this process. With `keep_kernel`, the variables that choose
    kernels stay, to see what another kernel would do; `forced` then names them.
    """
    names = WAITING_VARIABLES if keep_kernel else WAITING_VARIABLES + KERNEL_VARIABLES
    unwanted = [name for name in names if name in os.environ]
    if not unwanted:
        sys.exit(main())
    if CHILD in os.environ:
        sys.exit(f"Refused: {', '.join(unwanted)} is set again when Python starts.")
    print(f"Unset for this benchmark: {', '.join(unwanted)}", file=sys.stderr, flush=True)
    environment = {name: value for name, value in os.environ.items() if name not in unwanted}
    command = [sys.executable, *sys.orig_argv[1:]]
    sys.exit(subprocess.run(command, env=environment | {CHILD: "1"}).returncode)


def forced():
    """Return the variables of the environment that force kernels or how threads wait."""
    return [name for name in KERNEL_VARIABLES + WAITING_VARIABLES if name in os.environ]


def refuse_forced(parser, *outputs):
    """End the program if it should write figures and a variable forces them."""
    if any(output is not None for output in outputs) and (names := forced()):
        parser.error(
            f"figures of a forced kernel are not published: {', '.join(names)} is set. Unset it, "
            "or leave out the files to write"
        )


# ---- what figures depend on ----


def available_cores():
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def kernel():
    """Return the names of the kernels that NumPy's and SciPy's BLAS run."""
    names = {library.get("architecture", "unknown") for library in _blas_libraries()}
    return ", ".join(sorted(names)) or "unknown"


def describe_machine(modules):
    """Return processor, cores, BLAS, its kernel, what forces it, and versions of these modules."""
    versions = {name: importlib.import_module(name).__version__ for name in modules}
    blas = {f"{lib['internal_api']} {lib['version']}" for lib in _blas_libraries()}
    return {
        "processor": _processor(),
        "cores": available_cores(),
        "blas": ", ".join(sorted(blas)) or "unknown BLAS",
        "kernel": kernel(),
        "forced": forced(),
        "versions": versions,
    }


def sentence(machine, dates=None):
    """Return the machine in one sentence, with the first and the last date of the figures."""
    dates = sorted(dates or [str(date.today())])
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    kernels = f" ({kernel_text(machine)})" if "kernel" in machine else ""
    return (
        f"Measured on {' to '.join(dict.fromkeys((dates[0], dates[-1])))}: {machine['cores']} "
        f"cores of {machine['processor']}, {machine['blas']}{kernels}, {versions}"
    )


def kernel_text(machine):
    """Return the kernel, and what forces it."""
    by = f", forced by {' and '.join(machine['forced'])}" if machine.get("forced") else ""
    return f"{machine['kernel']} kernels{by}"


def print_machine(modules=("numpy", "sklearn", "sklearn_rnn")):
    """Print the date, the machine and the kernel, for tables that are printed."""
    print(f"{sentence(describe_machine(modules))}.\n", flush=True)


def _blas_libraries():
    for name in ("numpy", "scipy.linalg"):  # each brings a BLAS of its own
        importlib.import_module(name)
    return [library for library in threadpool_info() if library["user_api"] == "blas"]


def _processor():
    """Return the processor's name; Python itself does not know it on Linux."""
    if sys.platform == "linux":
        for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor()
