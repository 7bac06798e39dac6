"""An exception begins with the question to whom, and says what can be done where it is none."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from broker.domain.errors import FieldRuleError, NotFoundError, RefusedError, RoleNotAllowedError
from broker.flows.complete_exception import list_exceptions
from broker.flows.errors import DecisionFailedError
from broker.flows.invoke_exception import may_tell
from broker.flows.policy import PolicyInForce
from broker.protocol.roster import Worker
from policies import AskFacts, Refusal
from tests.simulators.broker_world import World, a_world, approval, documents, held_in, requester, tasks_of
from tests.simulators.databases import DATABASES
from tests.simulators.enrolled import VEILIG_THUIS, WIJKTEAM, Enrolled
from tests.simulators.excepting import (
    GGZ,
    HUISARTS,
    OTHERS,
    POLITIE,
    TELLING,
    completed,
    dossier,
    exception,
    exceptions_of,
    invoked,
    listed,
    reader,
    telling,
)


@pytest.fixture(params=DATABASES)
async def world(request: pytest.FixtureRequest, tmp_path: Path, policy: PolicyInForce) -> AsyncIterator[World]:
    """A core on a database, with organisations that may break their secrecy."""
    async with a_world(request.param, tmp_path, policy=policy) as running:
        yield telling(running)


async def refusal(world: World, oin: str = GGZ, *, seed: str = "", approve: bool = True, **changed: Any) -> Any:  # noqa: ANN401 - members of a body
    """Return the document of a refused exception; it is recorded, and nothing else is there."""
    asker = world.asker(oin, seed=seed)
    with pytest.raises(RefusedError) as error:
        await invoked(
            world, asker, exception(asker, **changed), approval=approval(asker) if approve else None
        )  # fmt: skip
    assert error.value.receipt
    assert tasks_of(world) == []
    return error.value.document


@pytest.mark.parametrize(
    ("recipient", "way"), [("veilig_thuis", "kan.meldrecht"), ("gi", "kan.aan-gi"), ("rvdk", "kan.aan-rvdk")]
)
async def test_where_a_law_lets_one_tell_it_is_no_exception(world: World, recipient: str, way: str) -> None:
    """Scenario 10 (D10, D11): to Veilig Thuis it is a right in law; that is what one is told to use."""
    document = await refusal(world, recipient=recipient)
    assert document["textId"] == "exception.statutory"
    assert [one["textId"] for one in document["possible"]] == [way]


@pytest.mark.parametrize(
    ("kind", "recipient", "oin", "ground"),
    [
        ("cvp", "politie", GGZ, "CVP"),
        ("vitaal", "politie", GGZ, "VITAAL"),
        ("therapeutisch", "vertegenwoordiger", GGZ, "BW-7:448-TE"),
        ("therapeutisch", "vertegenwoordiger", WIJKTEAM, "JW-7.3.2-3"),
    ],
)
async def test_the_recipient_decides_which_exception_it_is(
    world: World, kind: str, recipient: str, oin: str, ground: str
) -> None:
    """Conflict of duties, a life in danger, or the therapeutic exception: each on its own ground, with its duties."""
    asker = world.asker(oin)
    category = "gezondheid" if kind == "therapeutisch" else "veiligheid"
    five = kind == "therapeutisch"
    stated = dossier(five=five, consulted=None, consultedVeiligThuis=True)
    body = exception(asker, type=kind, recipient=recipient, category=category, dossier=stated)
    done = await invoked(world, asker, body, approval=approval(asker))
    assert [(one["ground"], one["dossier"]) for one in exceptions_of(done)] == [(ground, "complete")]
    kinds = {task.kind for task in tasks_of(world)}
    assert kinds >= {"review-exception", "informeer_patient_later" if five else "informeer_betrokkene"}


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"recipient": "vertegenwoordiger"}, "recipient"),
        ({"type": "therapeutisch"}, "recipient"),
        ({"recipient": "buurvrouw"}, "recipient"),
        ({"recipientOrganisation": HUISARTS}, "recipientOrganisation"),
        ({"recipientOrganisation": "0" * 20}, "recipientOrganisation"),
        ({"dossier": dossier(consulted="nobody")}, "dossier.consulted"),
        ({"dossier": dossier(tellOn="2026-11-21")}, "dossier.tellOn"),
        ({"dossier": dossier(tellOn="2028-01-01")}, "dossier.tellOn"),
    ],
)
async def test_what_fits_nobody_is_not_recorded(world: World, changed: dict[str, Any], field: str) -> None:
    """A type that is not for this recipient, an unknown recipient or colleague, a day that does not lie ahead."""
    asker = world.asker(GGZ)
    with pytest.raises(FieldRuleError) as error:
        await invoked(world, asker, exception(asker, **{"recipient": "politie", **changed}))
    assert error.value.field == field


async def test_a_named_organisation_is_of_its_kind(world: World) -> None:
    """The police that is named is the police of the register, and the meldcode asks for a second person."""
    assert (await refusal(world, recipientOrganisation=POLITIE, approve=False))["textId"] == "vraag.approval-required"
    asker = world.asker(GGZ, seed="approved")
    stated = dossier(deferral="UAVG-41")
    body = exception(asker, recipientOrganisation=POLITIE, dossier=stated)
    await invoked(world, asker, body, approval=approval(asker))
    # Telling the person is put off because it is dangerous: on the day that was named it is looked at again, and
    # until then it is on nobody's list.
    due = {task.kind: task.due_on.isoformat() for task in tasks_of(world)}
    assert due["herzie_uitstel"] == "2026-12-10"
    assert "informeer_betrokkene" not in due


async def test_the_person_is_told_on_the_day_that_was_named(world: World) -> None:
    """The day in the dossier is the day of the task; of what was acute it comes with the rest."""
    asker = world.asker(GGZ)
    await invoked(world, asker, exception(asker), approval=approval(asker))
    acute = world.asker(GGZ, seed="acute")
    told = exceptions_of(await invoked(world, acute, exception(acute, type="acuut")))[0]
    await completed(world, world.asker(GGZ, seed="rest"), told["exceptionId"], tellOn="2026-11-30")
    stated = {"tellOn": "2026-12-03", "deferral": "UAVG-41"}
    other = world.asker(WIJKTEAM, seed="acute too")
    second = exceptions_of(await invoked(world, other, exception(other, type="acuut")))[0]
    await completed(
        world,
        world.asker(WIJKTEAM, seed="late"),
        second["exceptionId"],
        consultedVeiligThuis=True,
        consulted=None,
        **stated,
    )
    found = {(task.kind, task.due_on.isoformat()) for task in tasks_of(world)}
    assert found >= {
        ("informeer_betrokkene", "2026-12-10"), ("informeer_betrokkene", "2026-11-30"),
        ("herzie_uitstel", "2026-12-03"),
    }  # fmt: skip


async def test_the_roster_says_whether_the_meldcode_asks_approval(world: World) -> None:
    """Asked unless the organisation's own signed roster says otherwise; the decision says so, and all else stays."""
    asker = world.asker(GGZ, seed="not asked")
    world.documents = documents(Enrolled(names=TELLING, others=OTHERS, meldcode_approval=False))
    await invoked(world, asker, exception(asker))
    assert '"approval_asked": false' in str(held_in(world).rows("SELECT body FROM exceptions")[0][0])
    again = world.asker(GGZ, seed="incomplete")
    with pytest.raises(RefusedError):
        await invoked(world, again, exception(again, dossier=dossier(without="conscience")))
    telling(world)
    asked = world.asker(GGZ, seed="asked again")
    with pytest.raises(RefusedError):
        await invoked(world, asked, exception(asked))


