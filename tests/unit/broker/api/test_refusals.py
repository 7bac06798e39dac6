"""Bad input gets a clear error of its own kind, and changes nothing: no entry, no signal, no spent ticket."""

import hashlib
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from broker.protocol.request_signing import Sender, Target, sign_request
from broker.protocol.signing_keys import SigningKey, b64url
from broker.protocol.tickets import FamilyCount, Ticket, sign_ticket
from tests.simulators.asking import BROKER, PUBLIC_URL, Asker, Sent, household, token
from tests.simulators.enrolled import GI, WIJKTEAM, WOONCORPORATIE, key, worker_id
from tests.simulators.served_world import ServedWorld
from tests.simulators.two_custodians import NAMES as CUSTODIANS

FAMILY = household(subject="child", parents=["mother"])
PATH = "/v1/signals"
Alter = Callable[[Asker, dict[str, Any]], dict[str, Any]]


def _problem(response: httpx.Response) -> str:
    assert response.headers["content-type"] == "application/problem+json"
    return str(response.json()["type"]).removeprefix("urn:sluis:problem:")


def _nothing_changed(world: ServedWorld) -> None:
    assert world.leaves == 0
    for table in ("signals", "spent_tickets", "answers", "tasks"):
        assert world.rows(f"SELECT count(*) FROM {table}") == [(0,)]  # noqa: S608 - a name from the list above


def _signed(world: ServedWorld, body: bytes, **wrong: Any) -> Sent:  # noqa: ANN401 - claims a test wants otherwise
    """Return a POST whose token is right but for what a test changes in it."""
    sender = Sender(
        organisation=wrong.pop("iss", WIJKTEAM),
        worker=wrong.pop("sub", worker_id(WIJKTEAM, "worker")),
        role=wrong.pop("role", "worker"),
        parent_org=wrong.pop("parent_org", None),
    )
    target = Target(
        audience=wrong.pop("aud", BROKER), method=wrong.pop("htm", "POST"), url=wrong.pop("htu", PUBLIC_URL + PATH)
    )
    signing: SigningKey = wrong.pop("key", key(WIJKTEAM))
    chosen = {"jti": "a" * 32, "now": world.clock.now(), **wrong}
    text = sign_request(signing, sender=sender, target=target, body=chosen.pop("signed_body", body), **chosen)
    return Sent(method="POST", path=PATH, body=body, headers={"Authorization": f"Sluis {text}"})


@pytest.mark.parametrize(
    ("wrong", "status", "problem"),
    [
        ({"key": key("stranger")}, 401, "request-token-key-unknown"),
        ({"aud": "custodian-a.demo.sluis.test"}, 401, "request-token-audience"),
        ({"lifetime_s": 601}, 401, "request-token-lifetime"),
        ({"ago": -120}, 401, "request-token-early"),
        ({"ago": 3600}, 401, "request-token-expired"),
        ({"htm": "GET"}, 401, "request-token-target"),
        ({"htu": PUBLIC_URL + "/v1/household-checks"}, 401, "request-token-target"),
        ({"htu": PUBLIC_URL + PATH + "?x=1"}, 401, "request-token-target"),
        ({"signed_body": b"{}"}, 401, "request-token-body"),
        ({"typ": "sluis-approval+jwt"}, 401, "request-token-malformed"),
        ({"jti": "short"}, 401, "request-token-malformed"),
        ({"iss": "9" * 20}, 403, "organisation-unknown"),
        ({"sub": "nobody"}, 403, "worker-unknown"),
        ({"role": "fg"}, 403, "role-not-allowed"),
        ({"parent_org": GI}, 403, "parent-org-mismatch"),
    ],
    ids=lambda value: str(value)[:60],
)
async def test_a_request_that_is_not_validly_signed_is_refused(
    world: ServedWorld, wrong: dict[str, Any], status: int, problem: str
) -> None:
    """Each way in which a token can be wrong has its own problem, and nothing happens."""
    asker = world.asker(WIJKTEAM)
    body = asker.post(PATH, asker.registration(FAMILY)).body
    changed = dict(wrong)
    if "ago" in changed:
        changed["now"] = world.clock.now() - changed.pop("ago")
    answer = await world.send(_signed(world, body, **changed))
    assert (answer.status_code, _problem(answer)) == (status, problem)
    _nothing_changed(world)


