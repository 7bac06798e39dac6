"""One evaluation call, from the bytes that came in to the bytes that go out."""

import hashlib
import json
import logging
import secrets
from dataclasses import dataclass, field

from broker.custodian import grants, issued, replays, watched
from broker.custodian.asking import active_organisation, target_of, verified
from broker.custodian.batches import Batch, remember, ticket_of
from broker.custodian.budget_time import BudgetTime
from broker.custodian.budgets import Charge, charge
from broker.custodian.clock import Clock, unix_seconds
from broker.custodian.errors import RefusedError
from broker.custodian.issued import Issue
from broker.custodian.keyring import LiveKeyring
from broker.custodian.settings import Settings
from broker.custodian.store import Store
from broker.custodian.trust import Trust, TrustStore
from broker.custodian.watched import Watching
from broker.custodian.wire import read_request
from broker.protocol.families import Family
from broker.protocol.grant import Grant
from broker.protocol.messages import EvaluationAnswer, EvaluationRequest, FamilyAnswers, WireToken
from broker.protocol.register import BudgetClass, Organisation
from broker.protocol.request_signing import MAX_LIFETIME_S, SignedRequest
from broker.protocol.ristretto import RandomBytes, group
from broker.protocol.signing_keys import SigningKey, b64url
from broker.protocol.tickets import FamilyCount, Ticket, sign_ticket
from broker.protocol.tokens import evaluate_batch
from broker.protocol.trace import Trace

PATH = "/v1/evaluations"
_LOG = logging.getLogger("sluis.custodian")


@dataclass(frozen=True, slots=True, kw_only=True)
class Custodian:
    """Everything an evaluation touches. It belongs to the thread that opened its store."""

    settings: Settings
    store: Store
    trust: TrustStore
    budget_time: BudgetTime
    keyring: LiveKeyring
    signing_key: SigningKey
    clock: Clock
    random: RandomBytes = field(default=secrets.token_bytes)
    watching: Watching | None = None


def evaluate(
    custodian: Custodian, *, authorization: str | None, body: bytes, query: str = "", trace: Trace | None = None
) -> bytes:
    """Return the evaluated points and the ticket, after everything was charged.

    Args:
        authorization: the header of that name.
        body: the raw bytes, whose size the caller has bounded.
        query: what followed the path; tokens are bound to it.
        trace: what the request says of itself, signed by nobody.

    Raises:
        MalformedError: the body breaks a rule. RequestTokenError, RefusedError: not validly asked, or not allowed.
        StoreError: nothing could be charged, so nothing was evaluated.
    """
    # (1) One reading of the body, bounded and strict.
    request = read_request(body)
    # (2) The organisation signed exactly this request to us, now; its id is spent durably before anything else happens.
    now, trust = unix_seconds(custodian.clock), custodian.trust.current()
    target = target_of(custodian.settings, "POST", PATH, query)
    statement = verified(trust, authorization, target=target, body=body, now=now)
    replays.spend(custodian.store, statement, budget_time=custodian.budget_time)
    # (3) We enrolled this organisation ourselves, and the register in force lets it act.
    organisation = active_organisation(trust, statement)
    # (4) The worker is on its roster and may do this.
    broker_sub = _worker_at_broker(trust, statement)
    # (5) We can see that what we hand out is logged; in an emergency we hand it out and report it.
    watched.check(custodian.store, request.budget_class, watching=custodian.watching, now=now)
    # (6) The organisation may use these families: the key used is the authority.
    if not {asked.family for asked in request.families} <= organisation.families:
        raise RefusedError("family-not-allowed")
    # (7) We hold a share for each, in this epoch.
    shares = {asked.family: custodian.keyring.share(request.epoch, Family(asked.family)) for asked in request.families}
    # (8) Every point is one: canonical and not the identity.
    if not all(group().is_valid_point(point.value) for asked in request.families for point in asked.points):
        raise RefusedError("point-invalid")
    # (9) A bulk import needs a grant of this organisation, for this purpose, that this custodian accepted itself.
    grant = _grant(custodian, organisation, request)
    # (10) Charged durably, or charged before: from here on the budget or the grant has paid.
    sizes = trust.sizes(organisation.oin, request.budget_class)
    issue = _charged(custodian, grant or sizes, request, statement, worker=broker_sub)
    # (11) Evaluate and prove.
    answers: list[FamilyAnswers] = []
    for asked in request.families:
        made = evaluate_batch(shares[asked.family], [point.value for point in asked.points], custodian.random)
        points = [WireToken(answer) for answer in made.answers]
        answers.append(FamilyAnswers(family=asked.family, points=points, proof=b64url(made.proof)))
    # (12) The ticket states what was evaluated for whom.
    ticket = _ticket(custodian, issue, request, answers)
    _log_evaluated(organisation, request, trace)
    return (
        EvaluationAnswer(epoch=request.epoch, families=answers, ticket=ticket).model_dump_json(by_alias=True).encode()
    )


