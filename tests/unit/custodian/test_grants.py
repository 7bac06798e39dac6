"""Import grants at a custodian: its own act, exact, of two people on its roster, and never a way around a budget."""

import datetime
import json
import secrets
from collections.abc import Sequence
from typing import Any

import pytest

from broker.custodian.batches import forget_old
from broker.custodian.errors import ImportRefusedError, RefusedError
from broker.custodian.grants import forget_all, grant_states, revoke
from broker.protocol.errors import MalformedError, SignatureError
from broker.protocol.grant import Grant
from broker.protocol.messages import EvaluationAnswer
from broker.protocol.ristretto import Point
from broker.protocol.tickets import Ticket, TicketUse, verify_ticket
from broker.protocol.tokens import random_points
from tests.simulators.custodian import (
    BROKER,
    CUSTODIANS,
    EPOCH,
    START_S,
    CustodianPair,
    SimulatedPartner,
    accept_grant,
    batch,
    enrol_all,
    grant_of,
    grant_text,
    import_register,
    register_text,
    seeded_key,
)

A, B = CUSTODIANS
DAY_S = 86_400
OTHER = SimulatedPartner(oin="00000001001234560002")


def points(count: int) -> Sequence[Point]:
    """Return so many points."""
    return random_points(count, secrets.token_bytes)


def row(grant: Grant, *, persons: int = 1, parents: int = 0, **changed: Any) -> bytes:  # noqa: ANN401 - members of a batch
    """Return the batch of one row of an import."""
    families = {"nlbsn": points(persons), **({"fam": points(parents)} if parents else {})}
    return batch(**{"operation": "register", "budget_class": "import", "grant_id": grant.id, **families, **changed})


def accepted(pair: CustodianPair, partner: SimulatedPartner, at: int = 0, **changed: Any) -> Grant:  # noqa: ANN401 - of a grant
    """Return a grant that a custodian accepted."""
    grant = grant_of(partner, now=pair.clock.now, **changed)
    return accept_grant(pair.folders[at], grant_text(partner, grant), now=pair.clock.now)


def refusal(pair: CustodianPair, partner: SimulatedPartner, body: bytes, **claims: Any) -> str:  # noqa: ANN401 - any claim
    """Return the problem id with which custodian A refuses."""
    with pytest.raises(RefusedError) as caught:
        pair.ask(0, partner, body, **claims)
    return caught.value.code


def left(pair: CustodianPair) -> list[dict[str, int]]:
    """Return what is left of each grant of custodian A."""
    return [dict(state.left) for state in grant_states(pair.custodians[0].store)]


def ticket_of(
    pair: CustodianPair, partner: SimulatedPartner, answer: EvaluationAnswer, *, worker: str = "anna"
) -> Ticket:
    """Return the verified ticket of an answer, as the broker reads it for a registration."""
    use = TicketUse(
        broker=BROKER,
        organisation=partner.oin,
        worker=partner.sub(worker, BROKER),
        operation="register",
        purpose="verwijsindex",
        epoch=EPOCH,
        counts={"nlbsn": 1},
    )
    return verify_ticket(answer.ticket, keys={A: seeded_key(A).public}, use=use, now=pair.clock.now)


def test_a_grant_gives_exactly_its_elements(pair: CustodianPair, partner: SimulatedPartner) -> None:
    """Three persons and two parents are evaluated, one element more of either family is refused and costs nothing."""
    grant = accepted(pair, partner)
    pair.ask(0, partner, row(grant, parents=1))
    pair.ask(0, partner, row(grant, persons=1))
    assert refusal(pair, partner, row(grant, persons=2)) == "grant-exhausted"
    assert refusal(pair, partner, row(grant, parents=2)) == "grant-exhausted"
    assert left(pair) == [{"nlbsn": 1, "fam": 1}]
    pair.ask(0, partner, row(grant, parents=1))
    assert refusal(pair, partner, row(grant)) == "grant-exhausted"
    assert left(pair) == [{"nlbsn": 0, "fam": 0}]


def test_a_family_that_the_grant_does_not_name_is_not_in_it(pair: CustodianPair, partner: SimulatedPartner) -> None:
    """No address is evaluated under a grant for persons, and the persons beside it are not charged either."""
    grant = accepted(pair, partner)
    assert refusal(pair, partner, row(grant, addr=points(1))) == "grant-exhausted"
    assert left(pair) == [{"nlbsn": 3, "fam": 2}]


def test_an_import_costs_no_budget_and_a_budget_gives_no_import(pair: CustodianPair, partner: SimulatedPartner) -> None:
    """The grant alone pays: neither the worker's nor the organisation's buckets change, and an empty one is no help."""
    grant = accepted(pair, partner)
    pair.ask(0, partner, row(grant, parents=2))
    assert pair.custodians[0].store.rows("SELECT * FROM bucket") == []


