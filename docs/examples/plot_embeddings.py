"""
A recurrent network as a step before other estimators
=====================================================

``transform`` gives each sequence, of whatever length, as one vector: the hidden state from which
the network predicts. So a recurrent network turns sequences into a plain table, and everything
that scikit-learn does with tables can follow: here a principal component analysis to look at
the vectors, and a nearest-neighbour classifier on top of them.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.decomposition import PCA
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_rnn import LSTMClassifier
from sklearn_rnn.datasets import load_japanese_vowels
from sklearn_rnn.preprocessing import TimestepTransformer

data = load_japanese_vowels()
encoder = make_pipeline(TimestepTransformer(StandardScaler()), LSTMClassifier(random_state=0))
neighbours = make_pipeline(encoder, KNeighborsClassifier(n_neighbors=5))
neighbours.fit(data.X_train, data.y_train)
print(f"nearest neighbours of states: {neighbours.score(data.X_test, data.y_test):.3f}")
print(f"the network's own answer:     {encoder.score(data.X_test, data.y_test):.3f}")

# %%
# The first two principal components of the 64 units, found on the training recordings and drawn
# for the others.

pca = PCA(2).fit(encoder.transform(data.X_train))
points = pca.transform(encoder.transform(data.X_test))

figure, ax = plt.subplots(figsize=(7, 5))
colours = [f"C{k}" for k in range(8)] + ["0.6"]
for k, speaker in enumerate(np.unique(data.y_test)):
    chosen = data.y_test == speaker
    ax.scatter(
        *points[chosen].T, s=24, color=colours[k], marker="osD^v<>Ph"[k], label=f"speaker {speaker}"
    )
share = pca.explained_variance_ratio_
ax.set(
    title="370 new recordings, each a point",
    xlabel=f"first component ({share[0]:.0%} of the variance)",
    ylabel=f"second component ({share[1]:.0%})",
)
figure.legend(loc="outside right center")
plt.show()

# %%
# Recordings of 7 and of 29 steps lie side by side where the speaker is the same. Two dimensions of
# 64 already part most speakers.
