"""The loop: what an epoch is, when it ends, and that nothing half-done ever leaves it."""

import random
import sys
import threading
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest

import sklearn_rnn
from sklearn_rnn._core.losses import Loss
from sklearn_rnn._running import cutting
from sklearn_rnn._training.history import Epoch
from sklearn_rnn._training.optimizers import SGD, Optimizer
from sklearn_rnn._training.parts import PartGradients
from sklearn_rnn._training.schedules import Schedule
from sklearn_rnn._training.snapshot import mean_weights
from tests.core.helpers import assert_close
from tests.training.helpers import (
    assert_same_result,
    loss_gradient,
    losses_of,
    make_adam,
    make_data,
    make_network,
    make_trainer,
    objective,
    scores_of,
    sequences_of,
)


class Recorder(Optimizer):
    """Leaves theta where it is, and keeps the gradients that it gets."""

    def __init__(self):
        super().__init__(np.empty(0), 0.0)
        self.gradients = []

    def step(self, theta, gradient):
        self.t += 1
        self.gradients.append(gradient.copy())


class Breaker(SGD):
    """Gives all weights one value at one update: NaN, or what no prediction can survive."""

    def __init__(self, theta, at, value=np.nan):
        super().__init__(theta, 0.01, 0.9, True)
        self.at, self.value = at, value

    def step(self, theta, gradient):
        super().step(theta, gradient)
        if self.t == self.at:
            theta[...] = self.value


class Scores:
    """A validation that answers with given scores, one an epoch, and keeps what it was asked."""

    def __init__(self, scores):
        self.scores, self.thetas = scores, []

    def __call__(self, theta):
        self.thetas.append(theta.copy())
        return self.scores[len(self.thetas) - 1]


def still(**options):
    """A trainer whose weights do not move."""
    return make_trainer(optimizer=Recorder(), **options)


# --- Parts of a large batch -----------------------------------------------------------------------


@pytest.fixture
def small_parts(monkeypatch):
    """Batches are cut into parts of two or three sequences."""
    monkeypatch.setattr(cutting, "COLUMNS_OF_PART", 2)
    monkeypatch.setattr(cutting, "SIZE_OF_PART", 1)
    monkeypatch.setattr(cutting, "SIZE_FOR_THREADS", 1)


@pytest.mark.parametrize(
    ("hidden_size", "n_columns", "n_parts"),
    [(7, 1000, 1), (64, 63, 1), (64, 64, 2), (32, 128, 2), (128, 256, 4), (512, 10_000, 8)],
)
def test_the_number_of_parts_depends_on_the_size_alone(hidden_size, n_columns, n_parts):
    assert cutting.count_parts(hidden_size, n_columns) == n_parts


def test_threads_run_large_parts_only():
    assert not cutting.suits_threads(32, 64)
    assert cutting.suits_threads(64, 32)


@pytest.mark.parametrize("batch_size", [1, 4, 5, 14])
def test_parts_make_the_gradient_of_the_whole(batch_size, monkeypatch):
    network, theta = make_network(alpha=0.3)  # the penalty must count once
    gradients = {}
    for columns in (2, 3, 1000):
        monkeypatch.setattr(cutting, "SIZE_OF_PART", 1)
        monkeypatch.setattr(cutting, "COLUMNS_OF_PART", columns)
        trainer = still(network=network, theta=theta, batch_size=batch_size, max_iter=2)
        trainer.train()
        gradients[columns] = trainer.optimizer.gradients
    assert_close(np.array(gradients[3]), np.array(gradients[1000]), 1e-12)
    assert_close(np.array(gradients[2]), np.array(gradients[1000]), 1e-12)


def test_threads_change_no_bit(small_parts):
    results = []
    for n_threads in (1, 2, 3):
        trainer = make_trainer(batch_size=7, max_iter=5)
        trainer.n_threads = n_threads
        results.append(trainer.train())
    assert_same_result(*results[:2])
    assert_same_result(*results[1:])


def test_a_second_thread_has_its_part(small_parts, monkeypatch):
    names = []

    def spy(*args):
        names.append(threading.current_thread().name)
        return original(*args)

    original = PartGradients.compute
    monkeypatch.setattr(PartGradients, "compute", spy)
    trainer = make_trainer(make_data(n=16), batch_size=4, max_iter=1)
    trainer.n_threads = 2
    trainer.train()
    assert len(set(names)) == 2
    assert len(names) == 2 * 4  # of four batches


