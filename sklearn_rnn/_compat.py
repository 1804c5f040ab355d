"""The only module that imports private names of scikit-learn and replaces missing ones."""

from typing import TYPE_CHECKING, Any

from sklearn.utils._param_validation import Interval, InvalidParameterError, StrOptions

if TYPE_CHECKING:

    class CallbackSupportMixin:
        """scikit-learn's, as far as it is used here."""

        def _init_callback_context(self, *, max_subtasks: int) -> Any: ...

    def with_callbacks(method: Any) -> Any:
        """Tear callbacks down when a method ends."""
else:
    try:
        from sklearn.callback import CallbackSupportMixin, with_callbacks
    except ImportError:  # before 1.9: there is no set_callbacks, so nothing to support

        class CallbackSupportMixin:
            """A fit without callbacks."""

        def with_callbacks(method):
            """Return the method as it is."""
            return method


__all__ = [
    "CallbackSupportMixin",
    "Interval",
    "InvalidParameterError",
    "StrOptions",
    "with_callbacks",
]
