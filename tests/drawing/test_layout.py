"""The layout room: which engine draws, what happens when it cannot, and what the finished SVG is."""

import os
import pickle
import re
import stat
import subprocess
import sys
import time
import warnings
import xml.etree.ElementTree as ET
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_vg.drawing import layout

posix = pytest.mark.skipif(os.name != "posix", reason="the stand-ins for `dot` are shell scripts")
HAS_BUNDLED = layout.engines()[1].available
bundled = pytest.mark.skipif(not HAS_BUNDLED, reason="no Graphviz inside pygraphviz on this machine")

SVG = "{http://www.w3.org/2000/svg}"
NASTY = [
    r"C:\temp\\",
    r"\N\E\G",
    "<>&\"'",
    r"a\nb\\",
    "{x|y}:;",
    "中文 σ′(z₁)",
    "</script><!--",
    "]]>",
    "$(touch x)`touch x`",
    "two\nlines",
    "&lt;",
]


def quoted(text: str) -> str:
    """A DOT string that stands for exactly this text."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("&", "&amp;") + '"'


def quoted_tooltip(text: str) -> str:
    """The same for the tooltip of a node or an edge, whose backslashes Graphviz halves twice."""
    return '"' + text.replace("\\", "\\" * 4).replace('"', '\\"').replace("&", "&amp;") + '"'


def texts(svg: str | bytes) -> list[str]:
    return [element.text or "" for element in ET.fromstring(svg).iter(SVG + "text")]


@pytest.fixture
def no_dot(monkeypatch, tmp_path):
    """A PATH without `dot`."""
    empty = tmp_path / "empty"
    empty.mkdir()
    monkeypatch.setenv("PATH", str(empty))


@pytest.fixture
def no_bundled(monkeypatch):
    monkeypatch.setattr(layout, "_find_pygraphviz", lambda: None)


@pytest.fixture
def fake_dot(monkeypatch, tmp_path):
    """Put a shell script named `dot` first on PATH, in a folder whose name has spaces and a quote."""

    def install(script: str, shebang: str = "#!/bin/sh\n") -> Path:
        folder = tmp_path / "my 'own' tools; $(touch x)"
        folder.mkdir()
        program = folder / "dot"
        program.write_text(shebang + script)
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
        monkeypatch.chdir(tmp_path)
        return program

    return install


@pytest.fixture
def fake_pygraphviz(monkeypatch, tmp_path, no_dot):
    """A package named pygraphviz whose C part does what the test says."""

    def install(code: str) -> Path:
        package = tmp_path / "site" / "pygraphviz"
        package.mkdir(parents=True)
        (package / "__init__.py").write_text(code)
        monkeypatch.setattr(layout, "_find_pygraphviz", lambda: str(package))
        return package

    return install


# ---------------------------------------------------------------------------------------------------- the engines


def test_importing_loads_no_engine():
    code = (
        "import sys, tinygrad_vg.drawing.layout\n"
        "bad = {'graphviz', 'pygraphviz', 'matplotlib', 'hypothesis'} & set(sys.modules)\n"
        "sys.exit(str(bad) if bad else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_child_imports_neither_us_nor_numpy(fake_pygraphviz):
    fake_pygraphviz(
        "import sys\n"
        "bad = [m for m in sys.modules if m.split('.')[0] in ('tinygrad_vg', 'numpy', 'site')]\n"
        "raise ImportError(f'loaded: {bad}')"
    )
    with pytest.raises(layout.NoLayoutEngineError, match=re.escape("loaded: []")):
        layout.render("digraph {}")


def test_engines_with_nothing(no_dot, no_bundled):
    for engine in layout.engines():
        assert not engine.available
        assert engine.why_not
        assert engine.why_not in repr(engine)
        assert "apt install graphviz" in engine.cure or "pip install" in engine.cure


@bundled
def test_engines_says_version_and_place(no_dot):
    dot, inside = layout.engines()
    assert (dot.name, dot.available) == ("dot", False)
    assert (inside.name, inside.available) == ("pygraphviz", True)
    assert re.fullmatch(r"\d+\.\d+\.\d+", inside.version)
    assert Path(inside.where).name == "pygraphviz"
    assert inside.version in repr(inside)
    assert inside.where in repr(inside)


@posix
def test_engines_reports_a_dot_that_is_there_but_broken(fake_dot):
    program = fake_dot("echo 'no layout engine support, run dot -c' >&2; exit 1")
    dot = layout.engines()[0]
    assert (dot.where, dot.available) == (str(program), False)
    assert "run dot -c" in dot.why_not


def test_no_engine_at_all_names_the_cures(no_dot, no_bundled):
    with pytest.raises(layout.NoLayoutEngineError) as caught:
        layout.render("digraph {}")
    for cure in ("pip install", "apt install", "brew install", "conda install", "winget install", "`.html`"):
        assert cure in str(caught.value)


def test_errors_survive_pickling():
    error = pickle.loads(pickle.dumps(layout.LayoutTimeoutError("what", "where", "cure")))
    assert (type(error), error.where, str(error)) == (layout.LayoutTimeoutError, "where", "what (where). cure")


# ------------------------------------------------------------------------------------------------- dot on the PATH


@posix
def test_dot_gets_the_text_through_stdin_and_no_shell_sees_it(fake_dot, tmp_path):
    fake_dot("echo \"<svg args='$*'>\"; cat")
    source = 'digraph { "$(touch x)" -> "`touch y`" [label="; touch z | \'"] }'
    assert layout.render(source).decode() == f"<svg args='-Tsvg -Tjson'>\n{source}"
    assert not {"x", "y", "z"} & set(os.listdir(tmp_path))


@posix
def test_dot_is_preferred_and_gets_the_resolution(fake_dot):
    fake_dot("printf '\\211PNG'; echo \"$@\"; cat >/dev/null")
    assert layout.render("digraph {}", "png", dpi=192) == b"\x89PNG-Tpng -Gdpi=192\n"


@posix
def test_a_relative_path_entry_is_reported_in_full(fake_dot, monkeypatch):
    program = fake_dot("echo '<svg>'")
    monkeypatch.chdir(program.parent)
    monkeypatch.setenv("PATH", f".{os.pathsep}{os.environ['PATH'].partition(os.pathsep)[2]}")
    assert layout.engines()[0].where == str(program)


@posix
def test_time_out_ends_dot_and_its_children(fake_dot, tmp_path, no_bundled):
    fake_dot(f"sleep 60 & echo $! > '{tmp_path}/pid'; wait")
    start = time.monotonic()
    with pytest.raises(layout.LayoutTimeoutError, match=r"within 0\.5 s.*coarser level"):
        layout.render("digraph {}", timeout=0.5)
    assert time.monotonic() - start < 10
    sleeper = int((tmp_path / "pid").read_text())
    for _ in range(100):  # until init has collected it
        try:
            os.kill(sleeper, 0)
        except ProcessLookupError:
            return
        status = Path(f"/proc/{sleeper}/stat")
        if status.exists() and status.read_text().rpartition(")")[2].split()[0] == "Z":
            return
        time.sleep(0.05)
    pytest.fail("the child of the timed-out `dot` is still running")


@posix
def test_a_dot_that_fails_without_another_engine_speaks_for_itself(fake_dot, no_bundled):
    fake_dot("echo 'Warning: never mind' >&2; printf 'Error: syntax error \\033[31m near }' >&2; exit 1")
    with pytest.raises(layout.LayoutError) as caught:
        layout.render("digraph {}")
    assert not isinstance(caught.value, layout.NoLayoutEngineError)
    assert "syntax error ␛[31m near }" in caught.value.what
    assert "never mind" not in str(caught.value)
    assert caught.value.where.endswith("dot")


BROKEN = {
    "exits 1": "exit 1",
    "cannot be loaded": "echo 'libgvc.so.6: not found' >&2; exit 127",
    "has no plug-ins": "echo 'Format: \"svg\" not recognized. Use one of:' >&2; exit 1",
    "draws nothing": "exit 0",
    "is another program": "echo hello",
    "crashes": "kill -SEGV $$",
}


@posix
@bundled
@pytest.mark.parametrize("script", BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_dot_does_not_block_the_bundled_one(fake_dot, script):
    program = fake_dot(script)
    with pytest.warns(RuntimeWarning, match=re.escape(str(program)) + ".*drawn by pygraphviz instead"):
        assert texts(layout.render("digraph { hello }")) == ["hello"]


@posix
@pytest.mark.parametrize("script", ["exit 127", "exit 0", BROKEN["has no plug-ins"]])
def test_a_broken_dot_alone_is_no_engine(fake_dot, no_bundled, script):
    program = fake_dot(script)
    with pytest.raises(layout.NoLayoutEngineError, match=re.escape(str(program))):
        layout.render("digraph {}")


@posix
def test_a_dot_that_cannot_be_started_is_no_engine(fake_dot, no_bundled):
    fake_dot("", shebang="#!/nonexistent/interpreter\n")
    with pytest.raises(layout.NoLayoutEngineError, match="does not start"):
        layout.render("digraph {}")


@posix
@bundled
def test_a_syntax_error_is_told_even_beside_a_broken_dot(fake_dot):
    fake_dot("exit 127")
    with pytest.raises(layout.LayoutError, match="syntax error in line 2"):
        layout.render("digraph {\n a -> }")


# --------------------------------------------------------------------------------------------- the bundled Graphviz


@bundled
@pytest.mark.parametrize("format", layout.FORMATS)
def test_the_bundled_graphviz_draws_every_format_without_a_warning(no_dot, format):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        picture = layout.render("digraph { a -> b }", format)
    assert picture.lstrip().startswith({"svg": b"<?xml", "png": b"\x89PNG", "pdf": b"%PDF"}[format])


@bundled
def test_png_resolution(no_dot):
    def width(dpi):
        return int.from_bytes(layout.render("digraph { a -> b }", "png", dpi=dpi)[16:20], "big")

    assert width(192) == pytest.approx(2 * width(96), abs=2)
    assert width(None) == width(96)


@bundled
@pytest.mark.parametrize("name", NASTY)
def test_names_draw_as_themselves(no_dot, tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    source = f"digraph {{ n1 [label={quoted(name)}]; n1 -> n2 [tooltip={quoted_tooltip(name)}, label=x] }}"
    picture = layout.finish_svg(layout.render(source), title=name, description=name)
    drawn = texts(picture)
    assert "\n".join(drawn[:-2]) == name  # a line break is a second <text>; the last two are x and n2
    root = ET.fromstring(picture)
    assert (root[0].text, root[1].text) == (name, name)
    assert name in [title.text for title in root.iter(SVG + "title")][1:]
    assert os.listdir(tmp_path) == ["empty"]


@bundled
def test_html_like_labels_clusters_ports_and_rankdir(no_dot):
    table = '<<table><tr><td port="p">甲</td></tr><tr><td port="q">σ′</td></tr></table>>'
    source = (
        "digraph { rankdir=LR; node [shape=plain];"
        f"subgraph cluster_1 {{ label=层; a [label={table}] }} a:p -> b; a:q -> b }}"
    )
    svg = layout.render(source)
    assert {"甲", "σ′", "层", "b"} == set(texts(svg))
    starts = re.findall(rb'<path[^>]* d="M([-\d.]+),([-\d.]+)C', svg)
    assert len({y for _, y in starts}) == 2  # two rows, two ports


@bundled
def test_errors_of_the_bundled_graphviz_are_trimmed(no_dot):
    with pytest.raises(layout.LayoutError) as caught:
        layout.render("digraph { a -> ")
    assert "syntax error in line 1" in caught.value.what
    assert "Traceback" not in str(caught.value)
    # Graphviz goes on after a bad label, and would draw an empty ellipse.
    with pytest.raises(layout.LayoutError, match="label of node a"):
        layout.render("digraph { a [label=<<b>x>] }")


@bundled
def test_time_limit_holds_for_the_bundled_graphviz(no_dot):
    tree = "".join(f"n{(i - 1) // 2} -> n{i}; n{i - 1} -> n{i};" for i in range(1, 1500))
    start = time.monotonic()
    with pytest.raises(layout.LayoutTimeoutError, match="coarser level"):
        layout.render(f"digraph {{ {tree} }}", timeout=0.3)
    assert time.monotonic() - start < 10


@bundled
def test_threads_may_draw_at_the_same_time(no_dot):
    with ThreadPoolExecutor(4) as pool:
        pictures = list(pool.map(lambda i: layout.render(f"digraph {{ n{i} }}"), range(8)))
    assert [texts(picture) for picture in pictures] == [[f"n{i}"] for i in range(8)]


@bundled
def test_control_characters_become_visible(no_dot):
    assert texts(layout.render('digraph { a [label="x\x00\x1b\x7f\ud800y"] }')) == ["x␀␛␡�y"]


@posix
def test_a_crash_of_the_library_is_an_error_here(fake_pygraphviz):
    fake_pygraphviz("import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)")
    with pytest.raises(layout.LayoutError, match=r"crashed \(status -11\)"):
        layout.render("digraph {}")


def test_a_wheel_without_its_system_libraries_is_no_engine(fake_pygraphviz):
    fake_pygraphviz("raise ImportError('libX11.so.6: cannot open shared object file')")
    with pytest.raises(layout.NoLayoutEngineError, match=r"libX11\.so\.6: cannot open.*apt install graphviz"):
        layout.render("digraph {}")
    assert "libX11.so.6" in layout.engines()[1].why_not


@pytest.mark.parametrize("bad", [{"format": "jpeg"}, {"timeout": 0}, {"timeout": float("nan")}])
def test_bad_arguments(bad):
    with pytest.raises(ValueError, match=next(iter(bad))):
        layout.render("digraph {}", **bad)


# ------------------------------------------------------------------------------------------------------ finish_svg

RAW = """<?xml version="1.0" encoding="UTF-8" standalone="no"?>
<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">
<!-- Generated by graphviz version 14.1.5 (20260411.2331) -->
<svg width="99pt" viewBox="0 0 99 44" xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">
<g id="graph0" class="graph"><title>G</title>
<polygon fill="white" stroke="none" points="-4,4 -4,-40 58,-40"/>
<!-- n1 -->
<g id="node1" class="node"><title>n1</title>
<g id="a_node1"><a xlink:title="5 &lt; 6"><text font-family="Verdana">a</text></a></g></g>
<g id="my edge" class="edge"><title>n1&#45;&gt;n2</title>
<defs><linearGradient id="grad"/></defs><path fill="url(#grad)"/><use xlink:href="#node1"/>
<a xlink:title="&lt;TABLE&gt;"><text font-family="Courier,monospace">b</text></a></g>
</g></svg>"""


def finish(raw: str | bytes = RAW, **options: str) -> str:
    return layout.finish_svg(raw, **{"title": "T", "description": "D", "id_prefix": "p", **options})


def test_finished_svg_is_titled():
    picture = finish(title="a < b", description="∂C & co")
    root = ET.fromstring(picture)
    assert picture.startswith("<svg ")
    assert "<!" not in picture
    assert "14.1.5" not in picture
    assert (root.get("id"), root.get("role"), root.get("aria-labelledby")) == ("p", "img", "p-title p-desc")
    assert [(e.tag, e.get("id"), e.text) for e in root][:2] == [
        (SVG + "title", "p-title", "a < b"),
        (SVG + "desc", "p-desc", "∂C & co"),
    ]
    assert root.find(f".//{SVG}polygon").get("fill") == "white"  # the opaque background stays


def test_without_a_description_nothing_points_to_one():
    root = ET.fromstring(finish(description=""))
    assert root.get("aria-labelledby") == "p-title"
    assert root.find(SVG + "desc") is None


def test_every_id_is_scoped_and_every_reference_follows():
    root = ET.fromstring(finish())
    ids = [e.get("id") for e in root.iter() if "id" in e.attrib]
    assert set(ids) == {"p", "p-title", "p-desc", "p-graph0", "p-node1", "p-a_node1", "p-my_edge", "p-grad"}
    assert len(ids) == 8
    assert root.find(f".//{SVG}path").get("fill") == "url(#p-grad)"
    assert root.find(f".//{SVG}use").get("{http://www.w3.org/1999/xlink}href") == "#p-node1"


def test_only_real_tooltips_stay():
    root = ET.fromstring(finish())
    assert [e.text for e in root.iter(SVG + "title")] == ["T", "5 < 6"]
    links = [e.get("{http://www.w3.org/1999/xlink}title") for e in root.iter(SVG + "a")]
    assert links == ["5 < 6", None]


def test_the_one_font_becomes_a_list_and_others_stay():
    root = ET.fromstring(finish(font_family="Verdana, 'Noto Sans CJK SC'"))
    assert root.get("font-family") == "Verdana, 'Noto Sans CJK SC'"
    assert [e.get("font-family") for e in root.iter(SVG + "text")] == [None, "Courier,monospace"]


def test_spaces_beside_bold_text_stay_whatever_the_version():
    assert finish().count('xml:space="preserve"') == 2
    assert finish(RAW.replace("<text ", '<text xml:space="preserve" ')) == finish()


def test_css_applies_to_this_picture_only():
    css = """/* a { comment } */ :scope { color: red } .node text, [fill="#node1"], a:is(.x, .y) > b { fill: blue }
    @media (prefers-color-scheme: dark) { #node1 { fill: #fff } polygon { fill: #000 } }"""
    style = ET.fromstring(finish(css=css)).find(SVG + "style").text
    assert style == (
        "#p {color: red}\n"
        '#p .node text, #p [fill="#node1"], #p a:is(.x, .y) > b {fill: blue}\n'
        "@media (prefers-color-scheme: dark) {\n#p #p-node1 {fill: #fff}\n#p polygon {fill: #000}\n}"
    )


@pytest.mark.parametrize(
    "css", ["a {", "a { b", "a } b {}", "@import 'x';", "@import 'x'; a {}", "@font-face { src: url(x) }"]
)
def test_css_that_cannot_be_scoped_is_refused(css):
    with pytest.raises(ValueError, match="css"):
        finish(css=css)


@pytest.mark.parametrize("prefix", ["1a", "a b", 'a"', "é", "a."])
def test_bad_prefix_is_refused(prefix):
    with pytest.raises(ValueError, match="id_prefix"):
        finish(id_prefix=prefix)


def test_the_same_layout_gives_the_same_bytes_whatever_the_version():
    other = RAW.replace("14.1.5 (20260411.2331)", "2.43.0 (0)").replace("<!-- n1 -->", "<!-- node one -->")
    assert finish(id_prefix="") == finish(other.encode(), id_prefix="")
    first, second = (ET.fromstring(finish(id_prefix="", title=title)).get("id") for title in "AB")
    assert first != second


def test_elementtree_is_left_as_it_was():
    finish()
    assert ET.tostring(ET.Element(SVG + "g")) == b'<ns0:g xmlns:ns0="http://www.w3.org/2000/svg" />'


@given(st.text(), st.text(st.characters()))
def test_any_title_and_description_is_well_formed(title, description):
    picture = finish(title=title, description=description)
    picture.encode()
    root = ET.fromstring(picture)
    told = {e.tag.removeprefix(SVG): e.text for e in root if e.tag in (SVG + "title", SVG + "desc")}

    def as_read(text):
        return layout.printable(text).replace("\r\n", "\n").replace("\r", "\n")

    assert told.get("title", "") == as_read(title)
    assert told.get("desc", "") == as_read(description)


# ------------------------------------------------------------------------------------------------ write_atomically


def test_write_new_and_replace(tmp_path):
    target = tmp_path / "图 1.svg"
    layout.write_atomically(target, b"one")
    layout.write_atomically(str(target), b"two")
    assert target.read_bytes() == b"two"
    assert os.listdir(tmp_path) == ["图 1.svg"]


@posix
def test_permissions_are_the_usual_ones_and_kept(tmp_path):
    (tmp_path / "plain").write_bytes(b"")
    layout.write_atomically(tmp_path / "new", b"")
    assert (tmp_path / "new").stat().st_mode == (tmp_path / "plain").stat().st_mode
    (tmp_path / "new").chmod(0o604)
    layout.write_atomically(tmp_path / "new", b"x")
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o604


@posix
def test_a_link_is_followed(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "real")
    layout.write_atomically(tmp_path / "link", b"x")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_bytes() == b"x"


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="its folder does not exist") as caught:
        layout.write_atomically(tmp_path / "nowhere" / "x.svg", b"")
    assert str(tmp_path / "nowhere") in str(caught.value)
    assert "x.svg" in str(caught.value)


def test_a_folder_is_no_target(tmp_path):
    with pytest.raises(OSError, match="that is a folder"):
        layout.write_atomically(tmp_path, b"")
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OSError, match="its folder is a file"):
        layout.write_atomically(tmp_path / "file" / "x.svg", b"")


@posix
def test_a_read_only_folder_is_named(tmp_path):
    tmp_path.chmod(0o555)
    try:
        if os.access(tmp_path, os.W_OK):
            pytest.skip("the superuser may write everywhere")
        with pytest.raises(PermissionError, match="cannot be written to"):
            layout.write_atomically(tmp_path / "x.svg", b"")
    finally:
        tmp_path.chmod(0o755)


def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path, monkeypatch):
    target = tmp_path / "x.svg"
    target.write_bytes(b"old")

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="No space left"):
        layout.write_atomically(target, b"new")
    assert target.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["x.svg"]
