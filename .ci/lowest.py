"""Print the lowest versions that pyproject.toml declares, as pip reads constraints.

Those of the package and of its extra `test`, for example `numpy==1.26`. A requirement without a
lower bound is left to pip.
"""

import tomllib
from pathlib import Path

project = tomllib.loads(Path("pyproject.toml").read_text("utf-8"))["project"]
for requirement in project["dependencies"] + project["optional-dependencies"]["test"]:
    name, bound, version = requirement.partition(">=")
    if bound:
        print(f"{name}=={version}")
