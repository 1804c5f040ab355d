"""The command line."""

from __future__ import annotations

import sys

from tests.benchmarks.machine import run_unforced
from tests.benchmarks.speed.publish import main

if __name__ == "__main__":
    run_unforced(main, keep_kernel="--keep-kernel" in sys.argv)
