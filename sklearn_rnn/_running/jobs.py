"""How many processes or threads the user lets one call use, as scikit-learn means `n_jobs`."""

from __future__ import annotations

import sys
from multiprocessing import current_process

from joblib import effective_n_jobs
from joblib.parallel import get_active_backend

# The name of a helper process until it has started.
STARTING_HELPER = "starting helper process of fit"
GUARD = (
    "A new process first runs the script that it comes from. In a script, use n_jobs only below "
    '`if __name__ == "__main__":`, or set n_jobs=1.'
)


def count_jobs(n_jobs: int | None) -> int:
    """Return the number of jobs that `n_jobs` means here.

    None is 1, unless a context of joblib says more; -1 is all cores, -2 all but one. In a job of
    joblib, of a pool of multiprocessing or of Dask it is 1: the cores are shared out already.

    Raises
    ------
    ValueError
        If it is 0.
    RuntimeError
        In a process that is only there to help another one, and still runs the user's script.
    """
    if n_jobs == 0:
        raise ValueError(
            "n_jobs=0 has no meaning: give a number of processes, -1 for all cores, or None for 1."
        )
    jobs = effective_n_jobs(n_jobs)
    if jobs > 1 and current_process().name == STARTING_HELPER:
        raise RuntimeError(f"A helper process of fit would call fit itself. {GUARD}")
    return 1 if jobs > 1 and _is_in_job() else jobs


def _is_in_job() -> bool:
    backend, _ = get_active_backend()
    return backend.nesting_level > 0 or current_process().daemon or _is_in_dask_task()


def _is_in_dask_task() -> bool:
    distributed = sys.modules.get("distributed")
    if distributed is None:
        return False
    try:
        distributed.get_worker()
    except ValueError:
        return False
    return True
