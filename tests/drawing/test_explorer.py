"""The page of `explore`: its text, and what it does in a real browser."""

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from itertools import pairwise, product

import numpy as np
import pytest
from graphs import BOOK_GRADIENT, chain, long_chain, network
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from test_tape import FORWARD, IN_THE_PAGE, SCRIPT, cube, random_graph

import tinygrad_vg as vg
from tinygrad_vg.drawing import draw, layout
from tinygrad_vg.drawing.explorer.explorer import explore
from tinygrad_vg.drawing.explorer.scene import said
from tinygrad_vg.drawing.formula import number
from tinygrad_vg.lab.chain import neuron_chain

NASTY = [
    "</script><script>alert(1)</script>",
    "<!--<script>",
    "]]>-->",
    "\u2028\u2029",
    "‮evil‬",
    "\u2067שלום\u2069",
    "a\0b\x1b[31m",
    "\"'`&amp;${x}\\u003c\\",
    "中文 𝒛\ud800",
    "two\nlines\ttab",
    "w" * 10_000,
    "$data $script ${title}",
]


class Page(HTMLParser):
    """The elements of a page, their attributes, and the text in each."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.inside = [], [], {}
        self._open = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]
        self._open.append(tag)

    def handle_endtag(self, tag):
        while self._open and self._open.pop() != tag:
            pass

    def handle_data(self, text):
        if self._open:
            self.inside.setdefault(self._open[-1], []).append(text)


def html_of(t, folder, **settings):
    return explore(t, folder / "page.html", **settings).read_text(encoding="utf-8")


def data_of(html):
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', html, re.DOTALL)[1])


def functions():
    """The page's forwards and its way of writing numbers, as expressions for the browser."""
    table = SCRIPT[SCRIPT.index("const sigmoid") : SCRIPT.index("// slots:")]
    writing = SCRIPT[SCRIPT.index("function format") : SCRIPT.index("// The scale of theme.py")]
    return table, writing


# ----------------------------------------------------------------------------------------------------------- the text


def test_the_page_of_the_chain_is_small_and_always_the_same(tmp_path):
    html = html_of(chain()[0], tmp_path)
    assert len(html.encode()) < 60_000
    assert html == html_of(chain()[0], tmp_path)
    assert '<h1 id="formula">∂C/∂b₁ = σ′(z₁) · w₂σ′(z₂) · w₃σ′(z₃) · w₄σ′(z₄) · ∂C/∂a₄</h1>' in html


def test_sixty_boxes_make_a_page_of_less_than_a_hundred_kilobytes(tmp_path):
    x = [vg.Tensor(0.1 * i, f"x{i}") for i in range(20)]
    layers = [x]
    for size in (20, 12, 6, 1):
        below = layers[-1]
        layers.append([np.sin(below[i] * below[(i + 1) % len(below)]).named(f"y{size}_{i}") for i in range(size)])
    html = html_of(layers[-1][0], tmp_path)
    assert len(html.encode()) < 100_000


def test_nothing_is_asked_for_and_only_the_page_itself_may_run(tmp_path):
    html = html_of(chain()[0], tmp_path)
    page = Page(html)
    assert not [a for a in page.attributes if a[1] in ("src", "href", "srcset", "style", "xlink:href", "action")]
    assert not [a for a in page.attributes if a[1].startswith("on")]
    assert set(re.findall(r"[a-z]+://[^\s\"'<]*", html)) == {"http://www.w3.org/2000/svg"}
    policy = next(v for tag, name, v in page.attributes if tag == "meta" and name == "content" and "default-src" in v)
    script, style = [re.search(f"<{tag}>(.*?)</{tag}>", html, re.DOTALL)[1] for tag in ("script", "style")]
    digests = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in (script, style)]
    assert policy == (
        f"default-src 'none'; script-src 'sha256-{digests[0]}'; style-src 'sha256-{digests[1]}'; "
        "base-uri 'none'; form-action 'none'"
    )


def test_the_data_are_the_graph(tmp_path):
    cost, biases = chain()
    data = data_of(html_of(cost, tmp_path))
    assert data == data_of(html_of(cost, tmp_path, wrt=biases[0]))
    assert [card["name"] for card in data["cards"]][-3:] == ["z₄", "a₄", "C"]
    assert [card["note"] for card in data["cards"]][2] == "= 0.7·w₁ + b₁"
    leaves = {data["cards"][i]["name"]: data["constants"][slot] for i, slot in data["leaves"]}
    assert leaves == {
        f"{n}{'₁₂₃₄'[j]}": v
        for n, vs in (("w", (0.8, -0.6, 0.9, -0.4)), ("b", (0.1, -0.2, 0.3, 0.05)))
        for j, v in enumerate(vs)
    }
    assert set(data["operations"]) <= IN_THE_PAGE
    terms = [data["terms"][t][0] for t in data["chains"][str(data["opening"])]["paths"][0]["terms"]]
    assert terms == ["σ′(z₁)", "w₂σ′(z₂)", "w₃σ′(z₃)", "w₄σ′(z₄)", "∂C/∂a₄"]
    assert len(data["neurons"]) == 4


