"""The only module that imports private names of scikit-learn."""

from types import FrameType
from typing import TYPE_CHECKING, Any

from sklearn.utils._param_validation import Interval, InvalidParameterError, StrOptions

if TYPE_CHECKING:

    class CallbackSupportMixin:
        """scikit-learn's, as far as it is used here."""

        def _init_callback_context(self, *, max_subtasks: int) -> Any: ...

    def with_callbacks(method: Any) -> Any:
        """Tear callbacks down when a method ends."""
else:
    from sklearn.callback import CallbackSupportMixin, with_callbacks


def is_in_worker_of_search(frame: FrameType | None) -> bool:
    """Return whether the calls up from this frame fit a candidate for a search elsewhere.

    That is in another process or thread. Searches and cross-validation fit by the same function,
    but only a search numbers its candidates.
    """
    fits_candidate = False
    while frame is not None:
        if frame.f_globals.get("__name__") == "sklearn.model_selection._search":
            return False
        if frame.f_code.co_name == "_fit_and_score":
            fits_candidate |= bool(frame.f_locals.get("candidate_progress"))
        frame = frame.f_back
    return fits_candidate


__all__ = [
    "CallbackSupportMixin",
    "Interval",
    "InvalidParameterError",
    "StrOptions",
    "is_in_worker_of_search",
    "with_callbacks",
]
