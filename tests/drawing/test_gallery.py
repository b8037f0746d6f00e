"""What the gallery prints is what it says."""

import doctest
import re
from pathlib import Path

import pytest

import tinygrad_vg as vg

GALLERY = Path(__file__).resolve().parents[2] / "docs" / "gallery.md"


@pytest.mark.skipif(not GALLERY.exists(), reason="the tests run away from the repository")
def test_the_gallery_prints_what_it_says(tmp_path, monkeypatch):
    text = GALLERY.read_text(encoding="utf-8")
    made = re.search(r"chain = (vg\.lab\.neuron_chain\(.*\))\n", text)
    names = {"vg": vg, "chain": eval(made[1], {"vg": vg})}
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```pycon\n(.*?)```", text, re.DOTALL)
    examples = "\n".join([re.sub(r"\n\n(?=.)", "\n<BLANKLINE>\n", block) for block in blocks])
    told = []
    found = doctest.DocTestParser().get_doctest(examples, names, "gallery", None, None)
    result = doctest.DocTestRunner().run(found, out=told.append)
    assert not result.failed, "".join(told)
    assert result.attempted == 2
    assert "<svg" in (tmp_path / "chain.html").read_text(encoding="utf-8")
