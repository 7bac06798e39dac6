"""One worker of a campaign: what he asks he goes on asking, under the same key, until he knows what became of it."""

import hashlib
import json
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx
import rfc8785

from broker.protocol.families import Family
from broker.protocol.messages import EvaluationAnswer
from tests.campaigns.acknowledged import Acknowledged, Signal, Told
from tests.simulators.wire_partner import Batch, Tokens, WirePartner

OK, REFUSED = 200, {403, 409}
NOT_DONE = 503
RETRY_S = 0.2
"""How long a partner waits before it asks again. It waits for nothing in particular: it is a client with manners."""
GIVE_UP_S = 120.0


class GaveUpError(Exception):
    """Nobody answered for minutes, although everything was started again."""


@dataclass(slots=True, kw_only=True)
class Partner:
    """A worker of an organisation who registers, withdraws, renews and checks, and keeps the books of it."""

    wire: WirePartner
    books: Acknowledged
    random: random.Random
    own: list[Signal] = field(default_factory=list)
    checked: set[str] = field(default_factory=set)

    @property
    def oin(self) -> str:
        """The organisation he works for."""
        return self.wire.oin

    def register(self, signal: Signal) -> None:
        """The signal is acknowledged, and whoever was known to be involved was shown."""
        asked = self.books.now()
        body = self.wire.registering(self._tokens("register", signal.person))
        answer = self._settled("/v1/signals", body, lambda: self._tokens("register", signal.person))
        if answer.status_code != OK and _problem(answer) != "answer-withheld-on-replay":
            self.books.fault(f"a registration was refused: {_problem(answer)}")
            return
        told = answer.json()
        signal.id = str(told["result"]["signalId"] if answer.status_code == OK else told["signalId"])
        signal.ends_on = body["endsOn"]
        signal.acknowledged = self.books.now()
        self.own.append(signal)
        self._judge(answer, signal.person, asked)

    def check(self, person: str) -> None:
        """Whoever was known to be involved was shown."""
        asked = self.books.now()
        body = self.wire.checking(self._tokens("check", person))
        answer = self._settled("/v1/household-checks", body, lambda: self._tokens("check", person))
        if answer.status_code != OK and _problem(answer) != "answer-withheld-on-replay":
            self.books.fault(f"a check with standing was refused: {_problem(answer)}")
            return
        self.checked.add(person)
        self._judge(answer, person, asked)

    def withdraw(self, signal: Signal) -> None:
        """The signal is withdrawn, or stays because it served to look."""
        signal.withdrawing = self.books.now()
        body = {**self._command(), "reason": "no_longer_needed"}
        answer = self._settled(f"/v1/signals/{signal.id}/withdrawal", body)
        if answer.status_code == OK:
            signal.withdrawn = self.books.now()
        elif _problem(answer) == "withdrawal-needs-review":
            signal.withdrawing = 1 << 62
        else:
            self.books.fault(f"a withdrawal was refused: {_problem(answer)}")

    def renew(self, signal: Signal) -> None:
        """The signal ends on another day."""
        day = time.strftime("%Y-%m-%d", time.gmtime(time.time() + self.random.randrange(30, 300) * 86_400))
        answer = self._settled(f"/v1/signals/{signal.id}/renewal", {**self._command(), "endsOn": day})
        if answer.status_code == OK:
            signal.ends_on = day
        else:
            self.books.fault(f"a renewal was refused: {_problem(answer)}")

    def _command(self) -> dict[str, Any]:
        return {"idempotencyKey": f"{self.random.getrandbits(128):032x}", "controller": self.oin, "caseRef": None}

    def _judge(self, answer: httpx.Response, person: str, asked: int) -> None:
        if answer.status_code == OK:
            matches = answer.json()["result"]["matches"]
            found = {str(match["holder"]["oin"]) for match in matches if match["kind"] == "person"}
            self.books.judge(self.oin, person, found, asked=asked)

    def _settled(
        self, path: str, body: dict[str, Any], tokens: Callable[[], Tokens] | None = None
    ) -> httpx.Response:  # fmt: skip
        """Return the one answer there is to this command, asked for as often as it takes."""
        key, sha256 = str(body["idempotencyKey"]), _sha256(body)
        until = time.monotonic() + GIVE_UP_S
        while True:
            answer = self._answer(lambda: self.wire.post(path, body))
            if answer is not None:
                break
            answer = self._answer(lambda: self.wire.get(f"/v1/answers/{key}"), unknown=404)
            if answer is not None and answer.status_code != 404:
                self.books.found_unacknowledged()
                break
            if time.monotonic() > until:
                raise GaveUpError
            # Fresh tickets or the same: the broker compares the body without them.
            if tokens is not None and self.random.random() < 0.5:
                body["tickets"] = list(tokens().tickets)
        receipt = answer.json().get("receipt")
        self.books.record(Told(key=key, request_sha256=sha256, status=answer.status_code, receipt=receipt))
        return answer

    def _answer(self, ask: Callable[[], httpx.Response], *, unknown: int | None = None) -> httpx.Response | None:
        """Return a final answer, None when it is not known whether there is one."""
        try:
            answer = ask()
        except httpx.TransportError as error:
            self.books.refused_for_now(f"broker: {type(error).__name__}")
        else:
            if answer.status_code in {OK, unknown, *REFUSED}:
                return answer
            self.books.refused_for_now(f"broker: {answer.status_code} {_problem(answer)}")
            if answer.status_code != NOT_DONE:
                self.books.fault(f"the broker answered {answer.status_code} {_problem(answer)}")
        time.sleep(RETRY_S)
        return None

    def _tokens(self, operation: str, person: str) -> Tokens:
        """Return the tokens of a person; each custodian is asked the same until it answers, and charges once."""
        batch = self.wire.blinded(operation, {Family.NLBSN: [person], Family.FAM: _parents(person)})
        answers = {custodian: self._evaluated(custodian, batch) for custodian in self.wire.custodians}
        return self.wire.combined(batch, answers)

    def _evaluated(self, custodian: str, batch: Batch) -> EvaluationAnswer:
        until = time.monotonic() + GIVE_UP_S
        while time.monotonic() < until:
            try:
                answer = self.wire.evaluated(custodian, batch)
            except httpx.HTTPStatusError as error:
                self.books.fault(f"a custodian answered {error.response.status_code} {_problem(error.response)}")
            except httpx.TransportError as error:
                self.books.refused_for_now(f"custodian: {type(error).__name__}")
            else:
                points = sum(len(family["points"]) for family in json.loads(batch.body)["families"])
                self.books.charge(custodian, self.oin, self.wire.worker, batch.operation, points=points, persons=1)
                return answer
            time.sleep(RETRY_S)
        raise GaveUpError


def _parents(person: str) -> Sequence[str]:
    """Return the parent of every third person, who is nobody else's."""
    return [f"parent of {person}"] if int(person[0], 16) % 3 == 0 else []


def _problem(answer: httpx.Response) -> str:
    return str(answer.json().get("type", "")).removeprefix("urn:sluis:problem:")


def _sha256(body: Mapping[str, Any]) -> str:
    """Return the hash that the entry of this request holds (docs/formats.md section 6)."""
    kept = {name: value for name, value in body.items() if name != "tickets"}
    return hashlib.sha256(rfc8785.dumps(kept)).hexdigest()
