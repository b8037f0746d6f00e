"""The pictures and tables of the docs, one subject a file; `make_images.py` puts them in their places."""
