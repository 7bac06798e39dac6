"""What others may read of what this custodian found: an organisation's FG its own, the other custodian all (D2).

The broker is not in this way: each asks this custodian itself, by a statement of its own.
"""

import json
import re
from collections.abc import Mapping
from urllib.parse import parse_qsl

from broker.custodian import findings, followed, issued, replays
from broker.custodian.asking import active_organisation, check_role, target_of, verified
from broker.custodian.clock import unix_seconds
from broker.custodian.errors import RefusedError
from broker.custodian.evaluation import Custodian
from broker.custodian.findings import Finding
from broker.custodian.followed import FOLLOWED_AT, WITNESSED_AT, FollowedTree
from broker.custodian.watched import is_blind
from broker.protocol import strict_json
from broker.protocol.document_fields import Fields
from broker.protocol.errors import MalformedError, RequestTokenError
from broker.protocol.party_signing import verify_party_request
from broker.protocol.signing_keys import VerifyKey

REPORTS = "/v1/ticket-reports"
PEER_FINDINGS = "/v1/peer-findings"
COUNTED_S = 30 * 86_400
"""Seconds over which tickets are counted in a report."""
COMPARED_S = 180 * 86_400
"""Seconds back to which an FG can compare what one custodian tells with what it told the other."""
FG = frozenset({"fg"})
WORKER = frozenset({"worker"})
PROBE_MISSES = "/v1/probe-misses"
PROBE_MISSED = "probe-missed"
MOST_MISSES = 40
"""Findings that one organisation may cause in a day by saying that probes were missed: nobody is drowned in them."""
_NUMBER = re.compile(r"0|[1-9][0-9]{0,14}")
_PEERS = "peer:"


def ticket_report(custodian: Custodian, *, authorization: str | None, query: str) -> bytes:
    """Return what became of an organisation's tickets, for its FG.

    Raises:
        RequestTokenError, RefusedError: not validly asked, or not by its FG. MalformedError. StoreError.
    """
    now, trust = unix_seconds(custodian.clock), custodian.trust.current()
    # (1) A statement of an organisation we serve, of its FG, accepted once.
    target = target_of(custodian.settings, "GET", REPORTS, query)
    statement = verified(trust, authorization, target=target, body=b"", now=now)
    replays.spend(custodian.store, statement, budget_time=custodian.budget_time)
    organisation = active_organisation(trust, statement)
    check_role(trust, statement, roles=FG)
    after = _after(query)
    # (2) Its own findings, and those whose organisation nobody knows.
    store = custodian.store
    found = findings.of_organisation(store, organisation.oin, after=after)
    report = {
        "custodian": custodian.settings.id,
        "asOf": now,
        "store": findings.store_id(store),
        "watching": custodian.watching is not None,
        "blind": custodian.watching is None or is_blind(store, custodian.watching, now=now),
        "seenAt": store.number(FOLLOWED_AT),
        "witnessedAt": store.number(WITNESSED_AT),
        "logSize": FollowedTree(store).size(),
        "alarms": [{"kind": alarm.kind, "raisedAt": alarm.raised_at} for alarm in followed.standing_alarms(store)],
        "counts": issued.counts_of(store, organisation.oin, since=now - COUNTED_S),
        "findings": [finding.document() for finding in found],
        "fromPeers": findings.told_by_peers(store, organisation.oin, since=now - COMPARED_S),
    }
    return json.dumps(report).encode()


def peer_findings(
    custodian: Custodian, peers: Mapping[str, VerifyKey], *, authorization: str | None, query: str
) -> bytes:
    """Return all findings after a number, for the other custodian.

    Raises:
        RequestTokenError: not validly asked by a peer that is pinned here. MalformedError. StoreError.
    """
    target = target_of(custodian.settings, "GET", PEER_FINDINGS, query)
    now = unix_seconds(custodian.clock)
    asked = verify_party_request(authorization, keys=peers, target=target, body=b"", now=now)
    if not replays.spend_id(
        custodian.store,
        issuer=_PEERS + asked.party,
        jti=asked.jti,
        expires_at=asked.expires_at,
        budget_time=custodian.budget_time,
    ):
        raise RequestTokenError("request-token-replayed")
    found = findings.all_after(custodian.store, _after(query))
    listed = [finding.document() for finding in found]
    return json.dumps({"store": findings.store_id(custodian.store), "findings": listed}).encode()


def probe_missed(custodian: Custodian, *, authorization: str | None, body: bytes) -> bytes:
    """Two organisations' FGs are told that a probe of theirs was not found; the broker does not hear of it.

    Raises:
        RequestTokenError, RefusedError: not validly asked, or too often. MalformedError. StoreError.
    """
    now, trust, store = unix_seconds(custodian.clock), custodian.trust.current(), custodian.store
    members = Fields.of(strict_json.load_object(body), "probe", exactly={"partner", "pair", "step", "proof"})
    target = target_of(custodian.settings, "POST", PROBE_MISSES, "")
    statement = verified(trust, authorization, target=target, body=body, now=now)
    replays.spend(store, statement, budget_time=custodian.budget_time)
    organisation = active_organisation(trust, statement)
    check_role(trust, statement, roles=WORKER)
    partner, pair, proof = members.oin("partner"), members.word("pair"), members.word("proof")
    if partner not in trust.enrolled or partner == organisation.oin:
        raise MalformedError("partner", "is no other organisation that is enrolled here")
    with store.transaction():
        query = "SELECT count(*) FROM finding WHERE kind = ? AND told_by = ? AND found_at > ?"
        ((told,),) = store.rows(query, PROBE_MISSED, organisation.oin, now - 86_400)
        if told >= MOST_MISSES:
            raise RefusedError("budget-exhausted")
        for oin in (organisation.oin, partner):
            step = members.number("step")
            finding = Finding(
                kind=PROBE_MISSED, organisation=oin, found_at=now, ticket=pair, entry=step, told_by=organisation.oin,
                proof=proof,
            )  # fmt: skip
            findings.add(store, finding)
    return b"{}"


def probe_reports(custodian: Custodian, *, authorization: str | None, query: str) -> bytes:
    """Return which probes were reported missed by or to an organisation, for its workers: its own program asks.

    Raises:
        RequestTokenError, RefusedError: not validly asked. MalformedError. StoreError.
    """
    now, trust = unix_seconds(custodian.clock), custodian.trust.current()
    target = target_of(custodian.settings, "GET", PROBE_MISSES, query)
    statement = verified(trust, authorization, target=target, body=b"", now=now)
    replays.spend(custodian.store, statement, budget_time=custodian.budget_time)
    organisation = active_organisation(trust, statement)
    check_role(trust, statement, roles=WORKER)
    found = findings.of_organisation(custodian.store, organisation.oin, after=_after(query), kind=PROBE_MISSED)
    return json.dumps({"findings": [finding.document() for finding in found]}).encode()


def _after(query: str) -> int:
    """Return the number after which findings are asked."""
    members = dict(parse_qsl(query))
    after = members.pop("after", "0")
    if members or _NUMBER.fullmatch(after) is None:
        raise MalformedError("after", "is not the number of a finding")
    return int(after)
