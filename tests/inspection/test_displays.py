"""The displays show the numbers that the models give, on the axes that they should."""

import sys

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_rnn import (
    GRUClassifier,
    GRURegressor,
    LSTMClassifier,
    LSTMRegressor,
    RNNClassifier,
    RNNRegressor,
)
from sklearn_rnn.inspection import (
    AttributionDisplay,
    GateDisplay,
    GradientFlowDisplay,
    HiddenStateDisplay,
    LossCurveDisplay,
)
from sklearn_rnn.preprocessing import TimestepTransformer
from tests.helpers import fit_tiny, make_sequences, make_targets, tiny

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")
plt = pytest.importorskip("matplotlib.pyplot")

NAMES = ["anna", "bob", "carla", "bobby", "ann", "al"]


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def legend_of(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def draw(display):
    """Draw to the end, so that the layout too must work."""
    display.figure_.canvas.draw()
    return display


# Each display of a fitted model, to test what they share.
DISPLAYS = {
    LossCurveDisplay: lambda model, X, ax: LossCurveDisplay.from_estimator(model, ax=ax),
    GradientFlowDisplay: lambda model, X, ax: GradientFlowDisplay.from_estimator(
        model, X, make_targets(model), ax=ax
    ),
    GateDisplay: lambda model, X, ax: GateDisplay.from_estimator(model, X, ax=ax),
    HiddenStateDisplay: lambda model, X, ax: HiddenStateDisplay.from_estimator(model, X, ax=ax),
    AttributionDisplay: lambda model, X, ax: AttributionDisplay.from_estimator(model, X, ax=ax),
}
every = pytest.mark.parametrize("Display", DISPLAYS)


@every
def test_a_figure_is_made_unless_axes_are_given(Display):
    X = make_sequences()
    model = fit_tiny(LSTMClassifier, X)
    display = draw(DISPLAYS[Display](model, X, None))
    assert display.figure_ is display.ax_.figure
    assert display.ax_.get_title() or display.ax_.get_title(loc="left")

    figure, (left, right) = plt.subplots(1, 2)
    n_before = len(plt.get_fignums())
    given = draw(DISPLAYS[Display](model, X, right))
    assert given.figure_ is figure
    assert len(plt.get_fignums()) == n_before
    assert not left.has_data()

    other = plt.figure().subplots()
    assert draw(given.plot(ax=other)) is given
    assert given.figure_ is other.figure


@every
def test_pipelines_and_searches_are_looked_into(Display):
    X = make_sequences()
    y = make_targets(LSTMClassifier())
    model = make_pipeline(TimestepTransformer(StandardScaler()), tiny(LSTMClassifier))
    search = GridSearchCV(model, {"lstmclassifier__hidden_size": [3]}, cv=2).fit(X, y)
    inside = search.best_estimator_
    X_scaled = inside[:-1].transform(X)
    one = DISPLAYS[Display](search, X, None)
    other = DISPLAYS[Display](inside[-1], X_scaled, None)
    for a, b in zip(one.ax_.get_lines(), other.ax_.get_lines(), strict=True):
        np.testing.assert_array_equal(a.get_ydata(), b.get_ydata())
    for a, b in zip(one.ax_.images, other.ax_.images, strict=True):
        np.testing.assert_array_equal(a.get_array(), b.get_array())
    assert one.ax_.has_data()


@every
def test_without_matplotlib_the_error_names_the_extra(Display, monkeypatch):
    X = make_sequences()
    model = fit_tiny(LSTMClassifier, X)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=rf'{Display.__name__}.*"sklearn-rnn\[plot\]"'):
        DISPLAYS[Display](model, X, None)


@every
def test_other_estimators_are_refused(Display):
    with pytest.raises(TypeError, match=r"one of sklearn_rnn's classifiers or regressors.*Scaler"):
        DISPLAYS[Display](StandardScaler(), make_sequences(), None)


@pytest.mark.parametrize("Display", [LossCurveDisplay, GateDisplay])
def test_axes_are_divided_wherever_they_stand_but_once(Display):
    X = make_sequences()
    model = fit_tiny(LSTMClassifier, X)
    ax = plt.figure().add_axes((0.2, 0.3, 0.7, 0.6))
    display = draw(DISPLAYS[Display](model, X, ax))
    for part in display.axes_.values():
        assert part.get_position().x0 == pytest.approx(0.2)
        assert 0.3 - 1e-9 <= part.get_position().y0 < part.get_position().y1 <= 0.9 + 1e-9
    with pytest.raises(ValueError, match="ax is divided"):
        DISPLAYS[Display](model, X, ax)


