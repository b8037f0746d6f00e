"""MNIST: the embedded sample, the full set, and the IDX format it comes in.

Nothing read from a folder or from the network is believed before its *decompressed* content has exactly the known
length and SHA-256, and nothing else is ever written into the cache.

Source: Y. LeCun, C. Cortes, C. J. C. Burges, "The MNIST database of handwritten digits", 1998. CC BY-SA 3.0, see
``LICENSE-MNIST.txt`` beside this file.
"""

import contextlib
import gzip
import hashlib
import io
import math
import os
import struct
import tempfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import numpy as np
from numpy.typing import NDArray

VARIABLE = "TINYGRAD_VG_DATA"
"""Environment variable that names a folder with the four MNIST files."""

MIRRORS: tuple[str, ...] = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
)
"""Where `mnist` downloads from, tried in turn."""

N_VALIDATION = 10_000
"""So many images at the *end* of the training file are the validation set, as in the book."""

TIMEOUT = (10.0, 30.0)
"""Seconds to wait for a connection, and then for each next piece of a download."""


class DatasetError(RuntimeError):
    """The data are missing, damaged or out of reach; the message says which file, where, and what to do."""


@dataclass(frozen=True)
class IdxFile:
    """What is known beforehand of one MNIST file: its name, array shape (uint8) and SHA-256, all decompressed."""

    name: str
    shape: tuple[int, ...]
    sha256: str

    @property
    def size(self) -> int:
        """Exact number of bytes, decompressed: the header (magic and one length per axis) and the array."""
        return 4 + 4 * len(self.shape) + math.prod(self.shape)


FILES: tuple[IdxFile, IdxFile, IdxFile, IdxFile] = (
    IdxFile(
        "train-images-idx3-ubyte",
        (60_000, 28, 28),
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    ),
    IdxFile(
        "train-labels-idx1-ubyte",
        (60_000,),
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    ),
    IdxFile(
        "t10k-images-idx3-ubyte",
        (10_000, 28, 28),
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    ),
    IdxFile(
        "t10k-labels-idx1-ubyte",
        (10_000,),
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    ),
)
"""Training images, training labels, test images, test labels: the order in which `read_folder` returns them."""

Bytes = NDArray[np.uint8]
Split = tuple[NDArray[np.float64], NDArray[np.int64]]


@dataclass(frozen=True, eq=False, repr=False)
class MNIST:
    """MNIST in three parts, each a pair ``(X, y)`` of plain arrays that belong to you (fresh and writable).

    Attributes
    ----------
    train, validation, test : tuple of ndarray
        ``X``, float64 of shape (n, 784), one image a row, each pixel byte/256 (so in [0, 255/256], ink is high);
        ``y``, int64 of shape (n,), the digits 0 … 9. A part that was not loaded has n = 0.
    """

    train: Split
    validation: Split
    test: Split

    def __repr__(self) -> str:
        """Sizes only: the arrays themselves would fill the screen."""
        sizes = ", ".join(f"{part}={len(getattr(self, part)[1])}" for part in ("train", "validation", "test"))
        return f"MNIST({sizes}; X float64 (n, {self.train[0].shape[1]}) in [0, 1), y int64 (n,))"


def mnist_sample() -> MNIST:
    """Return the sample that is embedded in the package: no network, no folder, some milliseconds.

    Returns
    -------
    MNIST
        The first 1,000 training images and the first 1,000 validation images (images 50,000 … 50,999 of the original
        training file), in order: exactly the head of what `mnist` returns. ``test`` is an *empty* pair, with X of
        shape (0, 784) and y of shape (0,), because the sample has no test images; use `mnist` for those.
    """
    packed = resources.files(__package__).joinpath("mnist_sample.npz").read_bytes()
    with np.load(io.BytesIO(packed), allow_pickle=False) as sample:
        train = _split(sample["train_images"], sample["train_labels"])
        validation = _split(sample["validation_images"], sample["validation_labels"])
    return MNIST(train, validation, (np.empty((0, train[0].shape[1])), np.empty(0, np.int64)))


