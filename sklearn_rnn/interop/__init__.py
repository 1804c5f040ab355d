"""To and from the data of other libraries: aeon, tslearn."""

from sklearn_rnn.interop._collections import from_aeon, from_tslearn, to_aeon

__all__ = ["from_aeon", "from_tslearn", "to_aeon"]
