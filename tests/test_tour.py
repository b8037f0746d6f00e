"""The tour as its user runs it: files, numbers, languages, no engine, bad folders."""

import json
import re
import signal
from html.parser import HTMLParser
from xml.etree import ElementTree

import numpy as np
import pytest

from tinygrad_vg.datasets import mnist_sample
from tinygrad_vg.drawing import draw, layout
from tinygrad_vg.nn import MLP, losses
from tinygrad_vg.tour import run, steps
from tinygrad_vg.tour.texts import TEXTS
from tinygrad_vg.training import LearningSpeed

FILES = {"index.html", "chain.svg", "network.svg", "learning_speed.svg", "numbers.json"}


class Tags(HTMLParser):
    """Checks that what is opened is closed, and gathers texts and references to the outside."""

    VOID = frozenset(["meta", "br", "hr", "img", "link", "input"])

    def __init__(self):
        super().__init__()
        self.open, self.texts, self.links, self.lang = [], [], [], None

    def handle_starttag(self, tag, attrs):
        if tag not in self.VOID:
            self.open.append(tag)
        self.lang = dict(attrs).get("lang", self.lang)
        self.links += [v for k, v in attrs if k in ("src", "href", "xlink:href") and v and not v.startswith("#")]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)


@pytest.fixture(scope="module")
def tour(tmp_path_factory):
    steps_seeds, steps.SEEDS = steps.SEEDS, 6
    try:
        out = tmp_path_factory.mktemp("tour")
        return run(out, epochs=4, hidden=(8, 6), seed=2, quiet=True)
    finally:
        steps.SEEDS = steps_seeds


def read(index):
    tags = Tags()
    tags.feed(index.read_text(encoding="utf-8"))
    assert not tags.open
    return tags


def test_it_writes_its_files_and_nothing_else(tour):
    assert {path.name for path in tour.parent.iterdir()} == FILES


def test_the_page_is_well_formed_and_loads_nothing(tour):
    tags = read(tour)
    assert tags.links == []
    assert tags.lang == "en"
    assert "Content-Security-Policy" in tour.read_text(encoding="utf-8")


def test_no_placeholder_is_left(tour):
    text = "".join(read(tour).texts)
    assert not re.search(r"\{[a-z_]+\}", re.sub(r"<style>.*?</style>", "", text))


@pytest.mark.parametrize("name", ["chain.svg", "network.svg", "learning_speed.svg"])
def test_pictures_are_well_formed_and_described(tour, name):
    root = ElementTree.parse(tour.parent / name).getroot()
    assert root.tag.endswith("svg")
    assert root.get("role") == "img"
    assert [child.tag.split("}")[1] for child in root][:2] == ["title", "desc"]


def test_the_chain_shows_its_terms(tour):
    text = "".join(ElementTree.parse(tour.parent / "chain.svg").getroot().itertext())
    for piece in ("σ′(z₁)", "w₂σ′(z₂)", "w₃σ′(z₃)", "w₄σ′(z₄)", "2.798e−4"):
        assert piece in text


def test_the_curves_have_a_line_for_each_hidden_layer(tour):
    text = "".join(ElementTree.parse(tour.parent / "learning_speed.svg").getroot().itertext())
    assert "hidden layer 1" in text
    assert "hidden layer 2" in text
    assert "hidden layer 3" not in text


def test_the_numbers_are_those_of_the_run(tour):
    found = json.loads((tour.parent / "numbers.json").read_text())
    assert found["sizes"] == [784, 8, 6, 10]
    assert np.shape(found["norms"]) == (4, 2)
    assert np.shape(found["initial_norms"]) == (6, 2)
    assert [row["parameter"] for row in found["gradient_check"]] == ["w1", "b1", "w2", "b2", "w3", "b3"]
    assert all(row["fail"] == row["unresolved"] == 0 for row in found["gradient_check"])
    assert found["gradient_check"][0]["zero"] > 0  # pixels that are 0 in all digits
    np.testing.assert_allclose(
        found["chain_gradients"], [2.79845537236e-4, -2.07628769018e-3, -1.00706771205e-2, 1.10692885582e-1], rtol=1e-11
    )
    np.testing.assert_allclose(
        found["norms"][0], found["initial_norms"][0], rtol=1e-12
    )  # seed 2 is the first of its seeds
    assert found["cost"][1] < found["cost"][0]


