"""Every error of ours belongs to a tree with one root, so that one `except` and one map are enough."""

import ast
import importlib

from tests.architecture.source_tree import Module, product_modules

# What Python or a library asks to be raised to it is no error of ours.
FOREIGN = {
    "BaseException",
    "Exception",
    "ValueError",
    "TypeError",
    "RuntimeError",
    "OSError",
    "LookupError",
    "KeyError",
}


def error_classes() -> list[type[BaseException]]:
    """Return every exception class our packages define for others: no warnings, none that stays inside its module."""
    found: list[type[BaseException]] = []
    for module in product_modules():
        names = _public_errors(module)
        if not names:
            continue
        loaded = importlib.import_module(_dotted(module.path))
        found += [each for each in (getattr(loaded, name) for name in names) if issubclass(each, BaseException)]
    return found


def roots() -> set[type[BaseException]]:
    """Return our exception classes that descend from no other of ours."""
    classes = set(error_classes())
    return {each for each in classes if not any(base in classes for base in each.__mro__[1:])}


def test_each_package_has_few_roots_and_they_stand_in_errors_modules() -> None:
    """A root of errors is defined in a module called `errors`, one for each package that stands alone."""
    strays = sorted(f"{root.__module__}.{root.__qualname__}" for root in roots() if not _in_errors_module(root))
    assert strays == []


def test_every_errors_module_draws_its_tree() -> None:
    """A reader sees the whole tree of a package's errors in the docstring of the module that defines its root."""
    missing = []
    for module in product_modules():
        if not module.path.endswith("/errors.py"):
            continue
        drawing = ast.get_docstring(module.tree) or ""
        missing += [f"{module.path}:{name}" for name in _public_errors(module) if name not in drawing]
    assert missing == []


def _public_errors(module: Module) -> list[str]:
    names = [node.name for node in module.tree.body if isinstance(node, ast.ClassDef)]
    return [name for name in names if name.endswith(("Error", "Exception")) and not name.startswith("_")]


def _dotted(path: str) -> str:
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _in_errors_module(each: type[BaseException]) -> bool:
    return each.__module__.rpartition(".")[2] == "errors"
