"""What a custodian checks before it evaluates, in which order, and what it gives back."""

import json
import logging
import secrets
from typing import Any

import pytest

from broker.custodian.errors import RefusedError
from broker.custodian.evaluation import answers_sha256, evaluate
from broker.protocol.errors import MalformedError, ProtocolError, RequestTokenError
from broker.protocol.families import Family
from broker.protocol.messages import EvaluationAnswer
from broker.protocol.ristretto import Point
from broker.protocol.signing_keys import b64url, b64url_bytes
from broker.protocol.tickets import TicketUse, verify_ticket
from broker.protocol.tokens import Identifier, blind, random_points, verify_and_combine
from broker.protocol.trace import Trace
from tests.simulators.custodian import (
    BROKER,
    CUSTODIANS,
    EPOCH,
    CustodianPair,
    SimulatedPartner,
    authorization,
    batch,
    enrol_all,
    evaluations,
    import_register,
    register_text,
    seeded_key,
)

A, B = CUSTODIANS


def refusal(pair: CustodianPair, partner: SimulatedPartner, body: bytes, **claims: Any) -> str:  # noqa: ANN401 - any claim
    """Return the problem id with which custodian A refuses."""
    with pytest.raises((RefusedError, RequestTokenError)) as caught:
        pair.ask(0, partner, body, **claims)
    assert isinstance(caught.value, RefusedError | RequestTokenError)
    return caught.value.code


def charges(pair: CustodianPair) -> list[tuple[Any, ...]]:
    """Return every bucket custodian A has charged."""
    return pair.custodians[0].store.rows("SELECT worker, level FROM bucket ORDER BY worker")


def test_both_answers_combine_to_one_token_for_equal_identifiers(
    pair: CustodianPair, partner: SimulatedPartner
) -> None:
    """The answers of both custodians, verified and combined, give the same token for the same identifier."""
    identifier = Identifier(Family.NLBSN, b"nlbsn\x01fixture")
    descriptor = pair.epochs.descriptor(Family.NLBSN)
    tokens = []
    for _ in range(2):
        blinds = [blind(identifier, secrets.token_bytes), blind(identifier, secrets.token_bytes)]
        padding = random_points(6, secrets.token_bytes)
        body = batch(nlbsn=[*(item.point for item in blinds), *padding], real=2)
        answers = pair.evaluate(partner, body)
        tokens += verify_and_combine(blinds, evaluations(answers, "nlbsn"), descriptor, padding=padding)
    assert len(set(tokens)) == 1


def test_the_ticket_states_what_was_evaluated_and_for_whom(pair: CustodianPair, partner: SimulatedPartner) -> None:
    """A ticket verifies for exactly the worker's broker-side id, operation, purpose, epoch and real counts."""
    answer = pair.ask(0, partner, batch(nlbsn=random_points(3, secrets.token_bytes), fam=[]))
    use = TicketUse(
        broker=BROKER,
        organisation=partner.oin,
        worker=partner.sub("anna", BROKER),
        operation="check",
        purpose="verwijsindex",
        epoch=EPOCH,
        counts={"nlbsn": 3},
    )
    ticket = verify_ticket(answer.ticket, keys={A: seeded_key(A).public}, use=use, now=pair.clock.now)
    assert {name: count.real for name, count in ticket.families.items()} == {"nlbsn": 3, "fam": 0}
    assert [ticket.families[item.family].answers_sha256 for item in answer.families] == [
        answers_sha256(item) for item in answer.families
    ]
    assert ticket.expires_at - ticket.issued_at == 600


@pytest.mark.parametrize("header", [None, "", "Bearer abc", "Sluis"])
def test_a_request_without_a_token_is_refused(pair: CustodianPair, header: str | None) -> None:
    """Nothing is evaluated for a request that no organisation signed."""
    with pytest.raises(RequestTokenError, match="request-token-missing"):
        evaluate(pair.custodians[0], authorization=header, body=batch())


def test_a_replayed_request_is_refused(pair: CustodianPair, partner: SimulatedPartner) -> None:
    """One signed request is accepted once, even though its body alone would be answered again."""
    body, jti = batch(), secrets.token_hex(16)
    pair.ask(0, partner, body, jti=jti)
    assert refusal(pair, partner, body, jti=jti) == "request-token-replayed"


