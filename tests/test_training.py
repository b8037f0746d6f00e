"""fit: what it learns, that it resumes to the last bit, stops when asked, and loses nothing."""

import os
import re
import signal
import subprocess
import sys
import textwrap
import threading
import time

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import tinygrad_vg as vg
from tinygrad_vg.nn import MLP, losses
from tinygrad_vg.optim import SGD, sutskever_schedule
from tinygrad_vg.training import Callback, CheckpointError, History, LearningSpeed, accuracy, fit

RNG = np.random.default_rng(42)
X = RNG.normal(size=(23, 5))
Y = RNG.integers(0, 3, 23)
XOR = (np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]]), np.array([0, 1, 1, 0]))


def loss(model, x, y):
    return losses.cross_entropy(model.logits(x), y)


def network():
    return MLP([5, 4, 3], seed=1)


def values(model):
    return np.concatenate([p.data.ravel() for p in model.parameters()])


# ----------------------------------------------------------------------------------------------------------- learning


def test_it_learns_xor():
    mlp = MLP([2, 4, 1], "tanh", seed=0)
    history = fit(mlp, loss, XOR, epochs=400, batch_size=4, lr=1.0, seed=0, validation=XOR)
    assert accuracy(mlp, *XOR) == 1
    assert history.accuracy[-1] == 1
    assert history.cost[-1] < 0.05 < history.cost[0]
    assert len(history) == 400
    assert not history.interrupted


def test_it_learns_digits():
    from tinygrad_vg.datasets import mnist_sample

    data = mnist_sample()
    mlp = MLP([784, 30, 10], seed=0)
    history = fit(mlp, loss, data.train, epochs=4, lr=0.5, seed=0, validation=data.validation)
    assert history.accuracy[-1] > 0.75


def test_one_epoch_is_the_bare_loop():
    """Every sample once an epoch, in the order of the generator, the last mini-batch smaller; bit for bit."""
    mlp, bare = network(), network()
    opt, rng = SGD(bare.parameters(), 0.3, 0.9, weight_decay=0.1), np.random.default_rng(7)
    expected = []
    for _ in range(3):
        order, costs = rng.permutation(23), 0.0
        for start in range(0, 23, 4):
            batch = order[start : start + 4]
            opt.zero_grad()
            C = loss(bare, X[batch], Y[batch])
            C.backward()
            opt.step()
            costs += C.item() * len(batch)
        expected.append(costs / 23)
    history = fit(
        mlp,
        loss,
        (X, Y),
        epochs=3,
        batch_size=4,
        seed=7,
        optimizer=SGD(mlp.parameters(), 0.3, 0.9, weight_decay=0.1),
    )
    assert_array_equal(values(mlp), values(bare))
    assert_allclose(history.cost, expected, rtol=1e-15)
    assert all(p.grad is None for p in mlp.parameters())


def test_without_shuffling_the_samples_come_as_they_are():
    seen = []

    def watch(model, x, y):
        seen.append(x[:, 0].copy())
        return loss(model, x, y)

    fit(network(), watch, (X, Y), epochs=1, batch_size=10, lr=0.1, shuffle=False)
    assert [len(s) for s in seen] == [10, 10, 3]
    assert_array_equal(np.concatenate(seen), X[:, 0])


def test_the_seed_decides():
    def trained(seed):
        mlp = network()
        fit(mlp, loss, (X, Y), epochs=2, lr=0.5, seed=seed)
        return values(mlp)

    assert_array_equal(trained(3), trained(3))
    assert_array_equal(trained(3), trained(np.random.default_rng(3)))
    assert not np.array_equal(trained(3), trained(4))


