"""Terms of the documents as tasks of a team: what starts them, until when they run, and who sees them."""

from dataclasses import replace
from typing import Any

import pytest

from broker.domain.errors import NotDoneError, NotFoundError, RefusedError, RoleNotAllowedError
from broker.flows import list_tasks as tasks_listed
from broker.protocol.roster import Worker
from policies.follow_up import FollowUp
from tests.simulators.asking import household
from tests.simulators.broker_world import World, log_size, shield
from tests.simulators.calling import call
from tests.simulators.databases import DATABASES
from tests.simulators.enrolled import GI, SCHOOL, VEILIG_THUIS, WIJKTEAM, Enrolled, worker_id
from tests.simulators.following_up import (
    appointed,
    followed_up,
    matches_of_side,
    told_new_report,
    who,
)
from tests.simulators.team_tasks import (
    MELDING,
    ORDER,
    closed,
    extended,
    found_in,
    listed,
    melding_body,
    order_body,
    started,
    tasks_of,
)
from tests.unit.broker.flows.deciders import erring

CHILD = household(subject="child")
ASKED = household(subject="child", members=())
DAY = 86_400
OTHER = "other-3000"
IN_DATABASES = pytest.mark.parametrize("world", DATABASES, indirect=True)
"""An oproep is kept in databases only."""


def problem_in(refused: pytest.ExceptionInfo[RefusedError]) -> str:
    """Return the id of the problem that was told."""
    return str(refused.value.document["type"]).rsplit(":", 1)[-1]


async def met(world: World) -> str:
    """The wijkteam and Veilig Thuis met, and the wijkteam leads the plan; return the id of the match."""
    await world.register(who(world, WIJKTEAM), CHILD)
    await world.register(who(world, VEILIG_THUIS), CHILD)
    (match,) = await matches_of_side(world, VEILIG_THUIS)
    await appointed(world, who(world, WIJKTEAM), match["matchId"], WIJKTEAM)
    return str(match["matchId"])


async def test_a_report_is_weighed_and_investigated_in_time(world: World) -> None:
    """Weighed within the region's 24 hours, shorter than the law's five working days; looked into within ten weeks."""
    answer = await started(world, asker := who(world, VEILIG_THUIS), melding_body(asker))
    assert answer.result["text"] == {"id": "task.started", "params": {}}
    tasks = await tasks_of(world, VEILIG_THUIS)
    assert {kind: (task["dueOn"], task["statutoryOn"], task["state"]) for kind, task in tasks.items()} == {
        "weging": ("2026-11-23", "2026-11-27", "open"),
        "onderzoek": ("2027-01-31", "2027-01-31", "open"),
    }
    assert {(one["reference"], one["matchId"], one["team"]) for one in tasks.values()} == {("ab" * 32, None, "team-1")}


@IN_DATABASES
async def test_a_report_runs_once_however_often_it_is_named(world: World) -> None:
    """Looking, calling and starting on the same report start one weighing; a new report is weighed anew."""
    look = world.asker(VEILIG_THUIS, purpose="vt-melding", ground="WMO-5.1.6")
    await world.check(look, ASKED, proof=MELDING)
    await call(world, world.asker(VEILIG_THUIS, seed="c", purpose="vt-melding", ground="WMO-5.1.6"), ASKED,
               proof=MELDING)  # fmt: skip
    again = await started(world, asker := who(world, VEILIG_THUIS), melding_body(asker))
    assert (again.result["text"], len(found_in(again))) == ({"id": "task.running", "params": {}}, 2)
    assert len(await tasks_of(world, VEILIG_THUIS)) == 2
    another = melding_body(who(world, VEILIG_THUIS), proof={**MELDING, "reference": "ef" * 32})
    await started(world, who(world, VEILIG_THUIS), another)
    found = found_in(await listed(world, who(world, VEILIG_THUIS)))
    assert sorted(one["kind"] for one in found) == ["onderzoek", "onderzoek", "weging", "weging"]


async def test_what_the_law_gives_nobody_else_starts_nothing(world: World) -> None:
    """A school is refused openly, an organisation without the right role is not asked; nothing runs then."""
    with pytest.raises(RefusedError):
        await started(world, asker := who(world, SCHOOL), melding_body(asker))
    with pytest.raises(RoleNotAllowedError):
        await started(world, asker := who(world, VEILIG_THUIS), melding_body(asker), role="approver")
    world.policy = erring(world.policy, "may_ask")
    with pytest.raises(NotDoneError):
        await started(world, asker := who(world, VEILIG_THUIS), melding_body(asker))
    assert await tasks_of(world, SCHOOL) == {}


async def test_a_report_in_the_making_has_no_term_yet(world: World) -> None:
    """What is still to be written down is no report: it starts nothing, and says so."""
    proof = {**MELDING, "kind": "melding_volgt"}
    answer = await started(world, asker := who(world, VEILIG_THUIS), melding_body(asker, proof=proof))
    assert (answer.result["text"], found_in(answer)) == ({"id": "task.none_started", "params": {}}, [])