def test_the_same_seed_gives_the_same_pictures(tour, tmp_path, monkeypatch):
    monkeypatch.setattr(steps, "SEEDS", 6)
    again = run(tmp_path / "again", epochs=4, hidden=(8, 6), seed=2, quiet=True)
    for name in FILES - {"index.html", "numbers.json"}:
        assert (again.parent / name).read_bytes() == (tour.parent / name).read_bytes(), name


def test_in_chinese(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(steps, "SEEDS", 2)
    index = run(tmp_path, epochs=2, hidden=(4,), seed=0, lang="zh")
    assert read(index).lang == "zh-CN"
    assert "学得有多快" in index.read_text(encoding="utf-8")
    assert "检验梯度" in capsys.readouterr().out


def test_both_languages_say_the_same_things():
    assert TEXTS["en"].keys() == TEXTS["zh"].keys()
    for key, english in TEXTS["en"].items():
        assert set(re.findall(r"\{(\w+)\}", english)) == set(re.findall(r"\{(\w+)\}", TEXTS["zh"][key])), key
        assert english.count("|") == TEXTS["zh"][key].count("|"), key


def test_without_any_engine_the_page_says_what_to_do(tmp_path, monkeypatch):
    def nothing(*args, **kwargs):
        raise layout.NoLayoutEngineError("nothing can lay out the graph", where="here", cure="install Graphviz")

    monkeypatch.setattr(steps, "SEEDS", 2)
    monkeypatch.setattr(layout, "render", nothing)
    index = run(tmp_path, epochs=2, hidden=(4,), seed=0, quiet=True)
    assert "install Graphviz" in index.read_text(encoding="utf-8")
    assert (tmp_path / "chain.dot").read_text(encoding="utf-8").startswith("digraph")
    assert not (tmp_path / "chain.svg").exists()


def test_a_file_in_the_way_is_named(tmp_path):
    (tmp_path / "out").write_text("here first")
    with pytest.raises(NotADirectoryError, match="out is a file"):
        run(tmp_path / "out", epochs=1, quiet=True)
    assert (tmp_path / "out").read_text() == "here first"


def test_quiet_is_quiet(tmp_path, monkeypatch, capfd):
    monkeypatch.setattr(steps, "SEEDS", 2)
    run(tmp_path, epochs=1, hidden=(3,), seed=0, quiet=True)
    assert capfd.readouterr() == ("", "")


def test_one_hidden_layer_makes_no_claim_about_growth(tmp_path, monkeypatch):
    monkeypatch.setattr(steps, "SEEDS", 2)
    page = run(tmp_path, epochs=1, hidden=(3,), seed=0, quiet=True).read_text(encoding="utf-8")
    assert "grows towards the output" not in page
    found = json.loads((tmp_path / "numbers.json").read_text())
    assert found["cost"][1] < found["cost"][0]  # after the one step


def test_ctrl_c_in_training_writes_the_page_first(tmp_path, monkeypatch):
    monkeypatch.setattr(steps, "SEEDS", 2)
    record = LearningSpeed.epoch

    def pressed(self, run):
        record(self, run)
        if run.epoch == 3:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(LearningSpeed, "epoch", pressed)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, epochs=50, hidden=(3,), seed=0, quiet=True)
    assert np.shape(json.loads((tmp_path / "numbers.json").read_text())["norms"])[0] < 6
    assert "Interrupted" in (tmp_path / "index.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_words_under_the_network_name_the_targets_as_its_picture_does(lang):
    net = MLP([784, 30, 10], seed=0)
    images, labels = mnist_sample().train
    cost = losses.cross_entropy(net.logits(images[:5]), labels[:5])
    outline = draw(cost, level="layer")._repr_mimebundle_()["text/plain"]
    constants = re.findall(r"^(\S+) constant", outline, re.MULTILINE)
    (targets,) = set(constants) - {"x"}
    text = TEXTS[lang]["network_text"]
    assert re.search(rf"\b{targets} (is 1|= 1)", text)
    assert not re.search(r"c[₀-₉]", text)
