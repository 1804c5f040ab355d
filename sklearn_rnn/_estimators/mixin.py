"""Base of the mixins: `FittedModel` for type checkers, `object` at run time.

`Streams`, `Insight`, `Attribution` and `Callbacks` have no base when the program runs:
`RecurrentEstimator` puts them beside `FittedModel`, once. Type checkers are told that they find
the methods of a `FittedModel` there.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sklearn_rnn._estimators.fitted import FittedModel as MixedIntoFittedModel
else:
    MixedIntoFittedModel = object

__all__ = ["MixedIntoFittedModel"]
