"""
Alice, letter by letter: a language model
=========================================

How a classifier with an answer at every step becomes a language model: X is a piece of *Alice's
Adventures in Wonderland*, letter by letter, and y the same piece one letter on. ``embedding_size``
takes text as it is; ``step_proba`` then writes a text of its own.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from sklearn_rnn import GRUClassifier

path = Path("../data/alice.txt")
text = " ".join(path.read_text("utf-8").lower().split())[:80_000]
letters = sorted(set(text))
pieces = [text[i : i + 101] for i in range(0, len(text) - 101, 100)]
X, y = [piece[:-1] for piece in pieces], [list(piece[1:]) for piece in pieces]

model = GRUClassifier(
    96,
    embedding_size=16,
    return_sequences=True,
    learning_rate_init=0.01,
    learning_rate="one_cycle",
    max_iter=10,
    early_stopping=False,
    random_state=0,
)
model.fit(X, y)

# %%
# How well does it know a sentence that it has not read? The fewer bits a letter costs, the less it
# came as a surprise.

sentence = "'and what is the use of a book,' thought the mad hatter, 'without rabbits?'"
probabilities = model.predict_proba([sentence[:-1]])[0]
columns = np.searchsorted(model.classes_, list(sentence[1:]))
bits = -np.log2(probabilities[np.arange(len(columns)), columns])

figure, ax = plt.subplots(figsize=(10, 2.6))
ax.bar(np.arange(1, len(sentence)), bits, color=plt.cm.cividis_r(np.minimum(bits / 8, 1)))
ax.axhline(np.log2(len(letters)), color="0.4", ls="--", lw=1)
ax.text(19, np.log2(len(letters)) + 0.2, "if every letter were alike", color="0.3")
ax.set_xticks(range(len(sentence)), list(sentence), family="monospace")
ax.set(
    ylabel="bits",
    ylim=(0, 9.5),
    title=f"Surprise at each letter: {bits.mean():.2f} bits on average",
)
ax.grid(False)
ax.margins(x=0.01)
plt.show()

# %%
# And what does it write? Each letter is drawn from the probabilities after the last one.

rng = np.random.default_rng(0)
written, state = "alice ", None
for letter in written:
    probability, state = model.step_proba(letter, state)
for _ in range(300):
    sharper = probability**1.5
    written += rng.choice(model.classes_, p=sharper / sharper.sum())
    probability, state = model.step_proba(written[-1], state)
print(written)

# %%
# Words begin with a surprise and end without one. After ten times through a part of the book, it
# spells; sense is another matter.
