"""What every file says about itself: docstrings, reasons beside exceptions, nothing left undone."""

import ast
import re

from tests.architecture.source_tree import Function, Module, modules, product_modules

EXCEPTION = re.compile(r"(noqa|type:\s*ignore|pragma:\s*no\s*cover|nosec)\b")
# the mark, its codes, and then a reason of at least two words
REASONED = re.compile(
    r"(noqa:\s*[A-Z]+[0-9]+(\s*,\s*[A-Z]+[0-9]+)*|type:\s*ignore\[[a-z, -]+\]|pragma:\s*no\s*cover)"
    r"\s*(#|-+|–|:)+\s*\S+\s+\S+"
)
UNDONE = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
OFF = {"skip", "skipif", "xfail", "importorskip"}


def test_every_test_states_the_rule_it_protects() -> None:
    """A test opens with one sentence that says what must hold."""
    silent = [
        f"{module.path}:{node.name}"
        for module in modules("tests")
        for node in module.functions()
        if node.name.startswith("test_") and not _one_sentence(node)
    ]
    assert silent == []


def test_every_exception_to_a_rule_gives_its_reason() -> None:
    """A suppressed warning of any tool carries its code and a reason beside it."""
    bare = [f"{module.path}:{line}" for module in _all() for line, text in module.comments(EXCEPTION) if _is_bare(text)]
    assert bare == []


def test_nothing_is_left_for_later() -> None:
    """No comment promises work; what is not there is an issue."""
    marks = [f"{module.path}:{line}" for module in _all() for line, _ in module.comments(UNDONE)]
    assert marks == []


def test_no_test_is_switched_off() -> None:
    """No test is skipped or expected to fail: what cannot run fails and says what it needs."""
    used = [
        f"{module.path}:{node.lineno}"
        for module in modules("tests")
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute) and node.attr in OFF and ast.unparse(node).startswith("pytest.")
    ]
    assert used == []


def test_simulators_take_the_place_of_mocks() -> None:
    """No test uses a mock: a mock agrees with whatever it is told, a simulator keeps the rules of the real thing."""
    mocking = [
        module.path
        for module in modules("tests")
        for node in ast.walk(module.tree)
        if (isinstance(node, ast.ImportFrom) and node.module in {"unittest.mock", "mock"})
        or (isinstance(node, ast.Import) and any(alias.name in {"unittest.mock", "mock"} for alias in node.names))
        or (isinstance(node, ast.arg) and node.arg == "mocker")
    ]
    assert mocking == []


def test_the_measure_of_a_reason_knows_bare_marks() -> None:
    """The rule about reasons recognises marks with and without one."""
    assert _is_bare("# noqa: " + "S101")
    assert _is_bare("# type: " + "ignore[misc]")
    assert not _is_bare("# noqa: " + "S101 - the caller checked it")
    assert not _is_bare("# type: " + "ignore[misc]  # the library is untyped")


def _all() -> tuple[Module, ...]:
    return (*product_modules(), *modules("tests"))


def _one_sentence(node: Function) -> bool:
    docstring = ast.get_docstring(node)
    return docstring is not None and len(docstring.split()) > 2 and "\n\n" not in docstring.strip()


def _is_bare(comment: str) -> bool:
    return EXCEPTION.search(comment) is not None and REASONED.search(comment) is None
