"""From DOT text to a picture: which Graphviz draws it, how it is run, and how its SVG is finished.

Two engines can lay a graph out: the `dot` program, if it is on PATH, and the Graphviz bundled inside pygraphviz's
wheels. Both run as a child process, fed through stdin and without a shell, so that a time limit holds, a crash of the
C library cannot take a notebook down, and threads may draw at the same time. (The `graphviz` package's ``pipe`` has
no time limit, so it writes our DOT but does not run it.)

A `dot` that fails does not block the other engine: `render` tries both in turn and warns when it had to change over.
"""

import hashlib
import importlib.util
import math
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import time
import warnings
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tinygrad_vg.drawing import _bundled
from tinygrad_vg.drawing.widths import with_widths

FORMATS = ("svg", "png", "pdf")
"""What `render` can make."""

FONT_FAMILY = (
    "Verdana, 'DejaVu Sans', 'Noto Sans', 'Noto Sans CJK SC', 'PingFang SC', 'Hiragino Sans GB', 'Microsoft YaHei', "
    "sans-serif"
)
"""The fonts a finished SVG asks for. Graphviz measures with the first; those behind it are as wide or narrower."""

_BEGINNINGS = {"svg": b"<svg", "png": b"\x89PNG", "pdf": b"%PDF"}

INSTALL_DOT = (
    "install Graphviz itself (`apt install graphviz`, `brew install graphviz`, "
    "`conda install -c conda-forge graphviz`, `winget install Graphviz.Graphviz`)"
)
INSTALL_BUNDLED = (
    '`pip install "pygraphviz>=2.0.4"`, whose wheels bring Graphviz along (Linux with glibc ≥ 2.28 and macOS ≥ 11 on '
    "x86-64 and arm64, Windows on x86-64)"
)


class LayoutError(RuntimeError):
    """No picture was made. The message says what happened, where, and what to do.

    Parameters
    ----------
    what, where, cure
        The three parts of the message, also kept as attributes.
    """

    def __init__(self, what: str, where: str, cure: str) -> None:
        super().__init__(what, where, cure)  # all three, so that the exception can be pickled
        self.what, self.where, self.cure = what, where, cure

    def __str__(self) -> str:
        place = f" ({self.where})" if self.where else ""
        return f"{self.what}{place}. {self.cure}"


class NoLayoutEngineError(LayoutError):
    """There is no Graphviz on this machine that works."""


class LayoutTimeoutError(LayoutError):
    """The layout took longer than its time limit; a coarser picture would not."""


class _UnusableEngineError(LayoutError):
    """An engine that cannot be run at all, whatever the graph."""


@dataclass(frozen=True, repr=False)
class Engine:
    """One way to lay a graph out, and whether it works here.

    Attributes
    ----------
    name
        ``dot`` or ``pygraphviz``.
    version
        Graphviz's version, empty if it does not work.
    where
        The program, or the folder of the package; empty if there is none.
    available
        Whether it has just drawn a small test graph.
    why_not, cure
        If it has not: the reason, and what to do.
    """

    name: str
    version: str
    where: str
    available: bool
    why_not: str = ""
    cure: str = ""

    def __repr__(self) -> str:
        if self.available:
            return f"<Engine {self.name}: Graphviz {self.version}, {self.where}>"
        return f"<Engine {self.name}: not available: {self.why_not}; {self.cure}>"


@dataclass(frozen=True)
class _Route:
    """How an engine is run."""

    name: str
    where: str

    def command(self, format: str, dpi: float | None) -> list[str]:
        if self.name == "dot":
            formats = [f"-T{each}" for each in _written(format)]
            return [self.where, *formats, *([f"-Gdpi={dpi:g}"] if dpi else [])]
        child = [sys.executable, "-I", "-S", _bundled.__file__, str(Path(self.where).parent)]
        return [*child, ",".join(_written(format)), f"{dpi:g}" if dpi else ""]


def _written(format: str) -> tuple[str, ...]:
    """What an engine writes, one after the other, for a picture: an SVG does not hold the widths of its texts."""
    return ("svg", "json") if format == "svg" else (format,)


# ---------------------------------------------------------------------------------------------------------- engines


