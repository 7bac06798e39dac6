"""Organisations that ask, answer and tell each other through the flows, past the edge, with real sealed letters.

`desk = Desk(world)`; `desk.send(VEILIG_THUIS, WIJKTEAM)` is a request with everything that makes it permitted.
"""

import datetime
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from broker.domain.errors import RefusedError
from broker.domain.requests import Approval, Requester
from broker.flows.answer_request import answer_request
from broker.flows.fetch_chunk import fetch_chunk
from broker.flows.fetch_requests import fetch_request
from broker.flows.forward_request import forward_request
from broker.flows.list_requests import list_requests
from broker.flows.note_receipt import note_receipt
from broker.flows.outcome import Answered
from broker.flows.send_letter import send_letter
from broker.flows.store_chunk import store_chunk
from broker.flows.withdraw_request import withdraw_request
from broker.letter_ports import Asking
from broker.protocol.letter import Letter
from broker.protocol.request_messages import (
    AnswerRequest,
    ForwardRequest,
    NoteReceipt,
    SendRequest,
    StoreChunk,
    Tell,
    WithdrawRequest,
    box_bytes,
    chunk_bytes,
    wire_box,
)
from broker.protocol.roster import Worker
from broker.protocol.sealed_letter import ANSWERS, Bound, open_letter, seal_letter
from tests.simulators.asking import Asker
from tests.simulators.broker_world import World, documents, requester
from tests.simulators.enrolled import NAMES, SCHOOL, VEILIG_THUIS, WIJKTEAM, Enrolled, key, opening_key, worker_id
from tests.simulators.excepting import reader

HUISARTS = "00000099000000007000"
POLITIE = "00000099000000008000"
COLLEAGUE = "worker-two"
PROOF = {"kind": "melding", "since": "2026-11-16", "endsOn": None, "reference": "e" * 64}
ENROLLED = Enrolled(
    names={**NAMES, HUISARTS: ("Huisartsenpraktijk", "huisarts"), POLITIE: ("Politie-eenheid", "politie")},
    others={
        oin: (Worker(sub=COLLEAGUE, roles=frozenset({"worker"}), broker_sub=None),) for oin in (HUISARTS, WIJKTEAM)
    },
)
TEXT = "Welke hulp is er, en sinds wanneer?"


