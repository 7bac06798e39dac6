"""Casbin's hazards H1 to H12 of the policy research, each shown and each shown not to reach us."""

import ast
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import casbin
import pytest
from casbin.util import SimpleEval

import policies
from policies import Bundle, DecisionPoint, Permit, load_bundle
from policies.engine import MODEL, Engine, Verdict, check_model
from policies.errors import EmptyBundleError, EngineError, LineError, ModelError, WordError
from policies.lines import LINE_COLUMNS, REQUEST_COLUMNS, PolicyLine, Request
from policies.vocabulary import WILDCARD
from tests.unit.policies.arnhem import CHECK, REGISTER, SIGNAL_OF_GI

ASKED = Request(
    act="check",
    ask="wijkteam",
    role="worker",
    purpose="verwijsindex",
    cat="betrokkenheid",
    level="2",
    ground="JW-7.1.4.1",
    standing="own_signal",
    proof="none",
    approval="none",
    meldcode="unmet",
    right="register",
    families="within",
    party="vira@2026.1.0",
    consent="unknown",
    exc="none",
    age="unknown",
    day="20261122",
)


def stock_enforcer(model_text: str, lines: tuple[PolicyLine, ...], hit: Callable[[str], bool]) -> casbin.Enforcer:
    """Casbin as it comes, over the same model: the thing the hazards are shown on."""
    model = casbin.Model()
    model.load_model_from_text(model_text)
    enforcer = casbin.Enforcer(model)
    enforcer.add_function("hit", hit)
    for line in lines:
        model.add_policy("p", "p", list(line.cells()))
    return enforcer


def accept(_rid: str) -> bool:
    """Every rule may speak."""
    return True


@pytest.fixture
def engine(shipped: Bundle) -> Engine:
    """An engine of its own for each test."""
    return Engine(shipped.lines, shipped.vocabulary)


def allowing(shipped: Bundle) -> PolicyLine:
    """The line that lets the wijkteam check."""
    return next(line for line in shipped.lines if line.rid.endswith("/kijken") and line.ask == "wijkteam")


def test_h1_an_empty_set_refuses_to_start(shipped: Bundle) -> None:
    """No lines means no engine."""
    with pytest.raises(EmptyBundleError, match=r"^no policy lines: an empty set must not decide$"):
        Engine((), shipped.vocabulary)


def test_h1_a_slice_without_lines_denies(shipped: Bundle) -> None:
    """Where no line speaks Casbin is not asked, since its empty set would match an all-empty request."""
    engine = Engine((allowing(shipped),), shipped.vocabulary)
    verdict = engine.judge(replace(ASKED, ask="school"))
    assert (verdict.allowed, verdict.permitting, verdict.forbidding) == (False, (), ())


@pytest.mark.parametrize("cell", ["", WILDCARD, "burgemeester"])
def test_h1_a_request_outside_the_vocabulary_is_never_asked(engine: Engine, cell: str) -> None:
    """An empty, wildcard or unknown word in a request is an error that names the column only."""
    for change, columns in (({"ask": cell}, ("ask",)), ({"day": cell, "ask": cell}, ("ask", "day"))):
        with pytest.raises(WordError, match=rf"^outside the vocabulary: {', '.join(columns)}$") as caught:
            engine.judge(replace(ASKED, **change))
        assert caught.value.columns == columns


def test_h2_nothing_matching_denies(engine: Engine) -> None:
    """A request that no line matches is denied."""
    assert not engine.judge(replace(ASKED, standing="none")).allowed


@pytest.mark.parametrize(
    "effect", ["!some(where (p.eft == deny))", "some(where (p.eft == allow))", "priority(p.eft) || deny"]
)
def test_h2_no_other_effect_loads(effect: str) -> None:
    """Only some(allow) && !some(deny) is accepted."""
    text = MODEL.replace("some(where (p.eft == allow)) && !some(where (p.eft == deny))", effect)
    with pytest.raises(ModelError, match=r"^the effect must be some\(allow\) && !some\(deny\)$"):
        check_model(text)


def test_h3_deciding_cannot_be_switched_off(engine: Engine) -> None:
    """The switch that makes Casbin allow everything raises."""
    enforcer = next(iter(engine._enforcers.values()))
    with pytest.raises(EngineError, match=r"^deciding cannot be switched off$"):
        enforcer.enable_enforce(enabled=False)


def test_h3_a_switched_off_enforcer_is_noticed(engine: Engine) -> None:
    """An allow that no line gave is an error, however Casbin came to it."""
    for enforcer in engine._enforcers.values():
        enforcer.enabled = False
    with pytest.raises(EngineError, match=r"^the engine's answer is not that of its matching lines$"):
        engine.judge(replace(ASKED, standing="none"))


def test_h4_a_misspelt_effect_does_not_compile(shipped: Bundle) -> None:
    """A prohibition whose effect Casbin would ignore is refused."""
    with pytest.raises(LineError):
        Engine((*shipped.lines, replace(allowing(shipped), eft="denied")), shipped.vocabulary)