def engines() -> list[Engine]:
    """Say which layout engines there are, in the order in which `render` tries them.

    Each one found draws a small graph, so "available" means that it works. This takes about a tenth of a second.

    Returns
    -------
    list of Engine
        The `dot` program first, then the Graphviz inside pygraphviz.
    """
    return [
        _probe("dot", _find_dot(), f"to have one, {INSTALL_DOT}", "no `dot` on PATH"),
        _probe("pygraphviz", _find_pygraphviz(), f"to have it, {INSTALL_BUNDLED}", "pygraphviz is not installed"),
    ]


def _probe(name: str, where: str | None, cure: str, absent: str) -> Engine:
    if where is None:
        return Engine(name, "", "", False, absent, cure)
    test_graph = b"digraph { a [label=<<table><tr><td>HTML</td></tr></table>>] }"
    try:
        svg = _draw(_Route(name, where), test_graph, "svg", None, 10.0)
    except LayoutError as error:
        return Engine(name, "", where, False, error.what, error.cure)
    version = re.search(rb"graphviz version (\S+)", svg)
    return Engine(name, version[1].decode(errors="replace") if version else "of unknown version", where, True)


def _find_dot() -> str | None:
    found = shutil.which("dot")
    return os.path.abspath(found) if found else None


def _find_pygraphviz() -> str | None:
    """Find pygraphviz's folder without importing it, wherever this process would take it from."""
    try:
        spec = importlib.util.find_spec("pygraphviz")
    except (ImportError, ValueError):
        return None
    if spec is None or not spec.submodule_search_locations:
        return None
    return os.path.abspath(next(iter(spec.submodule_search_locations)))


# ----------------------------------------------------------------------------------------------------------- render


def render(dot_source: str, format: str = "svg", *, timeout: float = 60.0, dpi: float | None = None) -> bytes:
    """Lay DOT text out and draw it.

    The `dot` on PATH is tried first, then the Graphviz inside pygraphviz. If `dot` fails and the other succeeds, the
    picture comes with a `RuntimeWarning` that names the broken `dot`. A time-out is final: what is too much for one
    engine is too much for the other.

    Parameters
    ----------
    dot_source
        The graph. Control characters and lone surrogates are replaced by visible signs (see `printable`).
    format
        ``svg``, ``png`` or ``pdf``.
    timeout
        Seconds for the whole of it.
    dpi
        Pixels per inch of a PNG (Graphviz's own is 96).

    Returns
    -------
    bytes
        The picture as the engine wrote it, but for the widths of an SVG's texts (see `widths`); `finish_svg` does
        the rest.

    Raises
    ------
    NoLayoutEngineError
        If no engine works here.
    LayoutTimeoutError
        If the time limit passed.
    LayoutError
        If the engine refused the text; the message is the engine's own.
    """
    if format not in FORMATS:
        raise ValueError(f"format must be one of {', '.join(FORMATS)}, got {format!r}")
    if not (timeout > 0 and math.isfinite(timeout)):
        raise ValueError(f"timeout must be a positive number of seconds, got {timeout!r}")
    data = printable(dot_source).encode()
    deadline = time.monotonic() + timeout
    failures: list[LayoutError] = []
    for route in _routes():
        try:
            picture = _draw(route, data, format, dpi, deadline - time.monotonic(), timeout)
        except LayoutTimeoutError:
            raise
        except LayoutError as error:
            failures.append(error)
            continue
        for failure in failures:
            warnings.warn(
                f"{failure.what} ({failure.where}); drawn by {route.name} instead", RuntimeWarning, stacklevel=2
            )
        return picture
    raise _verdict(failures)


def _routes() -> list[_Route]:
    found = {"dot": _find_dot(), "pygraphviz": _find_pygraphviz()}
    return [_Route(name, where) for name, where in found.items() if where]


def _verdict(failures: list[LayoutError]) -> LayoutError:
    """Choose the error to raise when nothing drew: what an engine said about the graph, else that there is none."""
    about_the_graph = [failure for failure in failures if not isinstance(failure, _UnusableEngineError)]
    if about_the_graph:
        return about_the_graph[-1]
    reasons = "; ".join(f"{failure.what} ({failure.where})" for failure in failures)
    return NoLayoutEngineError(
        "There is no Graphviz here to lay the graph out",
        reasons or "no `dot` on PATH, no pygraphviz",
        f"Either {INSTALL_DOT}, or {INSTALL_BUNDLED}. To save a page (`.html`) or DOT text (`.dot`) none is needed.",
    )


