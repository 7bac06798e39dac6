"""What is left of a term that is done, and of a signal that has ended, goes when nothing rests on it any more."""

from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path

import pytest

from broker.domain.acts import SearchTerms
from broker.domain.changes import Task
from broker.domain.keeping import SIGNAL_DAYS, TASK_DAYS, ForgetRows, Kept
from broker.domain.review import REVIEWED_DAYS
from broker.flows.policy import PolicyInForce
from broker.ports import Proposal
from tests.simulators.asking import household
from tests.simulators.broker_world import World, a_world, held_in, shield
from tests.simulators.databases import DATABASES
from tests.simulators.enrolled import GI, VEILIG_THUIS
from tests.simulators.following_up import found_in, who
from tests.simulators.owing import found_in as owed_found
from tests.simulators.owing import owed_done, owed_of
from tests.simulators.proposals import committed
from tests.simulators.team_tasks import closed, listed, melding_body, started
from tests.unit.broker.flows.test_keeping import count, later

CHILD = household(subject="child", parents=["mother"])
SIGNAL_TABLES = ("signals", "signal_tokens", "sealed_tokens", "tasks")


@pytest.fixture(params=DATABASES)
async def world(request: pytest.FixtureRequest, tmp_path: Path, policy: PolicyInForce) -> AsyncIterator[World]:
    """A core on each database: what goes is the database's."""
    async with a_world(request.param, tmp_path, policy=policy) as running:
        yield running


async def test_a_term_that_is_done_goes_a_year_after_its_last_day(world: World) -> None:
    """Until then the same report runs no second time; what nobody did stays, however long it is over time."""
    body = melding_body(who(world, VEILIG_THUIS))
    await started(world, who(world, VEILIG_THUIS), body)
    tasks = {one["kind"]: one for one in found_in(await listed(world, who(world, VEILIG_THUIS)))}
    assert set(tasks) == {"weging", "onderzoek"}
    await closed(world, who(world, VEILIG_THUIS), tasks["weging"]["taskId"])
    await later(world, TASK_DAYS)
    assert count(world, "team_tasks") == 2
    await later(world, 10)
    assert [one["kind"] for one in found_in(await listed(world, who(world, VEILIG_THUIS)))] == ["onderzoek"]


async def test_what_followed_from_an_act_goes_some_time_after_it_was_done(world: World) -> None:
    """Done: kept while acts are reviewed, and then gone. Not done: it stays for who owes it."""
    tasks = [Task(kind="signal-frozen", organisation=GI, due_on=date(2026, 12, day)) for day in (1, 2, 3)]
    await committed(world.log, Proposal(kind="signal", payloads={"meta": {}}, tasks=tuple(tasks)))
    first, second, last = [one["taskId"] for one in owed_found(await owed_of(world, who(world, GI)))]
    await owed_done(world, who(world, GI), first)
    await later(world, 1)
    await owed_done(world, who(world, GI), second)
    for days, left in ((REVIEWED_DAYS - 1, 3), (1, 2), (400, 1)):
        await later(world, days)
        assert count(world, "tasks") == left
    assert [one["taskId"] for one in owed_found(await owed_of(world, who(world, GI)))] == [last]


async def test_a_signal_that_has_ended_goes_with_the_last_content_about_it(world: World) -> None:
    """Its tokens and tasks with it. While an entry is found by it, it stays, and hides that entry from others."""
    ended = str((await world.register(who(world, GI), CHILD, endsOn="2027-01-01")).result["signalId"])
    await shield(world, ended)
    await world.withdraw(who(world, GI), ended, reason="no_longer_needed")
    statement = (
        "INSERT INTO tasks (kind, organisation, signal_id, due_on, created_at) VALUES ('x', ?, ?, '2026-12-01', 0)"
    )
    held_in(world).write(statement, GI, ended)
    # An entry that is found by it, three years later: the signal stays as long as the content of that does.
    await later(world, 3 * 366)
    handle = str(held_in(world).rows("SELECT handle FROM signals")[0][0])
    terms = SearchTerms(organisation=GI, controller=GI, handles=frozenset({handle}))
    async with world.log.turn() as turn:
        payloads: dict[str, dict[str, object]] = {
            group: {} for group in ("meta", "actor", "subject", "hits", "shielded")
        }
        await turn.commit(Proposal(kind="check", payloads=payloads, search=terms))
    await later(world, SIGNAL_DAYS)
    assert count(world, "signals") == 1
    await later(world, 3)
    assert {table: count(world, table) for table in SIGNAL_TABLES} == dict.fromkeys(SIGNAL_TABLES, 0)


async def test_what_is_held_or_not_long_over_stays(world: World) -> None:
    """Only what was withdrawn or has ended goes, and not while its last day is not past: said again at the commit."""
    kept = await world.register(who(world, GI), CHILD, endsOn="2027-01-01")
    gone = await world.register(who(world, GI), household(subject="b"), endsOn="2027-01-01")
    await world.withdraw(who(world, GI), str(gone.result["signalId"]))
    held_in(world).write("DELETE FROM act_handles")
    for before, left in (("2027-01-01", 2), ("2027-01-02", 1)):
        change = ForgetRows(kind=Kept.SIGNAL, ids=await ids(world), before=before)
        async with world.log.turn() as turn:
            await turn.commit(Proposal(kind="retention", payloads={"meta": {}}, changes=(change,)))
        assert len(await ids(world)) == left
    assert await ids(world) == (kept.result["signalId"],)


async def test_a_signal_that_hides_acts_stays_as_long_as_these(world: World) -> None:
    """Nothing is found by it any more, and its holder's later acts on the household are, by another signal of it."""
    hides = str((await world.register(who(world, GI), CHILD, endsOn="2027-01-01")).result["signalId"])
    await shield(world, hides)
    await world.register(who(world, GI), household(subject="sister", parents=["mother"]))
    await world.withdraw(who(world, GI), hides, reason="no_longer_needed")
    own = "SELECT handle FROM signals WHERE id = ?"
    held_in(world).write(f"DELETE FROM act_handles WHERE handle IN ({own})", hides)  # noqa: S608 - a query of the test
    change = ForgetRows(kind=Kept.SIGNAL, ids=(hides,), before="2027-01-02")
    for left in (2, 1):
        async with world.log.turn() as turn:
            await turn.commit(Proposal(kind="retention", payloads={"meta": {}}, changes=(change,)))
        assert len(await ids(world)) == left
        held_in(world).write("DELETE FROM act_handles")


async def ids(world: World) -> tuple[str, ...]:
    """Return the ids of all signals."""
    return tuple(str(row[0]) for row in held_in(world).rows("SELECT id FROM signals ORDER BY id"))
