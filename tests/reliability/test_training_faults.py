"""What can happen to a training that writes checkpoints: killed at any line, a full disk, a folder that is closed.

Files that are damaged or of somebody else are in test_training.py, and at random in test_parsers.py.
"""

import errno
import os
import resource
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
from amounts import DISKS, MANY_MOMENTS, MOMENTS
from numpy.testing import assert_array_equal

from tinygrad_vg.nn import MLP, losses
from tinygrad_vg.optim import SGD
from tinygrad_vg.training import Callback, fit

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and SIGKILL")

rng = np.random.default_rng(3)
X, Y = rng.normal(size=(12, 3)), rng.integers(0, 2, 12)


def train(file, epochs=4, callbacks=()):
    mlp = MLP([3, 3, 2], seed=1)
    fit(
        mlp,
        lambda m, X, y: losses.cross_entropy(m.logits(X), y),
        (X, Y),
        epochs=epochs,
        batch_size=4,
        optimizer=SGD(mlp.parameters(), 0.3, 0.9, nesterov=True),
        seed=2,
        blas_threads=None,
        checkpoint=file,
        resume=None if file is None else True,
        callbacks=callbacks,
    )
    return np.concatenate([p.data.ravel() for p in mlp.parameters()])


# -------------------------------------------------------------------------------------------------------------- killed

# Forks before each kill, which takes no time, where a process of its own would take a second. Every line of Python that
# is executed counts, those of NumPy and zipfile too, so that kills fall between any two writes to the file. Around the
# moments at which a new file takes the place of the old one, every line has its turn.
KILLER = """
import os, signal, sys
sys.path.insert(0, sys.argv[1])
import test_training_faults as t

count, renames = 0, []

def note(event, args):
    if event == "os.rename":
        renames.append(count)

sys.addaudithook(note)

def lines(file, stop):
    global count
    count = 0
    def line(frame, event, arg):
        global count
        if frame.f_code is note.__code__:
            return None
        count += event == "line"
        if count == stop:
            os.kill(os.getpid(), signal.SIGKILL)
        return line
    sys.settrace(line)
    try:
        t.train(file)
    finally:
        sys.settrace(None)

def child(work):
    pid = os.fork()
    if not pid:
        work()
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

folder, moments = sys.argv[2], int(sys.argv[3])
t.train(os.path.join(folder, "first.npz"))  # which also imports what is imported late
renames.clear()
lines(os.path.join(folder, "counted.npz"), -1)
whole = count
assert len(renames) == 5, renames  # one at the beginning, one after each epoch
stops = {whole * (2 * i + 1) // (2 * moments) for i in range(moments)}
stops |= {renames[k] + d for k in (1, 2) for d in range(-3, 5)}
for i, stop in enumerate(sorted(stops)):
    file = os.path.join(folder, f"killed{i}.npz")
    assert child(lambda: lines(file, stop)) == -signal.SIGKILL, (stop, whole)
    print(file, flush=True)
"""


def kill(folder, moments):
    """Kill a training at so many moments and around two renamings; the files that are left, in the order of moments."""
    here = os.path.dirname(os.path.abspath(__file__))
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", textwrap.dedent(KILLER), here, str(folder), str(moments)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    files = [Path(line) for line in done.stdout.splitlines()]
    assert len(files) >= moments
    return files


def check_killed(folder, moments):
    undisturbed, files = train(None), kill(folder, moments)
    assert len(list(folder.glob(".*.tmp"))) > moments // 8  # many were killed while they were writing
    found = [epochs_in(file) for file in files]
    for file in files:
        assert_array_equal(train(file), undisturbed)
        assert epochs_in(file) == 4
    assert found == sorted(found)  # killed later, there is at least as much
    assert set(found) >= {-1, 0, 1, 2, 3}
    assert not list(folder.glob(".*.tmp"))  # what a kill had left was taken over by the next writing


