"""`explore`: one page that shows a graph, steps through both passes, and computes it anew when its variables move.

The page is one file that asks for nothing: style, script and data are in it, and its content security policy allows
only these, by their hashes. The data are JSON in a script element, written without any ``<``, so that no name can end
it. The script holds forward operations only; the backward pass comes as data (see `tape.py`).
"""

from __future__ import annotations

import base64
import hashlib
import json
import math
import os
import re
from functools import cache
from html import escape
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any

from tinygrad_vg.drawing.dot import running_norm
from tinygrad_vg.drawing.explanation.chains import Chain
from tinygrad_vg.drawing.explorer.board import colour_class, draw_board
from tinygrad_vg.drawing.explorer.scene import NAME, Scene, said, scene_of
from tinygrad_vg.drawing.formula import number
from tinygrad_vg.drawing.model import norm
from tinygrad_vg.drawing.theme import DARK, LIGHT, Palette, Scale
from tinygrad_vg.tensor import Tensor

if TYPE_CHECKING:
    from tinygrad_vg.drawing.graph import Plan

__all__ = ["explore", "page_of"]

BAR = 130
"""The length of the longest bar."""

LEAST, LEAST_PHONE = 0.78, 0.92
"""How small the picture is drawn at most, of its natural size: below, it could not be read, and scrolls instead."""


def explore(
    t: Tensor,
    path: str | os.PathLike[str] = "chain.html",
    wrt: Tensor | None = None,
    theme: str = "auto",
    *,
    level: str = "auto",
    max_nodes: int = 60,
) -> Path:
    """Write a page that shows what a tensor was computed from, with its backprop, to step through and to play with.

    It is one self-contained file, to be opened from disk or put on any server; it loads nothing. A graph of single
    numbers gets a slider for every leaf: the page then recomputes values, gradients and local derivatives as Python
    does. Without JavaScript the picture and the tables are there, and stand still. No Graphviz is needed.

    Parameters
    ----------
    t : Tensor
        The root. If it has several elements, the gradients are those of their sum, and the page says so.
    path : str or path-like
        Where to write it: ``.html`` or ``.htm``.
    wrt : Tensor, optional
        The variable whose path and product are shown at first; by default the one farthest from the root.
    theme : {"auto", "light", "dark"}
        "auto" follows the reader's system; the page has a button, too.
    level, max_nodes
        As in `draw`: a graph with more than `max_nodes` boxes is shown by layer or in blocks, and without sliders.

    Returns
    -------
    Path
        Where it is.

    Raises
    ------
    TypeError
        If `t` or `wrt` is no Tensor.
    ValueError
        For an unknown level, theme or suffix, or a `wrt` that `t` was not computed from.
    OSError
        If the file cannot be written.

    Notes
    -----
    The page of the chapter's chain has less than 60 kB, of which more than half are the script and the style. Boxes and
    edges add about 0.6 kB each, so a tangle of 40 boxes and 100 edges is beyond 100 kB. A picture that is too wide for
    the screen shrinks as long as it can be read, and then scrolls in its own box.

    Where there are no sliders, the page gives the reason: arrays in the graph, an operation of the user's own, float32.
    A condition of ``np.where`` and the branches of the program are those of the recorded graph, wherever the sliders
    stand.

    Examples
    --------
    >>> import tempfile
    >>> import tinygrad_vg as vg
    >>> x = vg.Tensor(0.5, "x")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     explore((vg.sigmoid(x) * x).named("y"), folder + "/page.html").name
    'page.html'
    """
    from tinygrad_vg.drawing.graph import draw

    target = Path(path)
    if target.suffix.lower() not in (".html", ".htm"):
        raise ValueError(f"explore writes a page: {target.name!r} must end in .html")
    return draw(t, wrt=wrt, level=level, theme=theme, max_nodes=max_nodes).save(target)


def page_of(plan: Plan, *, theme: str, title: str, description: str) -> str:
    """The page of a planned picture, as text.

    Parameters
    ----------
    plan : Plan
        What `draw` found.
    theme, title, description : str
        As of `Graph`.
    """
    script = _file("explorer.js")
    scene = scene_of(plan, operations(script))
    opening = scene.chains.get(-1 if scene.opening is None else scene.opening)
    products = [term.product for term in opening.terms] if opening else []
    scale = Scale.of([*[wire.flow for wire in scene.wires], *products])
    title = said(title)
    board, width = draw_board(scene.cards, scene.wires, scale, title, said(description, 600))
    style = f"{_colours(theme)}{_file('explorer.css')}{_sizes(width)}"
    value_head, product_head = "value", "product so far"
    if opening and opening.of_norms:
        value_head, product_head = "ratio", running_norm(opening)
    return Template(_file("explorer.html")).substitute(
        theme=theme,
        policy=(
            f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(style)}; base-uri 'none'; "
            "form-action 'none'"
        ),
        title=escape(title),
        style=style,
        heading=escape(_heading(scene, opening)),
        board=board,
        notes="\n".join([f'<p class="note">{escape(note)}</p>' for note in scene.notes]),
        root=escape(scene.root),
        product_hidden="" if opening else " hidden",
        sum=escape(_sum(opening)) if opening else "",
        value_head=value_head,
        product_head=escape(product_head),
        terms="\n".join(_term_rows(opening, scale)) if opening else "",
        rows="\n".join(_card_rows(scene)),
        data=_json(_data(scene)),
        script=script,
    )