# --- LossCurveDisplay -----------------------------------------------------------------------------


def test_loss_curve_of_a_plain_fit():
    model = fit_tiny(GRUClassifier, max_iter=7)
    display = LossCurveDisplay.from_estimator(model)
    assert list(display.axes_) == ["loss"]
    line = display.lines_["loss"]
    np.testing.assert_array_equal(line.get_xdata(), np.arange(1, 8))
    np.testing.assert_array_equal(line.get_ydata(), model.loss_curve_)
    assert display.ax_.get_xlabel() == "epoch"
    assert display.ax_.get_ylabel() == "loss"
    assert display.ax_.get_yscale() == "log"
    assert display.best_epoch_ == np.argmin(model.loss_curve_) + 1


def test_loss_curve_with_validation():
    X = make_sequences(range(1, 41))
    y = np.arange(40) % 2
    model = tiny(LSTMClassifier, early_stopping=True, max_iter=12).fit(X, y)
    display = LossCurveDisplay.from_estimator(model)
    assert list(display.axes_) == ["loss", "validation_score"]
    losses = model.history_["validation_loss"]
    np.testing.assert_array_equal(display.lines_["validation_loss"].get_ydata(), losses)
    scores = model.validation_scores_
    np.testing.assert_array_equal(display.lines_["validation_score"].get_ydata(), scores)
    assert display.best_epoch_ == np.argmax(scores) + 1
    assert legend_of(display.ax_)[-1] == f"best validation score: epoch {display.best_epoch_}"


def test_loss_curve_of_a_whole_history():
    history = {
        "epoch": np.array([3, 4, 5, 6]),
        "loss": np.array([4.0, 2.0, 1.0, 0.5]),
        "validation_loss": np.array([4.0, 3.0, 2.5, 2.6]),
        "validation_score": np.array([0.1, 0.5, 0.7, 0.6]),
        "learning_rate": np.array([0.1, 0.05, 0.02, 0.01]),
        "gradient_norm": np.ones(4),
    }
    display = draw(LossCurveDisplay(history, estimator_name="Model").plot())
    assert list(display.axes_) == ["loss", "validation_score", "learning_rate"]
    assert display.best_epoch_ == 5
    labels = ["training", "validation", "best validation score: epoch 5"]
    assert legend_of(display.ax_) == labels
    assert display.ax_.get_title() == "Training of Model"
    assert display.axes_["learning_rate"].get_xlabel() == "epoch"
    for name, line in display.lines_.items():
        np.testing.assert_array_equal(line.get_ydata(), history[name])
        np.testing.assert_array_equal(line.get_xdata(), history["epoch"])
    widths = {round(ax.get_position().width, 6) for ax in display.axes_.values()}
    assert len(widths) == 1


def test_a_loss_below_zero_has_a_linear_axis_and_nan_columns_are_left_out():
    nan = np.full(3, np.nan)
    history = {
        "epoch": np.arange(1, 4),
        "loss": np.array([1.0, 0.0, -1.0]),
        "validation_loss": nan,
        "validation_score": nan,
        "learning_rate": np.full(3, 0.01),
    }
    display = LossCurveDisplay(history).plot()
    assert list(display.lines_) == ["loss"]
    assert display.ax_.get_yscale() == "linear"
    assert display.best_epoch_ == 3


# --- GradientFlowDisplay --------------------------------------------------------------------------


