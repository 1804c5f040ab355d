import matplotlib.pyplot as plt

figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6), width_ratios=(1, 3.2))
for ax in (left, right):
    ax.set_aspect("equal")
    ax.axis("off")
box = {"boxstyle": "circle,pad=0.4", "lw": 1.8, "fc": "white"}


def cell(ax, x, time):
    """Draw x_t below, h_t in the middle, the answer above."""
    for y, letter, colour in ((0, "x", "#009E73"), (1.2, "h", "#0072B2"), (2.4, "p", "#D55E00")):
        ax.text(
            x,
            y,
            f"${letter}{time}$",
            ha="center",
            va="center",
            fontsize=13,
            bbox={**box, "ec": colour},
        )
    arrow(ax, (x, 0.25), (x, 0.95), "$W_{ih}$")
    arrow(ax, (x, 1.45), (x, 2.15), "$W_{out}$")


def arrow(ax, start, end, label, bend=0.0, at=(0.09, 0)):
    style = {"arrowstyle": "-|>", "lw": 1.4, "color": "0.35"}
    ax.annotate("", end, start, arrowprops={**style, "connectionstyle": f"arc3,rad={bend}"})
    middle = (start[0] + end[0]) / 2 + at[0], (start[1] + end[1]) / 2 + at[1]
    ax.text(*middle, label, va="center", color="0.35", fontsize=9)


cell(left, 0, "_t")
arrow(left, (0.22, 1.35), (0.22, 1.05), "$W_{hh}$", bend=-2.2, at=(0.45, 0))
left.set(xlim=(-0.6, 1.4), ylim=(-0.4, 2.8), title="folded")

for k, time in enumerate(("_1", "_2", "_3")):
    cell(right, 1.5 * k + 1, time)
for k in range(3):
    arrow(right, (1.5 * k - 0.25, 1.2), (1.5 * k + 0.75, 1.2), "$W_{hh}$", at=(-0.2, 0.17))
right.text(-0.5, 1.2, "$h_0$", ha="center", va="center", fontsize=13, bbox={**box, "ec": "0.6"})
right.set(xlim=(-1.0, 4.8), ylim=(-0.4, 2.8), title="unfolded in time")