def test_tickets_of_a_grant_live_as_long_as_it_and_register_only(
    pair: CustodianPair, partner: SimulatedPartner
) -> None:
    """A ticket states its grant and ends with it; there is no batch of a grant for a check or an oproep."""
    grant = accepted(pair, partner)
    ticket = ticket_of(pair, partner, pair.ask(0, partner, row(grant)))
    assert (ticket.grant, ticket.operation, ticket.expires_at) == (grant.id, "register", grant.expires_at)
    for operation in ("check", "oproep"):
        with pytest.raises(MalformedError, match="does not fit the operation"):
            pair.ask(0, partner, row(grant, operation=operation))
        assert refusal(pair, partner, batch(operation=operation, grant_id=grant.id)) == "grant-unknown"
    ordinary = batch(operation="register", budget_class="register", grant_id=grant.id)
    assert refusal(pair, partner, ordinary) == "grant-unknown"


@pytest.mark.parametrize("size", [8, 2])
def test_an_import_hides_no_point(pair: CustodianPair, partner: SimulatedPartner, size: int) -> None:
    """A batch of a grant has exactly the points it states, so padding cannot stand in for persons."""
    grant = accepted(pair, partner)
    with pytest.raises(MalformedError, match="not as many as real"):
        pair.ask(0, partner, row(grant, persons=size, real=1))
    assert left(pair) == [{"nlbsn": 3, "fam": 2}]


def test_a_batch_of_a_grant_is_answered_again_until_the_grant_ends(
    pair: CustodianPair, partner: SimulatedPartner
) -> None:
    """A crash costs an exact grant nothing: days later the same batch has the same answers and ticket, uncharged."""
    grant = accepted(pair, partner)
    body = row(grant, parents=2)
    first = pair.ask(0, partner, body)
    pair.clock.pass_seconds(9 * DAY_S)
    forget_old(pair.custodians[0].store, now=pair.clock.now, budget_time=pair.custodians[0].budget_time)
    again = pair.ask(0, partner, body)
    assert again.families[0].points == first.families[0].points
    assert ticket_of(pair, partner, again).id == ticket_of(pair, partner, first).id
    assert left(pair) == [{"nlbsn": 2, "fam": 0}]
    assert refusal(pair, partner, row(grant, batch_id=_batch_id(body))) == "batch-reused"
    pair.clock.pass_seconds(3 * DAY_S)
    assert refusal(pair, partner, body) == "grant-expired"


def test_batches_of_a_grant_are_forgotten_after_it(pair: CustodianPair, partner: SimulatedPartner) -> None:
    """Nothing of an import is kept for good: long after grant and charge a batch is gone."""
    grant = accepted(pair, partner)
    pair.ask(0, partner, row(grant))
    store = pair.custodians[0].store
    for days, kept in ((29, 1), (2, 0)):
        pair.clock.pass_seconds(days * DAY_S)
        forget_old(store, now=pair.clock.now, budget_time=pair.custodians[0].budget_time)
        assert len(store.rows("SELECT id FROM batch")) == kept


def test_a_colleague_goes_on_with_an_import(pair: CustodianPair, partner: SimulatedPartner) -> None:
    """A batch of a grant is the organisation's: another worker has it answered again, on a ticket in his own name."""
    grant = accepted(pair, partner)
    body = row(grant)
    first = ticket_of(pair, partner, pair.ask(0, partner, body))
    second = ticket_of(pair, partner, pair.ask(0, partner, body, worker="bram"), worker="bram")
    assert (second.id, second.worker) == (first.id, partner.sub("bram", BROKER))
    assert left(pair) == [{"nlbsn": 2, "fam": 2}]


def test_a_grant_opens_nothing_for_others(pair: CustodianPair, partner: SimulatedPartner) -> None:
    """Another organisation's grant reads as one that does not exist; another purpose and a passed day are told."""
    import_register(pair.folders[0], register_text([partner, OTHER], number=2), now=pair.clock.now)
    enrol_all(pair.folders[0], [OTHER], now=pair.clock.now)
    grant = accepted(pair, partner)
    assert refusal(pair, OTHER, row(grant)) == refusal(pair, OTHER, row(grant_of(OTHER))) == "grant-unknown"
    elsewhere = accepted(pair, partner, purpose="iets-anders")
    assert refusal(pair, partner, row(elsewhere)) == "grant-purpose"
    pair.clock.step_wall(grant.expires_at - pair.clock.now - 1)
    pair.ask(0, partner, row(grant))
    pair.clock.step_wall(1)
    assert refusal(pair, partner, row(grant)) == "grant-expired"


