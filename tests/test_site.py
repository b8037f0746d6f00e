"""The site: its sources say what is true, it builds without a warning, and it works in a real browser."""

import functools
import importlib
import os
import re
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit
from uuid import uuid4
from xml.etree import ElementTree

import numpy as np
import pytest
from test_docs import alike, said

import tinygrad_vg as vg
from tinygrad_vg.tutorials.files import LANGUAGES, has_tag, listed

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
HTML = DOCS / "build" / "html"
pytestmark = pytest.mark.skipif(not DOCS.exists(), reason="the tests run away from the repository")


@pytest.fixture
def docs(monkeypatch):
    """The modules of docs/ by name."""
    monkeypatch.syspath_prepend(str(DOCS))
    return importlib.import_module


def text_of(name):
    return (DOCS / name).read_text(encoding="utf-8")


# ------------------------------------------------------------------------------------------------------- what it says


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_start_page_has_the_commands_of_the_readme(lang):
    readme = (ROOT / ("README.md" if lang == "en" else "README.zh.md")).read_text(encoding="utf-8")
    start = text_of("index.md" if lang == "en" else "zh/index.md")
    commands = re.findall(r"```sh\n.*?```", start, re.DOTALL)
    assert commands == re.findall(r"```sh\n.*?```", readme, re.DOTALL)


def links(text):
    return re.findall(r"\]\(([^)\s]+)\)|\{doc\}`[^<`]*<([^>]+)>`", text)


def test_both_start_pages_lead_to_the_same_places():
    english, chinese = [{a or b for a, b in links(text_of(name))} for name in ("index.md", "zh/index.md")]
    assert english < chinese | {"zh/index.md"}