async def test_a_forged_signature_is_refused(world: ServedWorld) -> None:
    """The claims of a good token with another signature are worth nothing."""
    asker = world.asker(WIJKTEAM)
    sent = asker.post(PATH, asker.registration(FAMILY))
    head, _, _ = sent.headers["Authorization"].rpartition(".")
    forged = head + "." + b64url(hashlib.sha512(b"forged").digest())
    answer = await world.send(Sent(method="POST", path=PATH, body=sent.body, headers={"Authorization": forged}))
    assert _problem(answer) == "request-token-signature"
    _nothing_changed(world)


def _ticket(asker: Asker, **wrong: Any) -> str:  # noqa: ANN401 - what a test wants otherwise
    """Return a ticket of the first custodian that is right but for what a test changes in it."""
    signing: SigningKey = wrong.pop("key", key(CUSTODIANS[0]))
    members: dict[str, Any] = {
        "custodian": CUSTODIANS[0],
        "broker": BROKER,
        "organisation": asker.oin,
        "worker": worker_id(asker.oin, "worker"),
        "operation": "register",
        "purpose": asker.purpose,
        "epoch": 1,
        "families": {name: FamilyCount(real=1, answers_sha256="0" * 64) for name in ("nlbsn", "fam")},
        "batch": asker.id(),
        "id": asker.id(),
        "issued_at": asker.now,
        "expires_at": asker.now + 600,
    }
    return sign_ticket(signing, Ticket(**{**members, **wrong}))


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        ({"custodian": "custodian-x.demo.sluis.test"}, "ticket-foreign"),
        ({"organisation": GI}, "ticket-foreign"),
        ({"worker": "somebody-else"}, "ticket-foreign"),
        ({"broker": "another.broker"}, "ticket-foreign"),
        ({"operation": "check"}, "ticket-foreign"),
        ({"purpose": "verwijsindex"}, "ticket-foreign"),
        ({"epoch": 2}, "ticket-epoch"),
        ({"expires_at": 2_000_000_000}, "ticket-lifetime"),
        ({"issued_at": 1_795_340_000, "expires_at": 1_795_340_600}, "ticket-expired"),
        ({"families": {"nlbsn": FamilyCount(real=1, answers_sha256="0" * 64)}}, "ticket-count"),
    ],
    ids=lambda value: str(value)[:60],
)
async def test_a_ticket_that_does_not_cover_the_request_is_refused(
    world: ServedWorld, wrong: dict[str, Any], problem: str
) -> None:
    """Foreign, expired, too small: each has its own problem, and neither ticket is spent."""
    asker = world.asker(WIJKTEAM)
    body = asker.registration(FAMILY)
    body["tickets"][0] = _ticket(asker, **wrong)
    assert _problem(await world.send(asker.post(PATH, body))) == problem
    _nothing_changed(world)


@pytest.mark.parametrize("tickets", [0, 1, 3])
async def test_one_ticket_of_each_custodian_is_needed(world: ServedWorld, tickets: int) -> None:
    """None, one, or two of the same custodian are not two custodians' consent."""
    asker = world.asker(WIJKTEAM)
    body = asker.registration(FAMILY)
    first, second = body["tickets"]
    body["tickets"] = [first, second, _ticket(asker)][:tickets]
    assert _problem(await world.send(asker.post(PATH, body))) == "ticket-missing"
    _nothing_changed(world)


async def test_a_ticket_is_spent_once(world: ServedWorld) -> None:
    """The tickets of a request that was carried out serve no second one."""
    asker = world.asker(WIJKTEAM)
    first = asker.registration(FAMILY)
    await world.send(asker.post(PATH, first))
    other = {**asker.registration(household(subject="other", parents=["x"])), "tickets": first["tickets"]}
    answer = await world.send(asker.post(PATH, other))
    assert (answer.status_code, _problem(answer)) == (409, "ticket-spent")
    assert world.leaves == 1