def named(name):
    """A graph with this name in every place a name can have."""
    x = vg.Tensor(0.5, name)
    with vg.name_scope(name):
        y = (vg.sigmoid(x) * vg.stop_gradient(x) + x * x).named(name)
    return (y * x).named(name)


PLAIN_TAGS = []


@pytest.mark.parametrize("name", NASTY, ids=range(len(NASTY)))
def test_no_name_becomes_markup(name, tmp_path):
    check_name(name, tmp_path)


@given(name=st.text(st.characters(codec=None, exclude_categories=[]), min_size=1, max_size=12))
def test_no_text_becomes_markup(name, tmp_path_factory):
    check_name(name, tmp_path_factory.getbasetemp())


def elements(html):
    """The elements in their order, without the notes of cards, for which a long name leaves no room."""
    return [tag for tag in Page(html).tags if tag != "text"]


def check_name(name, folder):
    if not PLAIN_TAGS:
        PLAIN_TAGS.extend(elements(html_of(named("abc"), folder)))
    html = html_of(named(name), folder)
    assert elements(html) == PLAIN_TAGS
    raw = re.search(r'id="data">(.*?)</script>', html, re.DOTALL)[1]
    assert not re.search("[<>&\u2028\u2029]", raw)
    shown = {card["name"] for card in data_of(html)["cards"]}
    assert len(shown) == 1
    assert len(max(shown)) <= 48
    assert not re.search("[\0-\x09\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]", html)
    assert len(html.encode()) < 80_000


@pytest.mark.parametrize(
    ("t", "reason"),
    [
        (lambda: cube(vg.Tensor(0.5, "x")).named("y"), "there is no JavaScript forward for cube"),
        (lambda: network()[0], "there are arrays in this graph"),
        (lambda: (vg.Tensor(np.float32(0.5), "x") * 2).named("y"), "'x' is float32"),
        (lambda: long_chain(2000)[1], "this picture is a summary"),
    ],
)
def test_a_page_without_sliders_says_why(t, reason, tmp_path):
    data = data_of(html_of(t(), tmp_path))
    assert reason in data["why"]
    assert data["leaves"] == data["steps"] == []


def test_a_choice_that_the_graph_made_is_told(tmp_path):
    x = vg.Tensor(0.5, "x")
    assert "np.where keeps the choice it made" in html_of(np.where(x > 0, x, 2 * x).named("y"), tmp_path)
    assert "np.where" not in html_of((x * x).named("y"), tmp_path)


def test_saving_a_picture_as_html_writes_the_same_page(tmp_path):
    cost, biases = chain()
    saved = draw(cost, wrt=biases[1]).save(tmp_path / "a.HTML")
    assert saved.read_text(encoding="utf-8") == html_of(cost, tmp_path, wrt=biases[1])
    layers = draw(network()[0], level="layer").save(tmp_path / "b.html").read_text(encoding="utf-8")
    assert [card["name"] for card in data_of(layers)["cards"]] == ["x", "layer 1", "layer 2", "layer 3", "y", "C"]


def test_no_graphviz_is_needed(tmp_path, monkeypatch):
    monkeypatch.setattr(layout, "_routes", list)
    with pytest.raises(layout.NoLayoutEngineError):
        draw(chain()[0]).to_svg()
    assert '<g class="n k-loss' in html_of(chain()[0], tmp_path)


def test_wrong_arguments_are_refused(tmp_path):
    cost, _ = chain()
    with pytest.raises(ValueError, match=r"'a.svg' must end in .html"):
        explore(cost, tmp_path / "a.svg")
    with pytest.raises(TypeError, match="needs a Tensor, not float"):
        explore(1.0, tmp_path / "a.html")
    with pytest.raises(ValueError, match="theme must be one of auto, light, dark, got 'pink'"):
        explore(cost, tmp_path / "a.html", theme="pink")
    with pytest.raises(ValueError, match="not computed from wrt='q'"):
        explore(cost, tmp_path / "a.html", wrt=vg.Tensor(1.0, "q"))
    with pytest.raises(FileNotFoundError, match="its folder does not exist"):
        explore(cost, tmp_path / "none" / "a.html")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("context", [vg.no_grad, vg.detect_anomaly])
def test_the_page_is_the_same_whatever_surrounds_it(context, tmp_path):
    cost, _ = chain()
    before = html_of(cost, tmp_path)
    with context(), vg.name_scope("outside"):
        assert html_of(cost, tmp_path) == before


def test_texts_are_told_in_one_short_line():
    assert said("a\r\nb\rc\u2028d") == "a␊b␊c␊d"
    assert said("x" * 161) == "x" * 159 + "…"
    assert said("x" * 160) == "x" * 160


# -------------------------------------------------------------------------------------------------------- in a browser


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("pages")


@pytest.fixture(scope="module")
def chain_page(folder):
    """The chapter's chain, with its input as a variable."""
    return explore(neuron_chain().cost, folder / "chain.html")


FACTS = '[...document.querySelectorAll("#facts tr")].map(row => [...row.cells].map(cell => cell.textContent))'
CHOOSE = f"""i => {{ document.querySelector("#n" + i).dispatchEvent(new Event("click"));
  return Object.fromEntries({FACTS}); }}"""
