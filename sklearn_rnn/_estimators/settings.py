"""What "auto" stands for: it depends on the number of samples alone.

With few samples an epoch is a few updates, so that plateaus of the training loss last for many
epochs, and a validation set is too small to tell which epoch is best: there smaller batches, at
a lower rate, and more patience learn more. With many samples they would only take more time.
"""

from __future__ import annotations

from typing import Any

# From so many samples on the second values hold.
MANY = 1000
AUTO: dict[str, tuple[Any, Any]] = {
    "batch_size": (16, 32),
    "learning_rate_init": (0.003, 0.005),
    "n_iter_no_change": (50, 20),
    "early_stopping": (False, True),
}


def resolve_auto(model: Any, name: str, n_samples: int) -> Any:
    """Return this parameter of `model`; where it is "auto", its value for so many samples."""
    value = getattr(model, name)
    return AUTO[name][n_samples >= MANY] if value == "auto" else value