def _with(**members: object) -> Alter:
    return lambda _, body: {**body, **members}


def _token_off_the_group(_: Asker, body: dict[str, Any]) -> dict[str, Any]:
    return {**body, "household": {**body["household"], "subject": b64url(b"\xff" * 32)}}


def _identity(_: Asker, body: dict[str, Any]) -> dict[str, Any]:
    return {**body, "household": {**body["household"], "subject": b64url(bytes(32))}}


@pytest.mark.parametrize(
    ("alter", "status", "problem"),
    [
        (_with(purpose="no-such-purpose"), 400, "purpose-unknown"),
        (_with(team="no-such-team"), 400, "team-unknown"),
        (_with(controller=GI), 403, "controller-unknown"),
        (_with(endsOn="2020-01-01"), 400, "malformed-request"),
        (_with(epoch=2), 409, "epoch-unknown"),
        (_token_off_the_group, 400, "point-invalid"),
        (_identity, 400, "point-invalid"),
        (_with(grounds=[]), 400, "malformed-request"),
        (_with(extra=1), 400, "malformed-request"),
    ],
    ids=["purpose", "team", "controller", "past", "epoch", "point", "identity", "grounds", "extra"],
)
async def test_a_request_that_breaks_a_rule_is_refused(
    world: ServedWorld, alter: Alter, status: int, problem: str
) -> None:
    """Each rule of a request has its own problem; nothing is recorded and no ticket is lost."""
    asker = world.asker(WIJKTEAM)
    answer = await world.send(asker.post(PATH, alter(asker, asker.registration(FAMILY))))
    assert (answer.status_code, _problem(answer)) == (status, problem)
    _nothing_changed(world)


@pytest.mark.parametrize(
    ("changed", "problem", "latest"),
    [
        ({"endsOn": "2028-11-23"}, "end-date-beyond-rule", "2028-11-22"),
        ({"endsOn": "2028-01-01", "ageQuarter": "2027-04-01"}, "end-date-beyond-rule", "2027-04-01"),
        ({"ageQuarter": None}, "age-quarter-needed", None),
        ({"assessment": None}, "assessment-needed", None),
        ({"informing": None}, "informing-needed", None),
    ],
    ids=["two-years", "birthday", "quarter", "assessment", "informing"],
)
async def test_the_verwijsindex_has_rules_of_its_own(
    world: ServedWorld, changed: dict[str, object], problem: str, latest: str | None
) -> None:
    """At most two years and not past the 23rd birthday, judged by a person, and the family's knowledge stated."""
    asker = world.asker(GI, purpose="verwijsindex", ground="JW-7.1.4.1")
    details = {
        "ageQuarter": "2040-01-01",
        "assessment": {"on": "2026-11-20", "by": "worker"},
        "informing": {"state": "informed", "reason": None, "reviewOn": None},
    }
    body = {**asker.registration(FAMILY, **details), **changed}
    answer = await world.send(asker.post(PATH, body, approved=True))
    assert (answer.status_code, _problem(answer)) == (400, problem)
    assert answer.json()["params"] == ({} if latest is None else {"latest": latest})
    _nothing_changed(world)


async def test_a_family_the_register_does_not_allow_is_refused(world: ServedWorld) -> None:
    """A corporatie has no right to keys made from a BSN, whatever tickets it shows."""
    answer = await world.register(WOONCORPORATIE, FAMILY)
    assert (answer.status_code, _problem(answer)) == (403, "family-not-allowed")
    _nothing_changed(world)


def _self_approved(world: ServedWorld, path: str, body: dict[str, Any], *, jti: str) -> Sent:
    """Return a POST with the requester's own statement beside it."""
    sent = world.asker(WIJKTEAM, seed=jti).post(path, body)
    own = sign_request(
        key(WIJKTEAM),
        sender=Sender(organisation=WIJKTEAM, worker=worker_id(WIJKTEAM, "worker"), role="approver"),
        target=Target(audience=BROKER, method="POST", url=PUBLIC_URL + path),
        body=sent.body,
        jti=jti,
        now=world.clock.now(),
        typ="sluis-approval+jwt",
    )
    return Sent(method="POST", path=path, body=sent.body, headers={**sent.headers, "Sluis-Approval": own})


