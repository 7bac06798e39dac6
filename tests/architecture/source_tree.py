"""What the architecture tests look at: the tracked files of this checkout and the parsed modules of our packages."""

import ast
import re
import subprocess
import tokenize
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("broker", "policies", "connectors", "audit")
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True, kw_only=True)
class Module:
    """One Python file: its path from the root, its text and its syntax tree."""

    path: str
    text: str
    tree: ast.Module

    def functions(self) -> Iterator[Function]:
        """Yield every function and method, nested ones included."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield node

    def comments(self, mark: re.Pattern[str]) -> Iterator[tuple[int, str]]:
        """Yield the line number and text of every comment in which this mark stands."""
        if mark.search(self.text) is None:
            return  # reading a file token by token takes a hundred times as long
        lines = iter(self.text.splitlines(keepends=True))
        for token in tokenize.generate_tokens(lambda: next(lines, "")):
            if token.type == tokenize.COMMENT and mark.search(token.string):
                yield token.start[0], token.string

    def imported(self) -> set[str]:
        """Return the first part of the name of every absolute import."""
        return set(_imported(self))


@cache
def _imported(module: Module) -> frozenset[str]:
    names: set[str] = set()
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            names.update(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names.add(node.module.partition(".")[0])
    return frozenset(names)


@cache
def tracked_files() -> tuple[str, ...]:
    """Return the files that are, or with the next commit will be, part of the project: all but the ignored."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout.decode()
    return tuple(sorted(name for name in listed.split("\0") if name and (ROOT / name).is_file()))


@cache
def modules(*folders: str) -> tuple[Module, ...]:
    """Return the parsed Python files below these folders."""
    names = [name for name in tracked_files() if name.endswith(".py") and name.partition("/")[0] in folders]
    return tuple(_parse(name) for name in names)


def product_modules() -> tuple[Module, ...]:
    """Return the modules of the four packages."""
    return modules(*PACKAGES)


@cache
def _parse(name: str) -> Module:
    text = (ROOT / name).read_text(encoding="utf-8")
    return Module(path=name, text=text, tree=ast.parse(text))


@cache
def project_settings() -> dict[str, Any]:
    """Return `pyproject.toml`, parsed."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
