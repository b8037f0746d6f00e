"""Pictures on the pages: what a notebook shows is described by its text, and wide pictures can be moved sideways."""

from docutils import nodes
from sphinx.application import Sphinx

__all__ = ["setup"]


def describe(app: Sphinx, doctree: nodes.document) -> None:
    """Give each picture of a notebook the sentence that `show` and `plot` were given, as its alternative text."""
    for bundle in doctree.findall(is_bundle):
        texts = [
            one.astext()
            for one in bundle.children
            if isinstance(one, nodes.Element) and one.get("mime_type") == "text/plain"
        ]
        for image in bundle.findall(nodes.image):
            if texts and "alt" not in image:
                image["alt"] = texts[0].strip()


def is_bundle(node: nodes.Node) -> bool:
    """Whether a node holds one output of a cell in several formats."""
    return isinstance(node, nodes.container) and node.get("nb_element") == "mime_bundle"


def frame(app: Sphinx, doctree: nodes.document, name: str) -> None:
    """Put every picture that stands by itself into a box of its own, and let it lead to itself in full size."""
    top = "../" * name.count("/")
    for image in list(doctree.findall(nodes.image)):
        stands_in = image.parent
        alone = isinstance(stands_in, nodes.paragraph) and len(stands_in) == 1
        target = stands_in if alone else image
        if alone or isinstance(stands_in, nodes.container):
            box = nodes.container(classes=["picture"])
            target.replace_self(box)
            file = app.env.images[image["uri"]][1]
            box += nodes.reference("", "", image, refuri=f"{top}_images/{file}", internal=True)


def setup(app: Sphinx) -> dict[str, bool]:
    """Sphinx calls it."""
    app.connect("doctree-read", describe)
    app.connect("doctree-resolved", frame)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
