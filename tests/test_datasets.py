"""MNIST. The network is a server on 127.0.0.1 with a tiny stand-in for MNIST, whose hashes replace the real ones."""

import gzip
import hashlib
import math
import os
import pkgutil
import socket
import struct
import subprocess
import sys
import threading
import time
import zipfile
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_vg import datasets
from tinygrad_vg.datasets import DatasetError, make_sample
from tinygrad_vg.datasets import files as module

REPO = Path(module.__file__).parents[2]
REAL = os.environ.get("TINYGRAD_VG_DATA")
needs_mnist = pytest.mark.skipif(not REAL, reason="TINYGRAD_VG_DATA names no folder with MNIST")


def idx(array):
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes()


def zipped(content):
    return gzip.compress(content, mtime=0)  # without the time of day, so that the tests are the same in every process


def digits(labels):
    return "".join(map(str, labels[:10]))


# ---------------------------------------------------------------------------------------------- the sample


def test_sample():
    data = datasets.mnist_sample()
    for X, y in (data.train, data.validation):
        assert X.shape == (1000, 784)
        assert X.dtype == np.float64
        assert y.shape == (1000,)
        assert y.dtype == np.int64
        assert X.flags.c_contiguous
        assert X.flags.writeable
        assert y.flags.writeable
        bytes_ = X * 256
        assert np.array_equal(bytes_, np.round(bytes_))
        assert (bytes_.min(), bytes_.max()) == (0, 255)
        assert set(y) == set(range(10))
    assert digits(data.train[1]) == "5041921314"
    assert digits(data.validation[1]) == "3869645384"
    X, y = data.test
    assert (X.shape, X.dtype, y.shape, y.dtype) == ((0, 784), np.float64, (0,), np.int64)
    assert repr(data) == "MNIST(train=1000, validation=1000, test=0; X float64 (n, 784) in [0, 1), y int64 (n,))"


def test_sample_is_yours_to_change():
    first = datasets.mnist_sample()
    first.train[0][:] = 7
    assert datasets.mnist_sample().train[0].max() < 1
    with pytest.raises(AttributeError):
        first.train = None


def test_first_sample_image_is_the_five():
    image = datasets.mnist_sample().train[0][0].reshape(28, 28) * 256
    assert image[5, 12:24].tolist() == [3, 18, 18, 18, 126, 136, 175, 26, 166, 255, 247, 127]


def test_import_is_light_and_mnist_stays_a_function():
    names = [m.name for m in pkgutil.iter_modules(datasets.__path__, "tinygrad_vg.datasets.")]
    code = f"""
import importlib, sys
import tinygrad_vg.datasets as d
d.mnist_sample()
heavy = {{"pooch", "rich", "requests", "urllib3", "platformdirs"}} & set(sys.modules)
assert not heavy, heavy
for name in {names}: importlib.import_module(name)
assert callable(d.mnist), d.mnist
"""
    subprocess.run([sys.executable, "-c", code], check=True, cwd=REPO)


# ---------------------------------------------------------------------------------------------- the real files


@needs_mnist
def test_full_set():
    data, sample = datasets.mnist(), datasets.mnist_sample()
    sizes = {"train": 50_000, "validation": 10_000, "test": 10_000}
    first = {"train": "5041921314", "validation": "3869645384", "test": "7210414959"}
    for part, n in sizes.items():
        X, y = getattr(data, part)
        assert (X.shape, X.dtype, y.shape, y.dtype) == ((n, 784), np.float64, (n,), np.int64)
        assert (X.min(), X.max()) == (0, 255 / 256)
        assert X.flags.c_contiguous
        assert X.flags.writeable
        assert digits(y) == first[part]
        if part != "test":
            head, labels = getattr(sample, part)
            assert np.array_equal(head, X[:1000])
            assert np.array_equal(labels, y[:1000])


@needs_mnist
def test_make_sample_reproduces_the_committed_file(tmp_path):
    make_sample.main([REAL, "-o", str(tmp_path / "again.npz")])
    again, committed = (tmp_path / "again.npz").read_bytes(), Path(module.__file__).with_name("mnist_sample.npz")

    def members(packed):
        with zipfile.ZipFile(packed) as archive:
            return [(member.filename, archive.read(member)) for member in archive.infolist()]

    assert members(BytesIO(again)) == members(committed)
    if sys.platform == "linux" and "ng" not in zlib.ZLIB_RUNTIME_VERSION:  # other zlibs compress otherwise
        assert again == committed.read_bytes()


