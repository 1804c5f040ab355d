"""Whether the estimators learn what they should, beside their bars, PyTorch, and the papers.

python -m tests.benchmarks.learning [TASK ...] [--json FILE] [--markdown FILE] [--resume]
    [--seeds 0 1 2] [--jobs N] [--init {pytorch,ours}] [--smallest]

A TASK is the name of a row, such as names_gru, or how it begins: names. Without any, all run.
With --json, what is measured replaces its rows in the file, and the others stay; with --resume,
rows that the file has are not run again; with --tables-only none are, and the Markdown is made
from the file.

The PyTorch model has the same cell and settings: batches of the same size, Adam, clipping,
epochs, standardised targets, and the same initial bias of the LSTM's forget gate. It starts from
PyTorch's own initialisation; with --init ours, from a draw of ours, to separate causes.
"""
