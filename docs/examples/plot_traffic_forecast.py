"""
Forecasting traffic, with intervals
===================================

How to forecast a series as it is: ``RecurrentForecaster`` cuts the windows, scales them, holds
the end of the series out to know when to stop, and measures there how wide intervals have to be.
The series is the hourly traffic on an interstate (John Hogue, *Metro Interstate Traffic Volume*,
UCI, CC BY 4.0); the calendar is known ahead.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from sklearn_rnn import GRURegressor, RecurrentForecaster

path = Path("../data/traffic_volume.csv.gz")
series = pd.read_csv(path, index_col="date_time", parse_dates=True)["traffic_volume"]
series = series.resample("h").asfreq().interpolate()["2017-07":"2018-07"]

hour, day = 2 * np.pi * series.index.hour / 24, 2 * np.pi * series.index.day_of_week / 7
calendar = pd.DataFrame(
    {"sin h": np.sin(hour), "cos h": np.cos(hour), "sin w": np.sin(day), "cos w": np.cos(day)},
    index=series.index,
)

# %%
# A day is forecast from the two days before it, by what eleven months of hours has taught.

past, horizon = series[:"2018-05"], 24
forecaster = RecurrentForecaster(
    GRURegressor(hidden_size=24, batch_size=128, learning_rate_init=0.01, max_iter=20),
    window=48,
    horizon=horizon,
    random_state=0,
)
forecaster.fit(past, future_exog=calendar[: len(past)])

# %%
# Two months go by. Each midnight, without fitting again, the next day is forecast from what is
# known.

days = []
for now in range(len(past), len(series) - horizon, horizon):
    known = {"series": series[:now], "future_exog": calendar[: now + horizon]}
    forecast = forecaster.predict_interval(coverage=0.9, **known)
    days.append(forecast.assign(forecast=forecaster.predict(**known)))
coming = pd.concat(days)
truth, last_week = series[coming.index], series.shift(7 * 24)[coming.index]
inside = ((truth >= coming["lower"]) & (truth <= coming["upper"])).mean()
print(f"{len(days)} days, {inside:.0%} of the hours in their interval; root mean squared error:")
print(f"forecast          {np.sqrt(np.mean((coming['forecast'] - truth) ** 2)):.0f} an hour")
print(f"as the last week  {np.sqrt(np.mean((last_week - truth) ** 2)):.0f} an hour")

# %%
# The week after Independence Day, in seven forecasts.

week = slice("2018-07-05", "2018-07-11")
figure, ax = plt.subplots(figsize=(9, 4))
ax.fill_between(
    coming[week].index,
    coming["lower"][week],
    coming["upper"][week],
    alpha=0.25,
    lw=0,
    label="interval for 90 %",
)
ax.plot(coming["forecast"][week], "--", lw=2, label="forecast at midnight")
ax.plot(truth[week], color="black", lw=1, label="truth")
ax.plot(last_week[week], ":", color="#D55E00", lw=1.5, label="the week before")
ax.set(ylabel="vehicles per hour", title="Traffic, a day ahead")
figure.autofmt_xdate()
figure.legend(loc="outside lower center", ncols=4)
plt.show()

# %%
# The week before has a holiday in it, and is a bad guide; the forecast looks at the last two days.
# In a regular week it is the better guide: :doc:`the user guide </user_guide/forecasting>` measures
# both, and a linear model, over a whole test set.
