"""The only module that imports private names of scikit-learn."""

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

__all__ = [
    "CallbackSupportMixin",
    "Interval",
    "InvalidParameterError",
    "StrOptions",
    "with_callbacks",
]
