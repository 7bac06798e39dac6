"""`ONLY=policy`: a decision with full trace over some 500 lines, as lines are added, and Cedar on the same table.

The facts are those of the decision tables, so every rule decides some of them; the lines are those of the shipped and
the test documents. Further organisations are copies of a class with its lines, which a request of another class never
meets. Times are CPU of this thread; the two absolute bars are in milliseconds.
"""

import statistics
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from policies import AskFacts, Bundle, DecisionPoint, HitFacts, InsecureTestBundleWarning, load_bundle
from policies.engine import Engine
from policies.lines import PolicyLine, Request
from policies.load import SHIPPED
from policies.question import read_question
from policies.tables import read_tables
from policies.vocabulary import WILDCARD
from tests.bench.measure import Bar, Report, Round, Size, interleaved, median, median_ratio
from tests.bench.policy_cedar import CedarSlices

P50_MS = 0.3
P99_MS = 1.5
MOST_LINES_A_SLICE = 13
GROWTH = 1.2
BESIDE_CEDAR = 2.0
LINES = 500
SMALL, LARGE = 100, 10_000
CLASS = "wijkteam"
SLICED_BY = ("act", "ask", "hold", "purpose")

Question = tuple[AskFacts, HitFacts | None]


def bench_policy(size: Size, _: Path) -> Report:
    """Return what a decision costs, how that grows with the lines, and what Cedar needs for an engine call."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", InsecureTestBundleWarning)
        bundle = _topped_up(load_bundle(insecure_test_bundle=True), LINES)
    questions = _questions()
    decisions = _decisions(bundle, questions, size)
    growth = interleaved(size.rounds, _growing(bundle, questions, size))
    engines = _engines(bundle, questions)
    beside = interleaved(size.rounds, lambda: _beside(engines, size))
    engine, slices = engines[0], _slices(engines[0])
    return Report(
        bars=[
            Bar(name="decision, CPU p50 in ms", ratio=decisions["p50_ms"], at_most=P50_MS),
            Bar(name="decision, CPU p99 in ms", ratio=decisions["p99_ms"], at_most=P99_MS),
            Bar(name="lines in a slice", ratio=max(map(len, slices.values())), at_most=MOST_LINES_A_SLICE),
            Bar(
                name=f"decision, {LARGE} / {SMALL} lines", ratio=median_ratio(growth, "large", "small"), at_most=GROWTH
            ),
            Bar(
                name="engine call, casbin / cedar", ratio=median_ratio(beside, "casbin", "cedar"), at_most=BESIDE_CEDAR
            ),
        ],
        rounds=[*growth, *beside],
        figures={
            "lines": len(bundle.lines),
            "slices": len(slices),
            "questions": len(questions),
            "engine_calls_per_decision": round(decisions["calls"], 2),
            "engine_call_us": round(median(beside, "casbin") / len(engines[2]) * 1e6, 1),
            "cedar_call_us": round(median(beside, "cedar") / len(engines[2]) * 1e6, 1),
            "casbin_alone_us": round(_casbin_alone(engine, engines[2]) * 1e6, 1),
            "enforcers": len(set(slices.values())),
        },
        notes=["an engine call is ours around Casbin: words checked, slice found, answer compared with its lines"],
    )


def _questions() -> tuple[Question, ...]:
    """Return the facts of every row of the decision tables."""
    return tuple(read_question(dict(row.facts)) for row in read_tables(SHIPPED, with_tests=True))


def _ask(point: DecisionPoint, question: Question) -> None:
    ask, hit = question
    if hit is None:
        point.may_ask(ask)
    else:
        point.may_see(ask, hit)


def _decisions(bundle: Bundle, questions: Sequence[Question], size: Size) -> dict[str, float]:
    """Return the CPU of single decisions after warm-up, with the record they leave."""
    point = bundle.decision_point()
    taken: list[float] = []
    for number in range(max(2, size.work // 2)):
        for ask, hit in questions:
            began = time.thread_time()
            (point.may_ask(ask) if hit is None else point.may_see(ask, hit)).record()
            if number:
                taken.append((time.thread_time() - began) * 1e3)
    calls = len(_engines(bundle, questions)[2]) / len(questions)
    ordered = sorted(taken)
    return {"p50_ms": statistics.median(ordered), "p99_ms": ordered[len(ordered) * 99 // 100], "calls": calls}


def _growing(bundle: Bundle, questions: Sequence[Question], size: Size) -> Callable[[], Round]:
    """Return a round that decides the same questions over few and over many lines."""
    small, large = (_with_lines(bundle, count).decision_point() for count in (SMALL, LARGE if size.rounds > 1 else 300))
    asked = [question for question in questions if question[0].org_class == CLASS]

    def one_round() -> Round:
        return {"small": _cpu_of(small, asked, size), "large": _cpu_of(large, asked, size)}

    return one_round


def _cpu_of(point: DecisionPoint, questions: Sequence[Question], size: Size) -> float:
    began = time.thread_time()
    for _ in range(max(1, size.work // 10)):
        for question in questions:
            _ask(point, question)
    return time.thread_time() - began


def _with_lines(bundle: Bundle, count: int) -> Bundle:
    """Return the bundle with the lines of one class, and of so many copies of that class that it has `count` lines."""
    own = [
        replace(line, ask=CLASS, hold="gi" if line.hold == WILDCARD and line.act in {"see", "ring"} else line.hold)
        for line in bundle.lines
        if line.ask in {CLASS, WILDCARD} and line.purpose != WILDCARD
    ]
    first = sorted(set(own))[:SMALL]
    return _topped_up(replace(bundle, lines=tuple(first)), count)


def _topped_up(bundle: Bundle, count: int) -> Bundle:
    """Return the bundle with so many lines at least: further organisations have copies of the lines of one class."""
    first = [line for line in bundle.lines if line.ask == CLASS]
    lines = [*bundle.lines]
    names: list[str] = []
    while len(lines) < count:
        names.append(f"org{len(names):04}")
        lines += [replace(line, ask=names[-1]) for line in first[: count - len(lines)]]
    vocabulary = {**bundle.vocabulary, "ask": bundle.vocabulary["ask"] | frozenset(names)}
    return replace(bundle, lines=tuple(sorted(lines)), vocabulary=vocabulary)


def _engines(bundle: Bundle, questions: Sequence[Question]) -> tuple[Engine, CedarSlices, tuple[Request, ...]]:
    """Return both engines over the same slices, and the requests that the decisions put to the engine."""
    engine = Engine(bundle.lines, bundle.vocabulary)
    asked: list[Request] = []
    point = bundle.decision_point()
    real = point._engine.judge

    def noting(request: Request) -> object:
        asked.append(request)
        return real(request)

    setattr(point._engine, "judge", noting)  # noqa: B010 - a bench listens at a seam that has no other ear
    for question in questions:
        _ask(point, question)
    cedar = CedarSlices(_slices(engine), SLICED_BY)
    for request in asked:
        ours, theirs = engine.judge(request), cedar.judge(request)
        if ours.allowed != theirs.allowed:
            raise AssertionError("two engines answer one request otherwise")
    return engine, cedar, tuple(asked)


def _slices(engine: Engine) -> dict[tuple[str, ...], tuple[PolicyLine, ...]]:
    return dict(engine._slices)


def _beside(engines: tuple[Engine, CedarSlices, tuple[Request, ...]], size: Size) -> Round:
    engine, cedar, requests = engines
    found = {}
    for name, judge in (("casbin", engine.judge), ("cedar", cedar.judge)):
        began = time.thread_time()
        for _ in range(max(1, size.work // 50)):
            for request in requests:
                judge(request)
        found[name] = (time.thread_time() - began) / max(1, size.work // 50)
    return found


def _casbin_alone(engine: Engine, requests: Sequence[Request]) -> float:
    """Return the CPU seconds of Casbin's own part of an engine call."""
    ready = [
        (enforcer, request.cells())
        for request in requests
        if (enforcer := engine._enforcers.get(tuple(getattr(request, column) for column in SLICED_BY)))
    ]
    began = time.thread_time()
    for enforcer, cells in ready:
        enforcer.enforce(*cells)
    return (time.thread_time() - began) / max(1, len(ready))
