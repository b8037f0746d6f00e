"""The house: which rooms the package has and on which floor, as tests/test_house.py holds it."""

import ast
from pathlib import Path

from tinygrad_vg.drawing.sketching.picture import Picture
from tinygrad_vg.drawing.sketching.sketch import Sketch, text_width
from tinygrad_vg.drawing.theme import LIGHT

__all__ = ["floors", "picture"]

TEST = Path(__file__).resolve().parents[2] / "tests" / "test_house.py"

ROOMS = {
    "checks": "what may come into a Tensor",
    "modes": "recording, name scopes, anomalies",
    "tensor": "a value that remembers where it comes from, and speaks NumPy",
    "ops": "the derivative table, one line an op",
    "autodiff": "the sweep; grad, vjp, jvp, hessian",
    "nn": "layers, MLP, losses",
    "optim": "SGD, momentum",
    "gradcheck": "derivatives against independent ones",
    "opcases": "samples, kinks of each op",
    "datasets": "MNIST",
    "expressions": "formulas typed as text",
    "training": "fit, history, checkpoints",
    "drawing": "draw, explain, explore",
    "strategies": "Hypothesis strategies",
    "lab": "the chapter's experiments",
    "network2": "the book's network",
    "mnist_loader": "the book's loader",
    "tutorials": "exercises and their checks",
    "tour": "the chapter in a minute",
    "commands": "what each command does",
    "cli": "the command line",
}
COLOURS = ("param", "pre", "act", "loss", "input")

LEFT, WIDTH, GAP = 16.0, 688.0, 6.0
HEIGHT, ROOF, GROUND = 62.0, 88.0, 26.0
LINE = 12.5


def floors() -> list[list[str]]:
    """The rooms from the ground upwards; ``__main__`` is only the door to the command line."""
    for statement in ast.parse(TEST.read_text(encoding="utf-8")).body:
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "FLOORS":
            found: list[list[str]] = ast.literal_eval(statement.value)
            return [[room for room in rooms if room != "__main__"] for rooms in found if rooms != ["__main__"]]
    raise LookupError(f"{TEST} has no FLOORS any more")


def picture() -> str:
    """The house as SVG, following the reader's light or dark."""
    *storeys, top = floors()
    sketch = Sketch(LIGHT)
    bottom = 12 + ROOF + len(storeys) * HEIGHT
    _roof(sketch, top)
    for k, rooms in enumerate(storeys):
        _storey(sketch, rooms, bottom - (k + 1) * HEIGHT, COLOURS[k % len(COLOURS)])
    sketch.rect(LEFT - 10, bottom, WIDTH + 20, GROUND, fill=LIGHT.heads["input"])
    sketch.text(LEFT + WIDTH / 2, bottom + 17, "NumPy", size=11, bold=True)
    _arrow(sketch, bottom)
    names = "; ".join([", ".join(rooms) for rooms in [*storeys, top]])
    said = f"The rooms of the package, floor by floor from the ground: {names}. Imports run downwards only."
    drawn = sketch.svg(LEFT + WIDTH + 46, bottom + GROUND + 12)
    return Picture("The house", said, said, "auto", drawn).to_svg()


def _roof(sketch: Sketch, rooms: list[str]) -> None:
    left, right, low, middle = LEFT - 10, LEFT + WIDTH + 10, 12 + ROOF - 4, LEFT + WIDTH / 2
    sketch.path(f"M{left},{low}L{middle},12L{right},{low}Z", fill=LIGHT.heads["input"], stroke=LIGHT.box)
    for room in rooms:
        sketch.text(middle, low - 32, room, size=11, bold=True)
        sketch.text(middle, low - 16, ROOMS[room], size=9.5, colour=LIGHT.soft)


def _storey(sketch: Sketch, rooms: list[str], y: float, colour: str) -> None:
    width = (WIDTH - GAP * (len(rooms) - 1)) / len(rooms)
    for k, room in enumerate(rooms):
        x = LEFT + k * (width + GAP)
        with sketch.group("room"):
            _room(sketch, room, x, y, width, LIGHT.heads[colour])


def _room(sketch: Sketch, room: str, x: float, y: float, width: float, fill: str) -> None:
    right, low = x + width, y + HEIGHT - GAP
    sketch.path(f"M{x},{y}L{right},{y}L{right},{low}L{x},{low}Z", fill=fill, stroke=LIGHT.box)
    lines = wrapped(ROOMS[room], 9.0, width - 8)
    first = (y + low) / 2 - (len(lines) * LINE) / 2 + 4
    sketch.text(x + width / 2, first, room, size=11, bold=True)
    for k, line in enumerate(lines, start=1):
        sketch.text(x + width / 2, first + k * LINE + 1, line, size=9)


def wrapped(words: str, size: float, width: float) -> list[str]:
    """A text in lines of at most this width."""
    lines = [""]
    for word in words.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and text_width(longer, size) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def _arrow(sketch: Sketch, bottom: float) -> None:
    x, top = LEFT + WIDTH + 26, 12 + ROOF
    sketch.line([(x, top), (x, bottom - 8)], stroke=LIGHT.hot[0], width=2)
    sketch.path(f"M{x - 5},{bottom - 10}L{x + 5},{bottom - 10}L{x},{bottom}Z", fill=LIGHT.hot[0])
    sketch.text(x, top - 22, "imports", size=9, colour=LIGHT.hot[1])
    sketch.text(x, top - 9, "go down", size=9, colour=LIGHT.hot[1])