def test_links_and_pictures_of_the_guides_are_there():
    for page in (*DOCS.glob("guide/*.md"), *DOCS.glob("zh/**/*.md")):
        text = re.sub(r"```.*?```|`[^`\n]*`", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
        home = DOCS / page.relative_to(DOCS / "zh") if "zh" in page.relative_to(DOCS).parts else page
        for target in re.findall(r"\]\(([^)#]+)\)", text):
            assert target.startswith("http") or (home.parent / target).exists(), (page, target)
        assert all(re.findall(r"!\[([^]]*)\]", text))


GUIDES = [*(f"guide/{page.name}" for page in sorted(DOCS.glob("guide/*.md"))), "compared.md"]


@pytest.mark.parametrize("name", GUIDES)
def test_the_guides_print_and_draw_what_stands_there(docs, name):
    docs("make_images")  # finds all its modules
    guides, page = docs("pictures.guides"), docs("pictures.page")
    blocks = [part for part in page.parts(text_of(name)) if part.code]
    for block, printed in zip(blocks, guides.outputs(DOCS / name), strict=True):
        assert block.kept is not None or not printed
        assert block.kept is None or alike(block.kept.strip(), f"```text\n{printed}```", slack=20), printed
    for picture in re.findall(r"images/(guide-[\w-]+)\.svg", text_of(name)):
        kept = (DOCS / "images" / f"{picture}.svg").read_text(encoding="utf-8")
        assert alike(said(kept), said(guides.PICTURES[picture]())), picture


def test_the_picture_of_the_house_shows_every_room(docs):
    house = docs("pictures.house")
    drawn = house.picture()
    words = {e.text for e in ElementTree.fromstring(drawn).iter() if e.text}
    assert {room for rooms in house.floors() for room in rooms} <= words
    assert set(house.ROOMS) == {room for rooms in house.floors() for room in rooms}
    assert said(drawn) == said((DOCS / "images" / "house.svg").read_text(encoding="utf-8"))


# ------------------------------------------------------------------------------------------------------- compared with


LIBRARIES = {"PyTorch": "torch", "JAX": "jax", "here": "tinygrad_vg"}


def table(text, head):
    """The rows of the table with this head."""
    lines = text[text.index(head) :].partition("\n\n")[0].splitlines()
    return [[cell.strip() for cell in re.split(r" ?\| ", line.strip("|") + " ")] for line in lines]


def evaluated(code, names):
    *before, last = code.split("; ")
    for statement in before:
        exec(statement, names)
    return eval(last, names)


def said_in(library):
    """What each row of the table of equivalents gives, in one of the libraries."""
    text = text_of("compared.md")
    names, found = {}, {}
    setup, step = re.findall(rf"```py(?:thon)?\n# {library}\n(.*?)```", text, re.DOTALL)
    exec(setup, names)
    heads, _, *rows = table(text, "| | PyTorch | JAX | here |")
    for row in rows:
        code = re.match(r"`([^`]*)`", row[heads.index(library)])
        if code and "…" not in code[1] and "torchviz" not in code[1]:
            if "jax.test_util" in code[1]:
                importlib.import_module("jax.test_util")
            if "debug_nans" not in code[1]:
                found[row[0].strip()] = evaluated(code[1], names)
    exec(step, names)
    return found


def flat(value):
    """Numbers of any library as one array."""
    if isinstance(value, tuple | list):
        return np.concatenate([flat(part) for part in value])
    detach = getattr(value, "detach", lambda: value)
    return np.ravel(np.asarray(detach()))


def test_our_column_runs():
    found = said_in("here")
    assert len(found) == 10
    assert found["check"]
    assert np.array_equal(found["Hessian"], vg.hessian(lambda x: np.sum(np.tanh(x) ** 2))(np.array([0.5, -1.0])))
    assert "<svg" in found["look at it"].to_svg()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of their own parts
@pytest.mark.parametrize("library", ["PyTorch", "JAX"])
def test_the_others_say_the_same(library):
    pytest.importorskip(LIBRARIES[library], reason=f"{library} is not installed")
    ours, theirs = said_in("here"), said_in(library)
    for name in ours.keys() - {"check", "look at it"}:
        np.testing.assert_allclose(flat(theirs[name]), flat(ours[name]), rtol=1e-12)


def test_our_row_of_the_measured_table_is_what_is_measured(docs):
    probes = docs("probe_others")
    kept = probes.rows_of(text_of("compared.md").partition(probes.BEGIN)[2].partition(probes.END)[0])
    assert list(kept) == [probe.name for probe in probes.PROBES]
    assert probes.row(probes.PROBES[0])[2:] == kept["tinygrad_vg"][2:]


# ------------------------------------------------------------------------------------------------------ how it is made


def test_a_tutorial_as_a_page_hides_what_is_not_for_readers(docs):
    tutorials = docs("website.tutorials")
    for tutorial in (*listed("en"), *listed("zh")):
        made = tutorials.notebook(tutorial).cells
        source = "\n".join([cell.source for cell in made])
        hidden = [cell.source for cell in tutorial.cells if has_tag(cell, "hidden")]
        solutions = [cell.source for cell in tutorial.cells if has_tag(cell, "solution") and cell.cell_type == "code"]
        assert not [text for text in hidden if text in source]
        assert [cell.source for cell in made if cell.metadata.get("tags") == ["hide-cell"]] == solutions
        assert f"tinygrad-vg tutorial {tutorial.number}" in made[1].source


def test_links_are_led_to_where_their_targets_are_in_the_site(docs, tmp_path):
    relinked = docs("website.sources").relinked
    text = "[a](../gallery.md#film) [b](../../CONTRIBUTING.md) `f[1](v)` ![c](../images/chain.svg) [d](../../LICENSE)"
    now = relinked(text, "guide/check", DOCS / "guide" / "check.md", tmp_path)
    assert (
        now
        == "[a](../gallery.md#film) [b](../contributing.md) `f[1](v)` ![c](../images/chain.svg) [d](../files/LICENSE)"
    )
    assert (tmp_path / "files/LICENSE").exists()
    with pytest.raises(FileNotFoundError, match=r"there is no nothing\.md"):
        relinked("[e](nothing.md)", "index", DOCS / "index.md", tmp_path)


# -------------------------------------------------------------------------------------------------------- it is built


NEEDED = ("sphinx", "myst_nb", "furo", "numpydoc", "jieba", "ipykernel")
RUN = os.environ.get("PYTEST_XDIST_TESTRUNUID") or uuid4().hex


@pytest.fixture(scope="session")
def site():
    """The folder of the site, built once a test run, however many processes share it."""
    for module in NEEDED:
        pytest.importorskip(module, reason=f"{module} is not installed: pip install -e '.[docs]'", exc_type=ImportError)
    fcntl = pytest.importorskip("fcntl", reason="no file locks here")
    HTML.parent.mkdir(exist_ok=True)
    with (HTML.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        mark = HTML.parent / "built"
        if not mark.exists() or mark.read_text() != RUN:
            command = [sys.executable, str(DOCS / "make_site.py"), "--fresh"]
            done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)
            assert done.returncode == 0, done.stderr[-3000:]
            assert "WARNING: " not in done.stderr
            mark.write_text(RUN)
    return HTML


RESOURCES = {"img": "src", "script": "src", "link": "href", "iframe": "src", "source": "src"}


class Page(HTMLParser):
    """What a page refers to, and what can be referred to on it."""

    def __init__(self, path):
        super().__init__()
        self.links, self.resources, self.places, self.pictures, self.frames = [], [], set(), [], []
        self.lang = ""
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.places |= {found[key] for key in ("id", "name") if found.get(key)}
        if tag == "html":
            self.lang = found["lang"]
        if tag == "a" and found.get("href"):
            self.links.append(found["href"])
        if tag == "img":
            self.pictures.append(found.get("alt"))
        if tag == "iframe":
            self.frames.append(found.get("title"))
        if found.get(RESOURCES.get(tag)):
            self.resources.append(found[RESOURCES[tag]])


@functools.cache
def page_at(path):
    return Page(path)


def pages(site):
    return sorted(path for path in site.rglob("*.html") if path.name != "explorer.html")


@pytest.mark.slow
def test_all_links_inside_the_site_lead_somewhere(site):
    broken = []
    for path in pages(site):
        for link in page_at(path).links + page_at(path).resources:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            there = target.is_file() and target.is_relative_to(site)
            if there and parts.fragment and target.suffix == ".html" and target.name != "explorer.html":
                there = unquote(parts.fragment) in page_at(target).places
            if not there:
                broken.append(f"{path.relative_to(site)}: {link}")
    assert not broken


@pytest.mark.slow
def test_nothing_is_loaded_from_elsewhere_and_every_picture_has_a_text(site):
    for path in pages(site):
        page = page_at(path)
        assert not [link for link in page.resources if urlsplit(link).netloc], path
        assert all(page.pictures), path
        assert all(page.frames), path
        assert page.lang == ("zh-CN" if path.is_relative_to(site / "zh") else "en")


@pytest.mark.slow
def test_both_languages_have_the_same_pages(site):
    english, chinese = [
        {path.relative_to(top).as_posix() for path in pages(top) if "_modules" not in path.parts}
        for top in (site, site / "zh")
    ]
    english = {name for name in english if not name.startswith("zh/")}
    translated = {f"tutorials/{tutorial.name}.html" for tutorial in listed("zh")}
    assert chinese <= english
    only = {name for name in english - chinese if not name.startswith("api/")}
    assert only == {f"tutorials/{t.name}.html" for t in listed("en")} - translated


@pytest.mark.slow
@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_exercise_is_solved_on_its_page(site, lang):
    for tutorial in listed(lang):
        text = (site / ("" if lang == "en" else lang) / f"tutorials/{tutorial.name}.html").read_text(encoding="utf-8")
        for exercise in tutorial.exercises:
            assert f"✓ {exercise.number}" in text
        assert " at 0x" not in text  # a value that nobody meant to show


@pytest.mark.slow
def test_every_public_name_is_explained(site):
    text = "".join([path.read_text(encoding="utf-8") for path in (site / "api").glob("*.html")])
    names = {name for name in vg.__all__ if not hasattr(getattr(vg, name), "__path__")} - {"optim"}
    missing = [name for name in names if f'id="tinygrad_vg.{name}"' not in text]
    assert not missing


# --------------------------------------------------------------------------------------------------------- in a browser


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture(scope="session")
def address(site):
    """Where the site is served, on loopback."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(site)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="session")
def visit(address):
    """Calls ``look(page)`` in a real browser; whatever the page logs or asks of others fails."""
    from drawing.conftest import CHROMIUM, QUIET  # where it is, and how to keep it still

    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("there is no Chromium on PATH")
    with ThreadPoolExecutor(1) as thread:  # Playwright leaves an event loop behind in its thread
        driver = thread.submit(lambda: playwright.sync_playwright().start()).result()
        chromium = thread.submit(driver.chromium.launch, executable_path=CHROMIUM, args=QUIET).result()

        def visited(name, look, *, width=1280, dark=False):
            context = chromium.new_context(
                viewport={"width": width, "height": 800},
                color_scheme="dark" if dark else "light",
                reduced_motion="reduce",
            )
            page, troubles, asked = context.new_page(), [], []
            page.on("console", lambda message: troubles.append(message.text))
            page.on("pageerror", lambda error: troubles.append(str(error)))
            page.on("request", lambda request: asked.append(request.url))
            page.goto(f"{address}/{name}", wait_until="load")
            seen = look(page)
            context.close()
            assert not troubles, name
            assert not [url for url in asked if not url.startswith((address, "data:", "blob:"))]
            return seen

        yield lambda name, look, **how: thread.submit(visited, name, look, **how).result()
        thread.submit(chromium.close).result()
        thread.submit(driver.stop).result()


LOOKED_AT = [
    *(
        "index.html",
        "guide/check.html",
        "guide/op.html",
        "gallery.html",
        "checking.html",
        "compared.html",
        "report/index.html",
    ),
    *(
        "api/index.html",
        "api/engine.html",
        "api/command-line.html",
        "architecture.html",
        "performance.html",
        "glossary.html",
    ),
    *("tutorials/index.html", *(f"tutorials/{tutorial.name}.html" for tutorial in listed("en"))),
    *("zh/index.html", "zh/compared.html", *(f"zh/tutorials/{tutorial.name}.html" for tutorial in listed("zh"))),
]
LETTERS = "[...document.querySelectorAll('article p, article td')].map(e => parseFloat(getComputedStyle(e).fontSize))"
FORMULAS = "![...document.querySelectorAll('div.math')].some(e => !e.querySelector('mjx-container'))"
SIZES = "[document.documentElement.scrollWidth, innerWidth]"


@pytest.mark.slow
@pytest.mark.parametrize("name", LOOKED_AT)
def test_a_page_fits_a_phone_and_shows_its_formulas(visit, name):
    def look(page):
        page.wait_for_function(
            "![...document.querySelectorAll('div.math')].some(e => !e.querySelector('mjx-container'))"
        )
        small = (
            "[...document.querySelectorAll('article p, article td')].map(e => parseFloat(getComputedStyle(e).fontSize))"
        )
        return page.evaluate(SIZES), min(page.evaluate(small), default=16)

    (wide, screen), smallest = visit(name, look, width=390)
    assert wide <= screen
    assert smallest >= 12


CONTRAST = """() => {
  const numbers = (colour) => colour.match(/[\\d.]+/g).slice(0, 3).map((c) => c / 255);
  const light = (colour) => {
    const [r, g, b] = numbers(colour).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const page = light(getComputedStyle(document.body).backgroundColor);
  const ratio = (e) => {
    const [low, high] = [light(getComputedStyle(e).color), page].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  };
  const seen = [...document.querySelectorAll("article p, article a.reference, article h1, article li")];
  return [page, Math.min(...seen.map(ratio))];
}"""


@pytest.mark.slow
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("name", ["index.html", "tutorials/01_chain_rule.html", "zh/index.html", "api/engine.html"])
def test_light_and_dark_can_be_read(visit, name, dark):
    background, lowest = visit(name, lambda page: page.evaluate(CONTRAST), dark=dark)
    assert (background < 0.1) == dark
    assert lowest >= 4.5


@pytest.mark.slow
def test_pictures_follow_the_theme_that_is_chosen_on_the_page(visit):
    def look(page):
        def dark_share():
            import io

            from PIL import Image

            shot = Image.open(io.BytesIO(page.locator(".picture img").first.screenshot())).convert("L")
            return float(np.mean(np.asarray(shot) < 80))

        before = dark_share()
        page.evaluate("document.body.dataset.theme = 'dark'")
        page.wait_for_timeout(200)
        return before, dark_share()

    before, after = visit("index.html", look)
    assert before < 0.3 < 0.7 < after


REACHED = "document.activeElement.dataset.reached = 'yes', document.activeElement.tagName"
LEFT_OUT = """() => [...document.querySelectorAll("a[href], button, input, summary, iframe, [tabindex='0']")]
  .filter((e) => !e.dataset.reached && e.checkVisibility({ visibilityProperty: true }) && e.type !== "checkbox")
  .filter((e) => e.getClientRects().length && getComputedStyle(e).display !== "none")
  .map((e) => e.outerHTML.slice(0, 120))"""


@pytest.mark.slow
@pytest.mark.parametrize("name", ["index.html", "zh/index.html", "tutorials/01_chain_rule.html", "api/optim.html"])
def test_everything_can_be_reached_with_the_keyboard(visit, name):
    def look(page):
        for _ in range(500):
            page.keyboard.press("Tab")
            if page.evaluate(REACHED) == "BODY":
                break
        return page.evaluate(LEFT_OUT)

    assert not visit(name, look)


SEARCHES = [
    ("search.html", "cotangent", "cotangent"),
    ("search.html", "vanishing gradient", "vanish"),
    ("zh/search.html", "梯度", "梯度"),
    ("zh/search.html", "梯度消失", "梯度"),
    ("zh/search.html", "激活值的偏置", "偏置"),
    ("zh/search.html", "sigmoid神经元", "神经元"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "words", "shown"), SEARCHES)
def test_search_finds(visit, name, words, shown):
    def look(page):
        page.wait_for_selector("#search-results li a", timeout=20_000)
        page.wait_for_function("document.querySelector('.search-summary')?.textContent.length > 0")
        page.wait_for_timeout(500)
        return page.locator("#search-results").inner_text()

    assert shown in visit(f"{name}?q={words}", look).lower()


@pytest.mark.slow
def test_search_finds_nothing_where_there_is_nothing(visit):
    def look(page):
        page.wait_for_function("document.querySelector('.search-summary')?.textContent.length > 0")
        return page.locator("#search-results li").count()

    assert visit("zh/search.html?q=红烧茄子", look) == 0


@pytest.mark.slow
@pytest.mark.parametrize("name", ["index.html", "zh/index.html"])
def test_the_explorer_on_the_start_page_works(visit, name):
    def look(page):
        page.locator("iframe.explorer").scroll_into_view_if_needed()
        frame = page.frame_locator("iframe.explorer")
        frame.locator("svg").first.wait_for()
        return frame.locator("button").count(), frame.locator("input[type=range]").count()

    buttons, sliders = visit(name, look)
    assert buttons
    assert sliders
