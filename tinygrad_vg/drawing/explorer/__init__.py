"""`explore`: one page in which a graph can be walked through and its leaves moved."""
