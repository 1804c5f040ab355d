"""
A trained network as one small module
=====================================

How to put a fitted network where nothing but NumPy is installed, a small board or a function in the
cloud: ``export_predictor`` writes a Python module that holds the equations of this one model, to be
read, and its weights beside it.
"""

import importlib.util
import inspect
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.preprocessing import StandardScaler

from sklearn_rnn import GRUClassifier
from sklearn_rnn.datasets import load_japanese_vowels
from sklearn_rnn.interop import export_predictor
from sklearn_rnn.preprocessing import TimestepTransformer

data = load_japanese_vowels()
scaler = TimestepTransformer(StandardScaler()).fit(data.X_train)
X_train, X_test = scaler.transform(data.X_train), scaler.transform(data.X_test)
model = GRUClassifier(16, random_state=0).fit(X_train, data.y_train)

folder = Path(tempfile.mkdtemp())
export_predictor(model, folder / "vowels.py")

# %%
# The module answers as the estimator does.

spec = importlib.util.spec_from_file_location("vowels", folder / "vowels.py")
vowels = importlib.util.module_from_spec(spec)
spec.loader.exec_module(vowels)
difference = np.abs(vowels.predict_proba(list(X_test)) - model.predict_proba(X_test)).max()
print(f"largest difference of a probability: {difference:.1e}")
sizes = [(folder / name).stat().st_size / 1024 for name in ("vowels.py", "vowels.npz")]
print("source {:.0f} kB, weights {:.0f} kB".format(*sizes))

# %%
# This is its cell, as it stands in the file.

print(inspect.getsource(vowels.cell))

# %%
# And how long is it until a fresh Python can answer? The median of three starts.


def seconds_to_import(module):
    def once():
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", f"import {module}"], cwd=folder, check=True)
        return time.perf_counter() - start

    return np.median([once() for _ in range(3)])


seconds = {name: seconds_to_import(name) for name in ("sklearn_rnn", "vowels", "numpy")}
figure, ax = plt.subplots(figsize=(7, 2.4))
bars = ax.barh(list(seconds), list(seconds.values()))
ax.bar_label(bars, fmt="%.2f s", padding=3)
ax.set(xlabel="seconds of a fresh process", title="import ...")
ax.grid(axis="y", visible=False)
plt.show()

# %%
# The module costs what NumPy costs.