def mnist(
    folder: str | os.PathLike[str] | None = None, *, progress: bool = True, mirrors: Sequence[str] = MIRRORS
) -> MNIST:
    """Return all of MNIST: 50,000 training, 10,000 validation and 10,000 test images.

    The four files are looked for in ``folder`` if it is given; else in the folder named by the environment variable
    ``TINYGRAD_VG_DATA`` if that is set; else in your cache, to which whatever is missing is first downloaded (11 MB,
    once). A folder that you name is only read, and nothing is downloaded in its stead.

    Parameters
    ----------
    folder : path, optional
        Where the IDX files are, gzipped (``.gz``) or not.
    progress : bool
        Show a progress bar on standard error while downloading, if that is a terminal or a notebook.
    mirrors : sequence of str
        Addresses of folders with the gzipped files, tried in turn. Redirects away from a mirror are refused.

    Returns
    -------
    MNIST
        Parts of 50,000, 10,000 and 10,000 images; X takes 6,272 bytes an image, 439 MB in all.

    Raises
    ------
    DatasetError
        If a file is missing from the folder you named, or is not MNIST byte for byte (its decompressed content has
        another length or SHA-256), or if no mirror gives it.
    """
    if folder is not None:
        files = read_folder(folder)
    elif os.environ.get(VARIABLE):
        files = read_folder(os.environ[VARIABLE], named_by=f"the environment variable {VARIABLE}")
    else:
        files = _from_cache(cache_folder(), [mirrors] if isinstance(mirrors, str) else list(mirrors), progress)
    images, labels, test_images, test_labels = files
    cut = len(labels) - N_VALIDATION
    return MNIST(
        _split(images[:cut], labels[:cut]), _split(images[cut:], labels[cut:]), _split(test_images, test_labels)
    )


def read_idx(data: bytes) -> Bytes:
    """Decode an IDX file of unsigned bytes, the format of MNIST.

    The format: two zero bytes, one byte for the element type (8 is uint8, the only one accepted), one byte for the
    number of axes, the length of each axis as a big-endian uint32, then the elements in C order and nothing more.

    Parameters
    ----------
    data : bytes
        The whole file, decompressed.

    Returns
    -------
    ndarray of uint8
        A fresh, writable array of the shape that the header states.

    Raises
    ------
    ValueError
        If the magic number is wrong, an axis is empty, or the length is not exactly what the header promises. No
        memory is set aside for a size that is merely promised.
    """
    if len(data) < 4:
        raise ValueError(f"not an IDX file: {len(data)} bytes, but its magic number alone takes 4")
    zeros, kind, ndim = struct.unpack_from(">HBB", data)
    if zeros != 0 or kind != 8:
        raise ValueError(
            f"not an IDX file of unsigned bytes: it begins with {data[:4].hex(' ')}, expected 00 00 08 and the number "
            "of axes; if it is gzipped, decompress it first"
        )
    # MNIST has 1 or 3 axes, colour images 4. NumPy's limit would be an accident of its version.
    if not 1 <= ndim <= 8:
        raise ValueError(f"an IDX file with {ndim} axes; expected 1 to 8")
    start = 4 + 4 * ndim
    if len(data) < start:
        raise ValueError(f"IDX header cut short: {len(data)} bytes, but {ndim} axes need {start}")
    shape = struct.unpack_from(f">{ndim}I", data, 4)
    size = math.prod(shape)  # Python integers: eight axes of 2**32 - 1 do not overflow
    if size == 0:
        raise ValueError(f"an IDX file with an empty axis: shape {shape}")
    if len(data) - start != size:
        raise ValueError(f"IDX header promises shape {shape}, {size} bytes, but {len(data) - start} bytes follow it")
    return np.frombuffer(data, np.uint8, offset=start).reshape(shape).copy()