def _draw(
    route: _Route, data: bytes, format: str, dpi: float | None, seconds: float, limit: float | None = None
) -> bytes:
    """Run one engine; `seconds` is what is left of the time limit, `limit` the whole of it, for the message."""
    if route.name == "pygraphviz" and not sys.executable:
        raise _UnusableEngineError(
            "This Python does not know its own program, to run pygraphviz in", route.where, INSTALL_DOT
        )
    try:
        status, picture, stderr = _run(route.command(format, dpi), data, max(seconds, 0.0))
    except subprocess.TimeoutExpired:
        raise LayoutTimeoutError(
            f"Graphviz did not finish within {seconds if limit is None else limit:g} s",
            route.where,
            "Draw at a coarser level (`level='layer'`), or raise the time limit (`timeout=`).",
        ) from None
    except OSError as error:
        raise _UnusableEngineError(
            f"`{route.name}` does not start: {error.strerror or error}", route.where, "Repair it or take it off PATH."
        ) from None
    complaint = _complaint(stderr)
    if status in ((126, 127) if route.name == "dot" else (_bundled.UNUSABLE,)):
        what = f"The Graphviz of {route.name} cannot be loaded: {complaint or f'exit status {status}'}"
        raise _UnusableEngineError(what, route.where, f"Repair it, or {INSTALL_DOT}.")
    if re.search(r'Format: "|layout engine support', complaint):
        what = f"The plug-ins of `{route.name}` are missing: {complaint.splitlines()[0]}"
        raise _UnusableEngineError(what, route.where, "Register them with `dot -c`, as the one who installed it.")
    if status < 0 or status > 0xC0000000:  # a signal, or Windows' codes for the same
        raise LayoutError(
            f"Graphviz crashed (status {status})", route.where, "Draw at a coarser level, or try another version."
        )
    # The library goes on after a bad label and reports it only here; the program's exit status covers it.
    if status or (route.name == "pygraphviz" and re.search(r"^Error: ", complaint, re.MULTILINE)):
        raise LayoutError(
            f"Graphviz refused the graph: {complaint or f'exit status {status}'}",
            route.where,
            "Look at the DOT text at that place; `engines()` in tinygrad_vg.drawing.layout says what works here.",
        )
    if _BEGINNINGS[format] not in (picture[:4] if format != "svg" else picture):
        raise _UnusableEngineError(
            f"`{route.name}` made no {format.upper()}", route.where, f"To have Graphviz, {INSTALL_DOT}."
        )
    return with_widths(picture) if format == "svg" else picture


def _complaint(stderr: bytes) -> str:
    """Keep what Graphviz said about an error: no warnings, no control characters, at most six lines."""
    lines = printable(stderr.decode(errors="replace")).splitlines()
    told = [line.strip()[:200] for line in lines if line.strip() and not re.match(r"(Fontconfig )?warning", line, re.I)]
    return "\n".join(told[:6])


def _run(command: list[str], data: bytes, seconds: float) -> tuple[int, bytes, bytes]:
    """Run a program on `data`; whatever interrupts it (a time-out, Ctrl-C) ends it and all it started."""
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,  # a group of its own, so that a wrapper script's children end with it
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
    )
    try:
        stdout, stderr = process.communicate(data, timeout=seconds)
    except BaseException:
        _kill(process)
        raise
    return process.returncode, stdout, stderr


def _kill(process: subprocess.Popen[bytes]) -> None:
    if sys.platform == "win32":
        subprocess.run(["taskkill", "/F", "/T", "/PID", str(process.pid)], capture_output=True, check=False)
    else:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe is not None:
            with suppress(OSError):
                pipe.close()


# ------------------------------------------------------------------------------------------------------- finish_svg

_CONTROL = {code: chr(0x2400 + code) for code in range(0x20) if chr(code) not in "\t\n\r"} | {0x7F: "␡"}
_NOT_XML = re.compile("[\ud800-\udfff￾￿]")


def printable(text: str) -> str:
    """Replace what neither DOT nor XML can hold: control characters by their pictures (␀, ␛), half characters by �.

    Parameters
    ----------
    text
        Any text; tabs and line ends stay.

    Returns
    -------
    str
        Text that can be encoded as UTF-8 and put into XML.
    """
    return _NOT_XML.sub("�", text.translate(_CONTROL))


