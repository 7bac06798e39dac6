"""What reviewers do by the month: the queue, thresholds, the sample nobody picks, the figures, accounts, log checks."""

import asyncio
import base64
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from audit.sample import draw, seed_of
from broker.domain.acts import ReviewedAct
from broker.domain.errors import FieldRuleError
from broker.domain.figures import NOT_RECORDED, Figure, figure, late_flags, looks_per_class, own_acts, rate, shares
from broker.flows.review_acts import sampled
from tests.simulators.asking import household
from tests.simulators.broker_world import World, documents, log_policy, log_size
from tests.simulators.enrolled import GI, WIJKTEAM, Enrolled, worker_id
from tests.simulators.following_up import followed_up, matches_of_side, who
from tests.simulators.reviewing import FG, PF, Reviewers, shown

DAY = 86_400
CHILD = household(subject="child", parents=("mother",))
LOOK = household(subject="child", parents=("mother",), members=())


@pytest.fixture
def review(world: World) -> Reviewers:
    """The reviewers of that core, on a Monday at noon."""
    world.clock.move(DAY)
    return Reviewers(world)


def to_night(world: World) -> None:
    """Move the clock to three at night, Dutch winter time."""
    hour = datetime.fromtimestamp(world.clock.now(), UTC).hour
    world.clock.move(((2 - hour) % 24) * 3_600)


async def test_what_stands_out_waits_in_the_queue_until_it_is_judged(world: World, review: Reviewers) -> None:
    """An act of the night stands in the queue with its term; asking about it keeps it there, a verdict ends it."""
    await world.register(world.asker(GI), CHILD)
    assert await review.queue(GI) == []
    to_night(world)
    await world.check(world.asker(GI, seed="night"), LOOK)
    (act,) = await review.queue(GI)
    assert [flag["kind"] for flag in act["flags"]] == ["off_hours"]
    assert act["flags"][0]["dueOn"] > world.clock.today().isoformat()
    await review.judge(GI, act["index"], "asked")
    assert [one["index"] for one in await review.queue(GI, role=FG)] == [act["index"]]
    await review.judge(GI, act["index"], "in_order")
    assert await review.queue(GI) == []
    assert await review.queue(WIJKTEAM) == []


async def test_a_threshold_is_visible_and_changed_with_a_reason(world: World, review: Reviewers) -> None:
    """Who works there sees every threshold; a change is an entry with its reason, and counts from then on."""
    asker = world.asker(GI)
    await world.register(asker, CHILD)
    for _ in range(5):
        await world.check(asker, LOOK)
    assert len(await review.queue(GI)) == 2
    before = await log_size(world)
    world.clock.move(1)
    await review.change(GI, "repeats", 20, reason="work_changed")
    assert await log_size(world) == before + 1
    assert len(await review.queue(GI)) == 2
    await world.check(asker, LOOK)
    assert len(await review.queue(GI)) == 2
    told = await review.thresholds(GI, role="worker")
    assert (told["repeats"]["value"], told["repeats"]["reason"], told["repeats"]["default"]) == (20, "work_changed", 5)
    assert told["repeats"]["changedAt"] == world.clock.now()
    assert (told["day_ends"]["value"], told["day_ends"]["changedAt"]) == (19, None)
    assert (await review.thresholds(WIJKTEAM))["repeats"]["value"] == 5
    for name, value in (("repeats", 21), ("unknown", 5)):
        with pytest.raises(FieldRuleError):
            await review.change(GI, name, value)
    (changed,) = shown(await review.notes(GI, "threshold"), "notes")
    assert (changed["about"], changed["body"]) == ("repeats", {"value": 20, "reason": "work_changed"})
    assert shown(await review.notes(GI, "threshold", after=changed["index"]), "notes") == []


