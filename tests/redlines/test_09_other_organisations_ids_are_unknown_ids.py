"""Any route with another organisation's object id answers byte-identically to a non-existing id."""

import logging
import re
from typing import Any

import pytest

from broker.api.app import description
from broker.protocol.request_messages import wire_box
from tests.simulators.asking import Asker, Sent, household
from tests.simulators.calling import call_body
from tests.simulators.consenting import answer, record
from tests.simulators.enrolled import GI, VEILIG_THUIS, WIJKTEAM
from tests.simulators.excepting import dossier, exception
from tests.simulators.phoning import phone_body
from tests.simulators.served_world import ServedWorld
from tests.simulators.team_tasks import order_body

FAMILY = household(subject="child", parents=["mother"])
BODIES: dict[str, dict[str, object]] = {
    "/v1/signals/{signal_id}/renewal": {"endsOn": "2027-05-01"},
    "/v1/signals/{signal_id}/withdrawal": {"reason": "mistake"},
    "/v1/consents/{consent_id}/answers": {
        "answers": [
            {
                "who": "1" * 64,
                "capacity": "person",
                "answer": "refused",
                "reason": None,
                "custody": "none",
                "custodyRef": None,
                "proof": None,
                "until": None,
                "suspect": False,
            }
        ]
    },
    "/v1/exceptions/{exception_id}/completion": {"dossier": dossier()},
    "/v1/consents/{consent_id}/withdrawal": {"who": "1" * 64, "capacity": "person", "parties": [], "by": "phone"},
    "/v1/calls/rings/{ring_id}/answers": {"answer": "accept", "team": None},
    "/v1/phone-calls/{call_id}/oral-answers": {
        "categories": ["hulp"],
        "level": 3,
        "grounds": ["WMO-5.2.6"],
        "signalId": None,
        "proof": None,
    },
    "/v1/erasures/{erasure_id}/confirmation": {
        "ground": "AVG-17.1.d",
        "decisionRef": "a" * 64,
        "ranges": [{"first": 1, "last": 1, "groups": ["meta"]}],
    },
    "/v1/matches/{match_id}/new-reports": {
        "proof": {"kind": "melding", "reference": "a" * 64, "since": "2026-11-22", "endsOn": None}
    },
    "/v1/matches/{match_id}/state": {"state": "klaar"},
    "/v1/matches/{match_id}/casusregisseur": {"organisation": WIJKTEAM, "team": "team-1", "was": None},
    "/v1/tasks/{task_id}/closing": {},
    "/v1/owed-tasks/{owed_id}/done": {},
    "/v1/tasks/{task_id}/extension": {"endsOn": "2026-12-20"},
    "/v1/information-requests/{request_id}/answers": {
        "kind": "declined",
        "reason": "other",
        "categories": [],
        "level": 0,
        "grounds": [],
        "proof": None,
        "signalId": None,
        "bundle": "a" * 64,
        "expiresOn": "2026-11-30",
        "box": None,
    },
    "/v1/information-requests/{request_id}/forwardings": {"team": "team-1", "worker": None},
    "/v1/information-requests/{request_id}/receipts": {"state": "opened"},
    "/v1/information-requests/{request_id}/withdrawal": {"reason": "mistake"},
}
ROLES = {
    "/v1/review/households/{signal_id}": "privacyfunctionaris",
    "/v1/erasures/{erasure_id}/confirmation": "approver",
    "/v1/owed-tasks/{owed_id}/done": "privacyfunctionaris",
}
"""In which role the other organisation asks, where a route is not for every worker."""
_OF_REQUESTS = (
    "/v1/information-requests/{request_id}",
    "/v1/information-requests/{request_id}/chunks/{chunk}",
    *(path for path in BODIES if "information-requests" in path),
)
_ANSWERING = ("/v1/information-requests/{request_id}/answers", "/v1/phone-calls/{call_id}/oral-answers")
"""Where the attempt is recorded, whatever id is named; `..` in a path is no id of any route."""
PLACE = re.compile(r"\{[a-z_]+\}")
UNKNOWN = ("0" * 32, "f" * 32, "F" * 32, "1", "-", "%00", "..%2F..", "0" * 400, "%C3%A9" * 3, "%FF", "%D9%A1" * 32)


