"""A training's state in a file, written so that at any moment there is a complete one."""

from __future__ import annotations

import json
import os
import zipfile
from contextlib import suppress
from dataclasses import astuple
from pathlib import Path
from typing import Any

import numpy as np

from tinygrad_vg.checks import Array
from tinygrad_vg.training.records import EpochRecord, Run

__all__ = ["Checkpoint", "CheckpointError"]

FORMAT = "tinygrad_vg checkpoint 1"


class CheckpointError(ValueError):
    """A file that a training cannot be continued from."""


class Checkpoint:
    """A file with the whole state of a training.

    It is an ``.npz`` of plain arrays: the parameters, the optimiser's velocities and step count, the state of the
    generator that the order of the epoch was (or will be) drawn from, the number of mini-batches done in that epoch,
    and the history.

    Parameters
    ----------
    path
        Where it is.
    about
        What a position in an epoch depends on; a file that says otherwise is refused.
    """

    def __init__(self, path: str | os.PathLike[str], about: str) -> None:
        self.path = Path(os.path.realpath(path))
        self.about = about

    def open(self, run: Run, rng: np.random.Generator, resume: bool | None) -> None:
        """Continue from the file if there is one and that is wanted, else write the first."""
        if self.path.exists():
            found = self.read()  # also before overwriting: never lose a file that is something else
            if resume is None:
                raise FileExistsError(
                    f"there is a checkpoint in {self.path} already; resume=True continues from it, resume=False starts "
                    "again and overwrites it"
                )
            if resume:
                self.restore(found, run, rng)
                return
        self.save(run, rng.bit_generator.state)

    def save(self, run: Run, generator_state: Any) -> None:
        """Write to a temporary file beside it, which then takes its place.

        Raises
        ------
        OSError
            If that fails, naming the file; an earlier checkpoint is left as it was.
        """
        arrays = _arrays(run, generator_state) | {"format": np.array(FORMAT), "about": np.array(self.about)}
        temporary = self.path.with_name(f".{self.path.name}.tmp")
        try:
            with open(temporary, "wb") as out:
                np.savez(out, **arrays)
                out.flush()
                os.fsync(out.fileno())
            os.replace(temporary, self.path)
            _sync_folder(self.path.parent)
        except OSError as error:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
            reason = f"the checkpoint {self.path} could not be written: {error.strerror or error}"
            raise type(error)(error.errno, f"{reason}. An earlier one is as it was") from error

    def read(self) -> dict[str, Array]:
        """All arrays of the file, read to the end, so that its checksums are compared before anything is changed.

        Raises
        ------
        CheckpointError
            If it is damaged, or no checkpoint.
        """
        try:
            with open(self.path, "rb") as raw, np.load(raw, allow_pickle=False) as file:
                if any([member.compress_type != zipfile.ZIP_STORED for member in file.zip.infolist()]):
                    raise ValueError("it is compressed, as no checkpoint is, and may unfold to any size")
                found = {name: np.asarray(file[name]) for name in file.files}
            name = str(found["format"])
        except Exception as error:  # NumPy, zipfile, zlib, ast and tokenize raise whatever they come to
            raise self._refused(
                f"cannot be read as a checkpoint: it is damaged, or something else ({error})"
            ) from error
        if name != FORMAT:
            raise self._refused(f"has the format {name!r:.60}, not {FORMAT!r}")
        return found

    def restore(self, found: dict[str, Array], run: Run, rng: np.random.Generator) -> None:
        """Put what `read` gave into model, optimiser, generator and run; if it does not fit, nothing is changed.

        Raises
        ------
        CheckpointError
            If it belongs to another training.
        """
        params = run.optimizer.params
        if str(found.get("about")) != self.about:
            raise self._refused(f"is of a training on {str(found.get('about'))!r:.80}, this one is on {self.about!r}")
        try:
            count, steps, batch, seen = [int(c) for c in found["counts"]]
            values = [found[f"parameter_{i}"] for i in range(count)]
            velocity = [found.get(f"velocity_{i}") for i in range(count)]
            state = {"steps": steps, "velocity": velocity, "ahead": found["ahead"].tolist(), "resting": False}
            records = [EpochRecord(int(row[0]), *[float(v) for v in row[1:]]) for row in found["history"]]
            total, seconds = [float(v) for v in found["sums"]]
            if not 0 <= batch < run.batches:
                raise ValueError(f"{batch} of {run.batches} mini-batches done")
            generator_state = json.loads(str(found["generator"]), object_hook=_array_from_json)
        except Exception as error:  # anything may stand in a foreign file
            raise self._refused(f"is incomplete ({error!r})") from error
        kinds, wanted = [f"{v.dtype}{v.shape}" for v in values], [f"{p.dtype}{p.shape}" for p in params]
        if kinds != wanted:
            raise self._refused(f"holds parameters {', '.join(kinds)}; the model has {', '.join(wanted)}")
        before = rng.bit_generator.state
        try:
            rng.bit_generator.state = generator_state
            run.optimizer.load_state_dict(state)
        except Exception as error:  # each kind of generator refuses in a manner of its own
            rng.bit_generator.state = before
            raise self._refused(f"does not fit this optimiser or this kind of generator ({error})") from error
        for p, value in zip(params, values, strict=True):
            p.update(value)
        run.records, run.batch, run.seen, run.total, run.seconds = records, batch, seen, total, seconds

    def _refused(self, why: str) -> CheckpointError:
        return CheckpointError(
            f"{self.path} {why}. It is left as it is: give another file, or delete it to start again"
        )


def _arrays(run: Run, generator_state: Any) -> dict[str, Array]:
    """The state as arrays."""
    opt = run.optimizer.state_dict()
    parameters = {f"parameter_{i}": p.data for i, p in enumerate(run.optimizer.params)}
    velocities = {f"velocity_{i}": v for i, v in enumerate(opt["velocity"]) if v is not None}
    return (
        parameters
        | velocities
        | {
            "ahead": np.array(opt["ahead"], dtype=float),
            "generator": np.array(json.dumps(generator_state, default=_array_to_json)),
            "counts": np.array([len(parameters), opt["steps"], run.batch, run.seen], dtype=np.int64),
            "sums": np.array([run.total, run.seconds]),
            "history": np.array([astuple(r) for r in run.records], dtype=float).reshape(-1, 5),
        }
    )


def _sync_folder(folder: Path) -> None:
    """Have the new name of the file on disk, too, where the system can do that."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _array_to_json(value: Any) -> Any:
    """Some generators keep arrays and NumPy integers in their state."""
    return {"array": value.tolist(), "dtype": str(value.dtype)} if isinstance(value, np.ndarray) else value.item()


def _array_from_json(value: dict[str, Any]) -> Any:
    return np.array(value["array"], value["dtype"]) if value.keys() == {"array", "dtype"} else value
