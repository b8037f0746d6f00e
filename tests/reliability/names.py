"""Names that somebody might give: every kind of markup, and what terminals and parsers trip over."""

from hypothesis import strategies as st

__all__ = ["LONG", "PIECES", "hostile"]

PIECES = [
    *(
        "<script>",
        "</script>",
        "<!--",
        "-->",
        "]]>",
        "<![CDATA[",
        "</text>",
        "</style>",
        "</svg>",
        "<b>",
        "<img src=x onerror=y>",
    ),
    *(
        "&",
        "&amp;",
        "&lt;",
        "&#0;",
        '"',
        "'",
        '" onload="x',
        "\\",
        '\\"',
        "\\N",
        "\\G",
        "\\l",
        "`",
        "$(x)",
        "${x}",
        "$x$",
        "%s",
        "{0}",
    ),
    *("|", "{", "}", "<", ">", ";", ":", "[", "]", "->", "label=<b>", "//", "/*", "#"),
    *("\n", "\r", "\t", "\0", "\x1b[31m", "\x7f", "\x85", "\u2028", "\u2029", "\ud800", "\ufeff", "\uffff"),
    *("\u202e", "\u2067", "\u200f", "e\u0301", "权重", "𝒛", "σ′", "a", "w1", " "),
]
LONG = "w<" * 5_000
hostile = st.lists(st.sampled_from(PIECES), min_size=1, max_size=8).map("".join)
