"""Every mutant of mutmut's tree meets its tests: `python -m tests.check.mutant_run`, started in `build/mutate/tree`.

mutmut makes the mutants and keeps their fates. It would start pytest anew for each of them; here one pytest session
collects the tests once, runs them once as written to learn which functions each of them runs, and then forks for every
mutant: the child turns its mutant on and runs the tests that run the changed function until one fails.

- A test runs what its fixtures ran, also when another test paid for it. A fixture of the session is kept for a mutant
  it did not run, and made anew under a mutant it did.
- What a cache of the changed module holds was made before the change, and is forgotten.
- Those that noticed most mutants of the module for their time go first; after `MUTANT_SECONDS` of tests a mutant counts
  as unnoticed. A score can be too low, never too high.
"""

import gc
import json
import os
import resource
import signal
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Generator
from pathlib import Path
from typing import cast

import pytest
from _pytest.runner import runtestprotocol
from mutmut import __main__ as command
from mutmut.configuration import config
from mutmut.mutation.data import SourceFileMutationData
from mutmut.mutation.trampoline import set_mutant_under_test
from mutmut.state import state
from mutmut.utils.file_utils import copy_also_copy_files, copy_src_dir, setup_source_paths
from mutmut.utils.format_utils import mangled_name_from_mutant_name

from tests.check.mutant_order import module_of, within

SECONDS = float(os.environ.get("MUTANT_SECONDS", "10"))
CHILDREN = int(os.environ.get("CHILDREN") or os.cpu_count() or 1)
LIMIT = 60
"""Seconds of processor time after which a mutant runs for ever, which is noticed."""

CONTROL, KEEPING = "x_nothing__mutmut_0", "x_nothing__mutmut_1"
"""The names of two mutants that change nothing: with the session's fixtures made anew, and kept."""

NOTICED, UNNOTICED, UNMET, BROKEN = 1, 0, 33, 35
"""mutmut's codes: killed, survived, no tests, suspicious."""