async def test_where_no_document_states_a_term_nothing_runs(world: World) -> None:
    """Then an order counts for as long as was stated, and no report or agreement has a last day."""
    nothing = replace(world.policy.bundle, follow_up=FollowUp(terms={}, coordinators={}, homes={}))
    world.policy = replace(world.policy, bundle=nothing)
    assert await look_on(world, {**ORDER, "endsOn": "2026-12-20"}) == "nothing"
    match_id = await met(world)
    await followed_up(world, who(world, WIJKTEAM), match_id, "afspraken_gemaakt")
    await told_new_report(world, who(world, VEILIG_THUIS), match_id)
    assert (await tasks_of(world, WIJKTEAM), await tasks_of(world, VEILIG_THUIS)) == ({}, {})


async def test_agreements_are_evaluated_after_three_months_and_a_year(world: World) -> None:
    """Whoever says that there are agreements has both evaluations; saying it again makes neither later."""
    match_id = await met(world)
    await followed_up(world, who(world, WIJKTEAM), match_id, "afspraken_gemaakt")
    assert await tasks_of(world, VEILIG_THUIS) == {}
    world.clock.move(DAY)
    for state in ("afspraken_gemaakt", "contact_gehad", "afspraken_gemaakt"):
        await followed_up(world, who(world, WIJKTEAM), match_id, state)
    found = found_in(await listed(world, who(world, WIJKTEAM)))
    assert sorted((one["kind"], one["dueOn"], one["matchId"]) for one in found) == [
        ("eerste_monitor", "2027-02-22", match_id),
        ("tweede_monitor", "2027-11-22", match_id),
    ]


async def test_a_new_report_is_weighed_answered_and_makes_the_last_evaluation_later(world: World) -> None:
    """Scenario 15: Veilig Thuis weighs, the casusregisseur answers within days, evaluating ends a year after it."""
    match_id = await met(world)
    for oin in (WIJKTEAM, VEILIG_THUIS):
        await followed_up(world, who(world, oin), match_id, "afspraken_gemaakt")
    world.clock.move(30 * DAY)
    await told_new_report(world, who(world, VEILIG_THUIS), match_id, reference="ef" * 32, since="2026-12-22")
    theirs, ours = await tasks_of(world, VEILIG_THUIS), await tasks_of(world, WIJKTEAM)
    assert set(theirs) == {"weging", "onderzoek", "eerste_monitor", "tweede_monitor"}
    assert (theirs["weging"]["dueOn"], theirs["weging"]["statutoryOn"]) == ("2026-12-23", "2026-12-30")
    assert {kind: task["dueOn"] for kind, task in ours.items()} == {
        "reactie": "2026-12-30", "eerste_monitor": "2027-02-22", "tweede_monitor": "2027-12-22",
    }  # fmt: skip
    # Whoever says how far he is has answered.
    await followed_up(world, who(world, WIJKTEAM), match_id, "contact_gehad")
    assert (await tasks_of(world, WIJKTEAM))["reactie"]["state"] == "gedaan"


async def test_a_task_is_late_after_its_last_day_and_done_once(world: World) -> None:
    """On the last day it is open, on the next late; who does it says so, once, and it is late no more."""
    await started(world, asker := who(world, VEILIG_THUIS), melding_body(asker))
    weighing = (await tasks_of(world, VEILIG_THUIS))["weging"]
    world.clock.move(DAY)
    assert (await tasks_of(world, VEILIG_THUIS))["weging"]["state"] == "open"
    world.clock.move(DAY)
    assert (await tasks_of(world, VEILIG_THUIS))["weging"]["state"] == "te_laat"
    before = await log_size(world)
    (done,) = found_in(await closed(world, who(world, VEILIG_THUIS), weighing["taskId"]))
    assert (done["state"], done["doneOn"]) == ("gedaan", "2026-11-24")
    with pytest.raises(RefusedError) as refused:
        await closed(world, who(world, VEILIG_THUIS), weighing["taskId"])
    assert problem_in(refused) == "task-closed"
    assert await log_size(world) == before + 2


async def test_only_the_own_team_has_it(world: World) -> None:
    """Another organisation's task is an unknown id; a colleague of another team does not see it and may not act."""
    other = Worker(sub=OTHER, roles=frozenset({"worker"}), broker_sub=None, teams=frozenset({"team-2"}))
    enrolled = Enrolled(teams=("team-1", "team-2"), others={VEILIG_THUIS: (other,)})
    world.documents.rosters = enrolled.rosters()
    await started(world, asker := who(world, VEILIG_THUIS), melding_body(asker))
    (task, _) = found_in(await listed(world, who(world, VEILIG_THUIS)))
    assert found_in(await listed(world, who(world, VEILIG_THUIS), worker=OTHER)) == []
    with pytest.raises(RefusedError) as refused:
        await closed(world, who(world, VEILIG_THUIS), task["taskId"], worker=OTHER)
    assert problem_in(refused) == "task-of-another-team"
    for asker, task_id in ((who(world, GI), task["taskId"]), (who(world, VEILIG_THUIS), "0" * 32)):
        with pytest.raises(NotFoundError):
            await closed(world, asker, task_id)
    with pytest.raises(RoleNotAllowedError):
        await listed(world, who(world, VEILIG_THUIS, role="approver"))
    assert worker_id(VEILIG_THUIS, "worker") != OTHER