async def test_nobody_approves_their_own_request(world: ServedWorld) -> None:
    """An approval by the requester stops the request: one entry, that of the attempt, and no other effect."""
    sent = _self_approved(world, PATH, world.asker(WIJKTEAM).registration(FAMILY), jti="b" * 32)
    answer = await world.send(sent)
    assert (answer.status_code, _problem(answer)) == (403, "approver-is-requester")
    assert (world.leaves, world.rows("SELECT kind FROM acts")) == (1, [("admin",)])
    for table in ("signals", "spent_tickets", "answers", "tasks"):
        assert world.rows(f"SELECT count(*) FROM {table}") == [(0,)]  # noqa: S608 - a name from the list above
    # The same statements again are a token that was used, and leave nothing: one signed request, one entry.
    again = await world.send(sent)
    assert (_problem(again), world.leaves) == ("request-token-replayed", 1)


async def test_an_own_approval_says_nothing_of_what_exists(world: ServedWorld) -> None:
    """Red line 9: of another's id, one that nobody has, and what is no request at all, answer and entry are alike."""
    registered = await world.register(GI, FAMILY)
    theirs = registered.json()["result"]["signalId"]
    answers = []
    for number, signal_id in enumerate((theirs, "0" * 32, "x")):
        path = f"/v1/signals/{signal_id}/renewal"
        body = world.asker(WIJKTEAM, seed=f"body {number}").command(endsOn="2027-05-01")
        answer = await world.send(_self_approved(world, path, body, jti=f"{number}" * 32))
        answers.append((answer.status_code, answer.content))
    assert len(set(answers)) == 1
    kinds = [kind for (kind,) in world.rows("SELECT kind FROM acts ORDER BY idx")]
    assert kinds == ["signal", "admin", "admin", "admin"]


CANARIES = ("CANARYvalue", "999990019", token("canary"))


def _places(value: object, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    if isinstance(value, dict):
        return [path, *(place for name, item in value.items() for place in _places(item, (*path, name)))]
    if isinstance(value, list):
        return [path, *(place for at, item in enumerate(value) for place in _places(item, (*path, at)))]
    return [path]


def _planted(body: dict[str, Any], path: tuple[str | int, ...], canary: str) -> dict[str, Any]:
    """Return a copy of a body with a canary at one place, and as the name of a member where there is an object."""
    if not path:
        return {**body, canary: canary}
    copied: Any = dict(body)
    head, *rest = path
    inner = copied[head]
    if isinstance(inner, dict):
        copied[head] = _planted(inner, tuple(rest), canary)
    elif isinstance(inner, list) and rest:
        at, *deeper = rest
        changed: list[Any] = list(inner)
        changed[int(at)] = (
            _planted(inner[int(at)], tuple(deeper), canary) if isinstance(inner[int(at)], dict) else canary
        )
        copied[head] = changed
    else:
        copied[head] = canary
    return dict(copied)


@pytest.mark.parametrize("canary", CANARIES)
async def test_no_error_echoes_a_value(world: ServedWorld, canary: str, caplog: pytest.LogCaptureFixture) -> None:
    """A canary at every place of a body, its members' names included, comes back in no answer, header or log line."""
    asker = world.asker(WIJKTEAM)
    example = asker.registration(FAMILY, assessment={"on": "2026-11-20", "by": "worker"})
    places = _places(example)
    for place in places:
        body = _planted(asker.registration(FAMILY, assessment={"on": "2026-11-20", "by": "worker"}), place, canary)
        answer = await world.send(asker.post(PATH, body))
        assert canary not in answer.text + str(answer.headers), place
    for path in (f"/v1/{canary}", f"/v1/signals/{canary}/withdrawal?{canary}", f"/v1/answers/{canary}"):
        for sent in (asker.get(path), asker.post(path, asker.command(reason="mistake"))):
            answer = await world.send(sent)
            assert canary not in answer.text + str(answer.headers)
    assert len(places) > 20
    assert all(canary not in record.getMessage() for record in caplog.records if record.name.startswith("sluis"))
