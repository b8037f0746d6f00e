"""The command line: ``tinygrad-vg``."""

from __future__ import annotations

import os
import sys
import webbrowser
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

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


@app.command()
def check(
    target: Annotated[
        str | None,
        typer.Argument(
            metavar="MODULE:FUNCTION",
            help="A function of yours: homework:loss is loss in homework.py. The module is imported, so its code runs.",
        ),
    ] = None,
    op: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="A function of the table, such as exp; may be repeated.")
    ] = None,
    shape: Annotated[
        list[str] | None,
        typer.Option(metavar="M,N", help="Of an argument of yours: 3,4 or () for a number. Give one for each."),
    ] = None,
    domain: Annotated[
        str | None, typer.Option(metavar="LOW,HIGH", help="Your arguments are random between these; -2,2 by default.")
    ] = None,
    sample: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="At most so many elements of each argument of yours.")
    ] = None,
    properties: Annotated[
        bool, typer.Option("--properties", help="Of a function of yours, also all that an op must do.")
    ] = False,
    mutants: Annotated[
        bool,
        typer.Option(
            "--mutants",
            help="Also plant faults in the derivatives, and count which are noticed: a minute for the table.",
        ),
    ] = False,
    order: Annotated[
        int | None,
        typer.Option(metavar="1|2", min=1, max=2, help="Of derivatives: by default 1 for yours, 1 and 2 for ops."),
    ] = None,
    seed: Annotated[int, typer.Option(metavar="N", min=0, help="Of all that is random.")] = 0,
    out: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Write the findings to this file.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print what fails, and nothing else.")] = False,
) -> None:
    """Check derivatives: of every function of the table, or of a function of yours.

    Alone it checks the value, the derivatives and the manners of each function of the table, in ten seconds.

    Of yours it checks the gradient at random arguments against finite differences that have an error bound.

    Try it on a function of yours: tinygrad-vg check homework:loss --shape 3,4 --shape 4

    The exit status is 0 if everything passes, 1 if anything does not, 2 if the call is wrong.
    """
    from tinygrad_vg.commands.check import run

    status = run(
        target,
        ops=op or (),
        shapes=shape or (),
        domain=domain,
        sample=sample,
        properties=properties,
        mutants=mutants,
        order=order,
        seed=seed,
        out=out,
        quiet=quiet,
    )
    raise typer.Exit(status)


class Level(StrEnum):
    """Levels of a picture."""

    auto = "auto"
    scalar = "scalar"
    tensor = "tensor"
    layer = "layer"


class Theme(StrEnum):
    """Colours of a picture."""

    auto = "auto"
    light = "light"
    dark = "dark"


_Subject = Annotated[
    str,
    typer.Argument(metavar="chain|mlp|EXPR", help="Four neurons in a row, a small network, or an expression of yours."),
]
_Set = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="A value: w=0.5, x=[1,2]. May be repeated."),
]
_Seed = Annotated[
    int | None,
    typer.Option(metavar="N", min=0, help="Of all values that are random; 0 by default. The chain's are not."),
]
_Sizes = Annotated[
    str | None, typer.Option(metavar="4,3,2", help="Of the layers of mlp: the inputs, then the units of each layer.")
]