def test_what_goes_wrong_in_the_second_part_goes_wrong(small_parts, monkeypatch):
    def fail(self, part, *args):
        if part.number == 1:
            raise MemoryError("no room")
        return original(self, part, *args)

    original = PartGradients.compute
    monkeypatch.setattr(PartGradients, "compute", fail)
    for n_threads in (1, 2):
        trainer = make_trainer()
        trainer.n_threads = n_threads
        with pytest.raises(MemoryError, match="no room"):
            trainer.train()


# --- Batches, updates, epochs ---------------------------------------------------------------------


def test_an_epoch_is_a_pass_over_all_batches():
    trainer = make_trainer(make_data(n=14), batch_size=4, max_iter=3)
    result = trainer.train()
    assert len(losses_of(result)) == 3
    assert result.last.optimizer["t"] == 3 * 4
    assert result.reason == "max_iter"
    assert result.last.best == min(losses_of(result))
    assert not result.validated


@pytest.mark.parametrize("batch_size", [1, 4, 14, 50])
def test_training_is_the_plain_loop(batch_size):
    """Each update by the batch's share of the gradient of the mean over all samples."""
    data, rate = make_data(n=14), 0.1
    network, theta = make_network()
    optimizer = SGD(theta, rate, 0.0, False)
    result = make_trainer(
        data, optimizer=optimizer, batch_size=batch_size, shuffle=False, max_iter=3
    ).train()
    xs = sequences_of(data)
    for _ in range(3):
        for begin in range(0, 14, batch_size):
            index = range(begin, min(begin + batch_size, 14))
            parts = [loss_gradient(network, theta, xs[i], data.y[i], data.weight[i]) for i in index]
            total = sum(gradient for _, gradient in parts)
            theta = theta - rate * total / (len(index) * data.weight.mean())
    assert_close(result.last.best_theta, theta)


@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("ragged", [False, True], ids=["equal", "ragged"])
@pytest.mark.parametrize("batch_size", [1, 3, 14, 50])
def test_the_loss_of_an_epoch_is_the_objective(batch_size, ragged, shuffle):
    """While the weights stand still: the weighted mean over all samples, and the penalty."""
    data = make_data(n=14, ragged=ragged)
    network, theta = make_network(alpha=0.3)
    result = still(
        data=data, network=network, batch_size=batch_size, shuffle=shuffle, max_iter=2
    ).train()
    expected, _ = objective(replace(network, alpha=0.0), theta, data)
    penalty = 0.15 * (theta[network.layout.penalized] ** 2).sum()
    np.testing.assert_allclose(losses_of(result), expected + penalty, rtol=1e-13)


def test_a_single_batch_is_not_shuffled():
    data = make_data(n=14)
    trainer, before = make_trainer(data, batch_size=14), np.random.default_rng(0)
    result = trainer.train()
    assert result.last.rng == before.bit_generator.state
    assert_same_result(result, make_trainer(data, batch_size=14, shuffle=False).train())


def test_several_batches_are_shuffled_unless_told_otherwise():
    data = make_data(n=14)
    shuffled, given = (make_trainer(data, shuffle=shuffle).train() for shuffle in (True, False))
    assert not np.array_equal(shuffled.last.theta, given.last.theta)
    assert given.last.rng == np.random.default_rng(0).bit_generator.state
    assert_same_result(make_trainer(data).train(), shuffled)


def test_training_learns():
    data = make_data(n=30, longest=4)
    start, _ = objective(*make_network(), data)
    trainer = make_trainer(data, batch_size=8, max_iter=150)
    result = trainer.train()
    end, _ = objective(make_network()[0], result.last.best_theta, data)
    assert end < 0.6 * start


def test_float32_stays_float32():
    data = make_data()
    _, theta = make_network()
    expected = make_trainer(data, theta=theta).train()
    data32 = replace(data, values=data.values.astype(np.float32)).astype(np.float32)
    result = make_trainer(data32, theta=theta.astype(np.float32)).train()
    assert result.last.best_theta.dtype == np.float32
    assert {moment.dtype for moment in result.last.optimizer["moments"]} == {np.dtype(np.float32)}
    assert_close(result.last.best_theta, expected.last.best_theta, 1e-3)


def test_the_result_is_cut_off_from_the_trainer():
    trainer = make_trainer()
    result = trainer.train()
    expected = make_trainer().train()
    trainer.theta[...] = np.nan
    for moment in trainer.optimizer.moments:
        moment[...] = np.nan
    trainer.rng.random()
    assert_same_result(result, expected)