def test_make_sample_says_what_is_wrong(tmp_path, capsys):
    with pytest.raises(SystemExit) as stop:
        make_sample.main([str(tmp_path), "-o", str(tmp_path / "out.npz")])
    assert stop.value.code == 2
    assert "SOURCE_DIR" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


# ---------------------------------------------------------------------------------------------- read_idx


@pytest.mark.parametrize("shape", [(1,), (5,), (2, 3), (4, 2, 3), (1,) * 8])
def test_read_idx(shape):
    array = np.arange(math.prod(shape), dtype=np.uint8).reshape(shape)
    found = datasets.read_idx(idx(array))
    assert found.dtype == np.uint8
    assert np.array_equal(found, array)
    assert found.shape == shape
    assert found.flags.writeable


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "magic number"),
        (b"\0\0\x08", "magic number"),
        (b"\0\1\x08\1\0\0\0\1x", "begins with 00 01 08 01"),
        (b"\0\0\x0d\1\0\0\0\1abcd", "begins with 00 00 0d 01"),
        (zipped(idx(np.zeros(3, np.uint8))), "decompress it first"),
        (b"\0\0\x08\0x", "0 axes"),
        (b"\0\0\x08\x09" + b"\0\0\0\1" * 9 + b"x", "9 axes"),
        (b"\0\0\x08\2\0\0\0\1", "cut short"),
        (b"\0\0\x08\1\0\0\0\0", "empty axis"),
        (b"\0\0\x08\2\0\0\0\0\xff\xff\xff\xff", "empty axis"),
        (b"\0\0\x08\1\0\0\0\2x", "promises"),
        (b"\0\0\x08\1\0\0\0\1xy", "promises"),
        (b"\0\0\x08\x08" + b"\xff" * 32, "promises"),
        # 2**16 to the fourth is 0 in 64 bits: a product that wrapped around would believe this
        (b"\0\0\x08\4" + b"\0\1\0\0" * 4, "promises"),
    ],
)
def test_read_idx_refuses(data, says):
    with pytest.raises(ValueError, match=says):
        datasets.read_idx(data)


headers = st.builds(
    lambda magic, lengths, rest: magic + b"".join(struct.pack(">I", n) for n in lengths) + rest,
    st.sampled_from([bytes([0, 0, 8, ndim]) for ndim in range(10)]),
    st.lists(st.integers(0, 3) | st.integers(0, 2**32 - 1), max_size=9),
    st.binary(max_size=30),
)


@given(st.binary(max_size=60) | headers)
def test_read_idx_gives_the_bytes_or_a_value_error(data):
    try:
        array = datasets.read_idx(data)
    except ValueError:
        return
    assert idx(array) == data


# ---------------------------------------------------------------------------------------------- a tiny MNIST


@pytest.fixture
def tiny(monkeypatch, tmp_path):
    """Contents of a tiny MNIST by file name, in place of the real one; an empty cache, and no named folder."""
    rng = np.random.default_rng(5)
    arrays = [rng.integers(0, 256, shape, np.uint8) for shape in ((7, 2, 3), (7,), (4, 2, 3), (4,))]
    names = [file.name for file in module.FILES]
    contents = {name: idx(array) for name, array in zip(names, arrays, strict=True)}
    table = tuple(
        module.IdxFile(name, array.shape, hashlib.sha256(contents[name]).hexdigest())
        for name, array in zip(names, arrays, strict=True)
    )
    monkeypatch.setattr(module, "FILES", table)
    monkeypatch.setattr(module, "N_VALIDATION", 2)
    monkeypatch.setattr(module, "cache_folder", lambda: tmp_path / "cache")
    monkeypatch.delenv("TINYGRAD_VG_DATA", raising=False)
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.setenv(name, "127.0.0.1,localhost")
    return contents


def assert_tiny(data, contents):
    images, labels, test_images, test_labels = (datasets.read_idx(content) for content in contents.values())
    expected = {
        "train": (images[:5], labels[:5]),
        "validation": (images[5:], labels[5:]),
        "test": (test_images, test_labels),
    }
    for part, (x, y) in expected.items():
        X, Y = getattr(data, part)
        assert np.array_equal(X, x.reshape(len(x), 6) / 256)
        assert np.array_equal(Y, y)


