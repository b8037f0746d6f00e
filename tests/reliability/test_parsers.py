"""Files and texts that somebody else made, at random: each is read as what it is, or refused with a reason.

Never another error, never memory for a size that is merely promised, and never other numbers than those in the file.
"""

import io
import json
import struct
import zipfile
from contextlib import suppress

import numpy as np
import pytest
from amounts import BYTES, DAMAGES, HEADERS, TEXTS
from hypothesis import example, given, settings
from hypothesis import strategies as st
from names import hostile
from numpy.testing import assert_array_equal

import tinygrad_vg as vg
from tinygrad_vg import datasets
from tinygrad_vg.expressions import ExpressionError, parse_expression, parse_value
from tinygrad_vg.nn import MLP, losses
from tinygrad_vg.training import fit
from tinygrad_vg.training.checkpoints import Checkpoint, CheckpointError

X, Y = np.linspace(-1, 1, 12).reshape(6, 2), np.array([0, 1, 0, 1, 1, 0])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("parsers")


def train(file, epochs=2, seed=0):
    mlp = MLP([2, 2, 2], seed=0)
    words = {"epochs": epochs, "batch_size": 3, "lr": 0.1, "seed": seed, "blas_threads": None}
    fit(mlp, lambda m, X, y: losses.cross_entropy(m.logits(X), y), (X, Y), checkpoint=file, resume=True, **words)
    return [p.data for p in mlp.parameters()]


@pytest.fixture(scope="module")
def whole(folder):
    """The bytes of a checkpoint, and what is in it."""
    train(folder / "whole.npz")
    return (folder / "whole.npz").read_bytes(), Checkpoint(folder / "whole.npz", "").read()


@st.composite
def damages(draw):
    """What happens to bytes on the way: one or several of these."""
    steps = []
    for _ in range(draw(st.integers(1, 3))):
        kind, place = draw(st.sampled_from(["flip", "cut", "drop", "insert", "zero", "swap"])), draw(st.floats(0, 1))
        steps.append((kind, place, draw(st.binary(min_size=1, max_size=8))))
    return steps


def damaged(data, steps):
    for kind, place, new in steps:
        i = int(place * (len(data) - 1)) if data else 0
        if kind == "flip":
            data = data[:i] + bytes([data[i] ^ (new[0] or 1)]) + data[i + 1 :] if data else data
        elif kind == "cut":
            data = data[:i]
        elif kind == "drop":
            data = data[:i] + data[i + len(new) :]
        elif kind == "insert":
            data = data[:i] + new + data[i:]
        elif kind == "zero":
            data = data[:i] + bytes(len(new)) + data[i + len(new) :]
        else:
            data = data[i:] + data[:i]
    return data


def refused_or(work, file):
    """What some work gives, or None if it refuses the file by its name; nothing else may come of it."""
    try:
        return work()
    except CheckpointError as error:
        if str(file) in str(error):
            return None
        raise


@settings(max_examples=DAMAGES)
@given(steps=damages())
def test_a_damaged_checkpoint_has_the_same_numbers_or_is_refused(folder, whole, steps):
    data, arrays = whole
    file = folder / "damaged.npz"
    file.write_bytes(damaged(data, steps))
    found = refused_or(lambda: Checkpoint(file, "").read(), file)
    if found is None:
        return
    for name in arrays:  # such as a date in the archive, which nothing depends on
        if name in found:
            assert_array_equal(found[name], arrays[name])


def packed(members, compressed=False):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED if compressed else zipfile.ZIP_STORED) as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.npy", content)
    return out.getvalue()


def npy(array):
    out = io.BytesIO()
    np.lib.format.write_array(out, np.asarray(array), allow_pickle=False)
    return out.getvalue()


def with_header(text, version=(1, 0)):
    """An .npy file of ours with another header."""
    header = text.encode("latin1", "replace")
    return (
        b"\x93NUMPY" + bytes(version) + struct.pack("<H" if version[0] == 1 else "<I", len(header)) + header + bytes(64)
    )


headers = st.one_of(
    st.builds(
        "{{'descr': {!r}, 'fortran_order': {}, 'shape': {}, }}\n".format,
        st.sampled_from(["<f8", ">f4", "|O", "<U9", "<i8", "|V7", "<M8[s]", "nonsense", "<f8,<f8", "|S0", "<c16"]),
        st.sampled_from(["True", "False", "None", "1"]),
        st.sampled_from(
            ["()", "(3,)", "(10**15,)", "(1000000000000000,)", "(-1,)", "(2, -3)", "(0,)", "'x'", "(2.5,)", "None"]
        ),
    ),
    st.sampled_from(
        ["", "{}", "{", "[" * 200, "__import__('os')", "{'descr': '<f8'", "(1L,)", "{'a': 1L}\n", "\0" * 70, "'" * 7]
    ),
    hostile,
)


