"""How the figures of gallery and theory look: colours that colour-blind readers tell apart."""

from cycler import cycler

# Okabe and Ito (2008).
COLOURS = ["#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#F0E442", "#000000"]
STYLE = {
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.prop_cycle": cycler(color=COLOURS),
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "figure.constrained_layout.use": True,
    "figure.dpi": 110,
    "figure.figsize": (7.0, 4.0),
    "grid.color": "0.9",
    "image.cmap": "cividis",
    "legend.frameon": False,
}


def use(gallery_conf, fname):
    """Before each example: sphinx-gallery has just brought back matplotlib's own style."""
    import matplotlib.pyplot as plt

    plt.rcParams.update(STYLE)