# -------------------------------------------------------------------------------------------------- style and script


def _file(name: str) -> str:
    return files("tinygrad_vg.drawing.explorer").joinpath(name).read_text(encoding="utf-8")


@cache
def operations(script: str) -> frozenset[str]:
    """The operations the page's script can compute: the keys of its table of forwards."""
    table = re.search(r"^const FORWARD = \{\n(.*?)^\};", script, re.DOTALL | re.MULTILINE)
    assert table is not None
    return frozenset(re.findall(r"^  (\w+)[:,]", table[1], re.MULTILINE))


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _colours(theme: str) -> str:
    """The palettes as variables of CSS, and the classes of the running product."""
    dark = f"color-scheme: dark; {_variables(DARK)}"
    system = (
        f"@media (prefers-color-scheme: dark) {{ :root[data-theme=auto] {{ {dark} }} }}\n" if theme == "auto" else ""
    )
    rules = [f":root {{ {_variables(LIGHT)} }}\n{system}:root[data-theme=dark] {{ {dark} }}\n"]
    for name in [*[f"r{k}" for k in range(len(LIGHT.ramp))], "hot"]:
        rules.append(
            f".{name} > .bw {{ stroke: var(--{name}); marker-end: url(#m-{name}) }} "
            f".m.{name} > path, rect.{name} {{ fill: var(--{name}) }} #board .l.{name} {{ fill: var(--{name}-text) }}\n"
        )
    return "".join(rules)


def _sizes(width: float) -> str:
    """How far the picture may shrink, and from which width of the screen on it scrolls sideways, which a line says."""
    narrow, told = 40 * 16, "#wide { display: block }"
    screen, phone = LEAST * width + 2 * 18, LEAST_PHONE * width + 2 * 13.2  # what stands left and right of it
    return (
        f":root {{ --natural: {width:.0f}px; --least: {LEAST}; --least-phone: {LEAST_PHONE} }}\n"
        f"@media (min-width: {narrow}.02px) and (max-width: {screen:.0f}px) {{ {told} }}\n"
        f"@media (max-width: {min(narrow, phone):.0f}px) {{ {told} }}"
    )


def _variables(c: Palette) -> str:
    pairs = {
        "page": c.page, "cluster": c.cluster, "cluster-line": c.cluster_line, "rule": c.rule, "ink": c.ink,
        "soft": c.soft, "box": c.box, "forward": c.forward, "mark": c.mark,
        "focus": c.ramp[2][0], "accent": c.ramp[1][0],
        **{f"head-{kind}": colour for kind, colour in c.heads.items()},
        **{f"r{k}": line for k, (line, _) in enumerate(c.ramp)},
        **{f"r{k}-text": text for k, (_, text) in enumerate(c.ramp)},
        "hot": c.hot[0], "hot-text": c.hot[1],
    }  # fmt: skip
    return " ".join([f"--{name}: {colour};" for name, colour in pairs.items()])


# --------------------------------------------------------------------------------------------------- what stands there


def _heading(scene: Scene, chain: Chain | None) -> str:
    if chain is None:
        return f"Backprop graph of {scene.root}"
    return _name(chain) + (_path(chain) if _single(chain) else _tail(chain))


def _name(chain: Chain) -> str:
    """``∂C/∂b₁``."""
    return f"∂{said(chain.of.text, NAME)}/∂{said(chain.by.text, NAME)}"


def _single(chain: Chain) -> bool:
    return len(chain.paths) == 1 and not chain.others


def _path(chain: Chain) -> str:
    return f" = {said(chain.paths[0].text, 240)}"


def _tail(chain: Chain) -> str:
    """What follows the name of a derivative that is not one product."""
    if not chain.paths:
        return ": every path is cut" if chain.cuts else ": no path leads there"
    return f", the sum over {chain.counted} paths"


def _sum(chain: Chain) -> str:
    """What the products add up to."""
    if chain.of_norms:
        told = f"‖{_name(chain)}‖ = {number(norm(chain.value))}"
    else:
        told = f"{_name(chain)} = {number(chain.value)}"
        if not _single(chain) and chain.paths:
            told += f", the sum over {chain.counted} paths: "
            sums = [number(path.value) for path in chain.paths]
            sums += [f"{number(chain.rest)} (the others)"] if chain.others else []
            told += " + ".join(sums).replace("+ −", "− ")
    return "; ".join([told, *[f"no gradient passes {said(cut)}" for cut in chain.cuts]])


