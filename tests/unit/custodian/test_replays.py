"""Spent request ids: how long they are kept, whatever the clocks do."""

import secrets

import pytest

from broker.custodian import batches, folder, replays
from broker.custodian.evaluation import evaluate
from broker.custodian.service import tidy
from broker.protocol.errors import RequestTokenError
from tests.simulators.custodian import CUSTODIANS, CustodianPair, SimulatedPartner, authorization, batch

A = CUSTODIANS[0]


def spent(pair: CustodianPair) -> int:
    """Return how many ids custodian A keeps."""
    return int(pair.custodians[0].store.rows("SELECT count(*) FROM spent_request")[0][0])


def test_a_spent_id_survives_a_restart(pair: CustodianPair, partner: SimulatedPartner) -> None:
    """A custodian that starts again still refuses the request it had accepted."""
    body = batch()
    header = authorization(partner, body, custodian=A, now=pair.clock.now)
    evaluate(pair.custodians[0], authorization=header, body=body)
    with (
        folder.open_custodian(pair.folders[0], clock=pair.clock) as again,
        pytest.raises(RequestTokenError, match="request-token-replayed"),
    ):
        evaluate(again, authorization=header, body=body)


def test_an_id_is_kept_until_nobody_would_accept_it(pair: CustodianPair, partner: SimulatedPartner) -> None:
    """Ids are forgotten only after expiry, skew and an hour of budget time."""
    pair.ask(0, partner, batch())
    for seconds, kept in ((361, 1), (3000, 1), (300, 0)):
        pair.clock.pass_seconds(seconds)
        tidy(pair.custodians[0])
        assert spent(pair) == kept


def test_a_clock_step_revives_no_request(pair: CustodianPair, partner: SimulatedPartner) -> None:
    """A wall clock set forward forgets nothing early, and set back after forgetting, an old request stays refused."""
    custodian = pair.custodians[0]
    body = batch()
    header = authorization(partner, body, custodian=A, now=pair.clock.now)
    evaluate(custodian, authorization=header, body=body)
    pair.clock.step_wall(10 * 365 * 86_400)
    tidy(custodian)
    assert spent(pair) == 1
    pair.clock.pass_seconds(4000)
    tidy(custodian)
    assert spent(pair) == 0
    pair.clock.step_wall(-10 * 365 * 86_400 - 4000)
    with pytest.raises(RequestTokenError, match="request-token-expired"):
        evaluate(custodian, authorization=header, body=body)
    pair.clock.pass_seconds(400)
    assert pair.ask(0, partner, batch()).ticket


def test_ids_of_two_organisations_do_not_meet(pair: CustodianPair, partner: SimulatedPartner) -> None:
    """An id is spent per issuer, so no organisation can use up another's."""
    jti = secrets.token_hex(16)
    pair.ask(0, partner, batch(), jti=jti)
    other = pair.custodians[0].store.rows("SELECT issuer FROM spent_request WHERE jti = ?", jti)
    assert other == [(partner.oin,)]


def test_batches_are_forgotten_after_a_month(pair: CustodianPair, partner: SimulatedPartner) -> None:
    """A batch id of long ago is unknown again, and would be charged again."""
    body = batch()
    pair.ask(0, partner, body)
    pair.clock.pass_seconds(batches.FORGOTTEN_S + 1)
    tidy(pair.custodians[0])
    known = "SELECT charged_at FROM batch"
    assert pair.custodians[0].store.rows(known) == []
    pair.ask(0, partner, body)
    assert pair.custodians[0].store.rows(known) == [(pair.clock.now,)]


def test_a_wall_clock_set_forward_forgets_no_batch(pair: CustodianPair, partner: SimulatedPartner) -> None:
    """A batch is forgotten when a month has passed, not when a clock says so: else the same batch is charged twice."""
    body = batch()
    first = pair.ask(0, partner, body)
    pair.clock.step_wall(batches.FORGOTTEN_S + 1)
    tidy(pair.custodians[0])
    pair.clock.step_wall(-batches.FORGOTTEN_S - 1)
    again = pair.ask(0, partner, body)
    assert again.families[0].points == first.families[0].points
    assert len(pair.custodians[0].store.rows("SELECT id FROM batch")) == 1


def test_nothing_expired_leaves_no_floor(pair: CustodianPair) -> None:
    """With nothing to forget, no expiry is ruled out."""
    replays.forget_expired(pair.custodians[0].store, now=pair.clock.now, budget_time=pair.custodians[0].budget_time)
    assert pair.custodians[0].store.number("jti_floor") is None