def test_nesterov_is_judged_and_left_at_theta():
    mlp, bare = network(), network()
    opt = SGD(mlp.parameters(), 0.1, 0.9, nesterov=True)
    seen = []
    history = fit(
        mlp,
        loss,
        (X, Y),
        epochs=2,
        batch_size=23,
        optimizer=opt,
        validation=(X, Y),
        shuffle=False,
        callbacks=[lambda run: seen.append(values(run.model))],
    )
    theta = [np.array(p.data) for p in bare.parameters()]
    v = [np.zeros_like(t) for t in theta]
    for _ in range(2):
        tensors = [vg.Tensor(t + 0.9 * u) for t, u in zip(theta, v, strict=True)]
        g = vg.backprop(loss(bare.bind(tensors), X, Y), wrt=tensors)
        v = [0.9 * u - 0.1 * g[p] for u, p in zip(v, tensors, strict=True)]
        theta = [t + u for t, u in zip(theta, v, strict=True)]
    flat = np.concatenate([t.ravel() for t in theta])
    assert_allclose(values(mlp), flat, rtol=1e-12)
    assert_allclose(seen[-1], flat, rtol=1e-12)
    with vg.no_grad():
        assert_allclose(history.validation_cost[-1], loss(bare.bind(theta), X, Y), rtol=1e-12)
    fit(mlp, loss, (X, Y), epochs=1, optimizer=opt)  # and it can go on


# -------------------------------------------------------------------------------------------------- history, accuracy


def test_history():
    history = fit(network(), loss, (X, Y), epochs=3, lr=0.1, seed=0, validation=(X, Y))
    assert [r.epoch for r in history.records] == [1, 2, 3]
    assert (history.seconds > 0).all()
    assert re.fullmatch(r"History\(3 epochs, cost \S+ → \S+, accuracy \S+%, \S+ s\)", repr(history))
    lines = history.table().splitlines()
    assert len(lines) == 4
    assert lines[0].split() == ["epoch", "cost", "val.", "cost", "accuracy", "seconds"]
    without = fit(network(), loss, (X, Y), epochs=1, lr=0.1)
    assert np.isnan(without.accuracy).all()
    assert "–" in without.table()
    assert "accuracy" not in repr(without)
    assert repr(History()) == "History(0 epochs)"
    assert len(fit(network(), loss, (X, Y), epochs=0, lr=0.1)) == 0


def test_accuracy():
    out = np.array([[0.1, 0.9, 0.3], [0.8, 0.2, 0.1], [0.1, 0.2, 0.3], [0.5, 0.4, 0.3]])
    labels = np.array([1, 0, 2, 1])
    assert accuracy(lambda x: x, out, labels) == 0.75
    assert accuracy(lambda x: x, out, np.eye(3)[labels]) == 0.75
    single = np.array([[0.2], [0.7], [0.5], [0.9]])
    assert accuracy(lambda x: x, single, [0, 1, 1, 1]) == 0.75
    assert accuracy(lambda x: x, single, np.array([[0], [1], [1], [1]])) == 0.75
    for bad in (labels[:3], np.eye(4)[labels], 1):
        with pytest.raises(ValueError, match="accuracy"):
            accuracy(lambda x: x, out, bad)


# ---------------------------------------------------------------------------------------------------------- callbacks


def test_callbacks_are_called_when_they_should_be():
    calls = []

    class Watch(Callback):
        def start(self, run):
            calls.append(("start", run.epoch, run.batch))

        def batch(self, run):
            calls.append(("batch", run.epoch, run.batch))
            assert np.isfinite(run.cost)

        def epoch(self, run):
            calls.append(("epoch", run.epoch, run.batch))
            assert len(run.history) == run.epoch

    fit(network(), loss, (X, Y), epochs=2, batch_size=12, lr=0.1, callbacks=[Watch()])
    one = [("batch", 0, 1), ("batch", 0, 2), ("epoch", 1, 0)]
    assert calls == [("start", 0, 0), *one, ("batch", 1, 1), ("batch", 1, 2), ("epoch", 2, 0)]


def test_a_callback_can_stop():
    history = fit(network(), loss, (X, Y), epochs=9, lr=0.1, callbacks=[lambda run: run.stop()])
    assert len(history) == 1
    assert not history.interrupted


