"""The command line: ``tinygrad-vg``."""

from __future__ import annotations

import os
import sys
import webbrowser
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from tinygrad_vg import __version__

__all__ = ["app", "main"]

app = typer.Typer(
    name="tinygrad-vg",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="An autodiff to read, to see and to check: why deep networks are hard to train.",
    epilog="Begin with: tinygrad-vg tour --open",
)


class Language(StrEnum):
    """Languages of the tour."""

    en = "en"
    zh = "zh"


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"tinygrad_vg {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    pass


def _sizes(text: str) -> tuple[int, ...]:
    """``"30,30"`` as (30, 30)."""
    try:
        sizes = tuple([int(part) for part in text.split(",")])
    except ValueError:
        sizes = ()
    if not sizes or min(sizes) < 1 or max(sizes) > 1000 or len(sizes) > 12:
        raise typer.BadParameter(
            f"{text!r}: give the sizes of 1 to 12 hidden layers, such as 30,30, each from 1 to 1000"
        )
    return sizes


@app.command()
def tour(
    out: Annotated[Path, typer.Option(help="Folder for the page and the pictures; made if missing.")] = Path("tour"),
    epochs: Annotated[
        int, typer.Option(min=1, max=100_000, help="Full-batch steps of training; the book's figure has 500.")
    ] = 500,
    hidden: Annotated[str, typer.Option(help="Sizes of the hidden layers, separated by commas.")] = "30,30",
    seed: Annotated[
        int, typer.Option(min=0, help="Of the network, the sample of weights and all else that is random.")
    ] = 0,
    lang: Annotated[Language, typer.Option(help="Language of the page and of the messages.")] = Language.en,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")] = False,
    open_page: Annotated[bool, typer.Option("--open", help="Open the page in the browser at the end.")] = False,
) -> None:
    """Check, draw, measure and train a network on 1,000 digits; write it all to a page.

    Needs no download and takes less than a minute. It builds the sigmoid network of the book's chapter 5,
    checks its gradients, draws its backprop graph, and records how fast each hidden layer learns.

    Try a deeper network: tinygrad-vg tour --hidden 30,30,30,30
    """
    from tinygrad_vg.tour import run

    index = run(
        out, epochs=epochs, hidden=_sizes(hidden), seed=seed, lang=lang.value, quiet=quiet, show_hint=not open_page
    )
    if open_page and not webbrowser.open(index.resolve().as_uri()):
        print(f"tinygrad-vg: no browser was found here; open {index.resolve()} yourself", file=sys.stderr)


@app.command()
def data(
    folder: Annotated[
        Path | None, typer.Argument(help="Folder with the four MNIST files; by default the cache, filled by download.")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")] = False,
) -> None:
    """Get the full MNIST set and verify it: from FOLDER, $TINYGRAD_VG_DATA, the cache, or by download (11 MB)."""
    from tinygrad_vg.datasets import mnist

    loaded = mnist(folder, progress=not quiet)
    if not quiet:
        typer.echo(str(loaded))


def _discard_output() -> None:
    """Let the interpreter's own flush at the end succeed."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def main() -> None:
    """Run the command line; what can go wrong for a user gives one line on stderr and exit status 2."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # ∂ and ‖ under LANG=C must not end the program
    try:
        app()
        sys.stdout.flush()
    except KeyboardInterrupt:
        print("tinygrad-vg: interrupted", file=sys.stderr)
        sys.exit(130)
    except BrokenPipeError:  # the reader of our output has gone
        _discard_output()
    except SystemExit:
        try:
            sys.stdout.flush()
        except BrokenPipeError:
            _discard_output()
        raise
    except Exception as error:
        expected = isinstance(error, OSError) or type(error).__module__.startswith("tinygrad_vg")
        if not expected:
            raise
        print(f"tinygrad-vg: {error}", file=sys.stderr)
        sys.exit(2)