@app.command()
def draw(
    subject: _Subject,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FILE", help="Where to save it: .svg, .png, .pdf, .html or .dot."),
    ] = None,
    wrt: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Highlight the way to this tensor, with the product of its terms."),
    ] = None,
    set_: _Set = None,
    level: Annotated[
        Level, typer.Option(metavar="LEVEL", help="auto, scalar or tensor (a box for each named one), layer.")
    ] = Level.auto,
    theme: Annotated[
        Theme, typer.Option(metavar="THEME", help="auto (follows the reader's system), light, dark.")
    ] = Theme.auto,
    max_nodes: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="With more boxes it is drawn coarser; 60 by default.")
    ] = None,
    seed: _Seed = None,
    sizes: _Sizes = None,
    dot: Annotated[bool, typer.Option("--dot", help="Print Graphviz's DOT text.")] = False,
) -> None:
    """Draw a backprop graph, with the local derivative on every edge. Without -o it is printed as text.

    The chapter's chain of neurons: tinygrad-vg draw chain --wrt b1 -o chain.svg

    A network by layer: tinygrad-vg draw mlp --sizes 784,30,30,10 --level layer -o network.svg

    An expression: tinygrad-vg draw "sigmoid(w*x + b)" --set w=2 -o neuron.svg

    Names are made by name = expression: "C = (a - y)**2; a = sigmoid(z); z = w*x + b". Other names are variables.
    There are + - * / ** @, where(a > b, x, y), and functions such as sigmoid, tanh, relu, exp, log, sqrt, sin, sum.
    Expressions are read, never run as code. One that begins with a minus goes behind --.

    The exit status is 0; 1 if no Graphviz was found and only the DOT text was saved; 2 if the call is wrong.
    """
    from tinygrad_vg.commands.draw import draw_target

    status = draw_target(
        subject,
        out=out,
        wrt=wrt,
        settings=set_ or (),
        level=level.value,
        theme=theme.value,
        max_nodes=max_nodes,
        seed=seed,
        sizes=sizes,
        dot=dot,
    )
    raise typer.Exit(status)


@app.command()
def explain(
    subject: _Subject,
    wrt: Annotated[str | None, typer.Option(metavar="NAME", help="The variable to differentiate by.")] = None,
    set_: _Set = None,
    seed: _Seed = None,
    sizes: _Sizes = None,
    latex: Annotated[bool, typer.Option("--latex", help="Print the formula in LaTeX.")] = False,
) -> None:
    """Spell a derivative out: the terms of the product, each value, and the product so far.

    Why the gradient vanishes: tinygrad-vg explain chain --wrt b1

    A term above 1 needs a large w and z near 0: tinygrad-vg explain chain --wrt b1 --set w2=8 --set b2=-5.3

    A sum over paths: tinygrad-vg explain "x*sin(x)" --wrt x --set x=2

    The matrices of layers and their norms: tinygrad-vg explain mlp --sizes 784,30,30,10 --wrt b1

    For how expressions are written see: tinygrad-vg draw --help
    """
    from tinygrad_vg.commands.draw import explain_target

    explain_target(subject, wrt=wrt, settings=set_ or (), seed=seed, sizes=sizes, latex=latex)


@app.command()
def reproduce(
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder for all files; made if missing.")] = Path(
        "report"
    ),
    quick: Annotated[
        bool, typer.Option("--quick", help="Small versions on the embedded digits: about a minute.")
    ] = False,
    only: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="One experiment, such as chain; may be repeated.")
    ] = None,
    seeds: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="How many, instead of each experiment's own number.")
    ] = None,
    workers: Annotated[int, typer.Option(metavar="N", min=1, help="How many experiments at a time.")] = 2,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print the conclusion only.")] = False,
) -> None:
    """Measure every claim of the chapter, with error bars over seeds, and write a report.

    In full it takes about half an hour on two cores and needs the MNIST set, 11 MB, which it downloads unless
    $TINYGRAD_VG_DATA names a folder with it.

    What is finished is kept: after an interruption the same command goes on, and is done at once if nothing is left.

    Begin with: tinygrad-vg reproduce --quick
    """
    from tinygrad_vg.commands.reproduce import run

    raise typer.Exit(run(out, quick=quick, only=only or (), seeds=seeds, workers=workers, quiet=quiet))


@app.command()
def sweep(
    experiment: Annotated[
        str | None, typer.Argument(metavar="NAME|MODULE:FUNCTION", help="What to measure; without it, what there is.")
    ] = None,
    settings: Annotated[
        list[str] | None, typer.Argument(metavar="SETTING=V1,V2 …", help="The grid: the values of each setting.")
    ] = None,
    seeds: Annotated[int, typer.Option(metavar="N", min=1, help="At every point of the grid.")] = 1,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FILE", help="One line a run, as they finish; a second call goes on."),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Processes on this machine; one a core by default.")
    ] = None,
    dask: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Run on the cluster of this dask.distributed scheduler.")
    ] = None,
    retry: Annotated[bool, typer.Option("--retry", help="Run again what failed before.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")] = False,
) -> None:
    """Measure over a grid of settings and seeds, on all cores or a cluster.

    The attenuation in rows of neurons: tinygrad-vg sweep chain depth=2,4,8 scale=1,2,4 --seeds 100

    Accuracy against depth: tinygrad-vg sweep trained layers=1,2,3,4 full=true --seeds 5 --out depth.jsonl

    A function of your own, f(n, seed) in study.py: tinygrad-vg sweep study:f n=1,2,3. The module's code is run.
    """
    from tinygrad_vg.commands.sweep import run

    status = run(experiment, settings or (), seeds=seeds, out=out, workers=workers, dask=dask, retry=retry, quiet=quiet)
    raise typer.Exit(status)