def test_learning_speed_is_the_chapters():
    """The norm of the mean of ∂C/∂bˡ, hidden layers only; and the mean of the norms, one sample at a time."""
    mlp, probe, labels = MLP([5, 4, 6, 3], seed=1), X[:9], Y[:9]
    start = mlp.bind([np.array(p.data) for p in mlp.parameters()])
    speed = LearningSpeed(probe, labels)
    fit(mlp, loss, (X, Y), epochs=2, lr=0.5, callbacks=[speed])
    assert speed.epochs == [0, 1, 2]
    assert speed.norms.shape == speed.sample_norms.shape == (3, 2)
    for record, params in ((0, start.parameters()), (2, [p.data for p in mlp.parameters()])):
        tensors = [vg.Tensor(p) for p in params]
        net = mlp.bind(tensors)
        whole = vg.backprop(loss(net, probe, labels), wrt=tensors)
        single = [vg.backprop(loss(net, probe[i : i + 1], labels[i : i + 1]), wrt=tensors) for i in range(9)]
        for layer in range(2):
            b = tensors[2 * layer + 1]
            assert_allclose(speed.norms[record, layer], np.linalg.norm(whole[b]), rtol=1e-11)
            mean = np.mean([np.linalg.norm(g[b]) for g in single])
            assert_allclose(speed.sample_norms[record, layer], mean, rtol=1e-11)
    assert all(p.grad is None for p in mlp.parameters())


# ------------------------------------------------------------------------------------------------ Ctrl-C and resuming


OPTIMISERS = {
    "plain": {"lr": 0.3},
    "momentum": {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.05},
    "nesterov": {"lr": 0.1, "momentum": sutskever_schedule(0.99), "nesterov": True, "weight_decay": 0.05},
    "changing": {"lr": 0.1, "momentum": lambda t: 0.05 * (t % 19), "nesterov": True},
}


class CtrlC(Callback):
    """Press Ctrl-C after so many mini-batches."""

    def __init__(self, after):
        self.left = after

    def batch(self, run):
        self.left -= 1
        if self.left == 0:
            signal.raise_signal(signal.SIGINT)


@pytest.mark.parametrize("kind", list(OPTIMISERS))
@pytest.mark.parametrize("after", [1, 6, 8, 17])
def test_an_interrupted_training_resumes_bit_for_bit(tmp_path, kind, after):
    """6 mini-batches an epoch: stopped in the middle of one, and at the end of one."""

    def train(resume=None, callbacks=(), file=tmp_path / "run.npz"):
        mlp = network()
        opt = SGD(mlp.parameters(), **OPTIMISERS[kind])
        words = {"epochs": 4, "batch_size": 4, "validation": (X, Y), "checkpoint": file, "seed": 5}
        history = fit(mlp, loss, (X, Y), optimizer=opt, resume=resume, callbacks=callbacks, **words)
        return values(mlp), history, opt.state_dict()

    before = signal.getsignal(signal.SIGINT)
    halfway, history, _ = train(callbacks=[CtrlC(after)])
    assert signal.getsignal(signal.SIGINT) is before
    assert history.interrupted
    assert len(history) == after // 6
    assert "interrupted" in repr(history)
    resumed, again, state = train(resume=True)
    whole, undisturbed, expected = train(file=None)
    assert not np.array_equal(halfway, whole)
    assert_array_equal(resumed, whole)
    for name in ("cost", "accuracy", "validation_cost"):
        assert_array_equal(getattr(again, name), getattr(undisturbed, name))
    assert not again.interrupted
    assert state["steps"] == expected["steps"] == 24
    assert state["ahead"] == expected["ahead"]
    for v, w in zip(state["velocity"], expected["velocity"], strict=True):
        assert_array_equal(v, w)
    finished, *_ = train(resume=True)  # nothing is left to do
    assert_array_equal(finished, whole)


@pytest.mark.parametrize("bits", [np.random.PCG64, np.random.MT19937, np.random.Philox, np.random.SFC64])
def test_resuming_with_every_kind_of_generator(tmp_path, bits):
    def train(epochs, **words):
        mlp = network()
        fit(mlp, loss, (X, Y), epochs=epochs, lr=0.2, seed=np.random.Generator(bits(9)), **words)
        return values(mlp)

    train(2, checkpoint=tmp_path / "a.npz")
    assert_array_equal(train(5, checkpoint=tmp_path / "a.npz", resume=True), train(5))