def fill(folder, contents, gzipped=True):
    folder.mkdir(exist_ok=True)
    for name, content in contents.items():
        (folder / (name + ".gz" * gzipped)).write_bytes(zipped(content) if gzipped else content)
    return folder


def snapshot(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()} if folder.exists() else {}


@pytest.mark.parametrize("gzipped", [True, False])
def test_folder(tiny, tmp_path, gzipped, monkeypatch):
    folder = fill(tmp_path / "given", tiny, gzipped)
    assert_tiny(datasets.mnist(folder), tiny)
    assert_tiny(datasets.mnist(str(folder)), tiny)
    monkeypatch.setenv("TINYGRAD_VG_DATA", str(folder))
    assert_tiny(datasets.mnist(), tiny)
    assert not (tmp_path / "cache").exists()


def test_content_decides_not_the_name(tiny, tmp_path):
    folder = fill(tmp_path / "given", {name + ".gz": content for name, content in tiny.items()}, gzipped=False)
    assert_tiny(datasets.mnist(folder), tiny)


def test_a_whole_file_beside_a_damaged_one_is_enough(tiny, tmp_path):
    folder = fill(fill(tmp_path / "given", tiny), tiny, gzipped=False)
    name = next(iter(tiny))
    (folder / f"{name}.gz").write_bytes(b"damaged")
    assert_tiny(datasets.mnist(folder), tiny)
    (folder / name).write_bytes(b"too")
    with pytest.raises(DatasetError, match=rf"{name}\.gz: .*{name}: wrong length"):
        datasets.mnist(folder)


@pytest.mark.parametrize("by", ["argument", "variable"])
@pytest.mark.parametrize("state", ["absent", "empty", "partial"])
def test_folder_without_mnist_is_an_error_not_a_download(tiny, tmp_path, server, monkeypatch, by, state):
    folder = tmp_path / "given"
    if state != "absent":
        fill(folder, dict(list(tiny.items())[: 3 * (state == "partial")]))
    monkeypatch.setenv("TINYGRAD_VG_DATA", str(folder if by == "variable" else tmp_path / "elsewhere"))
    with pytest.raises(DatasetError) as error:
        datasets.mnist(folder if by == "argument" else None, mirrors=[server.good])
    message = str(error.value)
    assert str(folder) in message
    assert all(name in message for name in tiny)
    assert ("TINYGRAD_VG_DATA" in message) == (by == "variable")
    assert ("no such folder" in message) == (state == "absent")
    missing = message.split("not found")[0]
    assert [name in missing for name in tiny] == [state != "partial"] * 3 + [True]
    assert server.asked == []


# How a file can be bad (content → bytes on disk or on the wire), and what the error says of it.
BAD = {
    "html": (lambda content: b"\n<!DOCTYPE html><html>please log in</html>", "HTML page"),
    "empty": (lambda content: b"", "wrong length: 0 bytes"),
    "truncated gzip": (lambda content: zipped(content)[:-12], "cut short"),
    "wrong checksum": (lambda content: zipped(content)[:-8] + bytes(8), "gzip says: CRC"),
    "broken deflate": (lambda content: zipped(content)[:10] + b"\xff" * 20, "gzip says"),
    "garbage behind": (lambda content: zipped(content) + b"garbage", "gzip says"),
    "short": (lambda content: zipped(content[:-1]), "wrong length"),
    "long": (lambda content: zipped(content + b"\0"), "wrong length: more than"),
    "other content": (lambda content: zipped(content[:-1] + bytes([content[-1] ^ 1])), "SHA-256"),
    "bomb": (lambda content: zipped(bytes(700_000)), "wrong length: more than"),
    "endless": (lambda content: bytes(100_000), "wrong length: more than"),
}


@pytest.mark.parametrize("kind", BAD)
def test_bad_file_in_a_folder(tiny, tmp_path, kind):
    folder = fill(tmp_path / "given", tiny)
    spoil, says = BAD[kind]
    path = folder / "t10k-labels-idx1-ubyte.gz"
    path.write_bytes(spoil(tiny["t10k-labels-idx1-ubyte"]))
    before = snapshot(folder)
    with pytest.raises(DatasetError, match=says) as error:
        datasets.mnist(folder)
    assert str(path) in str(error.value)
    assert "Delete it" in str(error.value)
    assert snapshot(folder) == before


