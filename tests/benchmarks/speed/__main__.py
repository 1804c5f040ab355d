"""The command line: publish tables, or compare two revisions."""

from __future__ import annotations

import sys

from tests.benchmarks.machine import run_unforced


def main(argv=None):
    argv = sys.argv[1:] if argv is None else argv
    # Only what is asked for is imported: the guard works without PyTorch.
    if any(argument.partition("=")[0] == "--against" for argument in argv):
        from tests.benchmarks.speed import guard

        return guard.main(argv)
    from tests.benchmarks.speed import publish

    return publish.main(argv)


if __name__ == "__main__":
    run_unforced(main, keep_kernel="--keep-kernel" in sys.argv)