def _log_evaluated(organisation: Organisation, request: EvaluationRequest, trace: Trace | None) -> None:
    """The log has one line about it; a trace that is not the batch itself could join it to others (ADR 26)."""
    known = trace and trace.known({request.batch_id})
    traced = known.id if known else "none"
    _LOG.info("evaluated: organisation %s, class %s, trace %s", organisation.oin, request.budget_class, traced)


def _worker_at_broker(trust: Trust, statement: SignedRequest) -> str:
    """Return the worker's id at the broker, from the roster and not from the request."""
    roster = trust.rosters.get(statement.sender.organisation)
    worker = None if roster is None else roster.workers.get(statement.sender.worker)
    if worker is None or worker.broker_sub is None:
        raise RefusedError("worker-unknown")
    if statement.sender.role != "worker" or "worker" not in worker.roles:
        raise RefusedError("role-not-allowed")
    return worker.broker_sub


def _grant(custodian: Custodian, organisation: Organisation, request: EvaluationRequest) -> Grant | None:
    """Return the grant an import is asked under; every other class asks under none. Raises RefusedError."""
    if request.budget_class != "import" and request.grant_id is None:
        return None
    if request.budget_class != "import" or request.grant_id is None:
        raise RefusedError("grant-unknown")
    now = unix_seconds(custodian.clock)
    return grants.in_force(
        custodian.store, organisation=organisation.oin, grant_id=request.grant_id, purpose=request.purpose, now=now
    )


def _charged(
    custodian: Custodian,
    payer: BudgetClass | Grant,
    request: EvaluationRequest,
    statement: SignedRequest,
    *,
    worker: str,
) -> Issue:
    """Return the ticket of this batch: a new one, budgets or grant charged, or the earlier one, nothing charged.

    `worker` is his id at the broker, which tickets carry: fresh ids in a new roster give nobody a full bucket.
    """
    batch = Batch(
        organisation=statement.sender.organisation,
        worker=worker,
        id=request.batch_id,
        body_sha256=statement.body_sha256,
        grant_expires_at=payer.expires_at if isinstance(payer, Grant) else None,
    )
    now = unix_seconds(custodian.clock)
    with custodian.store.transaction() as store:
        ticket_id = ticket_of(store, batch, now=now)
        if ticket_id is None:
            now_us = custodian.budget_time.mark(store)
            if isinstance(payer, Grant):
                # Two people asked for exactly this much, so it is paid by the grant alone (ADR 15).
                grants.charge(store, payer, {asked.family: asked.real for asked in request.families})
            else:
                charge(store, _cost(request, batch), sizes=payer, now_us=now_us)
            ticket_id = custodian.random(16).hex()
            remember(store, batch, ticket_id=ticket_id, now=now, now_us=now_us)
        issue = _issue(payer, request, batch, ticket_id=ticket_id, now=now)
        # No ticket exists that is not noted: what comes back in the broker's log is compared with this.
        issued.note(store, issue)
        watched.note_urgent(store, issue, request.budget_class, watching=custodian.watching, now=now)
    return issue


def _issue(payer: BudgetClass | Grant, request: EvaluationRequest, batch: Batch, *, ticket_id: str, now: int) -> Issue:
    return Issue(
        ticket=ticket_id,
        organisation=batch.organisation,
        worker=batch.worker,
        operation=request.operation,
        purpose=request.purpose,
        epoch=request.epoch,
        counts=json.dumps({asked.family: asked.real for asked in request.families}, sort_keys=True),
        batch=batch.id,
        body_sha256=batch.body_sha256,
        grant=payer.id if isinstance(payer, Grant) else None,
        issued_at=now,
        expires_at=payer.expires_at if isinstance(payer, Grant) else now + MAX_LIFETIME_S,
    )


def _cost(request: EvaluationRequest, batch: Batch) -> Charge:
    persons = sum(asked.real for asked in request.families if asked.family == "nlbsn")
    return Charge(
        organisation=batch.organisation,
        worker=batch.worker,
        budget_class=request.budget_class,
        points=sum(len(family.points) for family in request.families),
        persons=max(1, persons),
    )


def _ticket(custodian: Custodian, issue: Issue, request: EvaluationRequest, answers: list[FamilyAnswers]) -> str:
    real = {asked.family: asked.real for asked in request.families}
    ticket = Ticket(
        custodian=custodian.settings.id,
        broker=custodian.settings.broker_id,
        organisation=issue.organisation,
        worker=issue.worker,
        operation=request.operation,
        purpose=issue.purpose,
        epoch=issue.epoch,
        families={
            answer.family: FamilyCount(real=real[answer.family], answers_sha256=answers_sha256(answer))
            for answer in answers
        },
        batch=issue.batch,
        id=issue.ticket,
        issued_at=issue.issued_at,
        expires_at=issue.expires_at,
        grant=issue.grant,
    )
    return sign_ticket(custodian.signing_key, ticket)


def answers_sha256(answer: FamilyAnswers) -> str:
    """Return the hash a ticket holds of a family's answers: SHA-256 over the points of 32 bytes in order, in hex."""
    return hashlib.sha256(b"".join(point.value for point in answer.points)).hexdigest()
