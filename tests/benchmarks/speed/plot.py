"""Plots for the user guide: the ratios at a glance, and the growth."""

from __future__ import annotations

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

# Okabe and Ito's colours, which the colour-blind can tell apart; markers tell the same.
STYLES = {"LSTM": ("#0072B2", "o"), "GRU": ("#D55E00", "s"), "RNN": ("#009E73", "^")}
RATIOS = {"core": "One layer, forward and backward", "fit": "An epoch of fit"}
AXES = {"sequences": "sequences", "steps": "steps", "hidden": "hidden size"}


def save(tables, directory):
    """Write the plots of those tables that were measured."""
    directory.mkdir(parents=True, exist_ok=True)
    # Equal figures give equal files.
    with matplotlib.rc_context({"svg.hashsalt": "speed", "font.size": 10}):
        for name, figure in make_figures(tables).items():
            path = directory / f"performance_{name}.svg"
            figure.savefig(path, facecolor="white", metadata={"Date": None})


def make_figures(tables):
    """Return the figures, by name."""
    figures = {}
    shown = {name: tables[name]["rows"] for name in RATIOS if name in tables}
    if shown:
        figures["ratios"] = plot_ratios(shown)
    if "growth" in tables:
        figures["growth"] = plot_growth(tables["growth"]["rows"])
    return figures


def plot_ratios(shown):
    """One row a size, one marker a cell with its range, on a logarithmic axis; 1 is equal."""
    sizes = list(dict.fromkeys(tuple(row["sizes"]) for rows in shown.values() for row in rows))
    figure = Figure(figsize=(9, 1.9 + 0.36 * len(sizes)), layout="constrained")
    axes = figure.subplots(1, len(shown), sharex=True, sharey=True, squeeze=False)[0]
    for ax, (name, rows) in zip(axes, shown.items(), strict=True):
        ax.axvline(1, color="black", linewidth=1.2)
        for cell, (color, marker) in STYLES.items():
            own = [row for row in rows if row["cell"] == cell]
            heights = [sizes.index(tuple(row["sizes"])) for row in own]
            ends = np.array([row["per_core_range"] for row in own]).reshape(-1, 2)
            ax.hlines(heights, *ends.T, color=color, linewidth=1.5)
            ax.plot(
                [row["per_core"] for row in own],
                heights,
                marker,
                color=color,
                markersize=8,
                markeredgecolor="white",
                label=cell,
            )
        ax.set_title(RATIOS[name], pad=24)
        _label_sides(ax)
    axes[0].set_yticks(range(len(sizes)), [", ".join(map(str, size)) for size in sizes])
    axes[0].set_ylabel("features, hidden, batch, steps")
    axes[0].set_ylim(len(sizes) - 0.5, -0.5)
    figure.supxlabel("PyTorch's time / ours, one thread each", fontsize=10)
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=3, frameon=False)
    return figure


def _label_sides(ax):
    ax.set_xscale("log", base=2)
    low, high = ax.get_xlim()
    ax.set_xlim(min(low, 0.38), max(high, 2.2))
    ax.xaxis.set_major_locator(FixedLocator([0.25, 0.5, 1, 2, 4, 8, 16, 32]))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
    ax.axvspan(1e-3, 1, color="0.93", zorder=0)
    ax.grid(axis="both", color="0.85", linewidth=0.7)
    ax.set_axisbelow(True)
    for text, offset, side in (("PyTorch faster", -4, "right"), ("sklearn_rnn faster", 4, "left")):
        ax.annotate(
            text,
            (1, 1),
            xycoords=("data", "axes fraction"),
            xytext=(offset, 4),
            textcoords="offset points",
            ha=side,
            color="0.3",
            fontsize=9,
        )


def plot_growth(rows):
    """Seconds above, memory below, along each size; the legends tell the slopes."""
    alongs = list(dict.fromkeys(row["along"] for row in rows))
    figure = Figure(figsize=(9, 5.6), layout="constrained")
    axes = figure.subplots(2, len(alongs), sharex="col", sharey="row", squeeze=False)
    for (top, bottom), along in zip(axes.T, alongs, strict=True):
        for row in rows:
            if row["along"] == along:
                _plot_line(top, row, row["seconds"], row["seconds_exponent"])
                megabytes = np.array(row["bytes"]) / 1e6
                _plot_line(bottom, row, megabytes, row["bytes_exponent"])
        for ax in (top, bottom):
            ax.set_xscale("log")
            ax.set_yscale("log")
            ax.minorticks_off()
            ax.grid(color="0.88", linewidth=0.7)
            ax.legend(title="slope", loc="upper left", fontsize=8, title_fontsize=8)
        bottom.set_xlabel(AXES[along])
    axes[0, 0].set_ylabel("seconds of an epoch")
    axes[1, 0].set_ylabel("megabytes beyond the data")
    return figure


def _plot_line(ax, row, figures, exponent):
    """Draw the figures, and dashed the power law through their larger half."""
    color, marker = STYLES[row["cell"]]
    values = np.array(row["values"], float)
    half = len(values) // 2
    label = f"{row['cell']} {exponent:.2f}"
    ax.plot(values, figures, marker, color=color, markersize=5, label=label)
    middle = np.exp(np.mean(np.log(figures[half:])))
    scaled = values[half:] / np.exp(np.mean(np.log(values[half:])))
    ax.plot(values[half:], middle * scaled**exponent, color=color, linewidth=1.3)
