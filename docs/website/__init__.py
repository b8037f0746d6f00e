"""The site: what turns the docs, the tutorials and the docstrings into pages; ``python docs/make_site.py`` runs it."""