@pytest.mark.parametrize("validate", [None, lambda theta: float(theta[0])])
def test_training_goes_on_as_if_it_had_never_stopped(validate):
    whole = make_trainer(max_iter=5).train()
    first = make_trainer(max_iter=2).train()
    second = make_trainer(theta=first.last.best_theta, max_iter=3)
    second.optimizer.restore(first.last.optimizer)
    second.rng.bit_generator.state = first.last.rng
    result = second.train()
    assert losses_of(first) + losses_of(result) == losses_of(whole)
    np.testing.assert_array_equal(result.last.best_theta, whole.last.best_theta)
    assert result.last.rng == whole.last.rng


@pytest.mark.parametrize("validated", [False, True])
def test_verbose_tells_each_epoch(validated, capsys):
    validate = Scores([0.5, 0.25]) if validated else None
    result = make_trainer(max_iter=2, verbose=True, validate=validate).train()
    scores = [f", validation loss {-s:.6f}, validation score {s:.4f}" for s in (0.5, 0.25)]
    scores = scores if validated else ["", ""]
    expected = [
        f"Epoch {e.epoch}: loss {e.loss:.6f}{score}, learning rate 0.01, "
        f"gradient norm {e.gradient_norm:.3g}, {e.seconds:.2f} s"
        for e, score in zip(result.last.history, scores, strict=True)
    ]
    assert capsys.readouterr().out.splitlines() == expected
    make_trainer(max_iter=2).train()
    assert capsys.readouterr().out == ""


# --- History --------------------------------------------------------------------------------------


def test_the_gradient_norm_is_the_largest_of_the_epoch_before_clipping():
    recorder = Recorder()
    plain = make_trainer(optimizer=recorder, max_iter=2).train()
    norms = np.linalg.norm(recorder.gradients, axis=1).reshape(2, 4)
    found = [epoch.gradient_norm for epoch in plain.last.history]
    np.testing.assert_allclose(found, norms.max(axis=1), rtol=1e-12)
    clipped = still(max_iter=2, max_grad_norm=norms.min() / 2).train()
    assert [epoch.gradient_norm for epoch in clipped.last.history] == found


def test_history_counts_epochs_and_takes_the_last_learning_rate():
    trainer = make_trainer(max_iter=3)
    trainer.schedule = Schedule("invscaling", 0.1, 3, power_t=1.0)
    history = trainer.train().last.history
    assert [epoch.epoch for epoch in history] == [1, 2, 3]
    assert [epoch.learning_rate for epoch in history] == [0.1 / 4, 0.1 / 8, 0.1 / 12]
    assert all(epoch.seconds > 0 for epoch in history)
    assert all(np.isnan(epoch.validation_score) for epoch in history)


# --- Averages -------------------------------------------------------------------------------------


def iterates(max_iter, **options):
    return [make_trainer(max_iter=n, **options).train().last.theta for n in range(1, max_iter + 1)]


@pytest.mark.parametrize("k", [1, 2, 3, 10])
def test_the_model_is_the_mean_of_the_last_epochs(k):
    result = make_trainer(max_iter=5, average_epochs=k).train()
    np.testing.assert_array_equal(result.last.best_theta, mean_weights(tuple(iterates(5)[-k:])))
    assert_close(result.last.best_theta, np.mean(iterates(5)[-k:], axis=0), 1e-14)
    assert losses_of(result) == losses_of(make_trainer(max_iter=5).train())


def test_validation_sees_the_average_and_keeps_the_best():
    validate = Scores([0.1, 0.2, 0.9, 0.3, 0.3])
    result = make_trainer(max_iter=5, average_epochs=2, validate=validate).train()
    thetas = iterates(5)
    expected = [thetas[0], *(mean_weights(tuple(thetas[n - 1 : n + 1])) for n in range(1, 5))]
    np.testing.assert_array_equal(validate.thetas, expected)
    np.testing.assert_array_equal(result.last.best_theta, expected[2])


def test_averaging_goes_on_as_if_it_had_never_stopped():
    whole = make_trainer(max_iter=5, average_epochs=3).train()
    first = make_trainer(max_iter=2, average_epochs=3).train()
    second = make_trainer(theta=first.last.theta, max_iter=3, average_epochs=3)
    second.recent = first.last.recent
    second.optimizer.restore(first.last.optimizer)
    second.rng.bit_generator.state = first.last.rng
    np.testing.assert_array_equal(second.train().last.best_theta, whole.last.best_theta)