def read_folder(folder: str | os.PathLike[str], *, named_by: str = "the argument folder") -> list[Bytes]:
    """Read and verify the four MNIST files, gzipped or not, from one folder.

    Returns
    -------
    list of ndarray of uint8
        In the order of ``FILES``: training images, training labels, test images, test labels.

    Raises
    ------
    DatasetError
        If a file is missing, unreadable or not MNIST byte for byte.
    """
    folder = Path(folder).expanduser()
    contents = [_read(folder, file) for file in FILES]
    missing = [file.name for file, content in zip(FILES, contents, strict=True) if content is None]
    if missing:
        state = "" if folder.is_dir() else " (there is no such folder)"
        raise DatasetError(
            f"no MNIST in {folder}{state}, the folder named by {named_by}: {', '.join(missing)} not found. Put there "
            f"{_the_files()}, or name no folder to have them downloaded."
        )
    return [read_idx(content) for content in contents if content is not None]


def cache_folder() -> Path:
    """Return the folder in which downloads are kept, by the operating system's custom."""
    import pooch

    return Path(pooch.os_cache("tinygrad_vg"))


def _split(images: Bytes, labels: Bytes) -> Split:
    """(n, rows, columns) and (n,) bytes to X (n, rows·columns) float64 = byte/256 (exact) and y (n,) int64."""
    pixels = images.reshape(len(images), math.prod(images.shape[1:]))
    return np.multiply(pixels, 1 / 256, dtype=np.float64), labels.astype(np.int64)


def _the_files() -> str:
    return f"the four files {', '.join(file.name for file in FILES)} (gzipped, with .gz at the end, or not)"


def _read(folder: Path, file: IdxFile) -> bytes | None:
    """Verified content of a file in a folder, gzipped or not; None if there is neither, DatasetError if all are bad."""
    problems = []
    for path in (folder / f"{file.name}.gz", folder / file.name):
        try:
            if not path.is_file():
                continue
            with path.open("rb") as stream:
                return _verified(stream.read(_most(file) + 1), file)
        except (OSError, DatasetError) as error:
            problems.append(f"{path}: {error}")
    if problems:
        raise DatasetError(f"{'; '.join(problems)}. Delete it and get {file.name}.gz anew.")
    return None


def _most(file: IdxFile) -> int:
    """Bytes beyond which a file cannot be this one: its plain size, or gzip's when it finds nothing to compress."""
    return file.size + file.size // 1000 + 1024


def _verified(raw: bytes, file: IdxFile) -> bytes:
    """Decompress (if gzipped) what claims to be this file; DatasetError if it is anything else.

    Browsers and servers add and remove gzip as they like, so the first bytes decide and not the name. Decompression
    stops one byte after the expected size, so a gzip bomb never unfolds.
    """
    content = raw
    if raw.startswith(b"\x1f\x8b"):
        try:
            with gzip.GzipFile(fileobj=io.BytesIO(raw)) as stream:
                content = stream.read(file.size + 1)
        except (OSError, EOFError, zlib.error) as error:
            raise DatasetError(f"damaged or cut short, gzip says: {error}") from error
    elif raw.lstrip()[:1] == b"<":
        raise DatasetError("an HTML page (an error or a login?) instead of the data")
    if len(content) != file.size:
        length = f"more than {file.size:,}" if len(content) > file.size else f"{len(content):,}"
        raise DatasetError(f"wrong length: {length} bytes when decompressed, expected {file.size:,}")
    found = hashlib.sha256(content).hexdigest()
    if found != file.sha256:
        raise DatasetError(f"wrong content: SHA-256 {found} when decompressed, expected {file.sha256}")
    return content


def _from_cache(cache: Path, mirrors: list[str], progress: bool) -> list[Bytes]:
    """Read the four files from the cache, after downloading those that are not there or no longer whole."""
    arrays = []
    with _new_bars(progress) as bars:
        for file in FILES:
            try:
                content, doubt = _read(cache, file), []
            except DatasetError as error:
                content, doubt = None, [f"the copy in the cache: {error}"]
            if content is None:
                raw, content, mirror = _download(file, mirrors, bars, doubt)
                _keep(raw, cache / (f"{file.name}.gz" if raw is not content else file.name), file)
                # Begin with the mirror that worked: four times the wait for one that is down helps nobody.
                mirrors = [mirror, *(other for other in mirrors if other != mirror)]
            arrays.append(read_idx(content))
    return arrays