async def test_a_task_on_a_match_goes_with_the_match(world: World) -> None:
    """Once the other side shields itself, what was to be done with it is on no list, and an unknown id."""
    match_id = await met(world)
    await followed_up(world, who(world, VEILIG_THUIS), match_id, "afspraken_gemaakt")
    task = (await tasks_of(world, VEILIG_THUIS))["eerste_monitor"]
    (signal,) = (await matches_of_side(world, WIJKTEAM))[0]["signals"]
    await shield(world, signal)
    assert await tasks_of(world, VEILIG_THUIS) == {}
    with pytest.raises(NotFoundError):
        await closed(world, who(world, VEILIG_THUIS), task["taskId"])


async def test_pages_go_on(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Twenty-two tasks come as twenty and two, however many are read at a time."""
    monkeypatch.setattr(tasks_listed, "BATCH", 7)
    for number in range(11):
        proof = {**MELDING, "reference": f"{number:064x}"}
        await started(world, who(world, VEILIG_THUIS), melding_body(who(world, VEILIG_THUIS), proof=proof))
    first = await listed(world, who(world, VEILIG_THUIS))
    rest = await listed(world, who(world, VEILIG_THUIS), after=str(first.result["moreAfter"]))
    assert (len(found_in(first)), len(found_in(rest)), rest.result["moreAfter"]) == (20, 2, None)


async def look_on(world: World, proof: dict[str, Any], *, seed: str = "look") -> str:
    """Return how a look of Veilig Thuis on an exclusion order ended."""
    asker = world.asker(VEILIG_THUIS, purpose="huisverbod", ground="WTH", seed=seed)
    return str((await world.check(asker, ASKED, proof=proof)).result["outcome"])


@IN_DATABASES
async def test_an_exclusion_order_ends_on_its_tenth_day_whatever_is_stated(world: World) -> None:
    """Scenario 4: who states 28 days at once has ten; after them nothing on this ground is possible any more."""
    assert await look_on(world, {**ORDER, "endsOn": "2026-12-20"}) == "nothing"
    assert (await tasks_of(world, VEILIG_THUIS))["huisverbod"]["dueOn"] == "2026-12-02"
    world.clock.move(10 * DAY)
    assert await look_on(world, ORDER, seed="last day") == "nothing"
    world.clock.move(DAY)
    for number, proof in enumerate(({**ORDER, "endsOn": "2026-12-20"}, {**ORDER, "since": "2026-12-01"})):
        with pytest.raises(RefusedError) as refused:
            await look_on(world, proof, seed=f"after {number}")
        assert problem_in(refused) == "refused"
        assert "kan.huisverbod-voorbij" in {way["textId"] for way in refused.value.document["possible"]}  # type: ignore[attr-defined]  # a list of ways
    asker = world.asker(VEILIG_THUIS, purpose="huisverbod", ground="WTH", seed="call")
    with pytest.raises(RefusedError):
        await call(world, asker, ASKED, proof=ORDER)
    assert (await tasks_of(world, VEILIG_THUIS))["huisverbod"]["state"] == "voorbij"


async def test_an_extended_order_lasts_28_days_at_most(world: World) -> None:
    """Its extension is recorded before its end, to a later day and no further than 28 days after it began."""
    (task,) = found_in(await started(world, asker := who(world, VEILIG_THUIS), order_body(asker)))
    for day in ("2026-12-21", "2026-12-02", "2026-12-01"):
        with pytest.raises(RefusedError) as refused:
            await extended(world, who(world, VEILIG_THUIS), task["taskId"], day)
        assert problem_in(refused) == "task-too-long"
    (longer,) = found_in(await extended(world, who(world, VEILIG_THUIS), task["taskId"], "2026-12-20"))
    assert (longer["dueOn"], longer["statutoryOn"]) == ("2026-12-20", "2026-12-02")
    world.clock.move(28 * DAY)
    assert await look_on(world, ORDER) == "nothing"
    world.clock.move(DAY)
    with pytest.raises(RefusedError):
        await look_on(world, ORDER, seed="after")
    with pytest.raises(RefusedError) as refused:
        await extended(world, who(world, VEILIG_THUIS), task["taskId"], "2026-12-21")
    assert problem_in(refused) == "task-closed"


async def test_a_lifted_order_ends_at_once_and_nothing_else_is_extended(world: World) -> None:
    """Who says that an order was lifted looks on it no more; a weighing has no longer term."""
    (task,) = found_in(await started(world, asker := who(world, VEILIG_THUIS), order_body(asker)))
    await closed(world, who(world, VEILIG_THUIS), task["taskId"])
    with pytest.raises(RefusedError):
        await look_on(world, ORDER)
    await started(world, asker := who(world, VEILIG_THUIS), melding_body(asker))
    weighing = (await tasks_of(world, VEILIG_THUIS))["weging"]
    with pytest.raises(RefusedError) as refused:
        await extended(world, who(world, VEILIG_THUIS), weighing["taskId"], "2026-12-10")
    assert problem_in(refused) == "task-not-extendable"
