"""Make ``mnist_sample.npz`` from the four MNIST files: ``python -m tinygrad_vg.datasets.make_sample SOURCE_DIR``.

The same files give the same bytes, every time (with the same zlib: its successors compress a little differently).
"""

import argparse
import io
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tinygrad_vg.datasets.files import N_VALIDATION, read_folder

SIZE = 1000
"""Images taken from the head of the training set, and as many from the head of the validation set."""


def sample_bytes(source: str | Path) -> bytes:
    """Return the sample as the bytes of a compressed ``.npz``.

    Parameters
    ----------
    source : path
        Folder with the four MNIST files, gzipped or not; all are verified, though only the training files are used.

    Returns
    -------
    bytes
        An ``.npz`` with ``train_images`` and ``validation_images``, uint8 (1000, 784), ``train_labels`` and
        ``validation_labels``, uint8 (1000,).

    Raises
    ------
    tinygrad_vg.datasets.DatasetError
        If the folder does not hold MNIST.
    """
    images, labels, _, _ = read_folder(source, named_by="SOURCE_DIR")
    arrays = {}
    for part, start in (("train", 0), ("validation", len(labels) - N_VALIDATION)):
        chosen = slice(start, start + SIZE)
        arrays[f"{part}_images"] = images[chosen].reshape(SIZE, -1)
        arrays[f"{part}_labels"] = labels[chosen]
    # np.savez would write today's machine into the file (the operating system, its own header version).
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, array in arrays.items():
            member = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            member.create_system = 3
            member.external_attr = 0o644 << 16
            plain = io.BytesIO()
            np.lib.format.write_array(plain, array, version=(1, 0), allow_pickle=False)
            archive.writestr(member, plain.getvalue(), zipfile.ZIP_DEFLATED, compresslevel=9)
    return packed.getvalue()


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line (``arguments`` default to the process's); exit status 2 with a message if it fails."""
    parser = argparse.ArgumentParser(prog="python -m tinygrad_vg.datasets.make_sample", description=__doc__)
    parser.add_argument("source", metavar="SOURCE_DIR", type=Path, help="folder with the four MNIST files")
    default = Path(__file__).with_name("mnist_sample.npz")
    parser.add_argument("-o", "--output", metavar="FILE", type=Path, default=default, help="default: the package's own")
    options = parser.parse_args(arguments)
    try:
        options.output.write_bytes(sample_bytes(options.source))
    except (OSError, RuntimeError) as error:
        parser.error(str(error))


if __name__ == "__main__":
    main()