async def test_a_sample_is_picked_by_the_log_of_the_next_day(world: World, review: Reviewers) -> None:
    """A month is closed, then waits for the next day's checkpoint, is drawn by it once, and stands in the queue."""
    month = world.clock.today().isoformat()[:7]
    asker = world.asker(GI)
    await world.register(asker, CHILD)
    for _ in range(7):
        await world.check(asker, LOOK)
    with pytest.raises(FieldRuleError):
        await review.sample(GI, month)
    (first, *_) = await review.acts(GI, kind="check")
    await review.judge(GI, first["index"])
    (verdict,) = shown(await review.notes(GI), "notes")
    world.clock.move(40 * DAY)
    closed = await review.sample(GI, month)
    assert (closed["verdicts"], closed["rejudge"]) == ([verdict["index"]], [])
    assert len(closed["population"]) == 8
    assert closed["flagged"] == closed["population"][4:]
    assert (closed["closed"], closed["seed"], closed["drawn"]) == (None, None, [])
    waits = await review.sample(GI, month, role=FG)
    assert waits["population"] == closed["population"]
    assert (waits["seed"], waits["drawn"]) == (None, [])
    world.clock.move(DAY)
    await world.check(world.asker(GI, seed="next day"), LOOK)
    drawn = await review.sample(GI, month)
    seed = seed_of(drawn["seed"], log_policy(world.log_vkey).log.key)
    assert drawn["drawn"] == list(draw(seed, closed["population"], closed["flagged"]))
    assert len(drawn["drawn"]) >= 5
    assert drawn["rejudge"] == [verdict["index"]]
    await world.check(world.asker(GI, seed="after"), LOOK)
    assert (await review.sample(GI, month))["drawn"] == drawn["drawn"]
    (kept,) = shown(await review.notes(GI, "sample"), "notes")
    assert kept["body"]["drawn"] == drawn["drawn"]
    sampled = [one for one in await review.queue(GI) if "sample" in {flag["kind"] for flag in one["flags"]}]
    assert [one["index"] for one in sampled] == [index for index in drawn["drawn"] if index != first["index"]]


async def test_a_log_that_stood_still_for_a_week_gives_no_seed(world: World, review: Reviewers) -> None:
    """Where no checkpoint of the days after the closing is cosigned, the sample waits, and nothing else is the seed."""
    month = world.clock.today().isoformat()[:7]
    await world.register(world.asker(GI), CHILD)
    world.clock.move(40 * DAY)
    await review.sample(GI, month)
    world.clock.move(9 * DAY)
    for _ in range(2):
        assert (await review.sample(GI, month))["seed"] is None


async def test_a_month_is_closed_once(world: World, review: Reviewers) -> None:
    """Who closes a month that a colleague closes in the same tick is told of the same one."""
    month = world.clock.today().isoformat()[:7]
    await world.register(world.asker(GI), CHILD)
    world.clock.move(40 * DAY)
    told = await asyncio.gather(review.sample(GI, month), review.sample(GI, month, role=FG))
    (closed,) = await world.notes.notes(organisation=GI, kind="population")
    assert sorted(str(one["closed"]) for one in told) == sorted(["None", str(closed.index)])


async def test_figures_tell_nothing_under_ten(world: World, review: Reviewers) -> None:
    """What was done less than ten times is not told; what is not recorded yet says so, instead of none."""
    month = world.clock.today().isoformat()[:7]
    asker = world.asker(GI)
    await world.register(asker, CHILD)
    for _ in range(10):
        await world.check(asker, LOOK)
    told = await review.report(GI, month)
    assert told["signals"] == {"id": "signals", "count": None, "of": None, "state": "under_ten"}
    assert told["flags"]["state"] == "under_ten"
    assert {told[name]["state"] for name in NOT_RECORDED} == {"not_recorded"}
    assert "looks.gi" not in told
    with pytest.raises(FieldRuleError):
        await review.report(GI, "2099-01")