def test_a_gzip_bomb_does_not_unfold(tiny):
    """What is asked of gzip counts: one byte too many, never all there is."""
    file = module.FILES[0]
    asked = []

    class Spy(gzip.GzipFile):
        def read(self, size=-1):
            asked.append(size)
            return super().read(size)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gzip, "GzipFile", Spy)
        with pytest.raises(DatasetError, match="more than"):
            module._verified(zipped(bytes(10_000)), file)
    assert asked == [file.size + 1]


def test_the_real_table():
    assert [file.size for file in module.FILES] == [47_040_016, 60_008, 7_840_016, 10_008]
    assert [len(bytes.fromhex(file.sha256)) for file in module.FILES] == [32] * 4
    assert all(mirror.startswith("https://") and mirror.endswith("/") for mirror in module.MIRRORS)


# ---------------------------------------------------------------------------------------------- downloads


class Server(ThreadingHTTPServer):
    """Each first path component is a mirror: "good", a kind of BAD, or one of the tricks in `do_GET`."""

    daemon_threads = True

    def __init__(self, contents):
        super().__init__(("127.0.0.1", 0), Handler)
        self.contents, self.asked, self.spoiled = contents, [], None
        self.everybody = threading.Barrier(2, timeout=20)
        self.closing = threading.Event()

    def mirror(self, kind):
        return f"http://127.0.0.1:{self.server_port}/{kind.replace(' ', '-')}/"

    @property
    def good(self):
        return self.mirror("good")

    def handle_error(self, request, client_address):
        """Clients that hang up are part of the game."""


class Handler(BaseHTTPRequestHandler):
    def log_message(self, *args):
        pass

    def do_GET(self):
        _, kind, file = self.path.split("/")
        self.server.asked.append(kind)
        body = zipped(self.server.contents[file.removesuffix(".gz")])
        headers = {"Content-Length": len(body)}
        status = 200
        if kind == "meeting" and file.startswith("train-images"):
            self.server.everybody.wait()
        elif kind.replace("-", " ") in BAD:
            body = BAD[kind.replace("-", " ")][0](self.server.contents[file.removesuffix(".gz")])
            headers = {"Content-Length": len(body)} if kind != "endless" else {}
        elif kind == "hangup":
            headers, body = {"Content-Length": len(body)}, body[:-20]
        elif kind == "silent":
            self.server.closing.wait(20)
        elif kind == "missing":
            status = 404
        elif kind in ("other-host", "same-host"):
            host = "localhost" if kind == "other-host" else "127.0.0.1"
            status, headers = 302, {"Location": f"http://{host}:{self.server.server_port}/good/{file}"}
            body = b""
        elif kind == "plain":
            body = self.server.contents[file.removesuffix(".gz")]
            headers = {"Content-Length": len(body)}
        elif kind == "nonsense":
            headers = {"Content-Length": "many"}
        elif kind == "loop":
            status, headers, body = 302, {"Location": self.path}, b""
        elif kind == "local-file":
            status, headers, body = 302, {"Location": "file:///etc/passwd"}, b""
        elif kind == "packed-bomb":  # compressed for the journey, which was not asked for
            body = zipped(bytes(10_000_000))
            headers = {"Content-Encoding": "gzip", "Content-Length": len(body)}
        elif kind == "broken-chunks":
            headers, body = {"Transfer-Encoding": "chunked"}, b"5\r\nabcde\r\nnonsense\r\n"
        elif kind == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
            return
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, str(value))
        self.end_headers()
        self.wfile.write(body)
        while kind == "endless":  # until the client hangs up
            self.wfile.write(body)


@pytest.fixture
def server(tiny):
    with Server(tiny) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.closing.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def down():
    """A mirror where nobody answers."""
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))  # bound and not listening: refused, and nobody else can take the port
        yield f"http://127.0.0.1:{reserved.getsockname()[1]}/mnist/"


def test_download_fills_the_cache_once(tiny, server, tmp_path, capsys):
    assert_tiny(datasets.mnist(mirrors=[server.good]), tiny)
    assert server.asked == ["good"] * 4
    assert snapshot(tmp_path / "cache").keys() == {f"{name}.gz" for name in tiny}
    assert_tiny(datasets.mnist(mirrors=[server.good]), tiny)
    assert_tiny(datasets.mnist(mirrors=[]), tiny)
    assert server.asked == ["good"] * 4
    assert capsys.readouterr() == ("", "")  # not a terminal: no bar