def test_gradient_flow_of_several_models():
    X = np.random.default_rng(0).normal(size=(9, 15, 2))
    y = np.arange(9) % 3
    models = [tiny(E).fit(X, y) for E in (RNNClassifier, LSTMClassifier, GRUClassifier)]
    display = draw(GradientFlowDisplay.from_estimator(models, X, y))
    assert display.ax_.get_yscale() == "log"
    assert "distance from the end" in display.ax_.get_xlabel()
    assert list(display.lines_) == ["RNNClassifier", "LSTMClassifier", "GRUClassifier"]
    assert list(display.bound_lines_) == ["RNNClassifier"]
    sigma = np.linalg.norm(models[0].weights_["weight_hh_l0"], 2)
    label = rf"bound of RNNClassifier: $\sigma_{{\max}}(W_{{hh}})$ = {sigma:.3g}"
    names = list(display.lines_)
    assert legend_of(display.ax_) == [names[0], label, *names[1:]]
    assert len({line.get_color() for line in display.lines_.values()}) == 3
    for model, line in zip(models, display.lines_.values(), strict=True):
        norms = model.gradient_flow(X, y).norms["l0"]
        np.testing.assert_allclose(line.get_ydata(), np.median(norms, axis=0)[::-1])
        np.testing.assert_array_equal(line.get_xdata(), np.arange(15))
    bound = display.bound_lines_["RNNClassifier"].get_ydata()
    assert (display.lines_["RNNClassifier"].get_ydata() <= bound * (1 + 1e-10)).all()
    np.testing.assert_allclose(bound[1:] / bound[:-1], sigma)


def test_gradient_flow_of_unequal_lengths_counts_from_each_end():
    X = make_sequences((3, 5, 1))
    model = fit_tiny(RNNRegressor, num_layers=2, bidirectional=True)
    y = np.arange(3.0)
    flow = model.gradient_flow(X, y)
    for layer, reverse, end in ((-1, False, "l1"), (0, False, "l0"), (1, True, "l1_reverse")):
        display = GradientFlowDisplay.from_estimator(model, X, y, layer=layer, reverse=reverse)
        norms = display.norms["RNNRegressor"]
        series = [s if reverse else s[::-1] for s in flow.norms[end]]
        assert norms[0] == np.median([s[0] for s in series])
        assert norms[2] == np.median([s[2] for s in series[:2]])
        assert norms[4] == series[1][4]


def test_models_of_one_class_are_numbered_or_named():
    X = make_sequences()
    models = [fit_tiny(GRUClassifier, X), fit_tiny(GRUClassifier, X, num_layers=2)]
    y = make_targets(models[0])
    display = GradientFlowDisplay.from_estimator(models, X, y)
    assert list(display.lines_) == ["GRUClassifier 1", "GRUClassifier 2"]
    named = dict(zip(["flat", "deep"], models, strict=True))
    assert list(GradientFlowDisplay.from_estimator(named, X, y).lines_) == ["flat", "deep"]


def test_flows_that_cannot_be_drawn():
    X = make_sequences()
    model = fit_tiny(GRUClassifier, X)
    y = make_targets(model)
    with pytest.raises(ValueError, match="one estimator at least"):
        GradientFlowDisplay.from_estimator([], X, y)
    with pytest.raises(ValueError, match="layer=-1 with reverse=True is not there"):
        GradientFlowDisplay.from_estimator(model, X, y, reverse=True)
    with pytest.raises(ValueError, match="layer=3"):
        GradientFlowDisplay.from_estimator(model, X, y, layer=3)


def test_what_a_log_axis_cannot_show_is_left_out():
    display = draw(GradientFlowDisplay({"a": np.array([1.0, 0.0, np.inf, 2.0])}, {}).plot())
    line = display.lines_["a"].get_ydata()
    np.testing.assert_array_equal(line, [1.0, np.nan, np.nan, 2.0])


# --- GateDisplay ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("Estimator", "shown"), [(LSTMClassifier, "ifoc"), (GRURegressor, "rzn")])
def test_gates_are_shown_unit_by_unit(Estimator, shown):
    X = make_sequences()
    model = fit_tiny(Estimator, X, num_layers=2)
    display = draw(GateDisplay.from_estimator(model, X, sequence=2, layer=0))
    gates = model.gate_activations(X, layer=0)
    assert list(display.axes_) == ["x", *shown]
    assert sorted(display.order_) == list(range(4))
    for name, image in display.images_.items():
        expected = gates[name][2].T[display.order_]
        np.testing.assert_allclose(image.get_array(), expected, rtol=1e-12)
        low, high = image.get_clim()
        assert (low, high) == (0, 1) if name in "iforz" else low == -high
    first, second = (line.get_ydata() for line in display.ax_.get_lines())
    np.testing.assert_array_equal(first, X[2][:, 0])
    np.testing.assert_array_equal(second, X[2][:, 1])
    assert legend_of(display.ax_) == ["feature 0", "feature 1"]
    assert display.axes_[shown[-1]].get_xlabel() == "time step"
    edges = {round(ax.get_position().x1, 6) for ax in display.axes_.values()}
    assert len(edges) == 1  # the input stands above what it causes