def test_a_second_ctrl_c_stops_at_once(tmp_path):
    class Twice(Callback):
        def batch(self, run):
            signal.raise_signal(signal.SIGINT)
            assert run.interrupted
            signal.raise_signal(signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        fit(network(), loss, (X, Y), epochs=2, lr=0.1, callbacks=[Twice()], checkpoint=tmp_path / "a.npz")
    assert signal.getsignal(signal.SIGINT) is before
    assert len(fit(network(), loss, (X, Y), epochs=2, lr=0.1, checkpoint=tmp_path / "a.npz", resume=True)) == 2


def test_in_another_thread_signals_are_left_alone():
    found = []
    thread = threading.Thread(target=lambda: found.append(fit(network(), loss, (X, Y), epochs=2, lr=0.1)))
    thread.start()
    thread.join()
    assert len(found[0]) == 2


@pytest.mark.skipif(os.name != "posix", reason="needs SIGKILL")
def test_killed_at_any_moment_it_resumes_bit_for_bit(tmp_path):
    script = textwrap.dedent("""
        import sys, numpy as np
        from tinygrad_vg.nn import MLP, losses
        from tinygrad_vg.optim import SGD
        from tinygrad_vg.training import fit
        rng = np.random.default_rng(1)
        X, y = rng.normal(size=(40, 6)), rng.integers(0, 3, 40)
        mlp = MLP([6, 5, 3], seed=2)
        print("ready", flush=True)
        fit(mlp, lambda m, X, y: losses.cross_entropy(m.logits(X), y), (X, y), epochs=120, batch_size=4, seed=3,
            optimizer=SGD(mlp.parameters(), 0.05, 0.9, nesterov=True), checkpoint=sys.argv[1], resume=True)
        np.savez(sys.argv[2], *[p.data for p in mlp.parameters()])
    """)

    def start(name):
        command = [sys.executable, "-c", script, str(tmp_path / name), str(tmp_path / f"{name}.result.npz")]
        return subprocess.Popen(command, stdout=subprocess.PIPE)

    kills = 0
    for delay in (0.02, 0.1, 0.2):
        process = start("killed")
        process.stdout.readline()
        time.sleep(delay)
        process.kill()
        process.communicate()
        kills += process.returncode == -signal.SIGKILL
    for name in ("killed", "undisturbed"):
        process = start(name)
        process.communicate()
        assert process.returncode == 0
    assert kills
    with np.load(tmp_path / "killed.result.npz") as a, np.load(tmp_path / "undisturbed.result.npz") as b:
        for name in b.files:
            assert_array_equal(a[name], b[name])


# -------------------------------------------------------------------------------------------------------- checkpoints


@pytest.fixture
def checkpoint(tmp_path):
    file = tmp_path / "run.npz"
    fit(network(), loss, (X, Y), epochs=2, lr=0.1, seed=0, checkpoint=file)
    return file


def resume(file, model=None, data=(X, Y), **words):
    words = {"epochs": 3, "lr": 0.1, "resume": True, **words}
    return fit(model or network(), loss, data, checkpoint=file, **words)


def test_a_checkpoint_is_not_overwritten_unasked(checkpoint):
    content = checkpoint.read_bytes()
    with pytest.raises(FileExistsError, match=r"run\.npz.*resume=True"):
        resume(checkpoint, resume=None)
    assert checkpoint.read_bytes() == content
    assert [r.epoch for r in resume(checkpoint, resume=False, epochs=1).records] == [1]
    assert checkpoint.read_bytes() != content
    assert os.listdir(checkpoint.parent) == ["run.npz"]


@pytest.mark.parametrize("again", [True, False])
@pytest.mark.parametrize(
    "damage",
    [
        lambda b: b[: len(b) // 2],
        lambda b: b[:-30],
        lambda b: b"",
        lambda b: b"<html>not found</html>",
        lambda b: b[:200] + bytes([b[200] ^ 255]) + b[201:],
        lambda b: b[:500] + b"x" * 40 + b[540:],
    ],
)
def test_a_damaged_checkpoint_is_refused_and_left(checkpoint, damage, again):
    bad = damage(checkpoint.read_bytes())
    checkpoint.write_bytes(bad)
    mlp = network()
    start = values(mlp)
    with pytest.raises(CheckpointError, match=r"run\.npz"):
        resume(checkpoint, mlp, resume=again)
    assert checkpoint.read_bytes() == bad
    assert_array_equal(values(mlp), start)


def test_foreign_files_are_refused(tmp_path):
    np.savez(tmp_path / "data.npz", a=np.ones(3))
    np.save(tmp_path / "data.npy", np.ones(3))
    np.savez(tmp_path / "pickled.npz", format=np.array([{"a": 1}], dtype=object))
    np.savez(tmp_path / "other.npz", format=np.array("other"))
    for name in ("data.npz", "data.npy", "pickled.npz", "other.npz"):
        content = (tmp_path / name).read_bytes()
        for again in (True, False):
            with pytest.raises(CheckpointError, match=re.escape(name)):
                resume(tmp_path / name, resume=again)
        assert (tmp_path / name).read_bytes() == content


def test_every_entry_of_a_checkpoint_is_needed(checkpoint):
    with np.load(checkpoint, allow_pickle=False) as file:
        whole = {name: file[name] for name in file.files}
    for name in whole:
        np.savez(checkpoint, **{k: v for k, v in whole.items() if k != name})
        mlp = network()
        start = values(mlp)
        with pytest.raises(CheckpointError, match=r"run\.npz"):
            resume(checkpoint, mlp)
        assert_array_equal(values(mlp), start)
    nonsense = {
        "counts": np.array([4, 6, 99, 0]),
        "history": np.ones((2, 3)),
        "generator": np.array("{}"),
        "ahead": 2.0,
    }
    for name, value in nonsense.items():
        np.savez(checkpoint, **{**whole, name: value})
        rng = np.random.default_rng(77)
        before = rng.bit_generator.state
        with pytest.raises(CheckpointError, match=r"run\.npz"):
            resume(checkpoint, seed=rng)
        assert rng.bit_generator.state == before


def test_the_checkpoint_of_another_training_is_refused(checkpoint):
    with pytest.raises(CheckpointError, match=r"float64\(5, 4\).*float64\(5, 2\)"):
        resume(checkpoint, MLP([5, 2, 3]))
    with pytest.raises(CheckpointError, match=r"batches of 10.*batches of 5"):
        resume(checkpoint, batch_size=5)
    with pytest.raises(CheckpointError, match=r"23 samples.*22 samples"):
        resume(checkpoint, data=(X[1:], Y[1:]))
    rng = np.random.Generator(np.random.MT19937(0))
    state = str(rng.bit_generator.state)
    with pytest.raises(CheckpointError, match="generator"):
        resume(checkpoint, seed=rng)
    assert str(rng.bit_generator.state) == state


def test_a_full_disk_leaves_the_earlier_checkpoint(checkpoint, monkeypatch):
    content = checkpoint.read_bytes()

    def full(file, **arrays):
        file.write(b"half of it")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(OSError, match=r"run\.npz could not be written: No space left on device") as caught:
        resume(checkpoint)
    assert caught.value.errno == 28
    assert checkpoint.read_bytes() == content
    assert os.listdir(checkpoint.parent) == ["run.npz"]


def test_a_folder_that_is_not_there_is_noticed_before_training(tmp_path):
    mlp = network()
    start = values(mlp)
    with pytest.raises(FileNotFoundError, match=r"no.where.a\.npz could not be written"):
        fit(mlp, loss, (X, Y), epochs=1, lr=0.1, checkpoint=tmp_path / "no" / "where" / "a.npz")
    assert_array_equal(values(mlp), start)


def test_the_file_is_written_where_the_link_points(checkpoint, tmp_path):
    link = tmp_path / "link.npz"
    link.symlink_to(checkpoint)
    assert len(resume(link)) == 3
    assert link.is_symlink()
    assert len(resume(checkpoint)) == 3


def test_how_often_it_is_written(tmp_path, monkeypatch):
    from tinygrad_vg.training import checkpoints

    saved = []
    save = checkpoints.Checkpoint.save
    monkeypatch.setattr(
        checkpoints.Checkpoint, "save", lambda self, run, state: (saved.append(run.epoch), save(self, run, state))
    )
    fit(network(), loss, (X, Y), epochs=5, lr=0.1, checkpoint=tmp_path / "a.npz", checkpoint_every=2)
    assert saved == [0, 2, 4, 5]


# ----------------------------------------------------------------------------------------------------------- progress


def test_it_is_silent_when_not_in_a_terminal(capfd):
    fit(network(), loss, (X, Y), epochs=2, lr=0.1)
    fit(network(), loss, (X, Y), epochs=2, lr=0.1, progress=False)
    assert capfd.readouterr() == ("", "")


def test_asked_for_progress_without_a_terminal_it_writes_lines(capsys):
    fit(network(), loss, (X, Y), epochs=2, lr=0.1, progress=True, validation=(X, Y))
    out, err = capsys.readouterr()
    assert out == ""
    first, second = err.splitlines()
    assert re.fullmatch(r"epoch 1/2  cost \d\.\d+  accuracy \d+\.\d\d%  \d+\.\d\d s", first)
    assert second.startswith("epoch 2/2")


def test_the_bar_in_a_terminal(monkeypatch):
    import io

    from rich.console import Console

    from tinygrad_vg.training import bar, loop

    screen = io.StringIO()
    monkeypatch.setattr(bar.ProgressBar, "PERIOD", 0.0)
    monkeypatch.setattr(
        loop,
        "progress_bar",
        lambda run, asked: bar.ProgressBar(run, Console(file=screen, force_terminal=True, width=100)),
    )
    fit(network(), loss, (X, Y), epochs=2, lr=0.1, validation=(X, Y))
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", screen.getvalue())
    assert re.search(r"epoch 2/2  cost \d\.\d+  accuracy \d+\.\d\d% ━+ 0:00:00", text)
    assert screen.getvalue().endswith("\x1b[?25h")  # the cursor is back


def test_rich_is_loaded_only_when_used():
    code = "import sys, tinygrad_vg.training; print([m for m in ('rich', 'threadpoolctl') if m in sys.modules])"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"


# ---------------------------------------------------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("words", "error", "message"),
    [
        ({"data": X}, TypeError, r"pair \(X, y\)"),
        ({"data": (X, Y[1:])}, ValueError, r"\(23, 5\).*\(22,\)"),
        ({"data": (X[:0], Y[:0])}, ValueError, "at least one"),
        ({"data": (vg.Tensor(X), Y)}, TypeError, "constants"),
        ({"data": (X.astype(str), Y)}, TypeError, "numbers"),
        ({"data": (X * np.nan, Y)}, ValueError, "NaN"),
        ({"validation": (X, Y[1:])}, ValueError, "validation"),
        ({"epochs": 1.5}, TypeError, "epochs must be an integer"),
        ({"epochs": -1}, ValueError, "epochs must be at least 0"),
        ({"batch_size": 0}, ValueError, "batch_size must be at least 1"),
        ({"seed": "x"}, TypeError, "seed"),
        ({"seed": np.random.RandomState(0)}, TypeError, "RandomState"),
        ({"lr": None}, TypeError, "one of lr"),
        ({"optimizer": SGD([vg.Tensor(1.0)], 1)}, TypeError, "one of lr"),
        ({"lr": None, "optimizer": "adam"}, TypeError, "SGD"),
        ({"callbacks": [3]}, TypeError, "callback"),
        ({"callbacks": [LearningSpeed]}, TypeError, "callback"),
        ({"checkpoint_every": 0}, ValueError, "checkpoint_every"),
        ({"blas_threads": 0}, ValueError, "blas_threads"),
        ({"loss": lambda m, x, y: 3.0}, TypeError, "must return a Tensor"),
        ({"loss": lambda m, x, y: m(x)}, TypeError, "single number"),
        ({"loss": lambda m, x, y: loss(m, x, y) * 1e308 * 10}, FloatingPointError, "epoch 1, mini-batch 1"),
        ({"model": object()}, TypeError, "parameters"),
    ],
)
@pytest.mark.filterwarnings("ignore:overflow")
def test_bad_arguments(words, error, message):
    words = {"model": network(), "loss": loss, "data": (X, Y), "epochs": 1, "lr": 0.1, **words}
    with pytest.raises(error, match=message):
        fit(words.pop("model"), words.pop("loss"), words.pop("data"), **words)


def test_learning_speed_needs_layers():
    with pytest.raises(TypeError, match="MLP"):
        LearningSpeed(X, Y).measure(object(), loss)
