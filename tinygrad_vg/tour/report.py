"""What the tour found, and the page made of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tinygrad_vg import __version__
from tinygrad_vg.checks import Array
from tinygrad_vg.drawing import Graph
from tinygrad_vg.drawing.formula import number
from tinygrad_vg.drawing.layout import LayoutError, write_atomically
from tinygrad_vg.drawing.page import Section, code, page, paragraph, picture, plot, table
from tinygrad_vg.drawing.plots import figure_to_svg, plot_style
from tinygrad_vg.gradcheck import GradientReport, Verdict
from tinygrad_vg.lab.learning_speed import BOOK_RATIOS, InitialSpeeds
from tinygrad_vg.tour.texts import TEXTS

__all__ = ["Findings", "numbers", "speed_rows", "write_report"]

TEN_LINES = """\
import numpy as np
import tinygrad_vg as vg

X, y = vg.datasets.mnist_sample().train
net = vg.nn.MLP([784, 30, 30, 10], seed=0)
C = vg.nn.losses.cross_entropy(net.logits(X), y)
C.backward()
for layer in net.layers:
    print(layer.b.name, np.linalg.norm(layer.b.grad))
vg.draw(C, level="layer").save("network.svg")
"""


def speed_rows(initial: InitialSpeeds) -> Iterator[tuple[str, ...]]:
    """Hidden layer, ‖δ‖ of the first seed, median and range over seeds, the book's value."""
    for layer, (mine, row) in enumerate(zip(initial.norms[0].tolist(), initial.rows(), strict=True), start=1):
        median, low, high, book = row
        spread = f"{number(low)}\u00a0–\u00a0{number(high)}"
        yield str(layer), number(mine), number(median), spread, "—" if book is None else number(book)