def test_a_request_for_one_custodian_is_refused_by_the_other(pair: CustodianPair, partner: SimulatedPartner) -> None:
    """What was signed for A is worth nothing at B."""
    body = batch()
    header = authorization(partner, body, custodian=A, now=pair.clock.now)
    with pytest.raises(RequestTokenError, match="request-token-audience"):
        evaluate(pair.custodians[1], authorization=header, body=body)


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({"url": "https://custodian-a.demo.sluis.test/v1/other"}, "request-token-target"),
        ({"key": seeded_key("a stranger")}, "request-token-key-unknown"),
        ({"lifetime_s": 601}, "request-token-lifetime"),
        ({"role": "approver"}, "role-not-allowed"),
        ({"worker": "carla"}, "role-not-allowed"),
        ({"sub": "nobody"}, "worker-unknown"),
        ({"parent_org": "00000001001234569999"}, "parent-org-mismatch"),
    ],
)
def test_claims_that_do_not_hold_are_refused(
    pair: CustodianPair, partner: SimulatedPartner, claims: dict[str, Any], code: str
) -> None:
    """Each claim is compared with what this custodian itself knows, and nothing is charged when it differs."""
    assert refusal(pair, partner, batch(), **claims) == code
    assert charges(pair) == []


@pytest.mark.parametrize(("minutes", "code"), [(-11, "request-token-expired"), (2, "request-token-early")])
def test_a_request_outside_its_time_is_refused(
    pair: CustodianPair, partner: SimulatedPartner, minutes: int, code: str
) -> None:
    """An expired request, or one from the future, is refused."""
    body = batch()
    header = authorization(partner, body, custodian=A, now=pair.clock.now + 60 * minutes)
    with pytest.raises(RequestTokenError, match=code):
        evaluate(pair.custodians[0], authorization=header, body=body)


def test_another_body_than_signed_is_refused(pair: CustodianPair, partner: SimulatedPartner) -> None:
    """A token is bound to every byte of the body, and a query string to the address."""
    body = batch()
    header = authorization(partner, body, custodian=A, now=pair.clock.now)
    with pytest.raises(RequestTokenError, match="request-token-body"):
        evaluate(pair.custodians[0], authorization=header, body=batch())
    with pytest.raises(RequestTokenError, match="request-token-target"):
        evaluate(pair.custodians[0], authorization=header, body=body, query="x=1")


def test_an_organisation_the_register_does_not_name_is_unknown(pair: CustodianPair) -> None:
    """An organisation that only the broker knows is refused as unknown, at both custodians."""
    stranger = SimulatedPartner(oin="00000001001234560002")
    for custodian in pair.custodians:
        body = batch()
        header = authorization(stranger, body, custodian=custodian.settings.id, now=pair.clock.now)
        with pytest.raises(RefusedError, match="organisation-unknown"):
            evaluate(custodian, authorization=header, body=body)


def test_an_organisation_of_the_register_that_is_not_enrolled_is_unknown(
    pair: CustodianPair, partner: SimulatedPartner
) -> None:
    """Enrolment is the custodian's own act: the register alone gives no access, until `org enrol`."""
    other = SimulatedPartner(oin="00000001001234560002")
    import_register(pair.folders[0], register_text([partner, other], number=2), now=pair.clock.now)
    assert refusal(pair, other, batch()) == "organisation-unknown"
    enrol_all(pair.folders[0], [other], now=pair.clock.now)
    assert pair.ask(0, other, batch()).epoch == EPOCH


def test_a_suspension_holds_at_once(pair: CustodianPair, partner: SimulatedPartner) -> None:
    """A running custodian refuses a suspended organisation at the next request after the import."""
    assert pair.ask(0, partner, batch()).epoch == EPOCH
    suspended = SimulatedPartner(status="suspended")
    import_register(pair.folders[0], register_text([suspended], number=2), now=pair.clock.now)
    assert refusal(pair, partner, batch()) == "organisation-suspended"


def test_a_family_the_register_does_not_grant_is_refused(pair: CustodianPair, partner: SimulatedPartner) -> None:
    """The key used is the authority: a woningcorporatie gets no BSN evaluated, but does get an address."""
    limited = SimulatedPartner(org_class="woningcorporatie", families=("addr",))
    import_register(pair.folders[0], register_text([limited], number=2), now=pair.clock.now)
    point = random_points(1, secrets.token_bytes)
    assert refusal(pair, partner, batch(addr=point, nlbsn=point)) == "family-not-allowed"
    assert pair.ask(0, partner, batch(addr=point)).families[0].family == "addr"


def test_an_unknown_epoch_or_family_without_a_key_is_refused(pair: CustodianPair, partner: SimulatedPartner) -> None:
    """No share, no evaluation: another epoch, or a family that has no key yet."""
    assert refusal(pair, partner, batch(epoch=2)) == "epoch-unknown"
    granted = SimulatedPartner(families=("nlbsn", "dmk"))
    import_register(pair.folders[0], register_text([granted], number=2), now=pair.clock.now)
    assert refusal(pair, partner, batch(dmk=random_points(1, secrets.token_bytes))) == "epoch-unknown"


