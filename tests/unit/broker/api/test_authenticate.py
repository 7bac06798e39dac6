"""A request is believed only if every step of D13 holds, in order."""

import asyncio
import dataclasses
from collections.abc import Mapping

import pytest

from broker.api.authenticate import Authenticated, Received, authenticate
from broker.protocol.epochs import EpochDocument
from broker.protocol.errors import RequestTokenError
from broker.protocol.register import Register
from broker.protocol.request_signing import APPROVAL_TYP, Sender, Target, sign_request
from broker.protocol.roster import Roster
from broker.protocol.signing_keys import SigningKey
from tests.simulators.asking import epoch_document
from tests.simulators.enrolled import GEMEENTE, SCHOOL, WIJKTEAM, Enrolled, key, request_token, worker_id

NOW = 1_795_000_000
BODY = b'{"a":1}'
TARGET = Target(audience="broker.demo.sluis.test", method="POST", url="http://broker.test/v1/signals")
JTI, OTHER_JTI = "a" * 32, "b" * 32


class Known:
    """The memory twin of the three ports that say who is known and which tokens were used."""

    def __init__(self, enrolled: Enrolled, *, rosters: Mapping[str, Roster] | None = None) -> None:
        """Know these organisations; all have a roster, unless some are given."""
        self._register = enrolled.register()
        self._rosters = enrolled.rosters() if rosters is None else rosters
        self.used: dict[tuple[str, str], int] = {}

    async def register(self) -> Register:
        """Return the register."""
        return self._register

    async def works(self) -> bool:
        """Say yes."""
        return True

    async def epoch(self) -> EpochDocument:
        """Return the epoch in use."""
        return EpochDocument.from_mapping(epoch_document().document)

    async def roster(self, organisation: str) -> Roster | None:
        """Return an organisation's roster."""
        return self._rosters.get(organisation)

    async def spend(self, *, issuer: str, jti: str, expires_at: int) -> bool:
        """Return whether this is the first use."""
        await asyncio.sleep(0)
        first = (issuer, jti) not in self.used
        self.used.setdefault((issuer, jti), expires_at)
        return first


@pytest.fixture
def known() -> Known:
    """The register and rosters of five organisations, and no used token."""
    return Known(Enrolled())


def _token(*, oin: str = WIJKTEAM, jti: str = JTI, role: str = "worker") -> str:
    return request_token(oin, target=TARGET, body=BODY, jti=jti, now=NOW, role=role)


def _approval(sender: Sender | None = None, signer: SigningKey | None = None, body: bytes = BODY) -> str:
    sender = sender or Sender(organisation=WIJKTEAM, worker=worker_id(WIJKTEAM, "approver"), role="approver")
    return sign_request(
        signer or key(WIJKTEAM), sender=sender, target=TARGET, body=body, jti=OTHER_JTI, now=NOW, typ=APPROVAL_TYP
    )


def _received(token: str | None, approval: str | None = None) -> Received:
    header = None if token is None else f"Sluis {token}"
    return Received(target=TARGET, authorization=header, approval=approval, body=BODY)


async def _authenticate(received: Received, known: Known, now: int = NOW) -> Authenticated:
    return await authenticate(received, registers=known, rosters=known, spending=known, now=now)


async def _outcome(received: Received, known: Known, now: int = NOW) -> str:
    """Return the problem's id, or `ok`."""
    try:
        await _authenticate(received, known, now)
    except RequestTokenError as error:
        return error.code
    return "ok"


async def test_a_good_request_has_a_sender(known: Known) -> None:
    """A well-signed request gives its organisation and worker, and its token is spent past its expiry."""
    sent = await _authenticate(_received(_token()), known)
    assert (sent.requester.organisation, sent.requester.worker) == (WIJKTEAM, worker_id(WIJKTEAM, "worker"))
    assert sent.requester.jti == JTI
    assert sent.approval is None
    assert known.used == {(WIJKTEAM, JTI): NOW + 300 + 60}


@pytest.mark.parametrize("header", [None, "", "Bearer x", "sluis x"])
async def test_the_token_stands_in_its_own_header(known: Known, header: str | None) -> None:
    """Only the scheme `Sluis` carries a request token."""
    received = dataclasses.replace(_received(_token()), authorization=header)
    assert await _outcome(received, known) == "request-token-missing"


async def test_an_unknown_organisation_is_told_so(known: Known) -> None:
    """Who is not in the broker's own register is not enrolled here, whatever it signs with."""
    stranger = "9" * 20
    token = sign_request(
        key(stranger),
        sender=Sender(organisation=stranger, worker="w", role="worker"),
        target=TARGET,
        body=BODY,
        jti=JTI,
        now=NOW,
    )
    assert await _outcome(_received(token), known) == "organisation-unknown"