MOVE = """numbers => document.querySelectorAll("#sliders input[type=number]").forEach((input, k) => {
  input.value = numbers[k];
  input.dispatchEvent(new Event("change"));
})"""
LABELS = '[...document.querySelectorAll("#sliders label")].map(label => label.textContent)'
TABLE = """[...document.querySelectorAll("#cards tr")].map(row =>
  [row.cells[0].textContent, ...[...row.querySelectorAll("data")].map(cell => cell.value)])"""


def numbers_of(page):
    """The value and the gradient of every card, in full."""
    return {name: tuple(map(float, cells)) for name, *cells in page.evaluate(TABLE)}


def move(page, numbers):
    page.evaluate(MOVE, [repr(float(x)) for x in numbers])


def truth(root):
    return {number_free(t.name): (t.item(), g.item()) for t, g in vg.backprop(root).items() if t.name}


def number_free(name):
    return name.translate(str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉"))


def check(found, expected, rtol):
    assert expected.keys() <= found.keys()
    for name, pair in expected.items():
        assert_allclose(found[name], pair, rtol=rtol, atol=0, err_msg=name)


ARGUMENTS = {"affine": 3, "where": 3, "cross_entropy": 2, "quadratic": 2}


def test_every_forward_is_numpys(browser, chain_page):
    values = [-np.inf, -800.0, -37.5, -2.0, -1.0, -0.75, -1e-9, -0.0, 0.0, 1e-9, 0.5, 1.0, 1.5, 2.5, 3.0, 40.0, 800.0]
    values += [np.inf, np.nan]
    written = [repr(v).replace("inf", "Infinity").replace("nan", "NaN") for v in values]
    table, _ = functions()
    with browser.page(chain_page) as page:
        assert set(page.evaluate(f"() => {{ {table} return Object.keys(FORWARD); }}")) == IN_THE_PAGE
        for name in sorted(IN_THE_PAGE):
            places = getattr(FORWARD[name], "nin", 0) or ARGUMENTS.get(name, 1)
            grid = list(product(range(len(values)), repeat=places))
            if name == "power":
                grid = [at for at in grid if at != (0, values.index(0.5))]  # NumPy takes a root there; C's pow does not
            call = f"grid.map(at => String(FORWARD.{name}(...at.map(i => values[i]))))"
            given = page.evaluate(f"grid => {{ {table} const values = [{','.join(written)}]; return {call}; }}", grid)
            with np.errstate(all="ignore"):
                expected = [float(FORWARD[name](*[np.float64(values[i]) for i in at])) for at in grid]
            assert_allclose(np.array(given, float), expected, rtol=4e-15, atol=0, err_msg=name)


def test_numbers_are_written_as_in_python(browser, chain_page):
    rng = np.random.default_rng(0)
    numbers = [*(rng.normal(size=300) * 10.0 ** rng.integers(-12, 9, 300)), 0.0, -0.0, 1.0625, 0.00099996, 99999.5, 1e5]
    numbers += [2.00048828125, 0.5, 12345.0, -7.6e-10, 5e-324, 1.7e308, 100.0, 1000.5]
    _, writing = functions()
    with browser.page(chain_page) as page:
        given = page.evaluate(
            f"xs => {{ {writing} return xs.map(x => format(Number(x))); }}", [repr(float(x)) for x in numbers]
        )
    assert given == [number(x) for x in numbers]


def test_the_page_computes_the_chain_as_python_does(browser, chain_page):
    rng = np.random.default_rng(1)
    with browser.page(chain_page) as page:
        labels = page.evaluate(LABELS)
        assert labels == ["w₁", "a₀", "b₁", "w₂", "b₂", "w₃", "b₃", "w₄", "b₄"]
        found = numbers_of(page)
        assert_allclose([found[f"b{'₁₂₃₄'[j]}"][1] for j in range(4)], BOOK_GRADIENT, rtol=1e-11)
        for scale in (1.0, 1.0, 3.0, 3.0, 30.0):
            numbers = dict(zip(labels, scale * rng.normal(size=9), strict=True))
            move(page, numbers.values())
            w, b = ([numbers[f"{n}{'₁₂₃₄'[j]}"] for j in range(4)] for n in "wb")
            check(numbers_of(page), truth(neuron_chain(w, b, a0=numbers["a₀"]).cost), 1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_the_page_computes_any_graph_of_numbers_as_python_does(seed, browser, folder):
    build, rng = random_graph(seed, size=20), np.random.default_rng(seed)
    root, _ = build([0.3, -0.7, 1.1, 0.2])
    with browser.page(explore(root, folder / f"random{seed}.html")) as page:
        labels = page.evaluate(LABELS)
        for _ in range(4):
            numbers = dict(zip(["x₀", "x₁", "x₂", "x₃"], rng.normal(size=4), strict=True))
            move(page, [numbers[label] for label in labels])
            check(numbers_of(page), truth(build(list(numbers.values()))[0]), 1e-12)
        # What stands in the panel is what was computed.
        found = numbers_of(page)
        for name, (value, g) in found.items():
            told = page.evaluate(CHOOSE, list(found).index(name))
            assert told["value"] == number(value)
            assert told[f"gradient ∂C/∂{name}"] == number(g)


def lit(page):
    """The names of the cards whose gradient is known in the picture."""
    return set(
        page.evaluate(
            """[...document.querySelectorAll(".n")].filter(g => g.querySelectorAll(".v")[1].textContent !== "·")
            .map(g => g.querySelector(".t").textContent)"""
        )
    )


LIT_WIRES = '[...document.querySelectorAll(".bw")].filter(e => getComputedStyle(e).visibility === "visible").length'


def status(page):
    return page.text_content("#status")


def test_it_steps_through_both_passes(browser, chain_page):
    with browser.page(chain_page) as page:
        assert status(page) == "end: both passes are done"
        assert page.is_disabled("#step")
        page.click("#first")
        assert page.is_disabled("#back")
        assert lit(page) == set()
        assert page.locator(".n .v", has_text="·").count() == 18 + 9 + 9  # gradients, values, local derivatives
        assert page.evaluate(LIT_WIRES) == 0
        page.click("#step")
        assert status(page) == "forward 1/9: z₁ = w₁·a₀ + b₁ = 0.66"
        assert page.locator(".now .t").text_content() == "z₁"
        for _ in range(8):
            page.keyboard.press("ArrowRight")
        assert status(page).startswith("forward 9/9: C = ½(a₄ − 0)²")
        assert lit(page) == set()
        page.keyboard.press("ArrowRight")
        assert status(page) == "backward 1/9, from C: ∂C/∂a₄ = 0.4477"
        assert lit(page) == {"C", "a₄"}
        page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowRight")
        assert status(page) == "backward 3/9, from z₄: ∂C/∂w₄ = 0.07197, ∂C/∂a₃ = −0.04428, ∂C/∂b₄ = 0.1107"
        assert lit(page) == {"C", "a₄", "z₄", "w₄", "b₄", "a₃"}
        assert page.evaluate(LIT_WIRES) == 5
        page.keyboard.press("ArrowLeft")
        assert lit(page) == {"C", "a₄", "z₄"}
        page.click("#last")
        assert len(lit(page)) == 18


def test_what_several_users_give_is_added_up_step_by_step(browser, folder):
    x = vg.Tensor(2.0, "x")
    a, b = (x * x).named("a"), (3 * x).named("b")
    with browser.page(explore((a + b).named("y"), folder / "sum.html")) as page:
        page.click("#first")
        for _ in range(5):
            page.click("#step")
        assert status(page) == "backward 2/3, from b: ∂y/∂x = 3 so far"
        assert "part" in page.locator("#n0 .v").nth(1).get_attribute("class")
        page.click("#step")
        assert status(page) == "end: both passes are done"
        assert page.locator("#n0 .v").nth(1).text_content() == "7"
        page.locator("#n0").dispatch_event("click")
        assert page.text_content("#sum") == "∂y/∂x = 7, the sum over 3 paths: 3 + 2 + 2"


def test_presets(browser, chain_page):
    with browser.page(chain_page) as page:
        recorded = numbers_of(page)
        page.click("text=best case")
        found = numbers_of(page)
        assert_allclose([found[f"z{k}"][0] for k in "₁₂₃₄"], 0, atol=1e-15)
        assert [found[f"w{k}"][0] for k in "₁₂₃₄"] == [1] * 4
        assert_allclose(found["b₃"][1] / found["b₁"][1], 16, rtol=1e-13)
        page.click("text=explode")
        found = numbers_of(page)
        assert_allclose([found[f"b{k}"][0] for k in "₁₂₃₄"], [-70, -50, -50, -50], rtol=1e-14)
        assert_allclose(found["b₁"][1] / found["b₃"][1], 625, rtol=1e-12)
        assert page.locator(".hot .bw").count() > 0
        page.click("text=N(0,1)")
        drawn = numbers_of(page)
        assert drawn["a₀"][0] == 0.7
        page.click("text=N(0,1)")
        again = numbers_of(page)
        assert all(drawn[f"{n}{k}"][0] != again[f"{n}{k}"][0] for n in "wb" for k in "₁₂₃₄")
        page.click("text=as recorded")
        assert numbers_of(page) == recorded


def test_a_slider_moves_its_variable(browser, chain_page):
    with browser.page(chain_page) as page:
        slider = page.get_by_label("b₂", exact=True)
        assert slider.get_attribute("type") == "range"
        slider.evaluate('s => { s.value = 1.5; s.dispatchEvent(new Event("input")); }')
        expected = truth(neuron_chain(b=(0.1, 1.5, 0.3, 0.05)).cost)
        check(numbers_of(page), expected, 1e-12)
        assert page.get_by_label("b₂, as a number").input_value() == "1.5"
        assert slider.get_attribute("aria-valuetext") == "1.5"
        page.get_by_label("w₃, as a number").fill("-40")
        page.get_by_label("w₃, as a number").press("Enter")
        assert page.get_by_label("w₃", exact=True).get_attribute("min") == "-40"
        assert numbers_of(page)["w₃"][0] == -40
        page.get_by_label("w₃, as a number").fill("")
        page.get_by_label("w₃, as a number").press("Enter")
        assert page.get_by_label("w₃, as a number").input_value() == "-40"


def marked(page):
    """The labels of the wires drawn in full."""
    return set(page.evaluate('[...document.querySelectorAll(".l:not(.off)")].map(l => l.firstChild.textContent)'))


def test_a_click_on_a_variable_shows_its_path_and_its_product(browser, chain_page):
    with browser.page(chain_page) as page:
        assert page.text_content("h1").startswith("∂C/∂b₁ = σ′(z₁) · w₂σ′(z₂)")
        page.locator(".n", has_text="b₃bias").click()
        assert page.text_content("h1") == "∂C/∂b₃ = σ′(z₃) · w₄σ′(z₄) · ∂C/∂a₄"
        assert marked(page) == {"∂C/∂a₄", "×σ′(z₄)", "×w₄", "×σ′(z₃)", "×1"}
        rows = page.evaluate(
            '[...document.querySelectorAll("#terms tr")].map(r => [...r.cells].slice(0, 3).map(c => c.textContent))'
        )
        assert [row[0] for row in rows] == ["∂C/∂a₄", "w₄σ′(z₄)", "σ′(z₃)"]
        assert rows[-1][2] == number(BOOK_GRADIENT[2])
        widths = page.evaluate(
            '[...document.querySelectorAll("#terms rect")].map(r => Number(r.getAttribute("width")))'
        )
        assert all(a > b for a, b in pairwise(widths))
        page.select_option("#by", label="∂C/∂w₁")
        assert page.text_content("h1").startswith("∂C/∂w₁ = a₀σ′(z₁)")
        page.select_option("#by", label="no path")
        assert page.text_content("h1") == "Backprop graph of C"
        assert len(marked(page)) == 14
        assert page.is_hidden("#table")


def test_one_of_several_paths_can_be_chosen(browser, folder):
    x = vg.Tensor(2.0, "x")
    a, b = (x * 3).named("a"), np.sin(x).named("b")
    with browser.page(explore((a * b).named("y"), folder / "paths.html")) as page:
        options = page.locator("#path option").all_text_contents()
        assert options == ["1: 3 · b", "2: cos(x) · a"] or options[0].startswith("1:")
        page.select_option("#path", index=1)
        total = page.text_content("#sum")
        assert "the sum over 2 paths" in total
        assert page.locator("#terms tr").count() == 2
        before = marked(page)
        page.select_option("#path", index=0)
        assert marked(page) != before


def facts(page):
    return dict(page.evaluate(FACTS))


def test_hover_focus_and_click_tell_what_a_card_holds(browser, chain_page):
    with browser.page(chain_page) as page:
        z2 = page.locator(".n", has_text="z₂= ")
        z2.hover()
        assert page.text_content("#details-title") == "z₂ = w₂·a₁ + b₂"
        found = facts(page)
        assert found["local ∂z₂/∂w₂ = a₁"] == "0.6593"
        assert found["local ∂z₂/∂b₂"] == "1"
        assert found["in"] == "layer 2"
        assert found["from a₂: grad × local"] == "−0.009064 × 0.2291 = −0.002076"
        page.mouse.move(2, 2)
        assert page.text_content("#details-title") == "b₁ bias"
        z2.focus()
        assert page.text_content("#details-title") == "z₂ = w₂·a₁ + b₂"
        page.locator("#step, #back").first.focus()
        assert page.text_content("#details-title") == "b₁ bias"
        z2.click()
        page.mouse.move(2, 2)
        page.locator("#theme").focus()
        assert page.text_content("#details-title") == "z₂ = w₂·a₁ + b₂"
        assert z2.get_attribute("aria-pressed") == "true"


def test_everything_can_be_done_from_the_keyboard(browser, chain_page):
    with browser.page(chain_page) as page:

        def focused():
            return page.evaluate("document.activeElement.id")

        order = []
        for _ in range(30):
            page.keyboard.press("Tab")
            order.append(focused())
        assert order[:3] == ["theme", "first", "back"]
        stops = [x for x in order if re.fullmatch(r"n\d+", x)]
        assert stops == ["n0"]  # the picture is one stop
        assert {f"range{k}" for k in range(9)} | {f"exact{k}" for k in range(9)} <= set(order) | {"exact8"}
        page.locator("#n0").focus()
        for _ in range(5):
            page.keyboard.press("ArrowDown")
        assert focused() == "n5"
        page.keyboard.press("Enter")
        assert page.text_content("h1").startswith("∂C/∂w₂")
        page.keyboard.press("End")
        assert focused() == "n17"
        page.keyboard.press("Home")
        page.keyboard.press("ArrowUp")
        assert focused() == "n0"
        page.keyboard.press("ArrowLeft")
        assert status(page).startswith("backward 8/9")
        assert page.evaluate('getComputedStyle(document.querySelector("#n0 > rect")).strokeWidth') == "4px"
        page.locator("#range0").focus()
        before = numbers_of(page)["w₁"][0]
        page.keyboard.press("ArrowRight")  # moves the slider, not the step
        assert numbers_of(page)["w₁"][0] > before
        assert status(page).startswith("backward 8/9")


def test_controls_have_names_and_ids_are_unique(browser, chain_page):
    with browser.page(chain_page) as page:
        page.evaluate('document.querySelector("details").open = true')
        nameless = page.evaluate(
            """[...document.querySelectorAll("button, input, select, [role=button], [role=region], section, summary")]
            .filter(e => !e.hidden && !(e.getAttribute("aria-label") || e.textContent.trim()
              || (e.labels && [...e.labels].some(l => l.textContent.trim())))).map(e => e.outerHTML)"""
        )
        assert nameless == []
        ids = page.evaluate('[...document.querySelectorAll("[id]")].map(e => e.id)')
        assert len(ids) == len(set(ids))
        for attribute in ("aria-labelledby", "aria-describedby", "for"):
            used = page.evaluate(
                f'[...document.querySelectorAll("[{attribute}]")].map(e => e.getAttribute("{attribute}"))'
            )
            assert set(used) <= set(ids)
        label = page.get_attribute("#n17", "aria-label")
        assert label.startswith("C = ½(a₄ − 0)², value 0.1002, grad 1")
        assert page.get_attribute("#status", "role") == "status"
        assert page.locator("table th:not([scope])").count() == 0
        assert page.evaluate("document.documentElement.lang") == "en"


def luminance(colour):
    """Relative luminance of ``rgb(…)``, as WCAG defines it."""
    parts = [int(x) / 255 for x in re.findall(r"\d+", colour)[:3]]
    linear = [x / 12.92 if x <= 0.03928 else ((x + 0.055) / 1.055) ** 2.4 for x in parts]
    return float(np.dot(linear, (0.2126, 0.7152, 0.0722)))


def contrast(a, b):
    light, dark = sorted([luminance(a), luminance(b)], reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("dark", [False, True])
def test_light_and_dark(dark, browser, chain_page):
    surface = "getComputedStyle(document.documentElement).backgroundColor"
    with browser.page(chain_page, dark=dark) as page:
        assert (luminance(page.evaluate(surface)) < 0.1) is dark
        texts = page.evaluate(
            """[...document.querySelectorAll("#board text, #board tspan, h1, h2, p, td, th, button:enabled, label")]
            .filter(e => e.textContent.trim()).map(e => {
              const s = getComputedStyle(e); return e instanceof SVGElement ? s.fill : s.color; })"""
        )
        assert min(contrast(colour, page.evaluate(surface)) for colour in set(texts)) > 4.5
        lines = page.evaluate(
            '[...document.querySelectorAll(".bw, .fw, .c rect, .n > rect")].map(e => getComputedStyle(e).stroke)'
        )
        assert min(contrast(colour, page.evaluate(surface)) for colour in set(lines)) > 3
        page.click("#theme")
        assert (luminance(page.evaluate(surface)) < 0.1) is not dark
        page.click("#theme")
        assert (luminance(page.evaluate(surface)) < 0.1) is dark


def test_a_theme_can_be_set(browser, folder):
    path = explore(chain()[0], folder / "dark.html", theme="dark")
    with browser.page(path) as page:
        assert luminance(page.evaluate("getComputedStyle(document.documentElement).backgroundColor")) < 0.1


@pytest.mark.parametrize("kind", ["chain", "network", "names"])
def test_a_telephone_scrolls_no_page_sideways(kind, browser, folder, chain_page):
    path = chain_page
    if kind == "network":
        path = explore(network()[0], folder / "network.html")
    elif kind == "names":
        path = explore(
            (vg.Tensor(0.5, "权重" * 40) * vg.Tensor(0.5, "W" * 10_000)).named("m" * 99), folder / "names.html"
        )
    with browser.page(path, width=375, height=720) as page:
        page.evaluate('document.querySelector("details").open = true')
        assert page.evaluate("document.documentElement.scrollWidth") == 375
        frame, picture = page.locator("#picture").bounding_box(), page.locator("#board").bounding_box()
        assert frame["width"] <= 375
        assert picture["width"] > 375
        page.click("#first")
        page.click("#step")
        assert page.locator(".now").count() == 1
        box = page.locator(".now").bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 375 + 20  # the picture was scrolled to it
        small = page.evaluate(
            '[...document.querySelectorAll("button")].filter(b => b.getBoundingClientRect().height < 24).length'
        )
        assert small == 0


@pytest.mark.parametrize(("width", "wider"), [(1280, False), (1024, True), (640, True), (390, True)])
def test_the_chain_fits_a_screen_and_says_where_it_does_not(width, wider, browser, folder):
    """It shrinks as far as it can be read; below it scrolls in its own box, and a line says so, script or not."""
    path = explore(neuron_chain().cost, folder / "chain.html")
    with browser.page(path, width=width, javascript=width != 1024) as page:
        assert page.evaluate("document.documentElement.scrollWidth") == width
        assert page.evaluate("(p => p.scrollWidth > p.clientWidth)(document.getElementById('picture'))") is wider
        assert page.is_visible("#wide") is wider


OUTSIDE = """() => [...document.querySelectorAll(".n")].flatMap(card => {
  const box = card.querySelector("rect").getBBox(), texts = [...card.querySelectorAll("text")];
  const inside = b => b.x > 2 && b.x + b.width < box.width - 2 && b.y > 0 && b.y + b.height < box.height;
  const touch = (a, b) => a.x < b.x + b.width && b.x < a.x + a.width && Math.abs(a.y - b.y) < 6;
  return texts.filter((text, i) => !inside(text.getBBox())
    || texts.slice(i + 1).some(other => touch(text.getBBox(), other.getBBox()))).map(text => text.textContent);
})"""
OVERLAPPING = """() => {
  const shown = [...document.querySelectorAll(".l")].map(l => [l.textContent, l.getBBox()]);
  const cards = [...document.querySelectorAll(".n")].map(c => {
    const m = c.transform.baseVal.consolidate().matrix, b = c.querySelector("rect").getBBox();
    return ["card " + c.textContent, { x: m.e, y: m.f, width: b.width, height: b.height }];
  });
  const touch = (a, b) => a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
  return shown.flatMap(([s, a], i) =>
    [...shown.slice(i + 1), ...cards].filter(([, b]) => touch(a, b)).map(([t]) => [s, t]));
}"""


# Wires whose line or head does not begin at the border of one card and end at that of the other, to within a pixel.
LOOSE = """() => {
  const { cards, wires } = JSON.parse(document.getElementById("data").textContent);
  const gap = (i, x, y) => {
    const card = document.getElementById("n" + i), m = card.transform.baseVal.consolidate().matrix;
    const box = card.querySelector("rect").getBBox(), dx = x - m.e, dy = y - m.f;
    const beyond = Math.hypot(Math.max(-dx, 0, dx - box.width), Math.max(-dy, 0, dy - box.height));
    return beyond || Math.max(0, Math.min(dx, box.width - dx, dy, box.height - dy));
  };
  return wires.flatMap((w, k) => [["fw", w[0], w[1]], ["bw", w[1], w[0]]].flatMap(([kind, from, to]) => {
    const line = document.querySelector(`#e${k} > .${kind}`);
    if (!line) return [];
    const marker = document.querySelector(getComputedStyle(line).markerEnd.slice(5, -2));
    const head = marker.markerWidth.baseVal.value, length = line.getTotalLength();
    const [start, before, end] = [0, length - 1, length].map(at => line.getPointAtLength(at));
    const tip = [end.x + head * (end.x - before.x), end.y + head * (end.y - before.y)];
    const gaps = [gap(from, start.x, start.y), gap(to, ...tip)];
    return Math.max(...gaps) < 1 ? [] : [[kind, cards[from].name, cards[to].name, ...gaps]];
  }));
}"""


def readme_neuron():
    """The neuron of the README: its parameters stand above and below it, with long labels at their wires."""
    w, b = vg.Tensor(0.8, name="w"), vg.Tensor(0.1, name="b")
    a = vg.sigmoid(w * 0.7 + b).named("a")
    return ((a - 1) ** 2).named("C")


def perceptrons(sizes=(4, 3, 2), bias=-0.123456):
    """Layers whose biases are vectors of numbers with many digits."""
    rng = np.random.default_rng(1)
    a = vg.Tensor(rng.standard_normal((1, sizes[0])), "x")
    for j, (n_in, n_out) in enumerate(pairwise(sizes), 1):
        with vg.name_scope(f"layer {j}"):
            w, b = vg.Tensor(rng.standard_normal((n_in, n_out)), f"w{j}"), vg.Tensor(np.full(n_out, bias), f"b{j}")
            a = vg.sigmoid((a @ w + b).named(f"z{j}")).named(f"a{j}")
    return (0.5 * np.sum((a - 1) ** 2)).named("C")


PICTURES = {
    "chain": lambda: chain()[0],
    "chain with its input": lambda: neuron_chain().cost,
    "neuron": readme_neuron,
    "mlp": perceptrons,
    "deep mlp": lambda: perceptrons((3, 5, 6, 2), -1.23456e-5),
    "network": lambda: network()[0],
    "long names": lambda: named("hidden unit of the first layer"),
    "small slopes": lambda: small_slopes(),
    **{f"random {n}": lambda n=n: random_graph(n, n)(np.linspace(-1.7, 1.3, 4))[0] for n in (3, 6, 9, 12, 16, 20)},
    "straight past others": lambda: random_graph(48, 4)(np.linspace(-1.7, 1.3, 4))[0],
}


@pytest.mark.parametrize("name", PICTURES)
def test_wires_reach_their_cards_and_no_text_lies_on_another(name, browser, folder):
    with browser.page(explore(PICTURES[name](), folder / "picture.html")) as page:
        assert page.locator(".fw").count() > 0
        assert page.evaluate(LOOSE) == []
        assert page.evaluate(OVERLAPPING) == []
        assert page.evaluate(OUTSIDE) == []


def test_a_long_vector_is_shown_by_its_shape_and_norm(tmp_path):
    cards = {card["name"]: card for card in data_of(html_of(perceptrons(), tmp_path))["cards"]}
    rows = {row[0]: row[-1] for row in cards["b₁"]["rows"]}
    assert rows["shape"] == "3"
    assert rows["‖value‖"] == number(0.123456 * np.sqrt(3))
    assert "‖grad‖" in rows
    assert [row[0] for row in cards["b₂"]["rows"]] == ["value", "grad"]  # two numbers have room


def test_the_reason_calls_a_leaf_as_its_box(tmp_path):
    t = vg.Tensor([1.0, 2.0])
    data = data_of(html_of(np.sum(t * t).named("y"), tmp_path))
    assert data["cards"][0]["name"] == "t₁"
    assert data["why"].startswith("there are arrays in this graph ('t₁' of shape (2,))")


def test_every_text_is_inside_its_card_and_no_label_on_anything(browser, chain_page):
    with browser.page(chain_page) as page:
        for numbers in ([1.0] * 9, [-1.23456e-9] * 9, [-123.456] * 9, [-1.5e-200] * 9, [1e300] * 9):
            move(page, numbers)
            assert page.evaluate(OUTSIDE) == []
            assert page.evaluate(OVERLAPPING) == []


def small_slopes():
    """A local derivative with a long name and a long number."""
    z = (vg.Tensor(-1.2345e-5, "w") * -12.345).named("hidden_unit")
    return (z * -1.2345e-10).named("act")


@pytest.mark.parametrize("make", [lambda: network()[0], lambda: named("名字 and 名字 " * 20), small_slopes])
def test_texts_of_other_graphs_are_inside_too(make, browser, folder):
    with browser.page(explore(make(), folder / "texts.html")) as page:
        assert page.evaluate(OUTSIDE) == []


def test_without_javascript_the_page_stands_still_and_is_complete(browser, chain_page):
    texts = '[...document.querySelectorAll("#board text, h1, #terms td, #cards td, #sum")].map(e => e.textContent)'
    classes = (
        '[...document.querySelectorAll("#board [class]")].map(e => e.getAttribute("class").replace(" chosen", ""))'
    )
    widths = '[...document.querySelectorAll(".bw")].map(e => Number(e.getAttribute("stroke-width")).toFixed(1))'
    with browser.page(chain_page) as page:
        live = [page.evaluate(what) for what in (texts, classes, widths)]
    with browser.page(chain_page, javascript=False) as page:
        assert [page.evaluate(what) for what in (texts, classes, widths)] == live
        assert page.get_by_text("Without JavaScript").is_visible()
        assert page.is_hidden("#bar")
        assert page.is_hidden("#parameters")
        assert page.get_attribute("#board", "role") == "img"


def test_without_sliders_the_rest_works(browser, folder):
    x = vg.Tensor(2.0, "x")
    with browser.page(explore((cube(x) * x).named("y"), folder / "cube.html")) as page:
        assert page.text_content("#sliders") == "No sliders here: there is no JavaScript forward for cube."
        assert page.locator("input").count() == 0
        page.click("#first")
        page.click("#step")
        assert status(page) == "forward 1/1: y = cube(x)·x = 16"
        page.click("#step")
        page.locator("#n0").click()
        assert facts(page)["gradient ∂y/∂x"] == "32"


def test_a_network_has_the_same_page(browser, folder):
    cost, biases = network()
    with browser.page(explore(cost, folder / "network.html", wrt=biases[0])) as page:
        size = number(np.linalg.norm(vg.backprop(cost)[biases[0]]))
        assert page.locator(".n", has_text="b₁bias").locator(".v").nth(2).text_content() == size
        assert page.text_content("#sum") == f"‖∂C/∂b₁‖ = {size}"
        page.click("#first")
        assert "·" in page.locator(".n", has_text="b₁bias").locator(".v").nth(2).text_content()
        page.click("#last")
        page.locator(".n", has_text="w₂weight").click()
        assert page.text_content("h1").startswith("∂C/∂w₂")
        assert facts(page)["shape"] == "30×30"


@pytest.mark.parametrize(
    "make",
    [lambda: vg.Tensor(2.0, "x"), lambda: long_chain(2000)[1], lambda: (vg.Tensor([1.0, 2.0], "x") * 2).named("y")],
)
def test_odd_graphs_open_without_an_error(make, browser, folder):
    with browser.page(explore(make(), folder / "odd.html")) as page:
        page.keyboard.press("ArrowLeft")
        page.locator("#n0").dispatch_event("click")
        assert page.locator(".n").count() >= 1


def test_nothing_in_a_name_runs(browser, folder):
    root = named(NASTY[0])
    for name in NASTY[1:10]:
        root = (root * vg.Tensor(1.5, name)).named(name)
    with browser.page(explore(root, folder / "names.html")) as page:
        assert page.locator("script").count() == 2
        assert page.locator(".n").count() == 3 + 18
        for i in range(21):
            page.evaluate(CHOOSE, i)
        page.click("#first")
        page.click("#step")
        assert page.locator("script").count() == 2