def test_a_grant_that_only_the_other_custodian_accepted_is_unknown(
    pair: CustodianPair, partner: SimulatedPartner
) -> None:
    """Each custodian accepts by its own act."""
    grant = accepted(pair, partner, at=1)
    assert refusal(pair, partner, row(grant)) == "grant-unknown"
    assert pair.ask(1, partner, row(grant)).epoch == EPOCH


def test_a_suspended_organisation_imports_nothing(pair: CustodianPair, partner: SimulatedPartner) -> None:
    """A suspension holds for a grant at once, and for accepting another."""
    grant = accepted(pair, partner)
    import_register(pair.folders[0], register_text([SimulatedPartner(status="suspended")], number=2), now=1)
    assert refusal(pair, partner, row(grant)) == "organisation-suspended"
    with pytest.raises(ImportRefusedError, match="suspended"):
        accepted(pair, partner)


def test_a_revoked_grant_is_unknown_at_once(pair: CustodianPair, partner: SimulatedPartner) -> None:
    """A custodian takes its acceptance back for the next request, once, and only where there is one."""
    grant = accepted(pair, partner)
    body = row(grant)
    pair.ask(0, partner, body)
    store = pair.custodians[0].store
    with pytest.raises(ImportRefusedError, match="no such grant"):
        revoke(store, organisation=OTHER.oin, grant_id=grant.id, now=1)
    revoke(store, organisation=partner.oin, grant_id=grant.id, now=1)
    assert refusal(pair, partner, body) == "grant-unknown"
    assert [state.revoked for state in grant_states(store)] == [True]
    with pytest.raises(ImportRefusedError, match="no such grant"):
        revoke(store, organisation=partner.oin, grant_id=grant.id, now=2)


def test_a_custodian_that_lost_its_past_takes_new_grants_only(pair: CustodianPair, partner: SimulatedPartner) -> None:
    """What was given before is unknown after a restore: no grant stated until then is accepted, again or at last."""
    grant, store = accepted(pair, partner), pair.custodians[0].store
    pair.ask(0, partner, row(grant))
    with store.transaction():
        forget_all(store, now=pair.clock.now)
    assert (refusal(pair, partner, row(grant)), left(pair)) == ("grant-unknown", [])
    pair.clock.pass_seconds(3600)
    for old in (grant, grant_of(partner, now=pair.clock.now)):
        with pytest.raises(ImportRefusedError, match="older than what this custodian remembers"):
            accept_grant(pair.folders[0], grant_text(partner, old), now=pair.clock.now)
    renewed = grant_text(partner, grant_of(partner, now=pair.clock.now), at=pair.clock.now)
    accept_grant(pair.folders[0], renewed, now=pair.clock.now)
    assert left(pair) == [{"nlbsn": 3, "fam": 2}]


def test_no_file_gives_its_elements_twice_over_a_loss(pair: CustodianPair, partner: SimulatedPartner) -> None:
    """Accepted, used up, forfeited: the same grant is refused, whenever its people say that they stated it."""
    grant, store = accepted(pair, partner), pair.custodians[0].store
    pair.ask(0, partner, row(grant, persons=3, parents=2))
    # Postdated to the last moment of its life, it is not accepted in the first place.
    later = grant_of(partner, now=pair.clock.now)
    for at in (pair.clock.now + 61, later.expires_at - 1):
        with pytest.raises(ImportRefusedError, match="a time to come"):
            accept_grant(pair.folders[0], grant_text(partner, later, at=at), now=pair.clock.now)
    accept_grant(pair.folders[0], grant_text(partner, later, at=pair.clock.now + 60), now=pair.clock.now)
    with store.transaction():
        forget_all(store, now=pair.clock.now)
    for one in (grant, later):
        for at in (START_S - DAY_S, START_S, pair.clock.now + 60, pair.clock.now + 61, one.expires_at - 1):
            with pytest.raises((ImportRefusedError, MalformedError)):
                accept_grant(pair.folders[0], grant_text(partner, one, at=at), now=pair.clock.now)
    assert left(pair) == []


def test_a_clock_set_back_forgets_no_less(pair: CustodianPair, partner: SimulatedPartner) -> None:
    """What was accepted by a later clock is not given again because the clock stood earlier at the loss."""
    early, store = pair.clock.now, pair.custodians[0].store
    pair.clock.pass_seconds(2 * DAY_S)
    grant = grant_of(partner, now=pair.clock.now)
    text = grant_text(partner, grant, at=pair.clock.now)
    accept_grant(pair.folders[0], text, now=pair.clock.now)
    for now in (early, early - DAY_S):
        with store.transaction():
            forget_all(store, now=now)
    with pytest.raises(ImportRefusedError, match="older than what this custodian remembers"):
        accept_grant(pair.folders[0], text, now=pair.clock.now)