async def test_the_report_counts_what_happened(world: World, review: Reviewers) -> None:
    """Looks, informing, late flags, signals of who left and log checks are counted from what is recorded."""
    month = world.clock.today().isoformat()[:7]
    to_night(world)
    for number in range(12):
        state = {"state": "informed", "reason": None, "reviewOn": None}
        if number < 10:
            state = {"state": "deferred", "reason": "investigation", "reviewOn": world.clock.today().isoformat()}
        one = household(subject=f"child {number}")
        await world.register(world.asker(GI, seed=str(number)), one, informing=state, endsOn="2027-06-01")
    world.documents = documents(Enrolled(without=frozenset({"worker"})))
    world.clock.move(7 * DAY)
    told = await review.report(GI, month)
    assert (told["signals"]["count"], told["departed"]["count"]) == (12, 12)
    assert (told["looks.own"]["count"], told["looks.own"]["of"]) == (12, 12)
    # Of ten in twelve the rest would be two: it is not told either.
    assert told["deferred"]["state"] == "under_ten"
    assert (told["flags"]["count"], told["flags_late"]["count"]) == (12, 12)
    counts = await world.acts.signal_counts(organisation=GI, today=world.clock.today().isoformat())
    assert (counts.active, counts.informed, counts.deferred, counts.overdue) == (12, 2, 10, 10)
    (first, *_) = await review.queue(GI)
    await review.judge(GI, first["index"], "asked")
    assert (await review.report(GI, month, role=FG))["flags_late"]["count"] == 12


def test_figures_hide_a_rest_under_ten() -> None:
    """A share is told only where neither it nor its rest is under ten; a rate where both its numbers are ten."""
    hidden = Figure(id="x", count=None, of=None, state="under_ten")
    assert figure("x", 9) == figure("x", 10, 15) == figure("x", 5, 100) == rate("x", 9, 100) == hidden
    assert figure("x", 10, 10) == Figure(id="x", count=10, of=10, state="shown")
    assert figure("x", 10, 20) == Figure(id="x", count=10, of=20, state="shown")
    assert rate("x", 10, 11) == Figure(id="x", count=10, of=11, state="shown")


def test_a_figure_of_the_region_is_nobodys_own() -> None:
    """Looks by class are told where at least three organisations stand behind them."""
    classes = {"a": "gi", "b": "gi", "c": "gi", "d": "school", "e": "school"}
    looks, signals = dict.fromkeys(("a", "b", "d"), 10), dict.fromkeys(("c", "d", "e"), 20)
    assert looks_per_class(looks, signals, classes) == (Figure(id="looks.gi", count=20, of=20, state="shown"),)


def test_what_the_region_did_is_told_in_tens() -> None:
    """One look or one signal of another organisation more changes nothing that is told, within a ten."""
    classes = dict.fromkeys("abc", "gi")
    told = {looks_per_class({"a": made}, {"b": held, "c": 5}, classes) for made in (50, 59) for held in (15, 24)}
    assert told == {(Figure(id="looks.gi", count=50, of=20, state="shown"),)}


def test_of_parts_of_a_whole_no_small_one_can_be_worked_out() -> None:
    """Where one part or the rest is under ten, the others are not told either; none at all tells nothing."""
    hidden = [Figure(id=name, count=None, of=None, state="under_ten") for name in ("x", "y")]
    for x, y in ((40, 51), (40, 3), (9, 40)):
        assert list(shares(100 if x + y > 50 else 53, x=x, y=y)) == hidden
    assert [one.count for one in shares(60, x=40, y=20)] == [40, 20]
    assert [one.count for one in shares(70, x=40, y=20)] == [40, 20]


