"""Draw the figures of the user guide's page on forecasting.

python -m docs.plots.forecasting

Needs the data sets of tests/benchmarks/real_data.py. Writes docs/user_guide/forecasting_*.png.
"""

from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")

import matplotlib.pyplot as plt
import numpy as np

from tests.benchmarks.forecasting import COVERAGE, backtest, baseline_forecasts, traffic_day

GUIDE = Path(__file__).parents[1] / "user_guide"
# Okabe and Ito's colours, which colour-blind readers can tell apart; line styles differ as well.
BLUE, ORANGE, GREEN = "#0072B2", "#E69F00", "#009E73"
N_DAYS = 7


def draw_forecasts(task, result):
    """Seven forecasts of a day each, one after the other, with their intervals."""
    first = 24 * ((len(result.origins) // 2) // 24)
    chosen = first + 24 * np.arange(N_DAYS)
    hours = np.arange(24 * N_DAYS) / 24
    fig, ax = plt.subplots(figsize=(8, 3.6), layout="constrained")
    low, high = result.intervals[chosen].reshape(-1, 2).T
    ax.fill_between(
        hours, low, high, color=BLUE, alpha=0.25, lw=0, label=f"{COVERAGE:.0%} interval"
    )
    ax.plot(hours, result.truths[chosen].ravel(), color="black", lw=1.2, label="truth")
    ax.plot(hours, result.forecasts[chosen].ravel(), color=BLUE, ls="--", lw=1.6, label="forecast")
    for day in range(N_DAYS + 1):
        ax.axvline(day, color="0.8", lw=0.8, zorder=0)
    ax.set(
        title="Traffic volume: the next 24 hours, forecast at the grey lines",
        xlabel="days",
        ylabel="vehicles per hour",
        xlim=(0, N_DAYS),
    )
    fig.legend(ncols=3, loc="outside lower center", frameon=False)
    return fig


def draw_errors(task, result):
    """The error of each hour ahead, and that of the baselines on its scale."""
    forecasts = baseline_forecasts(task)
    truth = forecasts.pop("truth")
    del forecasts["persistence"]  # its errors are up to eight times as large
    leads = np.arange(1, task.horizon + 1)
    fig, ax = plt.subplots(figsize=(8, 3.8), layout="constrained")
    ax.plot(leads, result.errors, color=BLUE, marker="o", ms=4, label="RecurrentForecaster")
    styles = [(ORANGE, "--"), (GREEN, "-.")]
    for (name, forecast), (colour, style) in zip(forecasts.items(), styles, strict=True):
        errors = [task.metric(truth[:, k], forecast[:, k]) for k in range(task.horizon)]
        ax.plot(leads, errors, color=colour, ls=style, lw=2, label=name)
    ax.set(
        title="Traffic volume: error by lead",
        xlabel="hours ahead",
        ylabel="RMSE (vehicles per hour)",
        xticks=[1, 6, 12, 18, 24],
    )
    ax.set_ylim(bottom=0)
    fig.legend(ncols=3, loc="outside lower center", frameon=False)
    return fig


def main():
    task = traffic_day()
    result = backtest(task)
    for name, draw in (("forecasts", draw_forecasts), ("errors", draw_errors)):
        fig = draw(task, result)
        fig.savefig(GUIDE / f"forecasting_{name}.png", dpi=110)
        plt.close(fig)


if __name__ == "__main__":
    main()