def test_an_average_of_float32_is_taken_in_float64():
    recent = tuple(np.array([1e8 + 8 * k], np.float32) for k in range(3))
    assert mean_weights(recent).dtype == np.float32
    assert mean_weights(recent)[0] == np.float32(1e8 + 8)


# --- When it stops --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scores", "tol", "n_iter"),
    [
        ([1, 1, 1, 1, 1, 1], 0.1, 3),
        ([1, 1, 1, 1, 1, 1], 0.0, 6),  # a gain of nothing is not less than nothing
        ([5, 4, 3, 2, 1, 0], 0.0, 3),
        ([0, 1, 2, 3, 4, 5], 0.1, 6),
        ([0, 0.06, 0.12, 0.18, 0.24, 0.30], 0.1, 6),  # small steps count all together
        ([0, 0.04, 0.08, 0.12, 0.16, 0.20], 0.1, 3),
        ([0, 5, 1, 1, 6, 6], 0.1, 4),  # the best of all before is what must be beaten
        ([0, 5, 1, 6, 1, 7], 0.1, 6),
        ([5, 0, 5.2, 5.2, 5.2, 0], 0.1, 5),
    ],
)
@pytest.mark.parametrize("by", ["score", "loss"])
def test_it_stops_when_two_epochs_gain_less_than_tol(scores, tol, n_iter, by):
    options = dict(tol=tol, n_iter_no_change=2, max_iter=6)
    if by == "score":
        result = still(validate=Scores(scores), **options).train()
        assert scores_of(result) == scores[:n_iter]
        assert result.last.best == max(scores[:n_iter])
    else:
        trainer, values = still(**options), iter(scores)
        trainer._run_epoch = lambda: Epoch(trainer.n_iter + 1, 0.0, 10.0 - next(values))
        result = trainer.train()
        assert result.last.best == 10.0 - max(scores[:n_iter])
    assert len(losses_of(result)) == n_iter
    assert result.reason == ("converged" if n_iter < 6 else "max_iter")


def test_the_best_weights_win():
    validate = Scores([0.1, 0.7, 0.3, 0.7, 0.2])
    result = make_trainer(max_iter=5, validate=validate).train()
    assert result.last.best == 0.7
    assert scores_of(result) == validate.scores
    np.testing.assert_array_equal(result.last.best_theta, validate.thetas[1])  # the first of equals
    last = make_trainer(max_iter=5).train()
    assert result.last.optimizer["t"] == last.last.optimizer["t"]
    assert losses_of(result) == losses_of(last)


def test_without_validation_the_last_weights_win():
    trainer = make_trainer(optimizer=SGD(make_network()[1], 0.5, 0.9, False), max_iter=6)
    result = trainer.train()
    assert losses_of(result)[-1] > result.last.best
    np.testing.assert_array_equal(result.last.best_theta, trainer.theta)


# --- Gradients that are too long ------------------------------------------------------------------


def test_longer_gradients_are_scaled_down_to_the_limit():
    plain, clipped = still(max_iter=1, shuffle=False), still(max_iter=1, shuffle=False)
    plain.train()
    norms = np.linalg.norm(plain.optimizer.gradients, axis=1)
    limit = float(np.sort(norms)[1:3].mean())  # two of the four are longer
    clipped.options = replace(clipped.options, max_grad_norm=limit)
    clipped.train()
    pairs = zip(plain.optimizer.gradients, clipped.optimizer.gradients, norms, strict=True)
    for before, after, norm in pairs:
        assert_close(after, before * min(1, limit / norm))
    assert sorted(norms > limit) == [False, False, True, True]


@pytest.mark.parametrize("size", [1.0, 1e150, 1e200, 1e300])
def test_norms_do_not_overflow(size):
    """Squares of 1e200 are infinite; the gradient that they are the norm of is not."""
    network, theta = make_network("rnn-relu", loss="binary_log_loss", H=2)
    data = make_data(weighted=False)
    data = replace(data, values=data.values * size / 10, y=(data.y > 0).astype(float))
    trainer = make_trainer(data, network, theta, Recorder(), max_grad_norm=1e-3, max_iter=1)
    trainer.train()
    for gradient in trainer.optimizer.gradients:
        np.testing.assert_allclose(np.linalg.norm(gradient), 1e-3, rtol=1e-6)