async def test_figures_of_the_region_are_counted_once(
    world: World, review: Reviewers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While a month runs nothing of others is told; then what was told first is told to everybody, for good."""
    monkeypatch.setattr("broker.domain.figures.LEAST_ORGANISATIONS", 1)
    month = world.clock.today().isoformat()[:7]
    for number in range(11):
        one = household(subject=f"child {number}")
        await world.register(world.asker(WIJKTEAM, seed=str(number)), one, endsOn="2027-06-01")
    assert "looks.wijkteam" not in await review.report(GI, month)
    world.clock.move(40 * DAY)
    first = await review.report(GI, month)
    assert (first["looks.wijkteam"]["count"], first["looks.wijkteam"]["of"]) == (10, 10)
    index = await log_size(world) - 1
    for number in range(11, 30):
        one = household(subject=f"child {number}")
        await world.register(world.asker(WIJKTEAM, seed=str(number)), one, endsOn="2027-06-01")
    for oin in (GI, WIJKTEAM):
        assert (await review.report(oin, month))["looks.wijkteam"] == first["looks.wijkteam"]
    (kept,) = await world.notes.notes(organisation="region", kind="region_figures")
    assert (kept.index, kept.note.about) == (index, month)


async def test_a_sample_that_is_drawn_late_waits_for_verdicts(world: World, review: Reviewers) -> None:
    """What was drawn stands in the queue however old it is, until it is judged; and it is counted when it is late."""
    month = world.clock.today().isoformat()[:7]
    for number in range(9):
        await world.register(world.asker(GI, seed=str(number)), household(subject=f"child {number}"))
    world.clock.move(150 * DAY)
    await review.sample(GI, month)
    world.clock.move(DAY)
    await world.register(world.asker(WIJKTEAM, seed="next day"), household(subject="other"), endsOn="2027-06-01")
    drawn = (await review.sample(GI, month))["drawn"]
    assert len(drawn) == 5
    assert [one["index"] for one in await review.queue(GI)] == drawn
    await review.judge(GI, drawn[0])
    assert [one["index"] for one in await review.queue(GI)] == drawn[1:]
    acts = await world.acts.acts(organisation=GI, since=0, until=world.clock.now())
    (sample,) = await world.notes.notes(organisation=GI, kind="sample")
    drawn_at = dict.fromkeys(drawn, sample.at)
    flags = sampled({}, [sample])
    for days, late in ((5, 0), (6, 5)):
        today = (datetime.fromtimestamp(sample.at, UTC) + timedelta(days=days)).date()
        told = late_flags(flags, [*acts] * 3, [], today=today, drawn_at=drawn_at)
        assert [one.count for one in told] == [15, 3 * late or None]


def test_exceptions_are_counted_by_type() -> None:
    """Exceptions stand by their purpose, each kind by itself."""
    acts = [
        ReviewedAct(index=n, at=0, kind="exception", organisation="o", controller="o", purpose=("x", "y", None)[n % 3])
        for n in range(33)
    ]
    few = ReviewedAct(index=99, at=0, kind="exception", organisation="o", controller="o", purpose="z")
    told = {one.id: one.count for one in own_acts([*acts, few], signals=0)}
    assert "exceptions.z" not in told, "as where there is none"
    assert (told["exceptions"], told["exceptions.x"], told["exceptions.y"]) == (34, 11, 11)


def _acts(count: int, **said: Any) -> list[ReviewedAct]:  # noqa: ANN401 - the fields of ReviewedAct, which checks them
    """Return so many acts that were carried out, and one alike that was refused."""
    stated = {"at": 0, "organisation": "o", "controller": "o", **said}
    done = [ReviewedAct(index=at, outcome="done", **stated) for at in range(count)]
    return [*done, ReviewedAct(index=count, outcome="refused", **stated)]


def test_what_came_of_matches_and_requests_is_counted() -> None:
    """First contacts after a match, answers and lawful refusals are counted apart, of what was carried out alone."""
    acts = [
        *_acts(11, kind="match", type="follow_up_match", first_contact=True),
        *_acts(30, kind="match", type="follow_up_match"),
        *_acts(12, kind="answer", type="answer_request", answer="all"),
        *_acts(13, kind="answer", type="note_oral_answer", answer="oral"),
        *_acts(14, kind="answer", type="answer_request", answer="declined"),
    ]
    told = {one.id: one.count for one in own_acts(acts, signals=0)}
    assert (told["contact"], told["answered"], told["not_shared"]) == (11, 25, 14)
    assert not set(NOT_RECORDED) & set(told)


async def test_the_log_says_which_act_had_the_first_contact(world: World, review: Reviewers) -> None:
    """A step to contact is counted once for each side: what comes after it is no first contact."""
    for oin in (WIJKTEAM, GI):
        await world.register(world.asker(oin, seed=f"meets {oin}"), CHILD)
    (match,) = await matches_of_side(world, GI)
    for state in ("contact_gehad", "afspraken_gemaakt"):
        await followed_up(world, who(world, GI), match["matchId"], state)
    acts = await world.acts.acts(organisation=GI, since=0, until=world.clock.now() + DAY)
    assert [act.first_contact for act in acts if act.type == "follow_up_match"] == [True, False]
    assert (await review.report(GI, world.clock.today().isoformat()[:7]))["contact"]["state"] == "under_ten"


def test_an_exception_without_consultation_is_one_that_no_act_names_it_for() -> None:
    """Whoever named the consultation with the exception, or in the second act after it, did consult."""
    acute: dict[str, Any] = {"kind": "exception", "type": "invoke_exception", "outcome": "done"}
    stated: dict[str, Any] = {"at": 0, "organisation": "o", "controller": "o"}
    acts = [ReviewedAct(index=at, exception=f"e{at}", **acute, **stated) for at in range(31)]
    named = [
        *(ReviewedAct(index=100 + at, exception=f"e{at}", consulted="w", **acute, **stated) for at in range(10)),
        ReviewedAct(index=200, exception="e10", with_veilig_thuis=True, **acute, **stated),
    ]
    told = {one.id: one.count for one in own_acts([*acts, *named], signals=0)}
    assert told["exceptions_unconsulted"] == 20


async def test_accounts_tell_who_did_nothing_for_half_a_year(world: World, review: Reviewers) -> None:
    """Everybody on the roster is listed, with the day of his last act, none where there was none."""
    await world.register(world.asker(GI), CHILD)
    told = await review.accounts(GI)
    assert set(told) == {worker_id(GI, role) for role in ("worker", "approver", PF, FG)}
    worker, approver = told[worker_id(GI, "worker")], told[worker_id(GI, "approver")]
    assert (worker["acts"], worker["lastActOn"]) == (1, world.clock.today().isoformat())
    assert (approver["acts"], approver["lastActOn"]) == (0, None)
    world.clock.move(184 * DAY)
    assert (await review.accounts(GI))[worker_id(GI, "worker")]["acts"] == 0


async def test_that_the_log_was_verified_is_noted(world: World, review: Reviewers) -> None:
    """A log check counts only at a root this log had; one that did not hold is taken at any. The report tells both."""
    await world.register(world.asker(GI), CHILD)
    size = await log_size(world)
    note = await world.checkpoints.first_cosigned(since=0, until=world.clock.now() + 1)
    assert note is not None
    root = base64.b64decode(note.note.split("\n")[2]).hex()
    await review.log_check(GI, size=size, root=root)
    await review.log_check(GI, size=size, root="0" * 64, holds=False, role=PF)
    for wrong in ((size, "0" * 64), (10_000, root)):
        with pytest.raises(FieldRuleError):
            await review.log_check(GI, size=wrong[0], root=wrong[1])
    checks = shown(await review.notes(GI, "log_check"), "notes")
    assert [(one["by"], one["body"]["holds"]) for one in checks] == [
        (worker_id(GI, FG), True),
        (worker_id(GI, PF), False),
    ]
    assert checks[0]["body"] == {"size": size, "root": root, "holds": True}
