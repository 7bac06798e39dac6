"""Every await in a flow goes through a port (architecture D15)."""

import ast
import importlib
from functools import cache
from pathlib import Path

import pytest

import broker.flows

FLOWS = Path(next(iter(broker.flows.__path__)))
MODULES = sorted(FLOWS.glob("*.py"))
PORT_MODULES = [importlib.import_module(f"broker.{path.stem}") for path in sorted(FLOWS.parent.glob("*ports.py"))]
PORTS = frozenset(
    name for module in PORT_MODULES for name, value in vars(module).items() if getattr(value, "_is_protocol", False)
)
DECISIONS = frozenset(
    {
        "Callable[[], Awaitable[Outcome]]",
        "Callable[[Register], Awaitable[Told]]",
        "Callable[[OnRequest], Awaitable[Outcome]]",
    }
)
CLASSES = [
    node
    for module in MODULES
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8")))
    if isinstance(node, ast.ClassDef)
]
OWN_METHODS = frozenset(
    method.name for node in CLASSES for method in node.body if isinstance(method, ast.AsyncFunctionDef)
)
"""What the flows' own classes do asynchronously; each is looked at as every function is."""


@cache
def own_coroutines() -> frozenset[str]:
    """Return the names of all async functions that the flows define at the top of a module."""
    trees = [ast.parse(module.read_text(encoding="utf-8")) for module in MODULES]
    return frozenset(node.name for tree in trees for node in tree.body if isinstance(node, ast.AsyncFunctionDef))


def strays(source: str) -> list[str]:
    """Return what is awaited in a module besides ports, other flows and the decision that a flow hands on."""
    found = []
    for function in ast.walk(ast.parse(source)):
        if isinstance(function, ast.AsyncFunctionDef):
            found += _strays_of(function)
    return sorted(set(found) - _inside_closures(source))


def _strays_of(function: ast.AsyncFunctionDef) -> list[str]:
    parameters = {
        argument.arg: ast.unparse(argument.annotation)
        for argument in [*function.args.args, *function.args.kwonlyargs]
        if argument.annotation is not None
    }
    on_ports = {name for name, annotation in parameters.items() if annotation in PORTS} | _kept_ports()
    decisions = {name for name, annotation in parameters.items() if annotation in DECISIONS}
    allowed = own_coroutines() | decisions
    return [
        ast.unparse(node.value)
        for node in ast.walk(function)
        if isinstance(node, ast.Await) and not _is_allowed(node.value, on_ports, allowed)
    ]


@cache
def _kept_ports() -> set[str]:
    """Return what the flows' own classes keep of the ports, and what reads them: `self._signals`, `self._read`."""
    kept = set()
    for node in CLASSES:
        for method in node.body:
            if isinstance(method, ast.FunctionDef) and method.name == "__init__":
                given = [one for one in [*method.args.args, *method.args.kwonlyargs] if one.annotation is not None]
                said = {one.arg: ast.unparse(one.annotation) for one in given if one.annotation is not None}
                kept |= {
                    f"self._{name}" for name, annotation in said.items()
                    if annotation in PORTS or annotation.startswith("Callable[[]")
                }  # fmt: skip
    return kept


def _is_allowed(awaited: ast.expr, on_ports: set[str], allowed: frozenset[str]) -> bool:
    if not isinstance(awaited, ast.Call):
        return False
    called = awaited.func
    if isinstance(called, ast.Attribute):
        of = called.value.id if isinstance(called.value, ast.Name) else ast.unparse(called.value)
        return of in on_ports or called.attr in OWN_METHODS or ast.unparse(called) in on_ports
    return isinstance(called, ast.Name) and called.id in allowed


def _inside_closures(source: str) -> frozenset[str]:
    """Return the awaits of closures without parameters: they are judged as part of the function around them."""
    closures = [
        inner
        for outer in ast.walk(ast.parse(source))
        if isinstance(outer, ast.AsyncFunctionDef) and not _strays_of(outer)
        for inner in ast.walk(outer)
        if inner is not outer and isinstance(inner, ast.AsyncFunctionDef) and not inner.args.kwonlyargs
    ]
    return frozenset(
        ast.unparse(node.value) for inner in closures for node in ast.walk(inner) if isinstance(node, ast.Await)
    )


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.stem)
def test_a_flow_awaits_ports_only(module: Path) -> None:
    """Whatever a flow waits for is injectable: a port, or another flow that waits for ports."""
    assert strays(module.read_text(encoding="utf-8")) == []


def test_the_ports_are_those_of_the_architecture() -> None:
    """The check above knows the ports; an empty list would permit nothing and hide that it looks at nothing."""
    assert {
        "SignalStore",
        "Log",
        "AnswerStore",
        "EntryReader",
        "KeyDestruction",
        "RegisterReader",
        "RosterReader",
        "Clock",
    } <= PORTS
    assert len(MODULES) > 10


@pytest.mark.parametrize(
    "awaited", ["asyncio.sleep(1)", "client.get('/')", "task", "open_it()", "log.inner.commit(1)"]
)  # fmt: skip
def test_a_stray_await_is_seen(awaited: str) -> None:
    """The check finds an await on anything else, also inside the decision of a flow."""
    source = f"async def flow(*, log: Log, client: Client) -> None:\n    await log.commit(1)\n    await {awaited}\n"
    assert strays(source) == [ast.unparse(ast.parse(awaited, mode="eval").body)]
    nested = f"async def flow(*, log: Log) -> None:\n    async def decide() -> Outcome:\n        await {awaited}\n"
    assert strays(nested) == [ast.unparse(ast.parse(awaited, mode="eval").body)]