def test_h4_one_rule_has_one_effect(shipped: Bundle) -> None:
    """A rule id that both allows and forbids is refused."""
    line = allowing(shipped)
    with pytest.raises(LineError, match=r"^one rule has one effect$"):
        Engine((line, replace(line, eft="deny")), shipped.vocabulary)


PAIRS = "lmin, lmax, since or until"


@pytest.mark.parametrize(
    ("change", "columns"),
    [
        ({"lmin": "10"}, "lmin"),
        ({"lmax": "02"}, "lmax"),
        ({"since": "2026-1-1"}, "since"),
        ({"until": "9"}, "until"),
        ({"eft": "denied"}, "eft"),
        ({"rid": "two words"}, "rid"),
        ({"act": WILDCARD}, "act"),
        ({"ask": "", "lmin": "x"}, "ask, lmin"),
        ({"lmin": "2", "lmax": "1"}, PAIRS),
        ({"since": "20260101", "until": "20260101"}, PAIRS),
    ],
)
def test_h5_levels_are_one_digit_and_dates_eight(shipped: Bundle, change: dict[str, str], columns: str) -> None:
    """Since Casbin compares text, a cell of another form or outside its vocabulary is refused by its column."""
    line = PolicyLine.from_cells([change.get(name, getattr(allowing(shipped), name)) for name in LINE_COLUMNS])
    with pytest.raises(LineError, match=f"^a policy line breaks the rule of column {columns}$"):
        line.check(shipped.vocabulary)


def test_h6_a_line_of_another_arity_is_refused(shipped: Bundle) -> None:
    """A short line, which would break every request of its slice, never becomes a line."""
    with pytest.raises(LineError, match=rf"^a policy line has {len(LINE_COLUMNS)} cells$"):
        PolicyLine.from_cells(allowing(shipped).cells()[:-1])


def test_h6_a_cell_that_is_no_text_is_refused(shipped: Bundle) -> None:
    """A cell of another type never reaches Casbin."""
    line = allowing(shipped)
    object.__setattr__(line, "ask", 7)
    try:
        with pytest.raises(LineError):
            line.check(shipped.vocabulary)
    finally:
        object.__setattr__(line, "ask", "wijkteam")


NAMES = "the matcher must use every column, and no other name"
COLUMNS = "the model must define exactly our request and policy columns"


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ("p.kind == r.kind", "p.kind == r.kin", NAMES),
        ("(p.cat == r.any || p.cat == r.cat) && ", "", NAMES),
        ("r = act, ask", "r = ask, act", COLUMNS),
        ("p = rid, act", "p = act, rid", COLUMNS),
    ],
)
def test_h7_a_matcher_with_an_unknown_or_missing_name_is_refused(old: str, new: str, rule: str) -> None:
    """A name no column has, hidden behind a short circuit, is found when the model loads."""
    assert old in MODEL
    with pytest.raises(ModelError, match=f"^{rule}$"):
        check_model(MODEL.replace(old, new))


def test_h8_the_matcher_holds_no_literal() -> None:
    """Casbin rewrites && and || inside text too, so the matcher has no text in it."""
    with pytest.raises(ModelError, match=r"^the matcher must hold no literal$"):
        check_model(MODEL.replace("p.kind == r.any", 'p.kind == "*"'))


HIT = r"the matcher must call hit\(p.rid\) last, and nothing else"


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ("hit(p.rid)", "hit(p.rid) && hit(p.rid)", HIT),
        ("hit(p.rid)", "eval(p.rid) && hit(p.rid)", NAMES),
        ("hit(p.rid)", "hit(p.act)", NAMES),
        ("hit(p.rid)", "hit(p.rid) && p.rid == p.rid", HIT),
        ("hit(p.rid)", "p.rid == p.rid && hit(p.act)", HIT),
        ("&& hit(p.rid)", "|| hit(p.rid)", HIT),
    ],
)
def test_h8_hit_comes_last_and_alone(old: str, new: str, rule: str) -> None:
    """Only a line whose every condition held reaches hit, and nothing is evaluated from a line."""
    assert old in MODEL
    with pytest.raises(ModelError, match=f"^{rule}$"):
        check_model(MODEL.replace(old, new))


def test_h9_h12_no_other_enforcer_and_no_watcher_is_used() -> None:
    """FastEnforcer, SyncedEnforcer, adapters and watchers are named nowhere; casbin in one file only."""
    sources = sorted(Path(policies.__file__).parent.glob("*.py"))
    importing = [path.name for path in sources if "import casbin" in path.read_text(encoding="utf-8")]
    names = {
        node.attr if isinstance(node, ast.Attribute) else node.id
        for path in sources
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute | ast.Name)
    }
    assert importing == ["engine.py"]
    assert not names & {"FastEnforcer", "SyncedEnforcer", "AsyncEnforcer", "set_watcher", "load_policy", "set_adapter"}


