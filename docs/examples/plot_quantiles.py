"""
How sure is a number? Quantiles and intervals that hold
=======================================================

How a regressor says where a target will lie: ``loss="quantile"`` learns several quantiles in one
network, and ``predict_interval`` corrects them on validation data so that an interval holds what it
says. From two days of traffic on an interstate (John Hogue, *Metro Interstate Traffic Volume*,
UCI, CC BY 4.0), the volume of the next hour.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from sklearn_rnn import GRURegressor, make_windows

path = Path("../data/traffic_volume.csv.gz")
series = pd.read_csv(path)["traffic_volume"].to_numpy(float)[:6000] / 1000
windows = make_windows(series, window=48, horizon=1)
X, y = windows.X.astype(np.float32), windows.y.ravel()
train, validation, test = np.split(np.arange(len(y)), [3500, 4500])

model = GRURegressor(
    24,
    loss="quantile",
    quantiles=(0.05, 0.5, 0.95),
    batch_size=64,
    learning_rate_init=0.01,
    max_iter=25,
    random_state=0,
)
model.fit(X[train], y[train], X_val=X[validation], y_val=y[validation])
low, high = model.predict_interval(X[test], coverage=0.9).T
median = model.predict(X[test])[:, 1]
inside = (low <= y[test]) & (y[test] <= high)
print(f"{inside.mean():.1%} of the test hours lie in their interval, 90 % were asked for")

# %%
# Five days of the test hours. The interval is narrow at night and wide when traffic is about to
# turn.

hours, days = slice(0, 120), np.arange(120) / 24
figure, ax = plt.subplots(figsize=(9, 3.8))
ax.fill_between(days, low[hours], high[hours], alpha=0.3, lw=0, label="interval for 90 %")
ax.plot(days, median[hours], "--", label="median")
ax.plot(days, y[test][hours], color="black", lw=1, label="truth")
outside = ~inside[hours]
ax.plot(days[outside], y[test][hours][outside], "o", color="#D55E00", ms=5, label="outside")
ax.set(xlabel="days", ylabel="1,000 vehicles per hour", title="The next hour, and how sure")
figure.legend(loc="outside lower center", ncols=4)
plt.show()

# %%
# :doc:`The user guide </user_guide/regression>` says what is guaranteed, and when.