# --- Divergence -----------------------------------------------------------------------------------


class Exploding(Loss):
    """Half the squared error, until a value or a gradient is infinite."""

    out_activation = "identity"

    def __init__(self, call, value, gradient):
        self.left, self.value, self.gradient = call, value, gradient

    def value_gradient(self, raw, y, weight):
        self.left -= 1
        gradient = weight * (raw - y)
        value = (gradient * (raw - y)).sum() / 2
        return (
            (value * self.value, gradient * self.gradient) if self.left == 0 else (value, gradient)
        )


def exploding(at, value=1.0, gradient=1.0, **options):
    network, theta = make_network()
    network = replace(network, loss=Exploding(at, value, gradient))
    return make_trainer(make_data(n=14), network, theta, batch_size=4, **options)


@pytest.mark.parametrize(
    ("value", "gradient", "what"),
    [
        (np.inf, 1.0, "the loss"),
        (np.nan, np.nan, "the loss"),
        (1.0, np.inf, "the gradient"),
        (1.0, np.nan, "the gradient"),
    ],
)
@pytest.mark.parametrize("max_grad_norm", [None, 1.0])
def test_divergence_before_the_first_epoch_ends_is_an_error(value, gradient, what, max_grad_norm):
    trainer = exploding(3, value, gradient, max_grad_norm=max_grad_norm)
    largest = np.abs(trainer.data.values).max()
    expected = (
        rf"diverged in epoch 1, update 3: {what} is not finite \(learning_rate_init=0.01, "
        rf"largest \|X\| {largest:.3g}\)\. Scale X .* or lower learning_rate_init"
    )
    with pytest.raises(ValueError, match=expected) as caught:
        trainer.train()
    assert caught.value.__suppress_context__


def test_a_weight_that_is_not_finite_is_found_at_the_end_of_the_epoch():
    theta = make_network()[1]
    with pytest.raises(ValueError, match="in epoch 1, update 4: a weight is not finite"):
        make_trainer(make_data(n=14), optimizer=Breaker(theta, 4), batch_size=4).train()


@pytest.mark.parametrize("validated", [False, True])
@pytest.mark.parametrize("update", range(5, 17))
def test_divergence_falls_back_to_the_last_whole_epoch(update, validated):
    """Four updates an epoch; the weights break in one of them."""

    def trainer(at, max_iter):
        return make_trainer(
            make_data(n=14),
            optimizer=Breaker(make_network()[1], at),
            batch_size=4,
            max_iter=max_iter,
            validate=(lambda theta: float(-theta[0])) if validated else None,
        )

    n_iter = (update - 1) // 4
    result = trainer(update, 9).train()
    assert result.reason == "diverged"
    assert len(losses_of(result)) == n_iter
    assert np.isfinite(result.last.best_theta).all()
    assert_same_result(result, trainer(-1, n_iter).train())


@pytest.mark.parametrize(
    ("call", "n_iter"), [(6, 1), (8, 1), (9, 1), (10, 2), (12, 2), (13, 2), (14, 3)]
)
def test_weights_whose_first_loss_is_not_finite_are_not_kept(call, n_iter):
    """They are those that the epoch before has ended with: so it falls back to the one before."""
    result = exploding(call, value=np.inf, max_iter=9).train()
    assert result.reason == "diverged"
    assert_same_result(result, exploding(-1, max_iter=n_iter).train())
    with pytest.raises(ValueError, match="in epoch 2, update 5: the loss is not finite"):
        exploding(5, value=np.inf).train()


def test_weights_that_were_validated_are_kept():
    options = dict(validate=lambda theta: float(theta[0]))
    result = exploding(5, value=np.inf, **options).train()
    assert result.reason == "diverged"
    assert_same_result(result, exploding(-1, max_iter=1, **options).train())


@pytest.mark.parametrize("n_iter_no_change", [1, 100], ids=["converged", "max_iter"])
def test_the_last_weights_are_tried_before_they_are_handed_out(n_iter_no_change):
    """Finite weights, but not a prediction that they make; nothing else would have seen it."""

    def train(at, **options):
        optimizer = Breaker(make_network()[1], at, np.finfo(np.float64).max)
        return make_trainer(
            make_data(n=14),
            optimizer=optimizer,
            batch_size=4,
            tol=10.0,
            n_iter_no_change=n_iter_no_change,
            **options,
        ).train()

    result = train(8, max_iter=2)
    assert result.reason == "diverged"
    assert_same_result(result, train(-1, max_iter=1))
    with pytest.raises(ValueError, match="epoch 1, update 4: a prediction after it is not finite"):
        train(4, max_iter=1)