def test_module_constant_is_the_default(tiny, server):
    assert datasets.mnist.__kwdefaults__["mirrors"] is module.MIRRORS
    assert_tiny(datasets.mnist(mirrors=server.good.rstrip("/")), tiny)  # one address will do, with or without the slash


def test_only_what_is_missing_is_downloaded(tiny, server, tmp_path):
    fill(tmp_path / "cache", dict(list(tiny.items())[1:3]))
    assert_tiny(datasets.mnist(mirrors=[server.good]), tiny)
    assert server.asked == ["good"] * 2


@pytest.mark.parametrize("kind", ["plain", "same-host"])
def test_other_ways_to_serve_it(tiny, server, tmp_path, kind):
    assert_tiny(datasets.mnist(mirrors=[server.mirror(kind)]), tiny)
    assert snapshot(tmp_path / "cache").keys() == {name + ".gz" * (kind != "plain") for name in tiny}
    assert_tiny(datasets.mnist(mirrors=[]), tiny)


TRICKS = {
    "hangup": "IncompleteRead",
    "silent": "timed out",
    "missing": "404",
    "other-host": "redirects to another host, http://localhost",
    "nonsense": "many",
    "loop": "redirects",
    "local-file": "redirects to another host, file:///etc/passwd",
    "packed-bomb": "wrong length: more than",
    "broken-chunks": "nonsense",
    "reset": "eset by peer",
    **{kind: says for kind, (_, says) in BAD.items()},
}


@pytest.mark.parametrize("kind", ["down", *TRICKS])
def test_second_mirror_helps(tiny, server, down, tmp_path, kind, monkeypatch):
    if kind == "silent":
        monkeypatch.setattr(module, "TIMEOUT", (10.0, 0.7))
    bad = down if kind == "down" else server.mirror(kind)
    assert_tiny(datasets.mnist(mirrors=[bad, server.good]), tiny)
    good = {f"{name}.gz": content for name, content in tiny.items()}
    assert {name: gzip.decompress(raw) for name, raw in snapshot(tmp_path / "cache").items()} == good
    assert server.asked.count("good") == 4
    assert server.asked[-4:] == ["good"] * 4  # the bad one is not asked again for the other files
    assert len(server.asked) == {"down": 4, "loop": 35}.get(kind, 5)  # 30 redirects are followed


@pytest.mark.parametrize("kind", TRICKS)
def test_bad_mirror_leaves_no_trace(tiny, server, down, tmp_path, kind, monkeypatch):
    if kind == "silent":
        monkeypatch.setattr(module, "TIMEOUT", (10.0, 0.7))
    cache = fill(tmp_path / "cache", dict(list(tiny.items())[1:]))
    before = snapshot(cache)
    mirror = server.mirror(kind)
    with pytest.raises(DatasetError) as error:
        datasets.mnist(mirrors=[mirror, down])
    message = str(error.value)
    lines = message.splitlines()
    assert len(lines) == 4
    assert f"{mirror}train-images-idx3-ubyte.gz: " in lines[1]
    assert TRICKS[kind] in lines[1]
    assert f"{down}train-images-idx3-ubyte.gz: " in lines[2]
    assert "refused" in lines[2]
    assert "TINYGRAD_VG_DATA" in lines[3]
    assert all(name in lines[3] for name in tiny)
    assert snapshot(cache) == before
    assert "good" not in server.asked  # the redirect was not followed


def test_no_mirrors(tiny, tmp_path):
    with pytest.raises(DatasetError, match="no mirrors were given"):
        datasets.mnist(mirrors=[])
    assert not (tmp_path / "cache").exists()


def test_a_damaged_cache_mends_itself_or_says_so(tiny, server, tmp_path):
    cache = fill(tmp_path / "cache", tiny)
    good = snapshot(cache)
    damaged = cache / "train-labels-idx1-ubyte.gz"
    damaged.write_bytes(good[damaged.name][:-9])
    with pytest.raises(DatasetError, match=r"the copy in the cache: .*train-labels-idx1-ubyte\.gz: damaged"):
        datasets.mnist(mirrors=[server.mirror("html")])
    assert_tiny(datasets.mnist(mirrors=[server.good]), tiny)
    assert {name: gzip.decompress(raw) for name, raw in snapshot(cache).items()} == {
        name: gzip.decompress(raw) for name, raw in good.items()
    }