@pytest.mark.parametrize("raw", [bytes(32), b"\xff" * 32, (2**255 - 18).to_bytes(32, "little"), b"\x01" + bytes(31)])
def test_a_point_off_the_group_is_refused(pair: CustodianPair, partner: SimulatedPartner, raw: bytes) -> None:
    """The identity and every encoding that is no canonical point are refused before anything is charged."""
    assert refusal(pair, partner, batch(nlbsn=[Point(raw)])) == "point-invalid"
    assert charges(pair) == []


@pytest.mark.parametrize(
    "body",
    [
        batch(operation="register", budget_class="import"),
        batch(operation="register", budget_class="import", fam=random_points(9, secrets.token_bytes)),
        batch(grant_id="0" * 32),
    ],
)
def test_an_import_without_a_grant_is_refused(pair: CustodianPair, partner: SimulatedPartner, body: bytes) -> None:
    """Bulk import needs a grant of two people, and none is known."""
    assert refusal(pair, partner, body) == "grant-unknown"


def test_a_known_batch_is_answered_again_without_a_charge(pair: CustodianPair, partner: SimulatedPartner) -> None:
    """The same batch gives the same answers and ticket id with a new expiry, and costs nothing more."""
    body = batch()
    first = pair.ask(0, partner, body)
    spent = charges(pair)
    pair.clock.pass_seconds(3600)
    again = pair.ask(0, partner, body)
    assert [item.points for item in again.families] == [item.points for item in first.families]
    assert charges(pair) == spent
    tickets = [claims(item) for item in (first, again)]
    assert tickets[0]["jti"] == tickets[1]["jti"]
    assert tickets[1]["exp"] - tickets[0]["exp"] == 3600


def claims(answer: EvaluationAnswer) -> dict[str, Any]:
    """Return the claims of an answer's ticket."""
    members: dict[str, Any] = json.loads(b64url_bytes(answer.ticket.split(".")[1], field="claims"))
    return members


def test_a_batch_id_means_one_batch_of_one_worker(pair: CustodianPair, partner: SimulatedPartner) -> None:
    """Another body, worker or day under the same id is refused; another organisation's ids are its own."""
    batch_id = secrets.token_hex(16)
    body = batch(batch_id=batch_id)
    pair.ask(0, partner, body)
    assert refusal(pair, partner, batch(batch_id=batch_id)) == "batch-reused"
    assert refusal(pair, partner, body, worker="bram") == "batch-reused"
    pair.clock.pass_seconds(86_401)
    assert refusal(pair, partner, body) == "batch-reused"
    other = SimulatedPartner(oin="00000001001234560002")
    import_register(pair.folders[0], register_text([partner, other], number=2), now=pair.clock.now)
    enrol_all(pair.folders[0], [other], now=pair.clock.now)
    assert pair.ask(0, other, batch(batch_id=batch_id)).epoch == EPOCH


def test_the_organisation_pays_points_and_the_worker_persons(pair: CustodianPair, partner: SimulatedPartner) -> None:
    """The organisation is charged every point, padding included; the worker the real persons, at least one."""
    pair.ask(0, partner, batch(nlbsn=random_points(9, secrets.token_bytes), fam=random_points(2, secrets.token_bytes)))
    pair.ask(0, partner, batch(addr=random_points(1, secrets.token_bytes)))
    day_us = 86_400_000_000
    left = {worker: level / day_us for worker, level in charges(pair)}
    assert left == {"": 2_000 - (16 + 8) - 8, partner.sub("anna", BROKER): 60 - 9 - 1}


def changed(body: bytes, **members: Any) -> bytes:  # noqa: ANN401 - any wrong value
    """Return the body with other members."""
    return json.dumps({**json.loads(body), **members}).encode()