def _download(file: IdxFile, mirrors: list[str], bars: Any, doubt: list[str]) -> tuple[bytes, bytes, str]:
    """Get one file from the first mirror that has it: the bytes as they came, decompressed, and that mirror."""
    problems = list(doubt)
    for mirror in mirrors:
        url = f"{mirror.rstrip('/')}/{file.name}.gz"
        bar = _Bar(bars, file.name)
        try:
            raw = _fetch(url, _most(file), bar)
            return raw, _verified(raw, file), mirror
        # All errors of requests are OSErrors; a senseless Content-Length or address is a ValueError.
        except (OSError, ValueError, DatasetError) as error:
            bar.remove()
            problems.append(f"{url}: {error}")
    tried = "".join(f"\n  - {problem}" for problem in problems or ["no mirrors were given"])
    raise DatasetError(
        f"could not download MNIST's {file.name}:{tried}\nDownload {_the_files()} by hand into one folder, and name it "
        f"in the environment variable {VARIABLE} or as mnist(folder)."
    )


def _fetch(url: str, most: int, bar: Any) -> bytes:
    """Download into memory at most so many bytes; a redirect to another host is refused before it is followed."""
    import pooch

    sink = _Bounded(most)
    with contextlib.ExitStack() as stack:

        def watch(response: Any, *_: Any, **__: Any) -> None:
            stack.callback(response.close)
            target = urljoin(response.url, response.headers.get("location", ""))
            if response.is_redirect and urlsplit(target)[:2] != urlsplit(response.url)[:2]:
                raise DatasetError(f"it redirects to another host, {target}, which is not followed")

        # "identity": the file is gzipped already, and a transfer encoding would make nonsense of Content-Length.
        headers = {"Accept-Encoding": "identity"}
        download = pooch.HTTPDownloader(
            progressbar=bar, chunk_size=1 << 16, timeout=TIMEOUT, headers=headers, hooks={"response": watch}
        )
        download(url, sink, None)
    return sink.getvalue()


class _Bounded(io.BytesIO):
    """A file in memory that refuses to grow beyond a limit, so that an endless answer ends."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most = most

    def write(self, chunk: Any) -> int:
        if self.tell() + len(chunk) > self.most:
            raise DatasetError(f"wrong length: more than {self.most:,} bytes, too long for this file even uncompressed")
        return super().write(chunk)


def _keep(raw: bytes, path: Path, file: IdxFile) -> None:
    """Put verified bytes into the cache under their name in one step, so that no other process sees half a file."""
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f"{path.name}.", delete=False) as stream:
            temporary = stream.name
            stream.write(raw)
        os.replace(temporary, path)
    except OSError as error:
        # Windows refuses to replace a file that another process is reading: all is well if that one has just put it
        # there.
        with contextlib.suppress(DatasetError):
            if _read(path.parent, file) is not None:
                return
        raise DatasetError(
            f"could not keep the download in {path.parent}: {error}. Make that folder writable, or download "
            f"{_the_files()} by hand into another one and name it in the environment variable {VARIABLE}."
        ) from error
    finally:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)


def _new_bars(wanted: bool) -> Any:
    """Make a `rich.progress.Progress` on standard error that shows nothing where nobody looks (a log, a pipe)."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    console = Console(stderr=True)
    columns = TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn()
    hidden = not wanted or not (console.is_terminal or console.is_jupyter)
    console.quiet = hidden  # older versions of rich print an empty line even for disabled bars
    return Progress(*columns, console=console, disable=hidden)


class _Bar:
    """One of rich's bars under the names that pooch calls: ``total``, update, reset, close."""

    def __init__(self, bars: Any, name: str) -> None:
        self.bars, self.task = bars, bars.add_task(name, total=None)

    @property
    def total(self) -> Any:
        return self.bars.tasks[self.bars.task_ids.index(self.task)].total

    @total.setter
    def total(self, size: int) -> None:
        self.bars.update(self.task, total=size or None)  # pooch says 0 when the server does not say

    def update(self, amount: int) -> None:
        self.bars.advance(self.task, amount)

    def reset(self) -> None:
        self.bars.update(self.task, completed=0)

    def close(self) -> None:
        self.bars.stop_task(self.task)

    def remove(self) -> None:
        self.bars.remove_task(self.task)
