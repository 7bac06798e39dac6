"""What a request must itself hold to: told plainly, changing and recording nothing."""

from dataclasses import replace
from typing import Any

import pytest

from audit.receipt import Receipt
from broker.domain.errors import (
    AgeQuarterNeededError,
    ApprovalError,
    ApproverIsRequesterError,
    AssessmentNeededError,
    BrokerError,
    ControllerUnknownError,
    EndDateBeyondRuleError,
    EpochUnknownError,
    FamilyNotAllowedError,
    FamilyNotUsedError,
    FieldRuleError,
    InformingNeededError,
    OrganisationSuspendedError,
    OrganisationUnknownError,
    PointInvalidError,
    PurposeUnknownError,
    TeamUnknownError,
)
from broker.domain.requests import Approval
from broker.protocol.epochs import EpochDocument
from broker.protocol.errors import TicketError
from broker.protocol.families import Family
from broker.protocol.signing_keys import b64url
from tests.simulators.asking import household
from tests.simulators.broker_world import World, approval, documents, log_size
from tests.simulators.enrolled import GEMEENTE, GI, SCHOOL, VEILIG_THUIS, WIJKTEAM, WOONCORPORATIE, Enrolled, worker_id
from tests.unit.broker.flows.deciders import permissive

CHILD = household(subject="child", parents=("mother",))
MIEKE = {"purpose": "verwijsindex", "ground": "JW-7.1.4.1"}
YOUTH: dict[str, Any] = {
    "ageQuarter": "2032-01-01",
    "assessment": {"on": "2026-11-20", "by": "worker-1000"},
    "informing": {"state": "informed", "reason": None, "reviewOn": None},
}
NO_POINT = b64url(bytes(31) + b"\x01")


async def refuse(world: World, asker_oin: str, error: type[Exception], body: dict[str, Any]) -> Exception:
    """Send a registration that must be refused with this error, and must leave the log and the store as they were."""
    before = await log_size(world)
    asker = world.asker(asker_oin)
    with pytest.raises(error) as refused:
        await world.send_registration(asker, {**asker.registration(CHILD), **body})
    assert await log_size(world) == before
    return refused.value


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"controller": GEMEENTE}, ControllerUnknownError),
        ({"team": "team-2"}, TeamUnknownError),
        ({"purpose": "onbekend"}, PurposeUnknownError),
        ({"epoch": 2}, EpochUnknownError),
        ({"endsOn": "2026-11-21"}, FieldRuleError),
        ({"tickets": []}, TicketError),
        ({"household": {"subject": NO_POINT, "parents": [], "address": None}}, PointInvalidError),
        ({"household": {**CHILD, "parents": CHILD["parents"] * 2}}, FieldRuleError),
    ],
)
async def test_a_request_that_breaks_its_own_rule_changes_nothing(
    world: World, changed: dict[str, Any], error: type[Exception]
) -> None:
    """Each rule of a request is checked before anything is decided, and its breach is no entry."""
    await refuse(world, GI, error, changed)


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"ageQuarter": None}, AgeQuarterNeededError),
        ({"ageQuarter": "2032-02-01"}, FieldRuleError),
        ({"ageQuarter": "2032-01-02"}, FieldRuleError),
        ({"endsOn": "2028-11-23"}, EndDateBeyondRuleError),
        ({"assessment": None}, AssessmentNeededError),
        ({"assessment": {"on": "2026-11-23", "by": "worker-1000"}}, FieldRuleError),
        ({"informing": None}, InformingNeededError),
        ({"informing": {"state": "deferred", "reason": None, "reviewOn": None}}, InformingNeededError),
        ({"informing": {"state": "deferred", "reason": "investigation", "reviewOn": None}}, InformingNeededError),
        ({"informing": {"state": "deferred", "reason": "investigation", "reviewOn": "2026-11-21"}}, FieldRuleError),
        ({"informing": {"state": "informed", "reason": "investigation", "reviewOn": None}}, FieldRuleError),
        ({"informing": {"state": "informed", "reason": None, "reviewOn": "2026-12-01"}}, FieldRuleError),
    ],
)
async def test_a_signal_keeps_to_the_rules_of_the_verwijsindex(
    world: World, changed: dict[str, Any], error: type[Exception]
) -> None:
    """Two years at most, not beyond 23, judged by a person, and the family informed or a reason why not."""
    asker = world.asker(GI, **MIEKE)
    with pytest.raises(error):
        await world.register(asker, CHILD, **{**YOUTH, **changed})
    assert await log_size(world) == 0