def finish_svg(
    svg: bytes | str,
    *,
    title: str,
    description: str,
    id_prefix: str = "",
    css: str = "",
    font_family: str = FONT_FAMILY,
) -> str:
    """Make Graphviz's SVG fit to stand in a page: titled, scoped, readable with the fonts there are.

    The prolog and the comments go (they hold the engine's version), and so do the ``<title>`` elements, which would
    show generated node names; a real tooltip becomes one instead. Every id gets the prefix, so that two pictures can
    stand in one page, and every CSS rule applies to this picture only.

    Parameters
    ----------
    svg
        What `render` returned.
    title, description
        For people who do not see the picture; the description should state the finding.
    id_prefix
        The id of the ``<svg>`` and, with a hyphen, the beginning of all the others. By default made from the content.
    css
        Rules such as ``.node text { fill: #fff }``. ``:scope`` stands for the picture itself, ``#name`` for the DOT
        attribute ``id="name"``. Rules inside ``@media`` and ``@supports`` are scoped too.
    font_family
        The fonts to ask for, widest first. Texts in the first of them (the DOT's ``fontname``) get the whole list.

    Returns
    -------
    str
        One ``<svg>`` element, the same bytes for the same layout.
    """
    if id_prefix and not re.fullmatch(r"[A-Za-z][\w-]*", id_prefix, re.ASCII):
        raise ValueError(f"id_prefix must be a letter and then letters, digits, - or _, got {id_prefix!r}")
    root = ET.fromstring(printable(svg.decode(errors="replace") if isinstance(svg, bytes) else svg))
    for element in root.iter():
        _plain_names(element)
    root.set("xmlns", _SVG)
    root.set("xmlns:xlink", _XLINK)
    for element in list(root.iter()):
        _own_tooltip(element)
        if element.tag == "text":  # Graphviz before 10 forgets this, and "z₁ = " loses its space after a bold part
            element.attrib = {"xml:space": "preserve"} | element.attrib
        if element.get("font-family", "").split(",")[0] == font_family.split(",")[0]:
            del element.attrib["font-family"]  # said once, on the root
    root.set("font-family", font_family)
    title, description = printable(title), printable(description)
    if not id_prefix:
        content = "\0".join((title, description, css, ET.tostring(root, encoding="unicode")))
        id_prefix = "vg-" + hashlib.sha256(content.encode()).hexdigest()[:8]
    ids = _prefix_ids(root, id_prefix)
    _add_head(root, id_prefix, title, description, _scope_css(printable(css), id_prefix, ids))
    return ET.tostring(root, encoding="unicode") + "\n"


_SVG = "http://www.w3.org/2000/svg"
_XLINK = "http://www.w3.org/1999/xlink"
_PREFIXES = {_SVG: "", _XLINK: "xlink:", "http://www.w3.org/XML/1998/namespace": "xml:"}


def _plain_names(element: ET.Element) -> None:
    """Write ``{namespace}name`` as ``prefix:name``; ET.register_namespace would change every user of ElementTree."""

    def plain(name: str) -> str:
        space, _, local = name[1:].partition("}")
        return _PREFIXES[space] + local if name.startswith("{") and space in _PREFIXES else name

    element.tag = plain(element.tag)
    element.attrib = {plain(name): value for name, value in element.attrib.items()}


def _own_tooltip(element: ET.Element) -> None:
    """Drop the generated <title> children; give a link's tooltip to browsers that know only <title>."""
    for child in element.findall("title"):
        element.remove(child)
    if element.tag != "a":
        return
    tooltip = element.get("xlink:title", "")
    if tooltip == "<TABLE>":  # what Graphviz writes for an HTML-like label without a tooltip
        del element.attrib["xlink:title"]
    elif tooltip:
        own = ET.Element("title")
        own.text = tooltip
        element.insert(0, own)


def _prefix_ids(root: ET.Element, prefix: str) -> dict[str, str]:
    """Prefix every id, and follow the references to them; return new ids by old."""
    elements = [element for element in root.iter() if element is not root and "id" in element.attrib]
    ids = {old: f"{prefix}-" + re.sub(r"\s+", "_", old) for old in (element.attrib["id"] for element in elements)}
    for element in elements:
        element.set("id", ids[element.attrib["id"]])
    for element in root.iter():
        for name, value in element.attrib.items():
            if "url(#" in value:
                element.set(name, re.sub(r"url\(#([^)]*)\)", lambda m: f"url(#{ids.get(m[1], m[1])})", value))
            elif name in ("href", "xlink:href") and value.startswith("#"):
                element.set(name, "#" + ids.get(value[1:], value[1:]))
    return ids