def test_chosen_gates_and_named_features():
    X = make_sequences()
    model = fit_tiny(LSTMRegressor, X)
    names = ["heat", "wind"]
    display = GateDisplay.from_estimator(model, X, gates="fg", feature_names=names)
    assert list(display.images_) == ["f", "g"]
    assert legend_of(display.ax_) == names
    with pytest.raises(ValueError, match="letters of 'ifgoc'"):
        GateDisplay.from_estimator(model, X, gates="fz")
    with pytest.raises(ValueError, match=r"a name for each of 2 feature\(s\); got 1"):
        GateDisplay.from_estimator(model, X, feature_names=["heat"])


def test_many_features_are_a_heat_map_and_tokens_are_written():
    X = np.random.default_rng(0).normal(size=(6, 5, 9))
    model = fit_tiny(GRURegressor, X)
    display = draw(GateDisplay.from_estimator(model, X, sequence=-1))
    np.testing.assert_array_equal(display.ax_.images[0].get_array(), X[-1].T)
    model = tiny(GRURegressor, embedding_size=3).fit(NAMES, np.arange(6.0))
    display = draw(GateDisplay.from_estimator(model, ["zoe"]))
    assert [text.get_text() for text in display.ax_.texts] == ["?", "o", "?"]


@pytest.mark.parametrize("sequence", [12, -13, 1.0, True, None])
def test_sequences_that_are_not_there(sequence):
    X = make_sequences()
    model = fit_tiny(LSTMClassifier, X)
    for Display in (GateDisplay, AttributionDisplay):
        with pytest.raises(ValueError, match="sequence must be an integer from -12 to 11"):
            Display.from_estimator(model, X, sequence=sequence)


def test_an_rnn_has_no_gates_to_draw():
    with pytest.raises(ValueError, match="RNNClassifier has no gates"):
        GateDisplay.from_estimator(fit_tiny(RNNClassifier), make_sequences())


# --- HiddenStateDisplay ---------------------------------------------------------------------------


def test_embeddings_by_class():
    X = make_sequences()
    model = fit_tiny(GRUClassifier, X)
    y = make_targets(model)
    display = draw(HiddenStateDisplay.from_estimator(model, X, y))
    expected = PCA(2, random_state=0).fit(model.transform(X))
    assert legend_of(display.ax_) == ["ash", "elm", "oak"]
    for label, scatter in zip(["ash", "elm", "oak"], display.scatters_, strict=True):
        points = expected.transform(model.transform(X))[y == label]
        np.testing.assert_allclose(scatter.get_offsets(), points, atol=1e-12)
    assert len({tuple(s.get_facecolor()[0]) for s in display.scatters_}) == 3
    share = f"{expected.explained_variance_ratio_[0]:.0%}"
    assert display.ax_.get_xlabel() == f"first principal component ({share} of the variance)"


def test_thirty_six_classes_all_look_different():
    y = np.repeat(np.arange(36), 2)
    points = np.random.default_rng(0).normal(size=(72, 2))
    display = draw(HiddenStateDisplay(points, np.array([0.5, 0.2]), y).plot())
    looks = {
        (tuple(s.get_facecolor()[0]), s.get_paths()[0].vertices.tobytes())
        for s in display.scatters_
    }
    assert len(looks) == 36


def test_embeddings_by_number_and_without_y():
    X = make_sequences()
    model = fit_tiny(LSTMRegressor, X)
    y = make_targets(model)
    display = draw(HiddenStateDisplay.from_estimator(model, X, y))
    np.testing.assert_array_equal(display.scatters_[0].get_array(), y)
    assert display.figure_.axes[1].get_ylabel() == "y"
    plain = HiddenStateDisplay.from_estimator(model, X)
    assert plain.ax_.get_legend() is None
    assert len(plain.figure_.axes) == 1


def test_states_of_every_step_by_its_label():
    X = make_sequences((3, 4, 2))
    y = [(x[:, 0] > 0).astype(int) for x in X]
    model = tiny(GRUClassifier, return_sequences=True).fit(X, y)
    display = HiddenStateDisplay.from_estimator(model, X, y)
    assert display.points.shape == (9, 2)
    np.testing.assert_array_equal(display.y, np.concatenate(y))