async def test_only_who_is_in_the_register_and_active_may_act(world: World) -> None:
    """An organisation that is unknown or suspended at this moment is refused, whatever its worker signed."""
    known = world.documents
    world.documents = documents(Enrolled(suspended=frozenset({GI})))
    await refuse(world, GI, OrganisationSuspendedError, {})
    names = {oin: name for oin, name in Enrolled().names.items() if oin != GI}
    world.documents = replace(documents(Enrolled(names=names)), rosters=known.rosters)
    await refuse(world, GI, OrganisationUnknownError, {})


async def test_the_registered_parent_may_be_the_controller(world: World) -> None:
    """The controller is the organisation itself or the parent that the register names (D17)."""
    world.documents = documents(Enrolled(parents={GI: GEMEENTE}))
    answer = await world.register(world.asker(GI), CHILD, controller=GEMEENTE)
    assert answer.result["signalId"]


async def test_a_family_beyond_the_register_is_refused(world: World) -> None:
    """An organisation uses only the identifiers that the register allows it."""
    asker = world.asker(WOONCORPORATIE)
    with pytest.raises(FamilyNotAllowedError):
        await world.check(asker, household(subject="child", members=()))


async def test_a_family_that_the_purpose_does_not_use_is_stopped_twice(world: World) -> None:
    """Policy refuses it; were policy to permit it, no token of it is looked up or stored all the same."""
    world.policy = permissive(world.policy)
    asker = world.asker(GI, **MIEKE)
    home = household(subject="child", address="home")
    with pytest.raises(FamilyNotUsedError):
        await world.register(asker, home, **YOUTH)
    with pytest.raises(FamilyNotUsedError):
        await world.check(asker, {**home, "members": []})


async def test_an_epoch_without_a_key_for_the_family_is_unknown(world: World) -> None:
    """Tokens of a family that the epoch in use has no key for cannot be of that epoch."""
    whole = world.documents.in_use
    kept = tuple(one for one in whole.descriptors if one.family is not Family.FAM)
    world.documents.in_use = EpochDocument(epoch=whole.epoch, descriptors=kept)
    await refuse(world, GI, EpochUnknownError, {})


async def test_a_check_has_at_least_one_token(world: World) -> None:
    """A household of nobody is no question."""
    asker = world.asker(GI)
    with pytest.raises(FieldRuleError):
        await world.check(asker, household(subject=None, members=()))


async def test_an_organisation_without_a_roster_has_no_team(world: World) -> None:
    """Without a roster there is no contact card, and without a card no act."""
    world.documents.rosters = {}
    await refuse(world, GI, TeamUnknownError, {})


@pytest.mark.parametrize("wrong", ["one", "twice", "a third"])
async def test_exactly_one_ticket_of_each_custodian(world: World, wrong: str) -> None:
    """One ticket too few, or two of one custodian, is no proof of both."""
    asker = world.asker(GI)
    body = asker.registration(CHILD)
    first, second = body["tickets"]
    tickets = {"one": [first], "twice": [first, first], "a third": [first, second, second]}[wrong]
    with pytest.raises(TicketError) as refused:
        await world.send_registration(asker, {**body, "tickets": tickets})
    assert refused.value.code == "ticket-missing"


def stated_by(
    as_enrolled: str = "approver", *, organisation: str = WIJKTEAM, role: str = "approver", of: str = WIJKTEAM
) -> Approval:
    """Return a statement in the name of an organisation by whoever is enrolled in this role at `of`."""
    return Approval(organisation=organisation, worker=worker_id(of, as_enrolled), role=role, jti="a" * 32)


APPROVALS: list[tuple[type[BrokerError], Approval]] = [
    (ApproverIsRequesterError, stated_by("worker")),
    (ApprovalError, stated_by(organisation=VEILIG_THUIS)),
    (ApprovalError, stated_by(role="worker")),
    (ApprovalError, stated_by("fg")),
    (ApprovalError, stated_by(of=VEILIG_THUIS)),
]


@pytest.mark.parametrize(("error", "stated"), APPROVALS)
async def test_an_approval_is_a_colleagues_who_may_approve(
    world: World, error: type[BrokerError], stated: Approval
) -> None:
    """Nobody approves their own act, and only an enrolled approver of the same organisation approves at all."""
    asker = world.asker(WIJKTEAM, **MIEKE)
    with pytest.raises(error) as refused:
        await world.send_registration(asker, asker.registration(CHILD, **YOUTH), approval=stated)
    assert type(refused.value) is error


async def test_an_approval_stands_in_the_entry_of_who_asked(world: World) -> None:
    """The actor of an approved act names the approver too."""
    asker = world.asker(SCHOOL, **MIEKE)
    stated = approval(asker)
    body = asker.registration(CHILD, **YOUTH)
    answer = await world.send_registration(asker, body, approval=stated)

    actor = Receipt.from_wire(dict(answer.receipt)).openings["actor"].payload
    assert stated.worker.encode() in actor
    assert stated.jti.encode() in actor
