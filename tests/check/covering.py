"""A plugin of pytest: which lines and branches of the security-critical modules the tests run.

    python -m pytest -p tests.check.covering --covered FILE

FILE becomes a JSON report for `critical.py`, of all processes of a run together. Measured by SlipCover, which takes its
probes out of what was seen: tracing (coverage.py on Python before 3.14) doubles the processor time of these tests.
"""

import json
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import slipcover
from slipcover.importer import SlipcoverLoader

from tests.check.critical import critical_modules

OPTION = "--covered"
EXCLUDED = [
    r"^\s*\.\.\.$",  # the body of a Protocol method is never run
    r"if TYPE_CHECKING:",  # imports for the type checker only
]
_SENT = "covered"


class Finder(MetaPathFinder):
    """Puts probes into these modules where they are imported, and leaves all others alone."""

    def __init__(self, probes: slipcover.Slipcover, modules: dict[str, str]) -> None:
        """Name each module by its dotted name, with its file."""
        self._probes = probes
        self._modules = modules

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return how to import a module of ours that is measured."""
        if fullname not in self._modules:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.loader is not None and spec.origin == self._modules[fullname]:
            spec.loader = SlipcoverLoader(self._probes, spec.loader, spec.origin)
        return spec


class Covering:
    """What one process measures, and, in the process that leads the others, what all of them measured."""

    def __init__(self, root: Path, out: Path) -> None:
        """Measure what is imported from now on; who leads the run writes the report to `out`."""
        paths = sorted({path for found in critical_modules(root).values() for path in found})
        modules = {_dotted(path): str(root / path) for path in paths}
        early = modules.keys() & sys.modules.keys()
        if early:
            msg = f"imported before anybody could measure it: {', '.join(sorted(early))}"
            raise pytest.UsageError(msg)
        self._probes = slipcover.Slipcover(branch=True, exclude_also=EXCLUDED)
        self._out = out
        self.seen: dict[str, Any] | None = None
        sys.meta_path.insert(0, Finder(self._probes, modules))

    def add(self, report: dict[str, Any]) -> None:
        """What another process measured belongs to the report."""
        self.seen = report if self.seen is None else slipcover.merge_coverage(self.seen, report)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:  # noqa: ANN401 - xdist states no type
        """A worker is done; one that died measured nothing, so what it ran is missing from the report."""
        if _SENT in getattr(node, "workeroutput", {}):
            self.add(json.loads(node.workeroutput[_SENT]))

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """The report is where it was asked for."""
        own = json.dumps(self._probes.get_coverage())
        if hasattr(session.config, "workeroutput"):  # xdist: another process leads this one
            session.config.workeroutput[_SENT] = own
            return
        self.add(json.loads(own))
        self._out.write_text(json.dumps(self.seen), encoding="utf-8")


def _dotted(path: str) -> str:
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Measuring is asked for with the file of its report."""
    parser.addoption(OPTION, type=Path, metavar="FILE", help="Write what critical modules ran to FILE, as JSON.")


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Measuring begins before the first `conftest.py` imports anything of ours."""
    out = early_config.known_args_namespace.covered
    if out is not None:
        early_config.pluginmanager.register(Covering(early_config.rootpath, out), "sluis-covering")