@dataclass(frozen=True)
class Findings:
    """Everything the page tells.

    Attributes
    ----------
    sizes, seed, parameters, images
        The network and the number of digits it was trained on.
    check, check_digits, check_sample
        The gradient check, on how many digits, and with how many weights of each layer.
    chain, network
        The two pictures.
    chain_gradients
        ∂C/∂b₁ … ∂C/∂b₄ of the chain.
    initial
        ‖δ‖ of the hidden layers at initialisation, over seeds.
    norms
        ‖δ‖ before each step of the training, shape (epochs, hidden layers).
    cost
        Before the first and after the last step.
    accuracy
        On digits not trained on, between 0 and 1.
    rate, decay
        η and λ.
    interrupted
        Whether the training was stopped by Ctrl-C.
    """

    sizes: tuple[int, ...]
    seed: int
    parameters: int
    images: int
    check: GradientReport
    check_digits: int
    check_sample: int
    chain: Graph
    network: Graph
    chain_gradients: tuple[float, ...]
    initial: InitialSpeeds
    norms: Array
    cost: tuple[float, float]
    accuracy: float
    rate: float
    decay: float
    interrupted: bool

    @property
    def words(self) -> dict[str, Any]:
        """The numbers the texts ask for."""
        inputs = self.check.inputs
        return {
            "sizes": list(self.sizes),
            "seed": self.seed,
            "parameters": f"{self.parameters:,}",
            "images": f"{self.images:,}",
            "digits": self.check_digits,
            "sample": self.check_sample,
            "checked": f"{sum([r.checked for r in inputs]):,}",
            "zeros": sum([r.counts[Verdict.ZERO] for r in inputs]),
            "worst": f"{max([r.agreement for r in inputs], default=0.0):.1e}",
            "failed": sum([r.counts[Verdict.FAIL] + r.counts[Verdict.KINK] for r in inputs]),
            "unresolved": sum([r.counts[Verdict.UNRESOLVED] for r in inputs]),
            "first": number(self.chain_gradients[0]),
            "last": number(self.chain_gradients[-1]),
            "ratio": number(round(abs(self.chain_gradients[-1] / self.chain_gradients[0]))),
            "seeds": len(self.initial.norms),
            "increasing": self.initial.increasing,
            "epochs": len(self.norms),
            "rate": self.rate,
            "decay": f"{self.decay:g}",
            "cost_first": number(self.cost[0]),
            "cost_last": number(self.cost[1]),
            "accuracy": f"{100 * self.accuracy:.1f}",
            "start": number(self.ratio(0)),
            "end": number(self.ratio(-1)),
        }

    def ratio(self, epoch: int) -> float:
        """‖δ‖ of the last over that of the first hidden layer."""
        return float(self.norms[epoch, -1] / self.norms[epoch, 0])

    def ratio_rows(self) -> Iterator[tuple[str, ...]]:
        """Epoch, last over first hidden layer here, and in the book."""
        book = BOOK_RATIOS.get(self.sizes[1:-1], {})
        last = len(self.norms) - 1
        for epoch in sorted({e for e in book or (0, last // 10, last // 2) if e < last} | {last}):
            yield str(epoch), number(self.ratio(epoch)), number(book[epoch]) if epoch in book else "—"


def numbers(found: Findings, seconds: float) -> str:
    """The findings as JSON, for those who compute further."""
    return json.dumps(
        {
            "version": __version__,
            "sizes": found.sizes,
            "seed": found.seed,
            "seconds": round(seconds, 1),
            "gradient_check": [
                {"parameter": r.name, "checked": r.checked, **{v.value: n for v, n in r.counts.items()}}
                for r in found.check.inputs
            ],
            "chain_gradients": found.chain_gradients,
            "initial_norms": found.initial.norms.tolist(),
            "norms": found.norms.tolist(),
            "cost": found.cost,
            "accuracy": found.accuracy,
        },
        indent=1,
    )


def learning_speed_figure(norms: Array, text: dict[str, str]) -> Any:
    """One line a hidden layer, logarithmic."""
    from matplotlib.figure import Figure

    with plot_style():
        figure = Figure(figsize=(7.6, 4.2))
        axes = figure.subplots()
        styles = ("-", "--", "-.", ":")
        for layer, line in enumerate(norms.T):
            marker = "o" if len(line) < 20 else None
            axes.semilogy(line, styles[layer // 4 % 4], marker=marker, label=text["plot_line"].format(layer=layer + 1))
        axes.set_xlabel(text["plot_x"])
        axes.set_ylabel(text["plot_y"])
        axes.margins(x=0.01)
        axes.legend(loc="center left", bbox_to_anchor=(1.01, 0.5))
    return figure


def _other_depth(sizes: tuple[int, ...]) -> str:
    return "30,30,30,30" if sizes[1:-1] != (30, 30, 30, 30) else "30,30,30"


def _drawn(graph: Graph, path: Path) -> str:
    """Save a graph and return it as HTML; where nothing can lay it out, save its DOT text and tell the cures."""
    try:
        svg = graph.to_svg()
    except LayoutError as error:
        write_atomically(path.with_suffix(".dot"), graph.source.encode())
        return paragraph(str(error), "warn") + code(str(graph))
    write_atomically(path, svg.encode())
    return picture(svg)


def write_report(out: Path, found: Findings, lang: str, seconds: float) -> Path:
    """Write ``index.html``, the three pictures and ``numbers.json`` into the folder `out`.

    Returns
    -------
    Path
        Of the page.
    """
    text = TEXTS[lang]
    words = {**found.words, "seconds": f"{seconds:.0f}", "path": out, "layer": "{layer}"}
    said = {key: value.format(**words) for key, value in text.items()}
    curves = figure_to_svg(
        learning_speed_figure(found.norms, said), title=text["speed_title"], description=said["plot_description"]
    )
    write_atomically(out / "learning_speed.svg", curves.encode())
    write_atomically(out / "numbers.json", numbers(found, seconds).encode())
    checks = [paragraph(said["check_text"])]
    checks += [paragraph(said["check_zero"])] if words["zeros"] else []
    checks += [paragraph(said["check_unresolved"])] if words["unresolved"] else []
    checks += [paragraph(said["check_failed"], "warn")] if words["failed"] else []
    checks += [table(said["columns_check"].split("|"), found.check.rows())]
    known = found.sizes[1:-1] in BOOK_RATIOS
    sections = [
        Section(said["check_title"], checks),
        Section(said["chain_title"], [paragraph(said["chain_text"]), _drawn(found.chain, out / "chain.svg")]),
        Section(said["network_title"], [paragraph(said["network_text"]), _drawn(found.network, out / "network.svg")]),
        Section(
            said["speed_title"],
            [
                paragraph(said["speed_text"]),
                *([paragraph(said["increasing_text"])] if len(found.sizes) > 3 else []),
                table(said["columns_speed"].split("|"), speed_rows(found.initial)),
                *([] if known else [paragraph(said["no_book"])]),
                *([paragraph(said["interrupted"], "warn")] if found.interrupted else []),
                paragraph(said["train_text"]),
                plot(curves),
                table(said["columns_ratio"].split("|"), found.ratio_rows()),
            ],
        ),
        Section(
            said["next_title"],
            [
                paragraph(said["next_text"]),
                code(TEN_LINES),
                paragraph(said["next_rerun"]),
                code(f"tinygrad-vg tour --hidden {_other_depth(found.sizes)} --lang {lang} --open"),
            ],
        ),
    ]
    files = "chain.svg · network.svg · learning_speed.svg · numbers.json"
    footer = f"tinygrad_vg {__version__} · NumPy {np.__version__} · {files}"
    index = out / "index.html"
    html = page(lang=text["lang"], title=text["title"], lead=said["lead"], sections=sections, footer=footer)
    write_atomically(index, html.encode())
    return index