def epochs_in(file):
    """How many epochs are in it; -1 if it was killed before there was one."""
    if not file.exists():
        return -1
    with np.load(file, allow_pickle=False) as kept:
        return len(kept["history"])


def test_killed_at_any_line_there_is_a_checkpoint_and_it_resumes_bit_for_bit(tmp_path):
    check_killed(tmp_path, MOMENTS)


@pytest.mark.slow
def test_killed_at_many_more_lines(tmp_path):
    check_killed(tmp_path, MANY_MOMENTS)


# ---------------------------------------------------------------------------------------------------- nowhere to write


def whole_size(folder):
    train(folder / "measured.npz", epochs=1)
    return (folder / "measured.npz").stat().st_size


class LimitFiles(Callback):
    """From the first epoch on no file may become larger than so many bytes."""

    def __init__(self, most):
        self.most = most

    def epoch(self, run):
        resource.setrlimit(resource.RLIMIT_FSIZE, (self.most, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))


def test_a_disk_too_small_by_any_amount_costs_nothing_that_was_there(tmp_path):
    """The system itself refuses to write on, at another byte each time."""
    size = whole_size(tmp_path)
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    undisturbed = train(None)
    for i in range(DISKS):
        file = tmp_path / f"disk{i}.npz"
        train(file, epochs=1)
        before = file.read_bytes()
        try:
            with pytest.raises(OSError, match=rf"disk{i}\.npz could not be written") as caught:
                train(file, callbacks=[LimitFiles(i * size // DISKS)])
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, hard)
        assert caught.value.errno == errno.EFBIG
        assert file.read_bytes() == before
        assert not list(tmp_path.glob(".*.tmp"))
        assert_array_equal(train(file), undisturbed)


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 24 kB of its own, where one may be mounted."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=24k", "none", str(folder)]
    try:
        mounted = subprocess.run(mount, capture_output=True, check=False).returncode == 0
    except OSError:
        mounted = False
    if not mounted:
        pytest.skip("no file system can be mounted here")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(folder, leave):
    """Take all room but so many bytes."""
    free = os.statvfs(folder)
    (folder / "ballast").write_bytes(bytes(max(free.f_bavail * free.f_frsize - leave, 0)))


class Fill(Callback):
    def __init__(self, folder):
        self.folder = folder

    def epoch(self, run):
        fill(self.folder, 0)


def test_a_disk_that_becomes_full_during_training(small_disk):
    file = small_disk / "run.npz"
    train(file, epochs=1)
    before = file.read_bytes()
    with pytest.raises(
        OSError, match=r"run\.npz could not be written: No space left on device. An earlier one is as it was"
    ):
        train(file, callbacks=[Fill(small_disk)])
    assert file.read_bytes() == before
    assert sorted(os.listdir(small_disk)) == ["ballast", "run.npz"]
    (small_disk / "ballast").unlink()
    assert_array_equal(train(file), train(None))


def test_a_command_on_a_full_disk_names_the_file_and_keeps_the_old_one(small_disk):
    picture = small_disk / "chain.dot"
    picture.write_text("the old one")
    fill(small_disk, 0)
    code = "from tinygrad_vg.cli import main; main()"
    for args in (
        ["draw", "chain", "-o", str(picture)],
        ["sweep", "chain", "--workers", "1", "-o", str(small_disk / "f")],
    ):
        done = subprocess.run([sys.executable, "-c", code, *args], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1), done.stderr
        assert done.stderr.startswith(f"tinygrad-vg: {small_disk}")
        assert "No space left" in done.stderr
    assert picture.read_text() == "the old one"


def test_a_folder_that_nobody_may_write_to(small_disk):
    file = small_disk / "run.npz"
    train(file, epochs=1)
    before = file.read_bytes()
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with pytest.raises(OSError, match=r"run\.npz could not be written: Read-only file system"):
        train(file)
    assert file.read_bytes() == before
    with pytest.raises(OSError, match=r"new\.npz could not be written"):
        train(small_disk / "new.npz")
    assert os.listdir(small_disk) == ["run.npz"]
