"""Where the wheel's packages lie; all else about the project stands in pyproject.toml.

The weights and the page's pictures stay in folders of their own at the top of the repository; in
an installed copy they lie beside the code that reads them.
"""

from setuptools import find_packages, setup

ELSEWHERE = {"uncover.weights.embedded": "weights", "page.assets": "assets"}
CODE = find_packages(include=[f"{name}*" for name in ("uncover", "page", "training", "benchmark")])

setup(packages=[*CODE, *ELSEWHERE], package_dir=ELSEWHERE)
