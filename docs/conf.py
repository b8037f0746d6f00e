"""How Sphinx builds the site; ``python docs/make_site.py`` calls it once for each language."""

import sys
import warnings
from pathlib import Path

DOCS = Path(__file__).resolve().parent
sys.path.insert(0, str(DOCS))

from website.sources import names  # noqa: E402

import tinygrad_vg  # noqa: E402

# jieba is older than the way its words are packed nowadays.
warnings.filterwarnings("ignore", category=UserWarning, module="jieba")
warnings.filterwarnings("ignore", category=SyntaxWarning, module="jieba")

CHINESE = tags.has("zh")  # type: ignore[name-defined]  # noqa: F821  Sphinx gives the name

project = "tinygrad_vg"
author = "the authors of tinygrad_vg"
release = version = tinygrad_vg.__version__
language = "zh_CN" if CHINESE else "en"
html_title = "tinygrad_vg"

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.mathjax",
    "sphinx.ext.viewcode",
    "numpydoc",
    "website.mathjax",
    "website.docstrings",
    "website.listings",
    "website.pictures",
    "website.chinese",
]
exclude_patterns = ["extra", "files", "tutorials/copies"]
templates_path = ["website/templates"]

# ------------------------------------------------------------------------------------------------------------ the pages

myst_enable_extensions = ["dollarmath", "colon_fence", "deflist"]
myst_heading_anchors = 3
suppress_warnings = ["myst.header"]  # exercises stand below whatever comes before them

nb_execution_mode = "cache"
nb_execution_in_temp = True
nb_execution_raise_on_error = True
nb_execution_timeout = 300
nb_output_stderr = "error"
nb_merge_streams = True
nb_code_prompt_show = "答案" if CHINESE else "Solution"
nb_code_prompt_hide = "收起答案" if CHINESE else "Hide the solution"

# -------------------------------------------------------------------------------------------------------- the reference

default_role = "py:obj"  # names in docstrings lead to where they are explained
autodoc_typehints = "none"  # the docstrings give types, and shapes
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False
viewcode_line_numbers = True
add_module_names = False
toc_object_entries_show_parents = "hide"

# ------------------------------------------------------------------------------------------------------------ the looks

html_theme = "furo"
html_static_path = ["website/static"]
html_css_files = ["site.css"]
html_js_files = ["site.js"]
html_favicon = "website/static/icon.svg"
html_copy_source = False
html_domain_indices = False
html_show_copyright = False
html_extra_path = ["build/sources/zh/extra" if CHINESE else "build/sources/en/extra"]
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#1a67ad", "color-brand-content": "#1a67ad"},
    "dark_css_variables": {"color-brand-primary": "#7cb8e5", "color-brand-content": "#7cb8e5"},
}
html_sidebars = {
    "**": [
        "sidebar/brand.html",
        "sidebar/search.html",
        "sidebar/language.html",
        "sidebar/scroll-start.html",
        "sidebar/navigation.html",
        "sidebar/scroll-end.html",
    ]
}
html_context = {"chinese": CHINESE, "in_chinese": {*names("zh"), "search", "genindex"}}