async def test_without_a_dossier_only_acute_danger_goes_on(world: World) -> None:
    """No dossier is no exception; acute danger, to Veilig Thuis or the police, goes first, and the rest follows."""
    assert (await refusal(world, dossier=None))["textId"] == "exception.incomplete"
    asker = world.asker(GGZ, seed="acute")
    done = await invoked(world, asker, exception(asker, type="acuut", recipient="veilig_thuis"))
    assert done.result["text"] == {"id": "exception.acute_nobody", "params": {}}
    assert {task.kind for task in tasks_of(world)} >= {"review-exception", "noem_overleg", "beoordeel_spoed"}


async def test_the_rest_comes_once_and_late_is_late(world: World) -> None:
    """Two acts: the rest within a day, by who told or his team; after a day it is taken, and says so."""
    asker = world.asker(GGZ)
    acute = exceptions_of(await invoked(world, asker, exception(asker, type="acuut")))[0]
    with pytest.raises(NotFoundError):
        await completed(world, world.asker(WIJKTEAM), acute["exceptionId"])
    with pytest.raises(RefusedError):
        await completed(world, asker, acute["exceptionId"], without="conscience")
    world.clock.move(86_401)
    asker = world.asker(GGZ, seed="late")
    told = exceptions_of(await completed(world, asker, acute["exceptionId"]))[0]
    assert (told["late"], told["dossier"], told["restDue"]) == (True, "complete", None)
    with pytest.raises(RefusedError) as again:
        await completed(world, asker, acute["exceptionId"])
    assert again.value.document["textId"] == "exception.is_complete"
    assert (await listed(world, asker))[0] == told