@pytest.mark.parametrize("score", [np.nan, -np.inf])
def test_a_score_that_is_not_finite_is_divergence(score):
    result = make_trainer(validate=Scores([0.5, 0.6, score, 0.9])).train()
    assert result.reason == "diverged"
    assert_same_result(result, make_trainer(validate=Scores([0.5, 0.6]), max_iter=2).train())
    with pytest.raises(ValueError, match="update 4: the validation score is not finite"):
        make_trainer(validate=Scores([score])).train()


def test_floating_point_errors_are_no_exceptions():
    """Whatever the caller's errstate: what is not finite is looked for instead."""
    data = make_data()
    data = replace(data, values=data.values * 1e300)
    with np.errstate(all="raise"):
        result = make_trainer(data).train()
    assert np.isfinite(result.last.best_theta).all()
    network, theta = make_network("rnn-relu")
    with np.errstate(all="raise"), pytest.raises(ValueError, match="diverged in epoch 1, update 1"):
        make_trainer(data, network, theta).train()


# --- Interrupts -----------------------------------------------------------------------------------


@contextmanager
def at_every_line(call):
    """Call `call(file name)` before every line of the package that this thread runs."""

    def in_function(frame, event, _):
        if event == "line":
            call(frame.f_code.co_filename)
        return in_function

    def on_call(frame, event, _):
        return in_function if frame.f_code.co_filename in FILES else None

    before = sys.gettrace()
    # A trace function, unlike a signal, can raise on the way out of a `with np.errstate`.
    with np.errstate():
        sys.settrace(on_call)
        try:
            yield
        finally:
            sys.settrace(before)


PACKAGE = sklearn_rnn.__path__[0]
FILES = {
    module.__file__
    for name, module in list(sys.modules.items())
    if name.startswith(("sklearn_rnn._core.", "sklearn_rnn._training."))
}


def interruptible(validated, max_iter=3):
    validate = (lambda theta: float(np.sin(1000 * theta[0]))) if validated else None
    return make_trainer(make_data(n=6, longest=2), max_iter=max_iter, validate=validate)


@pytest.mark.parametrize("validated", [False, True])
def test_an_interrupt_leaves_the_model_of_a_whole_epoch(validated):
    """Wherever it comes: bit for bit the model of max_iter=n_iter, or none at all."""
    lines, trainer = [], interruptible(validated)
    with at_every_line(lines.append):
        trainer.train()
    in_trainer = [k for k, name in enumerate(lines) if name.endswith("trainer.py")]
    places = random.Random(0).sample(range(len(lines)), 40) + in_trainer
    expected = [None] + [interruptible(validated, n).train() for n in (1, 2, 3)]

    ended = set()
    for place in places:
        left = iter(range(place, -1, -1))

        def interrupt(_, left=left):
            if next(left) == 0:
                raise KeyboardInterrupt

        trainer = interruptible(validated)
        try:
            with at_every_line(interrupt):
                result = trainer.train()
        except KeyboardInterrupt:
            ended.add(0)
            continue
        assert result.reason == "interrupted"
        n_iter = len(losses_of(result))
        ended.add(n_iter)
        assert_same_result(result, expected[n_iter])
    assert ended == {0, 1, 2, 3}


class Interrupted(SGD):
    """Is interrupted in the middle of an update."""

    def __init__(self, theta, at):
        super().__init__(theta, 0.1, 0.9, True)
        self.at = at

    def step(self, theta, gradient):
        before = theta.copy()
        super().step(theta, gradient)
        if self.t == self.at:
            theta[: len(theta) // 2] = before[: len(theta) // 2]
            raise KeyboardInterrupt


def test_half_an_update_is_not_left_behind():
    def train(at, **options):
        optimizer = Interrupted(make_network()[1], at)
        return make_trainer(make_data(n=14), optimizer=optimizer, batch_size=4, **options).train()

    result = train(6)
    assert (result.reason, len(losses_of(result))) == ("interrupted", 1)
    assert_same_result(result, train(-1, max_iter=1))
    with pytest.raises(KeyboardInterrupt):
        train(3)


def test_other_exceptions_pass():
    def validate(theta):
        raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match="mine"):
        make_trainer(validate=validate, optimizer=make_adam(make_network()[1])).train()