@dataclass(slots=True)
class Desk:
    """Both sides of a letter, over one running core."""

    world: World
    askers: dict[str, Asker] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Every organisation of these tests is enrolled."""
        self.world.documents = documents(ENROLLED)

    @property
    def asking(self) -> Asking:
        """The port of requests."""
        return cast("Asking", self.world.asking)

    @property
    def today(self) -> datetime.date:
        """The day."""
        return self.world.clock.today()

    def asker(self, oin: str) -> Asker:
        """Return an organisation's worker."""
        return self.askers.setdefault(oin, self.world.asker(oin, seed="desk"))

    def bound(
        self, label: str, request: str, between: tuple[str, str], stated: Mapping[str, Any], *, purpose: str
    ) -> Bound:
        """Return what a letter from the first to the second is bound to, by the members of its body or of its line."""
        sender, receiver = between
        return Bound(
            label=label, request=request, sender=sender, receiver=receiver, purpose=purpose,
            grounds=tuple(stated["grounds"]), categories=tuple(stated["categories"]), level=stated["level"],
            bundle=stated["bundle"], expires_on=datetime.date.fromisoformat(stated["expiresOn"]),
        )  # fmt: skip

    def box(self, bound: Bound, *, text: str) -> str:
        """Return a sealed letter as it travels."""
        level = bound.level
        letter = Letter(categories=bound.categories, level=level, text=text if level > 2 else "")
        public = opening_key(bound.receiver).public
        return wire_box(seal_letter(letter, bound=bound, signing=key(bound.sender), receiver_key=public))

    def request(self, sender: str = VEILIG_THUIS, to: str = WIJKTEAM, **changed: Any) -> dict[str, Any]:  # noqa: ANN401 - members of a body
        """Return the body of a request of Veilig Thuis after a melding."""
        shared = {"purpose": "vt-melding", "grounds": ["WMO-5.1.6"], "proof": PROOF, "categories": ["hulp"]}
        return self._letter("request", sender, to, {**shared, **changed})

    def telling(self, sender: str, to: str = VEILIG_THUIS, **changed: Any) -> dict[str, Any]:  # noqa: ANN401 - members of a body
        """Return the body that tells Veilig Thuis something unasked."""
        shared = {"purpose": "vt-melding", "grounds": ["WMO-5.2.6"], "proof": None, "categories": ["veiligheid"]}
        return self._letter("telling", sender, to, {**shared, **changed})

    def _letter(self, label: str, sender: str, to: str, stated: Mapping[str, Any]) -> dict[str, Any]:
        body = self.asker(sender).command(
            team="team-1", to=to, toTeam="team-1", signalId=None, level=3, bundle=self.world.policy.sha256,
            expiresOn=(self.today + datetime.timedelta(days=3)).isoformat(),
        )  # fmt: skip
        body |= stated
        bound = self.bound(label, body["idempotencyKey"], (sender, to), body, purpose=body["purpose"])
        box = self.box(bound, text=TEXT)
        return {"box": box, **body}

    async def sent(self, to: str = WIJKTEAM, **changed: Any) -> str:  # noqa: ANN401 - members of a body
        """Return the id of a request that Veilig Thuis sent."""
        body = self.request(to=to, **changed)
        sent = await self.send(body)
        assert sent.result["outcome"] == "sent"
        return str(body["idempotencyKey"])

    async def send(
        self, body: Mapping[str, Any], *, by: str = VEILIG_THUIS, approval: Approval | None = None
    ) -> Answered:
        """Send a request, or tell."""
        model = SendRequest if body["purpose"] == "vt-melding" and by == VEILIG_THUIS else Tell
        return await self.post(model, body, by=by, approval=approval)

    async def post(
        self, model: type[SendRequest] | type[Tell], body: Mapping[str, Any], *, by: str,
        approval: Approval | None = None, who: Requester | None = None,
    ) -> Answered:  # fmt: skip
        """Send this body of a request or a telling."""
        world = self.world
        return await send_letter(
            command=model.model_validate(dict(body)), requester=who or requester(self.asker(by)), approval=approval,
            policies=world.policies,
            clock=world.clock, randomness=world.randomness,
            registers=world.documents, rosters=world.documents,
            signals=world.signals, matches=world.following.matches, consents=world.consents,
            exceptions=reader(world),
            chunks=self.asking.chunks, answers=world.answers, log=world.log,
        )  # fmt: skip

    def reply(
        self, request: str, by: str = WIJKTEAM, to: str = VEILIG_THUIS, *, purpose: str = "vt-melding", **changed: Any,  # noqa: ANN401 - members of a body
    ) -> dict[str, Any]:  # fmt: skip
        """Return the body that answers all of a request."""
        kind = changed.get("kind", "all")
        boxed, told = kind in ("all", "part"), kind != "declined"
        until = self.today + datetime.timedelta(days=7)
        body = self.asker(by).command(
            kind=kind, reason=None if told else "professional_secrecy", categories=["hulp"] if told else [],
            level=3 if told else 0, grounds=["WMO-5.2.6"] if told else [], proof=None, signalId=None,
            bundle=self.world.policy.sha256, expiresOn=until.isoformat(), box=None,
        )  # fmt: skip
        body = {**body, **changed}
        if boxed and "box" not in changed and body["level"] >= 1 and body["categories"]:
            bound = self.bound(ANSWERS[kind], request, (by, to), body, purpose=purpose)
            body["box"] = self.box(bound, text="Sinds maart wekelijks.")
        return body

    async def answer(
        self, request: str, body: Mapping[str, Any], *, by: str = WIJKTEAM, worker: str = "",
        approval: Approval | None = None,
    ) -> Answered:  # fmt: skip
        """Answer a request."""
        return await answer_request(
            command=AnswerRequest.model_validate(dict(body)), approval=approval, rosters=self.world.documents,
            randomness=self.world.randomness, chunks=self.asking.chunks, **self._held_on(),
            **self._on(request, by, worker),
        )  # fmt: skip

    async def forward(
        self, request: str, *, by: str = WIJKTEAM, who: str | None = None, worker: str = "", team: str = "team-1",
        approval: Approval | None = None,
    ) -> Answered:  # fmt: skip
        """Give it to a team, and to a worker where one is named."""
        body = self.asker(by).command(team=team, worker=who)
        return await forward_request(
            command=ForwardRequest.model_validate(body), rosters=self.world.documents, approval=approval,
            randomness=self.world.randomness, **self._held_on(), **self._on(request, by, worker)
        )  # fmt: skip

    async def withdraw(self, request: str, *, by: str = VEILIG_THUIS, worker: str = "") -> Answered:
        """Take a request back."""
        body = self.asker(by).command(reason="no_longer_needed")
        return await withdraw_request(
            command=WithdrawRequest.model_validate(body),
            rosters=self.world.documents,
            randomness=self.world.randomness,
            **self._on(request, by, worker),
        )

    async def note(self, request: str, state: str, *, by: str, worker: str = "") -> Answered:
        """Confirm that what was handed out arrived, or was opened."""
        body = self.asker(by).command(state=state)
        return await note_receipt(
            command=NoteReceipt.model_validate(body), rosters=self.world.documents, **self._on(request, by, worker)
        )

    async def fetch(self, request: str, *, by: str, worker: str = "") -> Answered:
        """Fetch what waits."""
        return await fetch_request(rosters=self.world.documents, **self._held_on(), **self._on(request, by, worker))

    async def leave(self, chunk: bytes, *, by: str = VEILIG_THUIS, sha256: str | None = None) -> str:
        """Return the hash of a chunk that was left; stated as another where one is given."""
        stated = sha256 or hashlib.sha256(chunk).hexdigest()
        ports = self._on("", by, "")
        del ports["request_id"], ports["requests"], ports["matches"]
        body = self.asker(by).command(sha256=stated, chunk=wire_box(chunk))
        left = await store_chunk(command=StoreChunk.model_validate(body), chunks=self.asking.chunks, **ports)
        assert left.result["outcome"] == "done"
        return stated

    async def chunk(self, request: str, sha256: str, *, by: str, worker: str = "") -> bytes:
        """Return a chunk that was handed out."""
        got = await fetch_chunk(
            sha256=sha256, chunks=self.asking.chunks, rosters=self.world.documents, **self._held_on(),
            **self._on(request, by, worker),
        )  # fmt: skip
        return chunk_bytes(cast("str", got.result["chunk"])) or b""

    async def list(self, *, by: str, after: str | None = None, worker: str = "") -> Answered:
        """List own requests."""
        ports = self._on("", by, worker)
        del ports["request_id"], ports["matches"]
        return await list_requests(after=after, resting=self.asking.bases, **ports)

    def opened(self, fetched: Answered, *, by: str, sender: str) -> Letter:
        """Return the letter that was handed out, opened as its receiver does."""
        (one,) = shown(fetched)
        label = cast("str", fetched.result["of"])
        stated = one["answer"] if label == "answer" else one
        label = ANSWERS[stated["kind"]] if label == "answer" else label
        bound = self.bound(label, one["requestId"], (sender, by), stated, purpose=one["purpose"])
        box = box_bytes(cast("str", fetched.result["box"])) or b""
        keys = {key(sender).public.kid: key(sender).public}
        return open_letter(box, bound=bound, sender_keys=keys, opening_keys=[opening_key(by)], today=self.today)

    def _held_on(self) -> dict[str, Any]:
        world = self.world
        return {"consents": world.consents, "exceptions": reader(world)}

    def _on(self, request: str, by: str, worker: str) -> dict[str, Any]:
        world = self.world
        return {
            "request_id": request,
            "requester": requester(self.asker(by), worker=worker or worker_id(by, "worker")),
            "policies": world.policies,
            "clock": world.clock,
            "registers": world.documents,
            "signals": world.signals,
            "matches": world.following.matches,
            "requests": self.asking.requests,
            "answers": world.answers,
            "log": world.log,
        }


def problem_of(refused: RefusedError) -> str:
    """Return the id of the problem in a recorded refusal."""
    return str(refused.document["type"]).removeprefix("urn:sluis:problem:")


def shown(answer: Answered) -> list[dict[str, Any]]:
    """Return the requests in an answer."""
    return list(cast("list[dict[str, Any]]", answer.result["requests"]))


__all__ = ["COLLEAGUE", "HUISARTS", "POLITIE", "PROOF", "SCHOOL", "Desk", "problem_of", "shown"]
