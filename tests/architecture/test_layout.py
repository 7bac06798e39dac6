"""The shape of the tree: what lies where, how long it is and what it is called."""

import ast
import re
from pathlib import PurePosixPath

import pytest

from tests.architecture.source_tree import Function, modules, product_modules, tracked_files

TOP_LEVEL = {
    *("broker", "policies", "connectors", "audit", "tests", "docs", "pyproject.toml"),
    *("README.md", "LICENSE", "CHANGELOG.md", "Makefile", ".ci", ".gitignore", ".editorconfig"),
    *("requirements.txt", "requirements-dev.txt", "requirements-bootstrap.txt"),
}
VAGUE = re.compile(r"(^|_)(utils?|helpers?|common|managers?|base|misc|stuff)(_|$)")
MAX_FILE_LINES = 300
MAX_BODY_LINES = 40


def test_the_top_level_is_fixed() -> None:
    """Nothing lies at the top but what architecture section 3 names."""
    assert {name.partition("/")[0] for name in tracked_files()} <= TOP_LEVEL


def test_no_module_has_a_name_that_says_nothing() -> None:
    """A module's name is a noun for what it holds or a verb for what it does, never `utils`, `common` or the like."""
    paths = [PurePosixPath(module.path) for module in (*product_modules(), *modules("tests"))]
    assert [str(path) for path in paths if any(VAGUE.search(part) for part in path.with_suffix("").parts)] == []


def test_no_file_grows_long() -> None:
    """A file of the product or of the build stays under 300 lines, so that it can be read in one sitting."""
    build = [module for module in modules("tests") if module.path.startswith("tests/check/")]
    files = [*product_modules(), *build]
    lengths = {module.path: module.text.count("\n") for module in files}
    assert {path: lines for path, lines in lengths.items() if lines >= MAX_FILE_LINES} == {}


def test_no_function_grows_long() -> None:
    """The body of a function that is no test stays under 40 lines; migrations list columns and are no flow."""
    files = [module for module in product_modules() if "/migrations/" not in module.path]
    lengths = {f"{module.path}:{node.name}": _body_lines(node) for module in files for node in module.functions()}
    assert {name: lines for name, lines in lengths.items() if lines >= MAX_BODY_LINES} == {}


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ("def f():\n    return 1\n", 1),
        ('def f(\n    a,\n    b,\n):\n    """Say.\n\n    More.\n    """\n    x = 1\n    return x\n', 2),
        ('def f():\n    """Say."""\n', 0),
        ("def f():\n    def g():\n        x = 1\n        return x\n\n    return g\n", 2),
    ],
)
def test_a_body_is_counted_without_signature_and_docstring(source: str, lines: int) -> None:
    """Naming and documenting parameters costs nothing, and a function within is measured by itself."""
    function = ast.parse(source).body[0]
    assert isinstance(function, ast.FunctionDef)
    assert _body_lines(function) == lines


def _body_lines(node: Function) -> int:
    statements = node.body[1:] if ast.get_docstring(node) is not None else node.body
    if not statements:
        return 0
    within = [each for each in ast.walk(node) if each is not node and isinstance(each, Function)]
    outermost = [each for each in within if not any(each in ast.walk(other) for other in within if other is not each)]
    return _lines(statements[0], statements[-1]) - sum(_lines(each, each) for each in outermost)


def _lines(first: ast.stmt, last: ast.stmt) -> int:
    return (last.end_lineno or last.lineno) - first.lineno + 1