def _add_head(root: ET.Element, prefix: str, title: str, description: str, css: str) -> None:
    root.set("id", prefix)
    root.set("role", "img")
    texts = {"title": title, "desc": description}
    root.set("aria-labelledby", " ".join(f"{prefix}-{tag}" for tag, text in texts.items() if text))
    head = []
    for tag, text in texts.items():
        if text:
            head.append(ET.Element(tag, {"id": f"{prefix}-{tag}"}))
            head[-1].text = text
    if css:
        head.append(ET.Element("style"))
        head[-1].text = css
    for place, element in enumerate(head):
        element.tail = "\n"
        root.insert(place, element)


def _scope_css(css: str, root_id: str, ids: dict[str, str]) -> str:
    """Make every selector apply inside the element `root_id` only."""
    rules = []
    for head, body in _css_blocks(re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL)):
        if head.startswith(("@media", "@supports")):
            rules.append(f"{head} {{\n{_scope_css(body, root_id, ids)}\n}}")
        elif head.startswith("@"):
            raise ValueError(f"css: only @media and @supports can be scoped to one picture, got {head!r}")
        else:
            rules.append(f"{', '.join(_scope_selector(s, root_id, ids) for s in _css_list(head))} {{{body}}}")
    return "\n".join(rules)


def _scope_selector(selector: str, root_id: str, ids: dict[str, str]) -> str:
    # [fill="#abc"] holds no id: brackets and strings are stepped over.
    selector = re.sub(r"\[[^\]]*\]|#([\w-]+)", lambda m: "#" + ids[m[1]] if m[1] and m[1] in ids else m[0], selector)
    return f"#{root_id}{selector[6:]}" if selector.startswith(":scope") else f"#{root_id} {selector}"


def _css_list(head: str) -> list[str]:
    """Split a selector list at its commas, not at those inside brackets or strings."""
    return [part.strip() for part in re.findall(r"(?:\[[^\]]*\]|\([^)]*\)|[^,\[(])+", head) if part.strip()]


def _css_blocks(css: str) -> Iterator[tuple[str, str]]:
    """Yield (what stands before the braces, what stands between them) for each outermost block."""
    depth, start, head = 0, 0, ""
    for match in re.finditer(r"[{}]", css):
        if match[0] == "{":
            if depth == 0:
                head, start = css[start : match.start()].strip(), match.end()
            depth += 1
            continue
        depth -= 1
        if depth < 0:
            break
        if depth == 0:
            yield head, css[start : match.start()].strip()
            start = match.end()
    if depth or css[start:].strip():
        raise ValueError("css: the braces do not match, or a rule has none")


# -------------------------------------------------------------------------------------------------- write_atomically


def write_atomically(path: str | os.PathLike[str], data: bytes) -> None:
    """Write a file so that nobody ever sees half of it: into a new file in the same folder, then renamed.

    Parameters
    ----------
    path
        Where to; an existing file is replaced (its permissions are kept), a link is followed.
    data
        What to write.

    Raises
    ------
    OSError
        `FileNotFoundError`, `PermissionError` … as the system gave it, with a message that names the folder.
    """
    target = Path(os.path.realpath(path))
    if target.exists() and not target.is_file() and not target.is_dir():  # /dev/stdout, a pipe: nothing to rename over
        target.write_bytes(data)
        return
    scratch = target.parent / f".{secrets.token_hex(6)}.tmp"  # not `tempfile`: its files are readable by the owner only
    try:
        with scratch.open("xb") as file:
            file.write(data)
        if target.is_file():
            shutil.copymode(target, scratch)
        scratch.replace(target)
    except OSError as error:
        reason = _why_not_written(target, error)
        raise type(error)(error.errno, f"cannot write {target.name!r}: {reason}", str(target.parent)) from error
    finally:
        with suppress(OSError):  # it is gone if all went well, and never was if the folder is missing
            scratch.unlink()


def _why_not_written(target: Path, error: OSError) -> str:
    if target.is_dir():
        return "that is a folder; give the name of a file"
    if not target.parent.exists():
        return "its folder does not exist"
    if not target.parent.is_dir():
        return "its folder is a file"
    if isinstance(error, PermissionError) or not os.access(target.parent, os.W_OK):
        return "its folder cannot be written to"
    return error.strerror or str(error)