async def test_a_suspended_organisation_is_refused() -> None:
    """A suspended organisation's good signature counts for nothing."""
    known = Known(Enrolled(suspended=frozenset({WIJKTEAM})))
    assert await _outcome(_received(_token()), known) == "organisation-suspended"


async def test_the_parent_is_the_registered_one() -> None:
    """An organisation cannot claim or drop the parent that the registrars state."""
    known = Known(Enrolled(parents={WIJKTEAM: GEMEENTE}))
    assert await _outcome(_received(_token()), known) == "parent-org-mismatch"


async def test_a_worker_is_on_the_roster(known: Known) -> None:
    """A worker whom the organisation did not list is unknown; so is everybody of an organisation without a roster."""
    others = Known(Enrolled(), rosters={SCHOOL: Enrolled().roster(SCHOOL)})
    assert await _outcome(_received(_token()), others) == "worker-unknown"
    stranger = sign_request(
        key(WIJKTEAM),
        sender=Sender(organisation=WIJKTEAM, worker="nobody", role="worker"),
        target=TARGET,
        body=BODY,
        jti=JTI,
        now=NOW,
    )
    assert await _outcome(_received(stranger), known) == "worker-unknown"


async def test_a_worker_has_the_role_he_claims(known: Known) -> None:
    """A role counts only if the roster gives it to this worker."""
    token = sign_request(
        key(WIJKTEAM),
        sender=Sender(organisation=WIJKTEAM, worker=worker_id(WIJKTEAM, "worker"), role="fg"),
        target=TARGET,
        body=BODY,
        jti=JTI,
        now=NOW,
    )
    assert await _outcome(_received(token), known) == "role-not-allowed"


async def test_a_token_works_once(known: Known) -> None:
    """Of a hundred requests with one token at once, one is believed and the others are replays."""
    outcomes = await asyncio.gather(*(_outcome(_received(_token()), known) for _ in range(100)))
    assert sorted(outcomes) == ["ok", *["request-token-replayed"] * 99]


async def test_a_token_is_spent_before_anything_else_is_judged() -> None:
    """A refused worker's token is used up too; a token that was not validly signed spends nothing."""
    others = Known(Enrolled(), rosters={})
    assert await _outcome(_received(_token()), others) == "worker-unknown"
    assert await _outcome(_received(_token()), others) == "request-token-replayed"
    assert await _outcome(_received(_token(jti=OTHER_JTI)), others, now=NOW + 3600) == "request-token-expired"
    assert list(others.used) == [(WIJKTEAM, JTI)]


async def test_one_token_id_per_organisation(known: Known) -> None:
    """Organisations choose their token ids by themselves, so the same id of another one is no replay."""
    assert await _outcome(_received(_token()), known) == "ok"
    assert await _outcome(_received(_token(oin=SCHOOL)), known) == "ok"


async def test_an_approval_by_an_enrolled_colleague_holds(known: Known) -> None:
    """A second statement over the same body by an approver counts, once."""
    sent = await _authenticate(_received(_token(), _approval()), known)
    assert sent.approval is not None
    assert sent.approval.worker == worker_id(WIJKTEAM, "approver")
    again = _received(_token(jti="c" * 32), _approval())
    assert await _outcome(again, known) == "request-token-replayed"


async def test_nobody_approves_their_own_request(known: Known) -> None:
    """The approver is another worker than the requester."""
    own = Sender(organisation=WIJKTEAM, worker=worker_id(WIJKTEAM, "worker"), role="approver")
    assert await _outcome(_received(_token(), _approval(own)), known) == "approver-is-requester"


@pytest.mark.parametrize(
    "approval",
    [
        "no.jwt.here",
        _approval(body=b"{}"),
        _approval(signer=key("stranger")),
        _approval(Sender(organisation=SCHOOL, worker=worker_id(SCHOOL, "approver"), role="approver"), key(SCHOOL)),
        _approval(Sender(organisation=WIJKTEAM, worker=worker_id(WIJKTEAM, "approver"), role="worker")),
        _approval(Sender(organisation=WIJKTEAM, worker=worker_id(WIJKTEAM, "fg"), role="approver")),
        _approval(Sender(organisation=WIJKTEAM, worker="nobody", role="approver")),
        _token(role="approver"),
    ],
    ids=["no-jwt", "other-body", "other-key", "other-organisation", "other-role", "not-approver", "nobody", "typ"],
)
async def test_an_approval_that_does_not_hold_stops_the_request(known: Known, approval: str) -> None:
    """A bad approval is never ignored: the request is not done."""
    assert await _outcome(_received(_token(), approval), known) == "approval-invalid"
