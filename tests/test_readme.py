"""The READMEs do what they say."""

import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).parent.parent
READMES = ["README.md", "README.zh.md"]
pytestmark = pytest.mark.skipif(not (ROOT / "README.md").exists(), reason="the tests run away from the repository")


def blocks(name, language):
    return re.findall(rf"```{language}\n(.*?)```", (ROOT / name).read_text(encoding="utf-8"), flags=re.DOTALL)


@pytest.mark.parametrize("name", READMES)
def test_the_python_in_it_runs(name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    names = {}
    for block in blocks(name, "python"):
        exec(compile(block, name, "exec"), names)
    printed = capsys.readouterr().out
    assert [line.split()[0] for line in printed.splitlines()[:3]] == ["b1", "b2", "b3"]
    assert "∂C/∂b" in printed
    assert (tmp_path / "network.svg").exists()


def test_both_give_the_same_code_but_for_comments_and_language():
    def bare(block):
        return re.sub(r"\s+#.*| --lang zh", "", block)

    for language in ("python", "sh"):
        assert [*map(bare, blocks("README.md", language))] == [*map(bare, blocks("README.zh.md", language))]


@pytest.mark.parametrize("name", READMES)
def test_links_and_pictures_are_there(name):
    for target in re.findall(r"\]\(([^)#]+)\)", (ROOT / name).read_text(encoding="utf-8")):
        if not target.startswith("http"):
            assert (ROOT / target).exists(), target


@pytest.mark.parametrize("name", READMES)
def test_every_picture_has_a_text(name):
    assert all(re.findall(r"!\[([^]]*)\]", (ROOT / name).read_text(encoding="utf-8")))


def test_the_picture_is_the_one_its_script_draws(tmp_path):
    subprocess.run([sys.executable, ROOT / "docs" / "make_images.py", "chain", "--into", tmp_path], check=True)
    drawn, kept = (
        "".join(ElementTree.parse(d / "chain.svg").getroot().itertext()) for d in (tmp_path, ROOT / "docs/images")
    )
    assert drawn.split() == kept.split()
