"""
Where does this name come from?
===============================

How strings are classified as they are, and how an answer grows while a name is read: with
``embedding_size``, a list of names is an X, and ``predict_proba_prefixes`` gives the probabilities
after each letter. The surnames are of 18 languages (Sean Robertson, MIT licence); eight of them are
taken here.
"""

import gzip
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from sklearn_rnn import GRUClassifier

LANGUAGES = ["Chinese", "Czech", "French", "German", "Irish", "Italian", "Japanese", "Spanish"]
path = Path("../data/names.tsv.gz")
with gzip.open(path, "rt", encoding="utf-8") as file:
    rows = [line.rstrip("\n").split("\t") for line in file][1:]
rows = np.array([row for row in rows if row[1] in LANGUAGES])
train = rows[:, 0] == "train"
names, languages = np.char.lower(rows[:, 2]), rows[:, 1]

model = GRUClassifier(
    32,
    embedding_size=16,
    class_weight="balanced",
    learning_rate_init=0.003,
    max_iter=40,
    random_state=0,
)
model.fit(names[train], languages[train])
print(f"{train.sum()} names to learn from, vocabulary: {''.join(model.vocabulary_)}")
print(f"accuracy on {(~train).sum()} others: {model.score(names[~train], languages[~train]):.3f}")

# %%
# Four names that training has not seen, letter by letter.

wanted = ["sugitani", "bartolomei", "macshuibhne", "lachance"]
figure, axes = plt.subplots(1, len(wanted), figsize=(11, 3.6), sharey=True)
for ax, name, answers in zip(axes, wanted, model.predict_proba_prefixes(wanted), strict=True):
    image = ax.imshow(answers.T, vmin=0, vmax=1, aspect="auto")
    ax.set_xticks(range(len(name)), list(name))
    ax.set_title(name)
    ax.grid(False)
axes[0].set_yticks(range(len(model.classes_)), model.classes_)
figure.supxlabel("letters read so far", fontsize="medium")
figure.colorbar(image, ax=axes, label="probability")
plt.show()

# %%
# Beliefs change with the letters: an ending often says more than the beginning.