def test_cache_that_cannot_be_written(tiny, server, tmp_path):
    (tmp_path / "cache").write_text("a file, not a folder")
    with pytest.raises(DatasetError, match="could not keep the download") as error:
        datasets.mnist(mirrors=[server.good])
    assert str(tmp_path / "cache") in str(error.value)


def test_interrupted_write_leaves_nothing(tiny, server, tmp_path, monkeypatch):
    def interrupt(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        datasets.mnist(mirrors=[server.good])
    assert snapshot(tmp_path / "cache") == {}


def test_another_process_was_first_and_holds_the_file(tiny, server, tmp_path, monkeypatch):
    """Windows refuses to replace a file that is being read."""

    def refuse(source, target):
        Path(target).write_bytes(Path(source).read_bytes())
        raise PermissionError("in use")

    monkeypatch.setattr(os, "replace", refuse)
    assert_tiny(datasets.mnist(mirrors=[server.good]), tiny)
    assert snapshot(tmp_path / "cache").keys() == {f"{name}.gz" for name in tiny}


def downloader(tmp_path, mirror):
    """Code that fills the cache in a process of its own."""
    return f"""
import importlib, pathlib
module = importlib.import_module("tinygrad_vg.datasets.files")
module.FILES = tuple(module.IdxFile(*row) for row in {[(f.name, f.shape, f.sha256) for f in module.FILES]})
module.N_VALIDATION = 2
module.cache_folder = lambda: pathlib.Path({str(tmp_path / "cache")!r})
data = module.mnist(mirrors=[{mirror!r}])
assert len(data.train[1]) == 5
"""


def test_two_processes_at_once(tiny, server, tmp_path):
    code = downloader(tmp_path, server.mirror("meeting"))
    # The server answers the first request of each only when both have asked: neither finds the other's file.
    two = [subprocess.Popen([sys.executable, "-W", "error", "-c", code], cwd=REPO) for _ in range(2)]
    assert [process.wait(60) for process in two] == [0, 0]
    assert server.asked.count("meeting") >= 5
    assert snapshot(tmp_path / "cache").keys() == {f"{name}.gz" for name in tiny}
    assert_tiny(datasets.mnist(mirrors=[]), tiny)


@pytest.mark.skipif(os.name != "posix", reason="needs SIGKILL")
def test_killed_in_the_middle_of_a_download(tiny, server, tmp_path):
    """What had come is whole and stays; of what was coming there is nothing."""
    code = downloader(tmp_path, server.mirror("meeting"))
    process = subprocess.Popen([sys.executable, "-W", "error", "-c", code], cwd=REPO)
    while not server.asked and process.poll() is None:  # it is answered only when another asks, too
        time.sleep(0.01)
    process.kill()
    process.wait()
    server.everybody.abort()
    assert snapshot(tmp_path / "cache") == {}
    assert_tiny(datasets.mnist(mirrors=[server.good]), tiny)
    assert snapshot(tmp_path / "cache").keys() == {f"{name}.gz" for name in tiny}


@pytest.mark.parametrize("wanted", [True, False])
def test_progress_bar_on_a_terminal(tiny, server, monkeypatch, capsys, wanted):
    monkeypatch.setenv("FORCE_COLOR", "1")  # rich then takes anything for a terminal
    monkeypatch.setenv("COLUMNS", "100")
    datasets.mnist(progress=wanted, mirrors=[server.mirror("html"), server.good])
    out, err = capsys.readouterr()
    assert out == ""
    assert all((name in err) == wanted for name in tiny)
    last = err.split("\x1b[2K")[-1]  # rich's last picture of all the bars
    assert last.count("train-images") == wanted  # the bar of the mirror that failed is gone


def test_the_bar_ends_full_and_every_answer_is_closed(tiny, server, monkeypatch):
    requests = pytest.importorskip("requests")
    closed, close = set(), requests.Response.close

    def note(response):
        closed.add(response.url)
        close(response)

    monkeypatch.setattr(requests.Response, "close", note)
    file, bars = module.FILES[0], module._new_bars(False)
    bar = module._Bar(bars, file.name)
    raw = module._fetch(f"{server.good}{file.name}.gz", 1000, bar)
    (task,) = bars.tasks
    assert (task.completed, task.total, bar.total) == (len(raw), len(raw), len(raw))
    assert task.stop_time is not None
    with pytest.raises(DatasetError, match="more than 1,000 bytes"):
        module._fetch(f"{server.mirror('endless')}{file.name}.gz", 1000, bar)
    assert len(closed) == 2