async def test_acute_danger_is_told_to_nobody_else(world: World) -> None:
    """A school or a general practitioner is refused, recorded, with the two numbers that are there at night."""
    asker = world.asker(GGZ)
    with pytest.raises(RefusedError) as refused:
        await invoked(world, asker, exception(asker, type="acuut", recipient="huisarts"))
    assert refused.value.document["textId"] == "exception.acute_recipient"
    assert tasks_of(world) == []


async def test_the_rest_comes_from_who_told_or_from_his_team(world: World) -> None:
    """A colleague of another team is refused, recorded, and takes nothing; who is of the team brings it."""
    asker = world.asker(GGZ)
    one = Worker(sub="one", roles=frozenset({"worker"}), broker_sub=None, teams=frozenset({"team-1"}))
    other = replace(one, sub="other", teams=frozenset({"team-2"}))
    others = {**OTHERS, GGZ: (*OTHERS.get(GGZ, ()), one, other)}
    world.documents = documents(Enrolled(names=TELLING, teams=("team-1", "team-2"), others=others))
    acute = exceptions_of(await invoked(world, asker, exception(asker, type="acuut")))[0]
    again = replace(asker, seed="the rest")
    with pytest.raises(RefusedError) as refused:
        await completed(world, again, acute["exceptionId"], worker="other")
    assert refused.value.document["textId"] == "exception.other_team"
    told = await completed(world, replace(asker, seed="his team"), acute["exceptionId"], worker="one")
    assert exceptions_of(told)[0]["dossier"] == "complete"


async def test_a_list_has_own_exceptions_in_pages(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Own exceptions only, a page at a time, to workers only."""
    monkeypatch.setattr("broker.flows.complete_exception.EXCEPTIONS_PER_PAGE", 1)
    ids = []
    for seed in ("a", "b"):
        asker = world.asker(GGZ, seed=seed)
        done = await invoked(world, asker, exception(asker), approval=approval(asker))
        ids.append(exceptions_of(done)[0]["exceptionId"])
    first = await listed(world, world.asker(GGZ, seed="lists"))
    second = await listed(world, world.asker(GGZ, seed="lists on"), after=first[0]["exceptionId"])
    assert [one["exceptionId"] for one in (*first, *second)] == sorted(ids)
    assert await listed(world, world.asker(VEILIG_THUIS)) == []
    assert await reader(world).own(organisation=VEILIG_THUIS, exception_id=ids[0]) is None
    with pytest.raises(RoleNotAllowedError):
        await list_exceptions(
            requester=requester(world.asker(GGZ), role="fg"),
            policies=world.policies,
            clock=world.clock,
            registers=world.documents,
            signals=world.signals,
            exceptions=reader(world),
            answers=world.answers,
            log=world.log,
        )


async def test_its_entry_holds_codes_and_a_commitment(world: World) -> None:
    """What the broker keeps of a dossier is a hash, which questions it answers, and whom the worker consulted."""
    asker = world.asker(GGZ)
    await invoked(world, asker, exception(asker), approval=approval(asker))
    body = str(held_in(world).rows("SELECT body FROM exceptions")[0][0])
    assert "c" * 64 in body
    assert set(held_in(world).rows("SELECT type, rest FROM exceptions")) == {("cvp", None)}


def test_a_failed_decision_is_none(policy: PolicyInForce) -> None:
    """A decision that fails is a failure, recorded as such, and never a refusal that one could act on."""

    class Broken:
        def may_ask(self, facts: AskFacts) -> Refusal:
            """Return the refusal of a failure."""
            refused = policy.decision_point.may_ask(facts)
            assert isinstance(refused, Refusal)
            return Refusal(
                question=refused.question, bundle=refused.bundle, facts=refused.facts, reason="error", rule=None,
                rules=(), near_miss=(), text=refused.text, possible=(),
            )  # fmt: skip

    class Failing:
        decision_point = Broken()

    facts: Any = {
        "day": world_day(), "operation": "share", "organisation": GGZ, "org_class": "ggz", "role": "worker",
        "purpose": "nood", "grounds": ("CVP",), "standing": "none", "approval": "none", "families": frozenset(),
    }  # fmt: skip
    with pytest.raises(DecisionFailedError):
        may_tell(Failing(), AskFacts(**facts))  # type: ignore[arg-type]  # only its decision point is asked


def world_day() -> Any:  # noqa: ANN401 - a day
    """Return the day of every test."""
    from tests.simulators.clock import TestClock  # noqa: PLC0415 - only here

    return TestClock().today()
