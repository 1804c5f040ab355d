"""
A stream, answered step by step
===============================

How to use a fitted network live: ``step_proba`` takes the newest observation of a stream and the
state that the last call returned, and gives the probabilities as of now, in some ten
microseconds. The network was trained on whole recordings; ``pooling="mean"`` lets every state
have a part in the answer, so that early answers are good ones.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.preprocessing import StandardScaler

from sklearn_rnn import GRUClassifier
from sklearn_rnn.datasets import load_japanese_vowels
from sklearn_rnn.preprocessing import TimestepTransformer

data = load_japanese_vowels()
scaler = TimestepTransformer(StandardScaler()).fit(data.X_train)
X_train, X_test = scaler.transform(data.X_train), scaler.transform(data.X_test)
model = GRUClassifier(pooling="mean", random_state=0).fit(X_train, data.y_train)

# %%
# One recording arrives, a step at a time.

answers = model.predict_prefixes(X_test)  # for all, to find one that takes its time to be right
late = next(i for i, a in enumerate(answers) if len(a) > 15 and a[4] != a[-1] == data.y_test[i])

state, history = None, []
for x_t in X_test[late]:
    probabilities, state = model.step_proba(x_t, state)
    history.append(probabilities)
history = np.array(history)

# %%
# What it believed, and how good such beliefs are over all 370 test recordings.

figure, (left, right) = plt.subplots(1, 2, figsize=(9.5, 3.8))
steps = np.arange(1, len(history) + 1)
likely = np.argsort(history.max(axis=0))[::-1][:3]
for k, style in zip(likely, ("-", "--", ":"), strict=True):
    name = model.classes_[k]
    said = " (who it is)" if name == data.y_test[late] else ""
    left.plot(steps, history[:, k], style, lw=2, label=f"speaker {name}{said}")
left.xaxis.get_major_locator().set_params(integer=True)
left.set(xlabel="step", ylabel="probability", ylim=(0, 1), title="One recording")
left.legend()

longest = max(map(len, answers))
accuracy = [
    np.mean([a[:t][-1] == truth for a, truth in zip(answers, data.y_test, strict=True)])
    for t in range(1, longest + 1)
]
right.plot(np.arange(1, longest + 1), accuracy)
right.set(xlabel="steps seen", ylabel="accuracy", ylim=(0, 1), title="370 recordings")
plt.show()

# %%
# Five steps are nearly as good as all of them.