def test_embeddings_that_cannot_be_drawn():
    X = make_sequences()
    model = fit_tiny(GRUClassifier, X, hidden_size=1)
    with pytest.raises(ValueError, match="two dimensions need hidden_size=2"):
        HiddenStateDisplay.from_estimator(model, X)
    with pytest.raises(ValueError, match="one value for each embedding"):
        HiddenStateDisplay.from_estimator(fit_tiny(GRUClassifier, X), X, [0, 1])


# --- AttributionDisplay ---------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["integrated", "gradient"])
def test_attributions_are_those_of_the_model(method):
    X = make_sequences()
    model = fit_tiny(GRUClassifier, X)
    display = AttributionDisplay.from_estimator(
        model, X, sequence=2, method=method, target="elm", feature_names=["heat", "wind"]
    )
    methods = {"integrated": model.integrated_gradients, "gradient": model.input_gradients}
    expected = methods[method](X, target="elm")[2]
    np.testing.assert_allclose(draw(display).image_.get_array(), expected.T, rtol=1e-9)
    low, high = display.image_.get_clim()
    assert -low == high == np.abs(display.attributions).max()
    assert [label.get_text() for label in display.ax_.get_yticklabels()] == ["heat", "wind"]
    assert display.ax_.get_title().endswith("log-odds of class elm")


def test_the_display_passes_n_steps_on_and_warns_at_the_users_line():
    X = make_sequences()
    model = fit_tiny(GRURegressor, X)
    X = [1e12 * x for x in X]  # all happens on a part of 1e-12 of the path
    with pytest.warns(UserWarning, match="n_steps=1 gradients") as record:
        display = AttributionDisplay.from_estimator(model, X, n_steps=1)
    assert record[0].filename == __file__
    with pytest.warns(UserWarning, match="n_steps=1 gradients"):
        expected = model.integrated_gradients(X[:1], n_steps=1)[0]
    np.testing.assert_allclose(display.attributions, expected, rtol=1e-9)


def test_titles_say_what_is_explained():
    X = make_sequences()
    three, numbers = fit_tiny(GRUClassifier, X), fit_tiny(GRURegressor, X)
    two = fit_tiny(LSTMClassifier, X, np.arange(12) % 2)
    label = three.predict(X)[0]
    titles = [
        AttributionDisplay.from_estimator(m, X).ax_.get_title() for m in (three, two, numbers)
    ]
    ends = [f"log-odds of class {label}", "log-odds of class 1", "prediction"]
    assert [title.partition(": ")[2] for title in titles] == ends


def test_padding_is_not_drawn_and_rows_are_sequences():
    X = np.random.default_rng(0).normal(size=(6, 5, 2))
    X[1, 3:] = np.nan
    model = fit_tiny(GRURegressor, X)
    assert AttributionDisplay.from_estimator(model, X, sequence=1).attributions.shape == (3, 2)
    rows = np.random.default_rng(0).normal(size=(6, 8))
    model = fit_tiny(GRURegressor, rows)
    assert AttributionDisplay.from_estimator(model, rows).attributions.shape == (8, 1)
    model = fit_tiny(GRURegressor, rows, n_timesteps=4)
    assert AttributionDisplay.from_estimator(model, rows).attributions.shape == (4, 2)


def test_tokens_are_coloured():
    model = tiny(GRUClassifier, embedding_size=3).fit(NAMES, np.arange(6) % 2)
    long = "anna" * 10
    display = draw(AttributionDisplay.from_estimator(model, [long]))
    assert "".join(text.get_text() for text in display.texts_) == long
    lines = display.image_.get_array()
    assert lines.shape == (2, 30)  # forty letters on two lines
    shares = model.integrated_gradients([long])[0]
    np.testing.assert_allclose(lines.compressed() if np.ma.isMA(lines) else lines, shares)
    with pytest.raises(ValueError, match="tokens are no numbers"):
        AttributionDisplay.from_estimator(model, NAMES, method="gradient")


def test_methods_that_are_none():
    X = make_sequences()
    with pytest.raises(ValueError, match='"integrated" or "gradient"; got \'shap\''):
        AttributionDisplay.from_estimator(fit_tiny(GRURegressor, X), X, method="shap")