@pytest.mark.parametrize(
    ("people", "error"),
    [
        ([("anna", "worker")], SignatureError),
        ([("anna", "worker"), ("anna", "approver")], SignatureError),
        ([("anna", "worker"), ("zoe", "worker")], ImportRefusedError),
        ([("anna", "approver"), ("carla", "approver")], ImportRefusedError),
        ([("anna", "worker"), ("carla", "worker")], ImportRefusedError),
    ],
)
def test_two_people_of_the_roster_state_a_grant(
    pair: CustodianPair, partner: SimulatedPartner, people: list[tuple[str, str]], error: type[Exception]
) -> None:
    """One person, a stranger, or somebody in a role he does not have is not enough."""
    text = grant_text(partner, grant_of(partner), people=people)
    with pytest.raises(error):
        accept_grant(pair.folders[0], text, now=pair.clock.now)
    assert left(pair) == []


def test_two_workers_may_state_a_grant(pair: CustodianPair, partner: SimulatedPartner) -> None:
    """Any two people with the role of worker or approver do."""
    text = grant_text(partner, grant_of(partner), people=[("anna", "worker"), ("bram", "worker")])
    accept_grant(pair.folders[0], text, now=pair.clock.now)
    assert left(pair) == [{"nlbsn": 3, "fam": 2}]


@pytest.mark.parametrize(
    ("changed", "rule"),
    [
        ({"custodians": (B,)}, "other custodians"),
        ({"elements": {"nlbsn": 1, "dmk": 1}}, "may not use every family"),
        ({"now": START_S - 40 * DAY_S}, "expired"),
        ({"now": START_S + 2 * DAY_S}, "later day"),
    ],
)
def test_a_grant_must_fit_this_custodian_and_this_day(
    pair: CustodianPair, partner: SimulatedPartner, changed: dict[str, Any], rule: str
) -> None:
    """A grant for others, for families without a right, of the past or of the future is not accepted."""
    text = grant_text(partner, grant_of(partner, **changed), at=changed.get("now", START_S))
    with pytest.raises(ImportRefusedError, match=rule):
        accept_grant(pair.folders[0], text, now=pair.clock.now)


def test_a_grant_is_accepted_once(pair: CustodianPair, partner: SimulatedPartner) -> None:
    """Accepting a grant again, whoever states it, does not fill it again."""
    grant = accepted(pair, partner)
    pair.ask(0, partner, row(grant))
    for people in ([("anna", "worker"), ("carla", "approver")], [("bram", "worker"), ("carla", "approver")]):
        with pytest.raises(ImportRefusedError, match="accepted already"):
            accept_grant(pair.folders[0], grant_text(partner, grant, people=people), now=pair.clock.now)
    assert left(pair) == [{"nlbsn": 2, "fam": 2}]


def test_only_a_served_organisation_has_grants(pair: CustodianPair, partner: SimulatedPartner) -> None:
    """An organisation outside the register, or that this custodian did not enrol, has no grant accepted."""
    text = grant_text(OTHER, grant_of(OTHER))
    with pytest.raises(ImportRefusedError, match="not in the register"):
        accept_grant(pair.folders[0], text, now=pair.clock.now)
    import_register(pair.folders[0], register_text([partner, OTHER], number=2), now=pair.clock.now)
    with pytest.raises(ImportRefusedError, match="not enrolled"):
        accept_grant(pair.folders[0], text, now=pair.clock.now)


def test_a_grant_of_an_organisation_without_a_roster_in_force_is_refused(
    pair: CustodianPair, partner: SimulatedPartner
) -> None:
    """Who the people are comes from the custodian's own roster; without one nobody is known."""
    with pair.custodians[0].store.transaction() as store:
        store.change("DELETE FROM roster")
    with pytest.raises(ImportRefusedError, match="not on the organisation's roster"):
        accepted(pair, partner)


def _batch_id(body: bytes) -> str:
    return str(json.loads(body)["batchId"])


def test_the_last_day_counts_whole(partner: SimulatedPartner) -> None:
    """A grant holds up to the last second of its last day (UTC)."""
    grant = grant_of(partner, expires_on=datetime.date(2026, 12, 1))
    assert datetime.datetime.fromtimestamp(grant.expires_at, datetime.UTC).isoformat() == "2026-12-02T00:00:00+00:00"
