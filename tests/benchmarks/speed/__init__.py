"""How fast, and in how much memory: these estimators beside PyTorch and skorch, on this CPU.

python -m tests.benchmarks.speed [--tables core fit ...] [--rounds N] [--smallest]
    [--json FILE] [--markdown FILE] [--plot DIRECTORY]
python -m tests.benchmarks.speed --against REV [--only TEXT ...] [--rounds N] [--tolerance 0.05]

With --json, the tables that are measured replace those in the file, and the others stay; without
any name after it, --tables measures nothing, and Markdown and plots are made from the file.
With --against, the working tree and another revision are timed in turn, to see what became slower.

Ours and theirs run in one process and in turn, so that a machine that slows down slows both
down. Everything is float32; a time is a median over the rounds, and a ratio is the median of the
rounds' ratios. Variables that force a kernel of a BLAS, or how threads wait, are unset.
"""
