"""Write the constructors of the six estimators from one source, or check that they agree with it.

python -m tests.constructors --write  # rewrite the other classes
python -m tests.constructors --check  # print what would change, and exit with 1 if anything would

Each of the six has a literal docstring and a literal constructor, which readers, editors and type
checkers see. What they share is edited in one class, and this program copies it to the others:

- LSTMClassifier is the source of all that is not listed below, and of the order and the groups of
  the parameters (the comments in its signature).
- The entries `OF_THE_KIND` come from LSTMClassifier for classifiers and from LSTMRegressor for
  regressors.
- The entries `OF_THE_CELL` come from the classifier with the same cell.

A parameter is copied with its entry in the docstring, its place and type and default in the
signature, and its assignment. A fitted attribute is copied with its entry in the docstring. The
program changes nothing else: summaries, equations, notes, references and examples belong to each
class.
"""

import argparse
import difflib
import re
import sys
from itertools import pairwise
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "sklearn_rnn"
FILES = ("_rnn.py", "_lstm.py", "_gru.py")
SOURCE = "LSTMClassifier"

OF_THE_KIND = {
    *("class_weight", "loss", "quantiles", "huber_delta"),
    *("early_stopping", "validation_fraction"),
    *("classes_", "n_outputs_", "loss_", "validation_scores_", "out_activation_", "weights_"),
}
OF_THE_CELL = {"nonlinearity", "forget_bias", "init"}

# The text of a class: the parts that are rewritten, and between them what belongs to it alone.
CLASS = re.compile(
    r"(?P<summary>.*?\n    Parameters\n    -+\n)(?P<parameters>.*?)"
    r"(?P<heading>\n    Attributes\n    -+\n)(?P<attributes>.*?)"
    r"(?P<notes>\n    See Also\n.*?\n    def __init__\(\n        self,\n)(?P<signature>.*?)"
    r"(?P<result>(?<=\n)    \)[^\n]*:\n)(?P<assignments>.*?\n)(?P<end>\n*)",
    re.DOTALL,
)
# How an entry of each part starts. In a signature, the comment of a group and the bare star are
# entries, too.
STARTS = {
    "parameters": re.compile(r"^    (\w+) : ", re.MULTILINE),
    "attributes": re.compile(r"^    (\w+) : ", re.MULTILINE),
    "signature": re.compile(r"^        (\w+|\*|# [^\n]+)", re.MULTILINE),
}

# The entries of a part, in order: {"hidden_size": "    hidden_size : int, ...\n"}.
Entries = dict[str, str]
# The parts of a class: {"parameters": ..., "attributes": ..., "signature": ...}.
Parts = dict[str, Entries]


def rewrite(texts: dict[str, str]) -> dict[str, str]:
    """Return the texts of files, by name, with all that is shared taken from its source."""
    pieces = {name: re.split(r"^(?=class )", text, flags=re.M) for name, text in texts.items()}
    parts = {class_name(text): read(text) for _, *classes in pieces.values() for text in classes}
    return {
        name: head + "".join(rewrite_class(text, parts) for text in classes)
        for name, (head, *classes) in pieces.items()
    }


def rewrite_class(text: str, parts: dict[str, Parts]) -> str:
    """Return the text of a class with all that is shared taken from its source."""
    name = class_name(text)
    signature = gather(name, "signature", parts)
    parameters = [entry for entry in signature if entry.isidentifier()]
    new = {
        "parameters": "".join(documentation(name, entry, parts) for entry in parameters),
        "attributes": "".join(gather(name, "attributes", parts).values()),
        "signature": "".join(signature.values()),
        "assignments": "".join(f"        self.{entry} = {entry}\n" for entry in parameters),
    }
    return "".join(new.get(part, old) for part, old in matched(text).groupdict().items())


def gather(name: str, part: str, parts: dict[str, Parts]) -> Entries:
    """Return the entries that a part of a class should have.

    They have the order of `SOURCE`. An entry that `SOURCE` does not have follows the entry before
    it in its own source.
    """
    order = ["", *parts[SOURCE][part]]
    for source in (f"LSTM{kind_of(name)}", f"{cell_of(name)}Classifier"):
        for before, entry in pairwise(["", *parts[source][part]]):
            if entry not in order:
                order.insert(order.index(before) + 1, entry)
    from_source = {entry: parts[source_of(name, entry)][part].get(entry) for entry in order}
    return {entry: text for entry, text in from_source.items() if text is not None}


def documentation(name: str, parameter: str, parts: dict[str, Parts]) -> str:
    """Return the entry of a parameter in the docstring of a class."""
    source = source_of(name, parameter)
    try:
        return parts[source]["parameters"][parameter]
    except KeyError:
        raise ValueError(f"The docstring of {source} has no entry for {parameter}.") from None


def source_of(name: str, entry: str) -> str:
    """Return the class from which a class takes an entry."""
    if entry in OF_THE_CELL:
        return f"{cell_of(name)}Classifier"
    return f"LSTM{kind_of(name)}" if entry in OF_THE_KIND else SOURCE


def cell_of(name: str) -> str:
    return re.sub("Classifier|Regressor", "", name)


def kind_of(name: str) -> str:
    return name.removeprefix(cell_of(name))


def class_name(text: str) -> str:
    return text.removeprefix("class ").split("(")[0]


def read(text: str) -> Parts:
    """Return the parts of a class, cut into their entries."""
    match = matched(text)
    return {part: split(match[part], start) for part, start in STARTS.items()}


def matched(text: str) -> re.Match[str]:
    match = CLASS.fullmatch(text)
    if match is None:
        raise ValueError(
            f"{class_name(text)} must have the sections Parameters, Attributes and See Also, and "
            "end with a constructor that has one parameter in a line and only assignments."
        )
    return match


def split(text: str, start: re.Pattern[str]) -> Entries:
    """Cut a text where its entries start."""
    found = list(start.finditer(text))
    ends = [match.start() for match in found[1:]] + [len(text)]
    return {m[1]: text[m.start() : end] for m, end in zip(found, ends, strict=True)}


def main(arguments: list[str] | None = None) -> int:
    """Run the command line, and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.constructors", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    choice = parser.add_mutually_exclusive_group(required=True)
    choice.add_argument("--write", action="store_true", help="rewrite the files of the six")
    choice.add_argument("--check", action="store_true", help="print what --write would change")
    options = parser.parse_args(arguments)

    texts = {name: (PACKAGE / name).read_text(encoding="utf-8") for name in FILES}
    rewritten = rewrite(texts)
    changed = [name for name in FILES if rewritten[name] != texts[name]]
    for name in changed:
        if options.write:
            (PACKAGE / name).write_text(rewritten[name], encoding="utf-8")
            print(f"Rewrote sklearn_rnn/{name}.")
        else:
            lines = (texts[name].splitlines(True), rewritten[name].splitlines(True))
            sys.stdout.writelines(difflib.unified_diff(*lines, name, f"{name} from its source"))
    return 1 if changed and options.check else 0


if __name__ == "__main__":
    sys.exit(main())