class MutantRun:
    """A pytest plugin that runs, instead of the tests, every mutant against the tests."""

    def __init__(self, modules: dict[str, SourceFileMutationData]) -> None:
        """Take the mutants, by dotted module."""
        self.modules = modules
        self.notes = Path("mutants").resolve()
        self.learned = Path("learned.json").resolve()
        self.ran: dict[str, set[str]] = {}
        self.tests: defaultdict[str, set[str]] = defaultdict(set)
        self.seconds: dict[str, float] = {}
        self.by_fixture: defaultdict[str, set[str]] = defaultdict(set)
        self.session_fixtures: set[str] = set()
        self.promise: defaultdict[str, Counter[str]] = defaultdict(Counter)

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[object]) -> Generator[None, object, object]:
        """What a fixture runs is remembered under its name."""
        before = set(state()._stats)
        state()._stats.clear()
        try:
            return (yield)
        finally:
            self.by_fixture[fixturedef.argname].update(state()._stats)
            if fixturedef.scope == "session":
                self.session_fixtures.add(fixturedef.argname)
            state()._stats.update(before)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Learn what the tests run, then let each mutant meet those that run it."""
        items = {item.nodeid: item for item in session.items}
        if self._learn(session.items):
            gc.collect()
            gc.freeze()  # a child that looked through all of it for garbage would copy all of it
            self._meet(items)
        else:
            session.shouldfail = "the tests do not pass as written"
        return True

    def _learn(self, items: list[pytest.Item]) -> bool:
        unknown = self._unknown(items)
        set_mutant_under_test("stats")
        for number, item in enumerate(unknown):
            state()._stats.clear()
            started = time.thread_time()
            # the last test keeps the session's fixtures and nothing else: no test of a child is its successor
            following = unknown[number + 1] if number + 1 < len(unknown) else cast("pytest.Item", item.session)
            reports = runtestprotocol(item, log=False, nextitem=following)
            if any(report.failed for report in reports):
                print(f"{item.nodeid} fails as written")
                return False
            self.seconds[item.nodeid] = time.thread_time() - started
            self.ran[item.nodeid] = set(state()._stats)
        set_mutant_under_test("")
        print(f"{len(unknown)} of {len(items)} tests pass as written, {sum(self.seconds.values()):.0f} s", flush=True)
        learned = {name: [self.seconds[name], sorted(self.ran[name])] for name in self.ran}
        fixtures = {name: sorted(ran) for name, ran in self.by_fixture.items()}
        text = json.dumps({"tests": learned, "fixtures": fixtures, "session": sorted(self.session_fixtures)})
        self.learned.write_text(text, encoding="utf-8")
        for item in items:
            fixtures_of = getattr(item, "fixturenames", ())
            for function in self.ran[item.nodeid].union(*(self.by_fixture[name] for name in fixtures_of)):
                self.tests[function].add(item.nodeid)
        return True

    def _unknown(self, items: list[pytest.Item]) -> list[pytest.Item]:
        """The tests of files that changed since they were last learned, and for each shared fixture one test."""
        if not self.learned.is_file():
            return items
        kept = json.loads(self.learned.read_text(encoding="utf-8"))
        since = self.learned.stat().st_mtime
        self.session_fixtures.update(kept["session"])
        self.by_fixture.update({name: set(ran) for name, ran in kept["fixtures"].items()})
        for item in items:
            if item.nodeid in kept["tests"] and item.path.stat().st_mtime <= since:
                self.seconds[item.nodeid], ran = kept["tests"][item.nodeid]
                self.ran[item.nodeid] = set(ran)
        quick = sorted(self.seconds, key=lambda name: self.seconds[name])
        names = {item.nodeid: getattr(item, "fixturenames", ()) for item in items}
        wanted = {next((name for name in quick if each in names[name]), "") for each in self.session_fixtures}
        return [item for item in items if item.nodeid not in self.ran or item.nodeid in wanted]

    def _meet(self, items: dict[str, pytest.Item]) -> None:
        running: dict[int, tuple[str, str]] = {}
        for module, data in self.modules.items():
            if not self._control(module, items):
                continue
            for mutant in [name for name, code in data.exit_code_by_key.items() if code is None]:
                tests = self.tests.get(mangled_name_from_mutant_name(mutant), set())
                if not tests:
                    data.exit_code_by_key[mutant] = UNMET
                    continue
                while len(running) >= CHILDREN:
                    self._end(running)
                running[self._start(mutant, within(tests, self.seconds, self.promise[module], SECONDS), items)] = (
                    module,
                    mutant,
                )
            while running:
                self._end(running)
            data.save()
            print(f"{module}: {dict(Counter(data.exit_code_by_key.values()))}", flush=True)

    def _control(self, module: str, items: dict[str, pytest.Item]) -> bool:
        """Whether a mutant that is not there goes unnoticed: else the tests would notice everything."""
        of_module = {test for name, tests in self.tests.items() if name.startswith(f"{module}.") for test in tests}
        if not of_module:
            return True
        tests = within(of_module, self.seconds, {}, SECONDS)
        return all(self._passes(module, name, tests, items) for name in (CONTROL, KEEPING))

    def _passes(self, module: str, name: str, tests: list[str], items: dict[str, pytest.Item]) -> bool:
        pid = self._start(f"{module}.{name}", tests, items)
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        note = self.notes / f"noticed-{pid}"
        if note.is_file():
            print(f"{module}: {note.read_text(encoding='utf-8')} fails in a child as written", flush=True)
            note.unlink()
        return code == UNNOTICED

    def _end(self, running: dict[int, tuple[str, str]]) -> None:
        pid, status = os.wait()
        module, mutant = running.pop(pid)
        self.modules[module].exit_code_by_key[mutant] = os.waitstatus_to_exitcode(status)
        self.modules[module].save()  # a run may be ended at any time, and go on with AGAIN
        note = self.notes / f"noticed-{pid}"
        if note.is_file():
            self.promise[module][note.read_text(encoding="utf-8")] += 1
            note.unlink()

    def _start(self, mutant: str, tests: list[str], items: dict[str, pytest.Item]) -> int:
        pid = os.fork()
        if pid:
            return pid
        code = BROKEN
        try:
            resource.setrlimit(resource.RLIMIT_CPU, (LIMIT, LIMIT + 1))
            gc.disable()
            signal.alarm(10 * LIMIT)  # one that waits for ever is ended too, and counts as unnoticed
            sys.stdout = sys.stderr = open(os.devnull, "w")  # noqa: SIM115, PTH123 -- as long as the process
            code = self._judge(mutant, [items[test] for test in tests])
        finally:
            os._exit(code)

    def _judge(self, mutant: str, items: list[pytest.Item]) -> int:
        if mutant.endswith(CONTROL) or any(
            mangled_name_from_mutant_name(mutant) in self.by_fixture[name] for name in self.session_fixtures
        ):
            items[0].session._setupstate.teardown_exact(None)
        for thing in list(vars(sys.modules[module_of(mutant)]).values()):
            if hasattr(thing, "cache_clear"):
                thing.cache_clear()
        set_mutant_under_test(mutant)
        for item, following in zip(items, [*items[1:], items[-1]], strict=True):
            if any(report.failed for report in runtestprotocol(item, log=False, nextitem=following)):
                (self.notes / f"noticed-{os.getpid()}").write_text(item.nodeid, encoding="utf-8")
                return NOTICED
        return UNNOTICED


def make_mutants() -> dict[str, SourceFileMutationData]:
    """Return the mutants of the modules that the settings name, by dotted module, in that order."""
    Path("mutants").mkdir(exist_ok=True)
    set_mutant_under_test("mutant_generation")
    copy_src_dir()
    copy_also_copy_files()
    setup_source_paths()
    command.create_mutants(CHILDREN)
    found = {}
    for name in config().only_mutate:
        data = SourceFileMutationData(path=Path(name))
        data.load()
        data.meta_path = data.meta_path.resolve()  # the tests run in another folder
        if data.exit_code_by_key:
            found[name.removesuffix(".py").replace("/", ".")] = data
    return found


def main() -> int:
    """Make the mutants and let them meet the tests; return 0 when the tests pass as written."""
    modules = make_mutants()
    for data in modules.values():
        data.exit_code_by_key = {
            name: None if code in (UNNOTICED, UNMET, BROKEN) else code for name, code in data.exit_code_by_key.items()
        }
    run = MutantRun(modules)
    os.chdir("mutants")
    selection = [*config().pytest_add_cli_args, *config().pytest_add_cli_args_test_selection]
    quiet = ["--rootdir=.", "--assert=plain", "--tb=no", "-q", "-s", "-p", "no:unraisableexception"]
    return int(pytest.main([*quiet, *selection], plugins=[run]))


if __name__ == "__main__":
    sys.exit(main())