POINT = b64url(random_points(1, secrets.token_bytes)[0])
EIGHT = [POINT] * 8
CANARY = "canary-999990019"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"null",
        b"{",
        b'"text"',
        b"\xff\xfe",
        b"\xef\xbb\xbf" + batch(),
        b'{"a":NaN}',
        b'{"a":1e999}',
        b'{"epoch":1,"epoch":1}',
        b"[" * 3000,
        batch()[:-1] + b',"epoch":1}',
        batch() + b" " * 40_000,
        batch()[:-1] + b',"' + CANARY.encode() + b'":1}',
        changed(batch(), batchId=CANARY),
        changed(batch(), batchId=None),
        changed(batch(), operation=CANARY),
        changed(batch(), budgetClass=CANARY),
        changed(batch(), budgetClass="register"),
        changed(batch(operation="register"), budgetClass="check"),
        changed(batch(), purpose=f"{CANARY} {CANARY}"),
        changed(batch(), epoch=0),
        changed(batch(), epoch=2**32),
        changed(batch(), epoch="1"),
        changed(batch(), epoch=1.0),
        changed(batch(), epoch=True),
        changed(batch(), grantId=CANARY),
        changed(batch(), families=[]),
        changed(batch(), families={}),
        changed(batch(), families=[{"family": CANARY, "real": 1, "points": EIGHT}]),
        changed(batch(), families=[{"family": "nlbsn", "real": 9, "points": EIGHT}]),
        changed(batch(), families=[{"family": "nlbsn", "real": -1, "points": EIGHT}]),
        changed(batch(), families=[{"family": "nlbsn", "real": 1, "points": EIGHT * 4}]),
        changed(batch(), families=[{"family": "nlbsn", "real": 8, "points": EIGHT * 2}]),
        changed(batch(), families=[{"family": "nlbsn", "real": 16, "points": EIGHT * 4}]),
        changed(batch(), families=[{"family": "nlbsn", "real": 17, "points": EIGHT * 2}]),
        changed(batch(), families=[{"family": "fam", "real": 0, "points": EIGHT * 2}]),
        changed(batch(), families=[{"family": "fam", "real": 3, "points": EIGHT}]),
        changed(batch(), families=[{"family": "addr", "real": 2, "points": EIGHT}]),
        changed(batch(), families=[{"family": "addr", "real": 1, "points": EIGHT * 2}]),
        changed(batch(), families=[{"family": "nlbsn", "real": 1, "points": EIGHT[:7]}]),
        changed(batch(), families=[{"family": "nlbsn", "real": 1, "points": [CANARY] * 8}]),
        changed(batch(), families=[{"family": "nlbsn", "real": 1, "points": [POINT + "="] * 8}]),
        changed(batch(), families=[{"family": "nlbsn", "real": 1, "points": [1] * 8}]),
        changed(batch(), families=[{"family": "nlbsn", "real": 1, "points": EIGHT, CANARY: 1}]),
        changed(batch(), families=[{"family": "nlbsn", "real": 1, "points": EIGHT}] * 2),
        json.dumps({"batch_id": "0" * 32, **json.loads(batch())}).encode(),
    ],
)
def test_a_malformed_body_is_refused_and_changes_nothing(
    pair: CustodianPair, partner: SimulatedPartner, body: bytes
) -> None:
    """Every body that breaks a rule is refused by field and rule, without its value, before its token is spent."""
    with pytest.raises(MalformedError) as caught:
        pair.ask(0, partner, body)
    assert CANARY not in f"{caught.value.field} {caught.value.rule}"
    assert charges(pair) == []
    assert pair.custodians[0].store.rows("SELECT count(*) FROM spent_request") == [(0,)]


def test_no_log_line_holds_a_point(
    pair: CustodianPair, partner: SimulatedPartner, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither what was asked nor what was answered is ever logged, at any level."""
    caplog.set_level(logging.DEBUG)
    body = batch()
    answer = pair.ask(0, partner, body)
    with pytest.raises((MalformedError, ProtocolError)):
        pair.ask(0, partner, changed(body, epoch=0))
    assert partner.oin in caplog.text
    secret = [*json.loads(body)["families"][0]["points"], *(b64url(p.value) for p in answer.families[0].points)]
    assert not any(point in caplog.text for point in [*secret, answer.ticket])


@pytest.mark.parametrize("own", [True, False])
def test_the_log_line_has_the_trace_of_this_batch_only(
    pair: CustodianPair, partner: SimulatedPartner, caplog: pytest.LogCaptureFixture, *, own: bool
) -> None:
    """A trace is logged if it is the id of the batch itself; any other could join one evaluation to another."""
    caplog.set_level(logging.INFO)
    body, custodian = batch(), pair.custodians[0]
    batch_id = json.loads(body)["batchId"]
    trace = Trace(id=batch_id if own else "ab" * 16, parent="cd" * 8)
    header = authorization(partner, body, custodian=custodian.settings.id, now=pair.clock.now)
    evaluate(custodian, authorization=header, body=body, trace=trace)
    assert f"trace {batch_id if own else 'none'}" in caplog.text
    assert trace.parent not in caplog.text
