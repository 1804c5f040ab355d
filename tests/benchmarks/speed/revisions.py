"""The package of two revisions, each in a folder and a process of its own."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
PACKAGE = "sklearn_rnn"
# The revision's package comes first, whatever an installation has put on the path; the benchmark
# is that of the working tree, for both. What is printed, be it by an import, must not come between
# the answers, so it goes to the standard error.
PROGRAM = (
    "import os, sys; sys.path[:0] = sys.argv[1:]; answers = os.dup(1); os.dup2(2, 1); "
    "from tests.benchmarks.speed.child import serve; serve(answers)"
)
PATIENCE = 10  # seconds for a process to end by itself


def copy_working_tree(folder):
    """Copy the package as it is now: edits meanwhile do not change what is measured."""
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / PACKAGE, folder / PACKAGE, ignore=ignore)


def copy_revision(revision, folder):
    """Copy the package of a revision, and return the commit's name; leave git as it was."""
    commit = _git("rev-parse", "--verify", "--end-of-options", f"{revision}^{{commit}}").decode()
    with tarfile.open(fileobj=io.BytesIO(_git("archive", commit.strip(), PACKAGE))) as archive:
        archive.extractall(folder, filter="data")
    return commit.strip()[:12]


def _git(*arguments):
    process = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True)
    if process.returncode:
        raise SystemExit(f"git {' '.join(arguments)}: {process.stderr.decode().strip()}")
    return process.stdout


class Child:
    """The process of one revision.

    Parameters
    ----------
    folder : Path
        Where its package is.
    """

    def __init__(self, folder):
        command = [sys.executable, "-c", PROGRAM, str(folder), str(ROOT)]
        # Equal hashes: the order of a set shall not differ between the two processes.
        environment = {**os.environ, "PYTHONHASHSEED": "0"}
        self.process = subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
        )
        try:
            hello = self._receive()
            self.kernel = hello["kernel"]
            if not Path(hello["package"]).is_relative_to(folder.resolve()):
                raise RuntimeError(f"{hello['package']} was imported, in place of {folder}")
        except BaseException:
            self.close()
            raise

    def tell(self, **message):
        """Send a message; return the answer."""
        self.process.stdin.write(json.dumps(message) + "\n")
        self.process.stdin.flush()
        return self._receive()

    def _receive(self):
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"a process ended early, with code {self.process.wait()}")
        return json.loads(line)

    def close(self):
        """End the process."""
        try:
            self.process.stdin.close()
            self.process.wait(PATIENCE)
        except (OSError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()


@contextmanager
def started(*folders):
    """Start a process for each folder; end all."""
    children = []
    try:
        for folder in folders:
            children.append(Child(folder))
        yield children
    finally:
        for child in children:
            child.close()
