"""Which pages the site has, in which order: the same in both languages."""

from typing import NamedTuple

__all__ = ["LANGUAGES", "SECTIONS", "Page", "Section", "title_of"]

LANGUAGES = ("en", "zh")


class Page(NamedTuple):
    """A page.

    Attributes
    ----------
    name
        Its place in the site, without suffix.
    zh
        Its title in Chinese, for the menu and for as long as it is not translated.
    source
        Where its text is, from the root of the repository; empty if it is made when the site is built.
    """

    name: str
    zh: str
    source: str = ""


class Section(NamedTuple):
    """A part of the menu."""

    en: str
    zh: str
    pages: tuple[Page, ...]


SECTIONS = (
    Section("Learn", "学习", (Page("tutorials/index", "教程"), Page("glossary", "术语表", "docs/glossary.md"))),
    Section(
        "Guide",
        "使用指南",
        (
            Page("guide/check", "检验你自己的导数", "docs/guide/check.md"),
            Page("guide/draw", "画你自己的图", "docs/guide/draw.md"),
            Page("guide/op", "写一个运算", "docs/guide/op.md"),
            Page("guide/train", "训练并观察一个网络", "docs/guide/train.md"),
            Page("gallery", "图集", "docs/gallery.md"),
            Page("checking", "检验小到 1e-12 的梯度", "docs/checking.md"),
        ),
    ),
    Section(
        "The chapter",
        "这一章",
        (Page("report/index", "第五章的复现报告"), Page("scaling", "不止一台机器", "docs/scaling.md")),
    ),
    Section("Reference", "参考", (Page("api/index", "API"), Page("api/command-line", "命令行"))),
    Section(
        "About",
        "关于",
        (
            Page("architecture", "架构", "docs/architecture.md"),
            Page("performance", "性能", "docs/performance.md"),
            Page("reliability", "可靠性", "docs/reliability.md"),
            Page("compared", "与其他库的比较", "docs/compared.md"),
            Page("contributing", "参与开发", "CONTRIBUTING.md"),
            Page("changelog", "更新记录", "CHANGELOG.md"),
        ),
    ),
)


def title_of(text: str) -> str:
    """The heading of a page."""
    return next(line[2:].strip() for line in text.splitlines() if line.startswith("# "))