@settings(max_examples=HEADERS)
@given(data=st.data())
@pytest.mark.filterwarnings("ignore:Reading")  # NumPy's, on headers that Python 2 wrote
def test_a_checkpoint_with_a_strange_array_is_refused(folder, whole, data):
    """The archive is whole and its checksums are right, so NumPy's own reader meets what is inside."""
    _, arrays = whole
    name = data.draw(st.sampled_from(sorted(arrays)))
    content = data.draw(
        st.builds(with_header, headers, st.sampled_from([(1, 0), (2, 0), (3, 0), (9, 9)]))
        | st.binary(max_size=60)
        | st.sampled_from([npy(0.5), npy(np.zeros((2, 2))), npy([[1, 2]]), npy("text"), npy(np.inf), npy([[]])])
    )
    file = folder / "strange.npz"
    file.write_bytes(packed({key: npy(value) for key, value in arrays.items()} | {name: content}))
    before = file.read_bytes()
    rng = np.random.default_rng(0)
    with suppress(FloatingPointError):  # from numbers of the right shape that are none of this training
        if refused_or(lambda: train(file, epochs=3, seed=rng), file) is None:
            assert file.read_bytes() == before
            assert rng.bit_generator.state == np.random.default_rng(0).bit_generator.state


def test_a_checkpoint_that_unfolds_to_gigabytes_is_refused_before(folder, whole):
    """What we write is not compressed; a small file that becomes large is not ours."""
    _, arrays = whole
    zeros = (
        b"\x93NUMPY\x01\x00v\x00"
        + b"{'descr': '<f8', 'fortran_order': False, 'shape': (4000000,), }".ljust(117)
        + b"\n"
    )
    members = {key: npy(value) for key, value in arrays.items()} | {"parameter_0": zeros + bytes(32_000_000)}
    file = folder / "bomb.npz"
    file.write_bytes(packed(members, compressed=True))
    assert file.stat().st_size < 100_000
    with pytest.raises(CheckpointError, match=r"bomb\.npz .*compressed"):
        train(file)


@pytest.mark.parametrize(
    "state",
    [
        "[]",
        "{",
        "1",
        "null",
        '{"bit_generator": "PCG64"}',
        '{"bit_generator": "PCG64", "state": {"array": [1], "dtype": "O"}}',
        "[" * 10_000,
    ],
)
def test_a_checkpoint_with_a_strange_generator_is_refused(folder, whole, state):
    _, arrays = whole
    file = folder / "generator.npz"
    file.write_bytes(packed({key: npy(value) for key, value in arrays.items()} | {"generator": npy(state)}))
    with pytest.raises(CheckpointError, match=r"generator\.npz"):
        train(file, epochs=3)


# ----------------------------------------------------------------------------------------------------------------- IDX


@settings(max_examples=BYTES)
@given(
    shape=st.lists(st.integers(1, 4), min_size=1, max_size=4),
    steps=st.lists(damages(), max_size=1),
    lengths=st.lists(st.integers(0, 2**32 - 1), max_size=4),
)
@example(shape=[2, 2], steps=[], lengths=[2**32 - 1] * 2)
@example(shape=[4], steps=[], lengths=[2**31])
def test_an_idx_file_gives_its_bytes_or_a_value_error(shape, steps, lengths):
    """A file, damaged, or with absurd lengths in its header."""
    array = np.arange(np.prod(shape), dtype=np.uint8).reshape(shape)
    data = (
        struct.pack(f">HBB{len(shape)}I", 0, 8, len(shape), *[*lengths, *shape[len(lengths) :]][: len(shape)])
        + array.tobytes()
    )
    for step in steps:
        data = damaged(data, step)
    try:
        found = datasets.read_idx(data)
    except ValueError:
        return
    again = struct.pack(f">HBB{found.ndim}I", 0, 8, found.ndim, *found.shape) + found.tobytes()
    assert again == data


# --------------------------------------------------------------------------------------------------------- expressions

WORDS = [
    "x",
    "sin(",
    "where(",
    "(",
    ")",
    "[",
    "]",
    ",",
    "+",
    "*",
    "**",
    "@",
    "=",
    ";",
    "\n",
    "0.5",
    "9" * 20,
    "e",
    "权",
    "_",
    ".",
]


@settings(max_examples=TEXTS)
@given(text=st.lists(st.sampled_from(WORDS) | hostile, max_size=12).map("".join), value=hostile)
def test_an_expression_is_a_graph_or_is_refused_with_its_place(text, value):
    """Besides what test_expressions.py tries: names and values as somebody might paste them."""
    with suppress(ExpressionError), np.errstate(all="ignore"):
        assert type(parse_expression(text).root) is vg.Tensor
    with suppress(ExpressionError), np.errstate(all="ignore"):
        json.dumps(np.asarray(parse_value(value)).tolist())