def test_h10_24000_calls_on_one_thread_agree(engine: Engine) -> None:
    """One deciding thread answers 24,000 times without an exception or another answer."""
    refused = replace(ASKED, standing="none")
    answers: list[bool] = []

    def decide() -> None:
        for _ in range(12_000):
            answers.append(engine.judge(ASKED).allowed)
            answers.append(engine.judge(refused).allowed)

    thread = threading.Thread(target=decide)
    thread.start()
    thread.join()
    assert len(answers) == 24_000
    assert answers == [True, False] * 12_000


def test_h10_callers_that_share_a_point_wait_for_each_other(point: DecisionPoint) -> None:
    """Even a caller that breaks the one-thread rule gets right answers: the evaluator is locked."""
    wrong: list[object] = []

    def decide() -> None:
        for _ in range(100):
            wrong.extend([] if isinstance(point.may_ask(CHECK), Permit) else ["ask"])
            wrong.extend(
                ["see"] if isinstance(point.may_see(CHECK, replace(SIGNAL_OF_GI, shielded=True)), Permit) else []
            )

    threads = [threading.Thread(target=decide) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_h10_h11_nothing_is_parsed_after_the_engine_was_built(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A decision never builds an evaluator, whose parsing is what fails in threads."""

    def forbidden(*_arguments: object) -> None:
        raise AssertionError("parsed during a decision")

    monkeypatch.setattr(SimpleEval, "__init__", forbidden)
    monkeypatch.setattr("policies.engine._Compiled.__init__", forbidden)
    assert engine.judge(ASKED).allowed
    assert engine.near_miss(replace(ASKED, standing="none")) is not None


def test_the_engine_agrees_with_casbin_as_it_comes(shipped: Bundle, engine: Engine) -> None:
    """Our slices, effector and parsed matcher give the answers stock Casbin gives over all lines."""
    stock = stock_enforcer(MODEL, shipped.lines, accept)
    requests = [
        replace(ASKED, ask=ask, standing=standing, approval=approval, act=act, right=right)
        for act in ("register", "check")
        for ask in ("wijkteam", "gi", "school", "woningcorporatie")
        for standing in ("none", "own_signal")
        for approval in ("none", "approved")
        for right in ("register", "simulated")
    ]
    answers = [engine.judge(request).allowed for request in requests]
    assert answers == [stock.enforce(*request.cells()) for request in requests]
    assert set(answers) == {True, False}


def test_the_order_of_lines_changes_nothing(shipped: Bundle, engine: Engine) -> None:
    """Every matching rule is collected, whatever the order of the lines."""
    reversed_engine = Engine(tuple(reversed(shipped.lines)), shipped.vocabulary)
    shielded = replace(
        ASKED, act="see", hold="gi", kind="person", reg="verwijsindex", basis="JW-7.1.4.1", shield="shielded"
    )
    for request in (ASKED, shielded, replace(shielded, shield="open"), replace(shielded, ask="school")):
        assert engine.judge(request) == reversed_engine.judge(request)


def test_slices_stay_small(engine: Engine) -> None:
    """A decision reads at most thirteen lines of the shipped documents."""
    assert max(len(lines) for lines in engine._slices.values()) <= 13


def test_a_decision_takes_milliseconds(point: DecisionPoint) -> None:
    """The median decision with its full trace stays far below the API's budget, on a busy machine too."""
    spent = []
    for _ in range(201):
        started = time.thread_time()
        point.may_ask(REGISTER)
        spent.append(time.thread_time() - started)
    assert sorted(spent)[100] < 0.005


def test_a_second_bundle_does_not_touch_the_first(point: DecisionPoint) -> None:
    """Loading builds aside; a decision point in use keeps its own lines and hash."""
    before = point.may_ask(CHECK).record()
    load_bundle().decision_point()
    assert point.may_ask(CHECK).record() == before


def test_levels_that_no_line_tells_apart_are_answered_alike(shipped: Bundle) -> None:
    """A walk asks once for levels that are alike, so they must be: in every slice, for what its own lines match."""
    engine = Engine(shipped.lines, shipped.vocabulary)
    for line in shipped.lines[::7]:
        words = {name: getattr(line, name, "") for name in REQUEST_COLUMNS}
        known = {
            name: word if word in shipped.vocabulary[name] else min(shipped.vocabulary[name])
            for name, word in words.items()
            if name not in {"level", "day"}
        }
        requests = [Request(**known, level=str(level), day=line.since) for level in range(5)]
        answers: dict[int, Verdict] = {}
        for level, request in enumerate(requests):
            answer = engine.judge(request)
            assert answers.setdefault(engine.level_class(request, level), answer) == answer
    nobody = replace(ASKED, purpose="patient", act="register")
    assert {engine.level_class(nobody, level) for level in range(5)} == {0}