def _term_rows(chain: Chain, scale: Scale) -> list[str]:
    """The terms from the root backwards: term, value, product so far, bar."""
    rows = []
    for term in chain.terms[::-1]:
        colour, length = colour_class(term.product, scale)[0], scale.bar(term.product, BAR)
        bar = (
            f'<svg viewBox="0 0 {BAR} 11" preserveAspectRatio="none" aria-hidden="true">'
            f'<rect class="{colour}" width="{length}" height="11" rx="2"/></svg>'
        )
        cells = [escape(said(term.text, 60)), number(term.value), number(term.product), bar]
        rows.append("<tr>" + "".join([f"<td>{cell}</td>" for cell in cells]) + "</tr>")
    return rows


def _card_rows(scene: Scene) -> list[str]:
    """Every card as a row of a table: name, formula, value, gradient."""
    rows = []
    for card, summary in zip(scene.cards, scene.summaries, strict=True):
        cells = [escape(card.name), escape(card.note)]
        for x in summary:
            cells.append(f'<data value="{x!r}">{number(x)}</data>' if isinstance(x, float) else escape(x))
        rows.append("<tr>" + "".join([f"<td>{cell}</td>" for cell in cells]) + "</tr>")
    return rows


# ------------------------------------------------------------------------------------------------ what the script gets


def _data(scene: Scene) -> dict[str, Any]:
    tape = scene.tape
    names = sorted({name for name, _ in tape.steps})
    terms: dict[Any, int] = {}  # most terms are shared by several variables
    chains = {i: _chain_data(scene, i, chain, terms) for i, chain in scene.chains.items()}
    return {
        "root": scene.root,
        "heading": _heading(scene, None),
        "cards": [_card_data(scene, i) for i in range(len(scene.cards))],
        "wires": [_wire_data(scene, i) for i in range(len(scene.wires))],
        "chains": chains,
        "terms": [list(term) for term in terms],
        "opening": scene.opening,
        "constants": [_finite(x) for x in tape.constants],
        "operations": names,
        "steps": [[names.index(name), *args] for name, args in tape.steps],
        "leaves": [[i, slot] for i, slot in zip(scene.leaves, tape.leaves, strict=True)],
        "neurons": scene.neurons,
        "slope": scene.slope,
        "draw": scene.draw,
        "why": scene.why,
    }


def _finite(x: float) -> float | str:
    """JSON has no word for what is not finite; JavaScript's Number reads these."""
    return x if math.isfinite(x) else "NaN" if math.isnan(x) else "Infinity" if x > 0 else "-Infinity"


def _card_data(scene: Scene, i: int) -> dict[str, Any]:
    card, (value, grad) = scene.cards[i], scene.slots[i]
    rows = [
        [row.label, -1, int(row.backward), card.line(k)[1]]
        if row.slot is None
        else [row.label, row.slot, int(row.backward)]
        for k, row in enumerate(card.rows)
    ]
    return {
        "name": card.name, "note": card.note, "value": value, "grad": grad, "rows": rows, "told": scene.told[i],
        "root": i == scene.root_card,
    }  # fmt: skip


def _wire_data(scene: Scene, i: int) -> list[Any]:
    """Source, target, first line of the label, flow; slot of the local derivative; second line, unless computed."""
    wire = scene.wires[i]
    source, target = scene.cards.index(wire.source), scene.cards.index(wire.target)
    flow = None if wire.flow is None else _finite(wire.flow)
    if wire.slot is None:
        return (
            [source, target, wire.words, flow, -1, wire.second] if wire.second else [source, target, wire.words, flow]
        )
    if scene.slots[target][1] < 0:
        return [source, target, wire.words, flow, wire.slot, wire.second]
    return [source, target, wire.words, None if flow is None else 1, wire.slot]  # the page multiplies by itself


def _chain_data(scene: Scene, i: int, chain: Chain, terms: dict[Any, int]) -> dict[str, Any]:
    """The chain of card `i`: what the page cannot find by itself."""
    paths = []
    for path in chain.paths:
        keys = []
        for term in path.terms:
            fixed = (_finite(term.value), _finite(term.product)) if chain.of_norms else ()
            keys.append((said(term.text, 60), tuple([scene.edges[e] for e in term.edges]), *fixed))
        found: dict[str, Any] = {"terms": [terms.setdefault(key, len(terms)) for key in keys]}
        text = said(path.text, 240)
        paths.append(found if text == " · ".join([key[0] for key in keys]) else {"text": text, **found})
    data: dict[str, Any] = {"name": _name(chain), "paths": paths}
    if not _single(chain):
        data |= {"counted": chain.counted, "others": chain.others > 0, "tail": _tail(chain)}
    if scene.slots[i][1] < 0:  # else the page writes it, from the gradient
        data["sum"] = _sum(chain)
    if chain.cuts:
        data["cuts"] = [f"no gradient passes {said(cut)}" for cut in chain.cuts]
    return data


def _json(data: Any) -> str:
    """JSON that can stand in a script element: nothing in it can end the element or begin a comment."""
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return re.sub("[<>&\u2028\u2029]", lambda m: f"\\u{ord(m[0]):04x}", text)
