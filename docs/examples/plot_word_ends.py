"""
A label at every step: where do the words end?
==============================================

Howmanywordsarethese? With ``return_sequences=True`` every letter gets a label of its own: does a
word end here? In one direction the network must say so before it has seen what comes next;
``bidirectional=True`` lets it look ahead. The text is *Alice's Adventures in Wonderland* without
its blanks.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.metrics import f1_score

from sklearn_rnn import GRUClassifier, make_sequence_scorer

path = Path("../data/alice.txt")
words = "".join(c if c.isalpha() else " " for c in path.read_text("utf-8").lower()).split()


def glued(words):
    """Return the letters of the words without blanks, and which of them ends a word."""
    ends = [[False] * (len(word) - 1) + [True] for word in words]
    return "".join(words), np.concatenate(ends)


pieces = [glued(words[i : i + 12]) for i in range(0, 12_000, 12)]
X, y = [letters for letters, _ in pieces], [ends for _, ends in pieces]
X_train, X_test, y_train, y_test = X[:800], X[800:], y[:800], y[800:]

models, f1 = {}, make_sequence_scorer(f1_score)
for name, bidirectional in (("one direction", False), ("both directions", True)):
    model = GRUClassifier(
        32,
        bidirectional=bidirectional,
        embedding_size=16,
        return_sequences=True,
        learning_rate_init=0.01,
        max_iter=12,
        early_stopping=False,
        random_state=0,
    )
    models[name] = model.fit(X_train, y_train)
    print(f"{name}: F1 {f1(model, X_test, y_test):.3f}")

# %%
# Eight words that neither has seen in this order, and how sure each is of an end.

sentence = "what is the use of a book without pictures"
letters, ends = glued(sentence.split())
figure, axes = plt.subplots(2, 1, figsize=(9, 3.6), sharex=True)
for ax, (name, model) in zip(axes, models.items(), strict=True):
    probability = model.predict_proba([letters])[0][:, 1]
    ax.bar(np.arange(len(letters)), probability, color=np.where(ends, "#0072B2", "#E69F00"))
    ax.set(ylim=(0, 1), title=name)
    ax.grid(axis="x", visible=False)
axes[-1].set_xticks(range(len(letters)), list(letters), family="monospace")
figure.supylabel("probability of an end", fontsize="medium")
figure.legend(
    handles=[plt.Rectangle((0, 0), 1, 1, color=c) for c in ("#0072B2", "#E69F00")],
    labels=["the word ends here", "it does not"],
    loc="outside lower center",
    ncols=2,
)
plt.show()

# %%
# That "a" is a word here, only the "b" after it can tell: one direction misses it, both see it.
# Both take "with" for a word, as they should until they have read more than a letter ahead.
