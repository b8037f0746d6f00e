"""Print a pip constraint ``name==version`` for the lower bound of every dependency in a pyproject.toml."""

import re
import sys
import tomllib

with open(sys.argv[1], "rb") as file:
    project = tomllib.load(file)["project"]
for requirement in project["dependencies"] + project["optional-dependencies"]["test"]:
    bound = re.match(r"([A-Za-z0-9_.-]+)>=([0-9.]+)", requirement)
    if bound is None:
        sys.exit(f"{requirement!r} has no lower bound")
    if bound[1] not in ("ruff", "mypy"):  # tools of the developer, not of the program
        print(f"{bound[1]}=={bound[2]}")