@pytest.fixture(autouse=True)
def reviewed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let acts of today be erased: how long they may still be reviewed has a test of its own."""
    monkeypatch.setattr("broker.flows.erasable_entries.REVIEWED_S", 0)


def _routes() -> list[tuple[str, str]]:
    """Return every route with an id in its path, as the published description has them."""
    return [
        (method.upper(), path) for path, methods in description()["paths"].items() if "{" in path for method in methods
    ]


def _asking(asker: Asker, method: str, path: str, value: str) -> Sent:
    whole = PLACE.sub(lambda _: value, path)
    return asker.get(whole) if method == "GET" else asker.post(whole, asker.command(**BODIES[path]))


async def _answer(world: ServedWorld, sent: Sent) -> tuple[Any, ...]:
    answer = await world.send(sent)
    return answer.status_code, sorted(answer.headers.multi_items()), answer.content


async def _proposed(world: ServedWorld) -> str:
    """Return the id of an erasure that the wijkteam proposed of its own newest entry."""
    asker = world.asker(WIJKTEAM, role="privacyfunctionaris", seed="proposer")
    (index,) = world.rows("SELECT max(idx) FROM log_entries")[0]
    place = "/v1/erasures/{erasure_id}/confirmation"
    body = asker.command(**{**BODIES[place], "ranges": [{"first": index, "last": index, "groups": ["meta"]}]})
    proposed = await world.send(asker.post("/v1/erasures", body))
    assert proposed.status_code == 200, proposed.content
    return str(body["idempotencyKey"])


async def _acute(world: ServedWorld) -> str:
    """Return the id of an acute exception of the wijkteam that waits for its rest."""
    asker = world.asker(WIJKTEAM, seed="acute")
    made = await world.send(asker.post("/v1/exceptions", exception(asker, type="acuut", recipient="veilig_thuis")))
    if made.status_code != 200:  # one is open at a time: the one of an earlier call
        return str(world.rows("SELECT id FROM exceptions")[0][0])
    return str(made.json()["result"]["exceptions"][0]["exceptionId"])


async def _owed(world: ServedWorld) -> str:
    """Return the id of what a reviewer of the wijkteam is to look at."""
    await _acute(world)
    asker = world.asker(WIJKTEAM, role="privacyfunctionaris", seed="owed")
    listed = await world.send(asker.get("/v1/owed-tasks"))
    assert listed.status_code == 200, listed.content
    return str(listed.json()["result"]["found"][0]["taskId"])


async def _matched(world: ServedWorld) -> str:
    """Return the id of a match of Veilig Thuis and the wijkteam."""
    for oin in (VEILIG_THUIS, WIJKTEAM):
        asker = world.asker(oin, seed="matched")
        answer = await world.send(asker.post("/v1/signals", asker.registration(household(subject="other"))))
        assert answer.status_code == 200, answer.content
    return str(world.rows("SELECT id FROM matches")[0][0])


async def _asked(world: ServedWorld) -> str:
    """Return the id of a request of Veilig Thuis to the wijkteam: the GI is neither of them."""
    asker = world.asker(VEILIG_THUIS)
    bundle = (await world.client.get("/health/ready")).json()["bundleSha256"]
    body = asker.command(
        purpose="vt-melding", grounds=["WMO-5.1.6"], team="team-1", to=WIJKTEAM, toTeam="team-1", signalId=None,
        categories=["hulp"], level=3, bundle=bundle, expiresOn="2026-11-25", box=wire_box(bytes(1024)),
        proof={"kind": "melding", "since": "2026-11-16", "endsOn": None, "reference": "e" * 64},
    )  # fmt: skip
    sent = await world.send(asker.post("/v1/information-requests", body))
    assert sent.status_code == 200, sent.content
    return str(body["idempotencyKey"])


async def _consented(world: ServedWorld) -> str:
    """Return the id of a record of consent that the wijkteam made."""
    asker = world.asker(WIJKTEAM, seed="consented", purpose="volwassene", ground="TOEST")
    body = record(asker, answer(said="refused"), person=None, parties=[GI])
    made = await world.send(asker.post("/v1/consents", body))
    assert made.status_code == 200, made.content
    return str(made.json()["result"]["consents"][0]["consentId"])


async def _rung(world: ServedWorld) -> str:
    """Return the id of a ring at the wijkteam, after an oproep of Veilig Thuis."""
    asker = world.asker(VEILIG_THUIS, purpose="vt-melding", ground="WMO-5.1.6", seed="caller")
    asked = household(subject="child", parents=["mother"], members=[])
    sent = await world.send(asker.post("/v1/calls", call_body(asker, asked)))
    assert sent.status_code == 200, sent.content
    return str(world.rows("SELECT id FROM call_rings")[0][0])


async def _running(world: ServedWorld) -> str:
    """Return the id of an exclusion order that Veilig Thuis recorded."""
    asker = world.asker(VEILIG_THUIS, seed="running")
    sent = await world.send(asker.post("/v1/tasks", order_body(asker)))
    assert sent.status_code == 200, sent.content
    return str(sent.json()["result"]["found"][0]["taskId"])


async def _phoned(world: ServedWorld) -> str:
    """Return the id of a call of Veilig Thuis to the school."""
    asker = world.asker(VEILIG_THUIS, seed="phone")
    body = phone_body(asker)
    sent = await world.send(asker.post("/v1/phone-calls", body))
    assert sent.status_code == 200, sent.content
    return str(body["idempotencyKey"])


@pytest.mark.parametrize(("method", "path"), _routes())
async def test_another_organisations_id_is_an_unknown_id(
    world: ServedWorld, caplog: pytest.LogCaptureFixture, method: str, path: str
) -> None:
    """An id of another organisation, one that nobody has, and one that is malformed give one and the same answer."""
    wijkteam, gi = world.asker(WIJKTEAM), world.asker(GI, role=ROLES.get(path, "worker"))
    body = wijkteam.registration(FAMILY)
    registered = await world.send(wijkteam.post("/v1/signals", body))
    existing = {
        "/v1/answers/{idempotency_key}": body["idempotencyKey"],
        "/v1/erasures/{erasure_id}/confirmation": await _proposed(world),
        **dict.fromkeys(
            [one for one in BODIES if "match_id" in one] + ["/v1/matches/{match_id}"], await _matched(world)
        ),
        **dict.fromkeys(_OF_REQUESTS, await _asked(world)),
        **dict.fromkeys([one for one in BODIES if "task_id" in one], await _running(world)),
        "/v1/consents/{consent_id}/answers": await _consented(world),
        "/v1/consents/{consent_id}/withdrawal": await _consented(world),
        "/v1/exceptions/{exception_id}/completion": await _acute(world),
        "/v1/owed-tasks/{owed_id}/done": await _owed(world),
        "/v1/calls/rings/{ring_id}/answers": await _rung(world),
        "/v1/phone-calls/{call_id}/oral-answers": await _phoned(world),
    }.get(path, registered.json()["result"]["signalId"])
    leaves = world.leaves
    answers = [await _answer(world, _asking(gi, method, path, value)) for value in (existing, *UNKNOWN)]
    assert {answer[0] for answer in answers} == {404}
    assert len({str(answer) for answer in answers}) == 1
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]
    # Who tries to answer what is not his leaves a trace for his own reviewer: the same whatever id it was.
    assert world.leaves == leaves + (len(UNKNOWN) if path in _ANSWERING else 0)
    assert set(world.rows("SELECT state FROM signals")) == {("active",)}
    assert set(world.rows("SELECT state FROM match_sides")) == {("nieuw",)}


def test_every_route_with_an_id_is_tried() -> None:
    """A route that is added with an id in its path has a body here, or the test above fails."""
    assert {path for method, path in _routes() if method == "POST"} == set(BODIES)
