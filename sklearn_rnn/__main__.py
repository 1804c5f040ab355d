"""Check an installation: ``python -m sklearn_rnn`` trains, saves and loads a model on real data.

Who is speaking? An LSTM in a pipeline learns it from recordings of unequal length, under a grid
search over its width. The winner is tested, pickled, loaded back and compared.
"""

import argparse
import pickle
import time
from pathlib import Path

import numpy as np
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_rnn import LSTMClassifier
from sklearn_rnn.datasets import JapaneseVowels, load_japanese_vowels
from sklearn_rnn.preprocessing import TimestepTransformer


def main(argv: list[str] | None = None) -> None:
    """Search, test, pickle, load and plot."""
    args = _parse(argv)
    start = time.perf_counter()
    data = load_japanese_vowels()
    print(
        f"Japanese Vowels: {len(data.X_train)} sequences to train on, {len(data.X_test)} to test "
        f"on, {len(data.target_names)} speakers",
        flush=True,
    )
    search = _search(data, args)
    _print_scores(search)
    print(f"\nTest accuracy of the best: {search.score(data.X_test, data.y_test):.3f}")

    args.output.mkdir(parents=True, exist_ok=True)
    _save_and_load(search.best_estimator_, data, args.output / "japanese_vowels_lstm.pkl")
    _plot_loss(search.best_estimator_["lstm"], args.output / "japanese_vowels_loss.png")
    print(f"Finished in {time.perf_counter() - start:.0f} s")


def _parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m sklearn_rnn", description=main.__doc__)
    parser.add_argument("--output", type=Path, default=Path(), help="where the files go")
    parser.add_argument("--jobs", type=int, default=2, help="fits at the same time")
    parser.add_argument("--quick", action="store_true", help="two tiny models, to try it out")
    return parser.parse_args(argv)


def _search(data: JapaneseVowels, args: argparse.Namespace) -> GridSearchCV:
    model = Pipeline(
        [
            ("scale", TimestepTransformer(StandardScaler())),
            ("lstm", LSTMClassifier(random_state=0)),
        ]
    )
    hidden_sizes = [16, 32, 64]
    if args.quick:
        hidden_sizes = [4, 8]
        model.set_params(lstm__max_iter=2)
    search = GridSearchCV(model, {"lstm__hidden_size": hidden_sizes}, n_jobs=args.jobs, verbose=3)
    return search.fit(data.X_train, data.y_train)


def _print_scores(search: GridSearchCV) -> None:
    results = search.cv_results_
    print("\nhidden_size   accuracy (5 folds)   seconds a fit   rank")
    for i, params in enumerate(results["params"]):
        print(
            f"{params['lstm__hidden_size']:11d}"
            f"{results['mean_test_score'][i]:13.3f} ± {results['std_test_score'][i]:.3f}"
            f"{results['mean_fit_time'][i]:15.1f}"
            f"{results['rank_test_score'][i]:8d}"
        )


def _save_and_load(model: Pipeline, data: JapaneseVowels, path: Path) -> None:
    path.write_bytes(pickle.dumps(model))
    loaded = pickle.loads(path.read_bytes())
    if not np.array_equal(loaded.predict_proba(data.X_test), model.predict_proba(data.X_test)):
        raise RuntimeError(f"the model loaded from {path} predicts otherwise than the one saved")
    print(f"Saved {path} ({path.stat().st_size / 1024:.0f} kB): loaded back, it predicts the same")


def _plot_loss(lstm: LSTMClassifier, path: Path) -> None:
    try:
        from matplotlib.figure import Figure
    except ImportError:
        print("No plot: matplotlib is not installed")
        return
    figure = Figure(layout="constrained")
    axes = figure.subplots()
    axes.plot(np.arange(1, lstm.n_iter_ + 1), lstm.loss_curve_)
    axes.set(xlabel="epoch", ylabel="training loss", yscale="log", title=repr(lstm))
    figure.savefig(path)
    print(f"Saved {path}")


if __name__ == "__main__":
    main()