class Format(StrEnum):
    """Formats of a tutorial."""

    py = "py"
    ipynb = "ipynb"


@app.command()
def tutorial(
    number: Annotated[
        int | None, typer.Argument(metavar="NUMBER", help="Which one; without it, what there is.")
    ] = None,
    lang: Annotated[Language, typer.Option(help="Language.")] = Language.en,
    to: Annotated[Format, typer.Option(help="A Python file with cells, or a notebook.")] = Format.py,
    blank: Annotated[bool, typer.Option("--blank", help="Without the solutions; else they are at the end.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Write over a copy that is there.")] = False,
    check: Annotated[
        Path | None,
        typer.Option("--check", metavar="FILE", help="Grade a copy. Its code is run, in a process of its own."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the grades as JSON, with --check.")] = False,
) -> None:
    """List the tutorials, write a copy of one into the current folder, or grade a copy.

    Write the first one: tinygrad-vg tutorial 1

    In Chinese, as a notebook: tinygrad-vg tutorial 1 --lang zh --to ipynb

    How far you are: tinygrad-vg tutorial --check 01_chain_rule.py

    The exit status is 0; with --check it is 1 if an exercise is not solved; 2 if the call is wrong.
    """
    from tinygrad_vg.commands.tutorial import run

    raise typer.Exit(run(number, lang=lang.value, to=to.value, blank=blank, force=force, check=check, as_json=as_json))


def _discard_output() -> None:
    """Let the interpreter's own flush at the end succeed."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


_Misuse = typer.BadParameter.__bases__[0]  # what every wrong call raises; typer exports only this case of it


def main() -> None:
    """Run the command line; what can go wrong for a user gives one line on stderr and exit status 2."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # ∂ and ‖ under LANG=C must not end the program
    try:
        status = app(standalone_mode=False)  # typer's own manner of telling a mistake takes five lines
    except SystemExit:
        _flush()
        raise
    except BrokenPipeError:  # the reader of our output has gone
        _discard_output()
        return
    except Exception as error:
        if isinstance(error, _Misuse):
            _complain(_misuse(error))
        elif isinstance(error, OSError) or type(error).__module__.startswith("tinygrad_vg"):
            _complain(_said(error))
        else:
            raise
        status = 2
    if status == 130:  # typer's, for Ctrl-C
        _complain("interrupted")
    _flush()
    sys.exit(status or 0)


def _flush() -> None:
    """Write what is still to be written; there may be no standard output at all (``>&-``)."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except BrokenPipeError:
        _discard_output()


def _complain(text: str) -> None:
    """Say it on stderr in one line; at a terminal in several, where a mark stands under the place of a mistake."""
    if not text or sys.stderr is None:
        return
    text = "".join([c if c.isprintable() or c == "\n" else repr(c)[1:-1] for c in text])  # no name moves the cursor
    if not sys.stderr.isatty():
        text = " | ".join([line.strip() for line in text.split("\n") if line.strip(" ^")])
    print(f"tinygrad-vg: {text}", file=sys.stderr)


def _misuse(error: Any) -> str:
    """What is wrong with the call, and where to read how it is meant; empty if it was only called without anything."""
    text = " ".join(error.format_message().replace("Value error, ", "").split())
    return f"{text.rstrip('.')}; see {error.ctx.command_path} --help" if text and error.ctx is not None else text


def _said(error: Exception) -> str:
    """An error in words; the system's without their number."""
    if isinstance(error, OSError) and error.strerror and error.filename:
        return f"{error.filename}: {error.strerror}"
    return str(error)
