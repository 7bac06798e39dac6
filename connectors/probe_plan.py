"""What two partners probe, and when: all of it follows from a secret that only the two of them have (ADR 24).

    first    registers a signal on an invented household
    second   registers on it too, and has to be shown the first
    third    the first checks, and has to be shown the second
    fourth   the second checks, and has to be shown the first
    ends     both withdraw, weeks later

The persons have numbers of the range 9999xxxxx, which nobody has. To the broker they are tokens like any other, in
ordinary requests at ordinary times, so it cannot be honest to probes alone.
"""

import datetime
import hashlib
import hmac
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Self
from zoneinfo import ZoneInfo

from broker.protocol import strict_json
from broker.protocol.document_fields import Fields
from broker.protocol.errors import MalformedError
from broker.protocol.identifiers import Bsn, IdentifierError
from broker.protocol.signing_keys import b64url, b64url_bytes
from connectors.cases import Case, Parent
from connectors.sealing import SecretKey

SCHEMA = "probe-pair/v1"
SECRET_BYTES = 32
FIRST, SECOND, THIRD, FOURTH, END_FIRST, END_SECOND = range(6)
STEPS = 6
_TEST_RANGE = "9999"
_ZONE = ZoneInfo("Europe/Amsterdam")
_OPENS, _OPEN_S = datetime.time(8, 30), 8 * 3600
"""When ordinary requests are made, and for how many seconds."""
_WEEKEND = 5
_END_DAYS, _END_SPREAD = 21, 40
"""Days after which a signal that was used to look can be withdrawn without review, and then some."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbePair:
    """Two organisations that probe together, by their numbers, and what they drew the plan from."""

    id: str
    organisations: tuple[str, str]
    starts_on: datetime.date
    every_days: int
    secret: SecretKey = field(repr=False)

    def document(self, secret: bytes) -> dict[str, object]:
        """Return the pair as the JSON that is handed over; it is secret."""
        return {
            "schema": SCHEMA,
            "id": self.id,
            "organisations": list(self.organisations),
            "startsOn": self.starts_on.isoformat(),
            "everyDays": self.every_days,
            "secret": b64url(secret),
        }

    @classmethod
    def parse(cls, text: bytes) -> Self:
        """Return the pair in a file. Raises MalformedError."""
        members = {"schema", "id", "organisations", "startsOn", "everyDays", "secret"}
        fields = Fields.of(strict_json.load_object(text, field=SCHEMA), SCHEMA, exactly=members)
        fields.choice("schema", [SCHEMA])
        listed = fields.items("organisations")
        if len(listed) != 2 or listed[0] == listed[1] or not all(isinstance(one, str) for one in listed):  # noqa: PLR2004 - a pair
            raise MalformedError(f"{SCHEMA}.organisations", "are not two different organisations")
        return cls(
            id=fields.word("id"),
            organisations=(str(listed[0]), str(listed[1])),
            starts_on=fields.day("startsOn"),
            every_days=fields.number("everyDays", least=1),
            secret=SecretKey(b64url_bytes(str(fields.members["secret"]), field="secret", length=SECRET_BYTES)),
        )

    def other(self, oin: str) -> str:
        """Return the organisation that probes with this one. Raises MalformedError: it is none of the two."""
        if oin not in self.organisations:
            raise MalformedError(f"{SCHEMA}.organisations", "are two others")
        return self.organisations[1 - self.organisations.index(oin)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing that one of the two does, not before a moment in unix seconds."""

    round: int
    step: int
    organisation: str
    due_at: int

    @property
    def key(self) -> str:
        """How the step is named in a partner's own notes."""
        return f"{self.round}.{self.step}"

    @property
    def number(self) -> int:
        """The step as one number, which tells nobody else anything."""
        return self.round * STEPS + self.step

    @property
    def must_find(self) -> bool:
        """Whether the other organisation has to be shown at this step."""
        return self.step in (SECOND, THIRD, FOURTH)


def steps(pair: ProbePair, *, until: int) -> Iterator[Step]:
    """Yield every step that is due by this second, oldest first within a round."""
    for number in count():
        days = _days(pair, number)
        if _moment(pair, number, FIRST, days[FIRST]) > until:
            return
        for step, day in enumerate(days):
            due_at = _moment(pair, number, step, day)
            if due_at <= until:
                organisation = pair.organisations[(number + step) % 2]
                yield Step(round=number, step=step, organisation=organisation, due_at=due_at)


def _days(pair: ProbePair, number: int) -> list[datetime.date]:
    """Return the working day of each step: the first four on one after the other, the ends some weeks later."""
    begins = _working(pair.starts_on + datetime.timedelta(days=number * pair.every_days))
    days = [begins]
    while len(days) < END_FIRST:
        days.append(_working(days[-1] + datetime.timedelta(days=1)))
    for step in (END_FIRST, END_SECOND):
        later = _END_DAYS + _draw(pair, number, step, "days") % _END_SPREAD
        days.append(_working(begins + datetime.timedelta(days=later)))
    return days


def _working(day: datetime.date) -> datetime.date:
    while day.weekday() >= _WEEKEND:
        day += datetime.timedelta(days=1)
    return day


def household(pair: ProbePair, number: int) -> Case:
    """Return the invented family of a round: a child and a mother whom nobody has."""
    child, mother = _persons(pair, number)
    return Case(row=f"proef {number}", subject=child, case_ref=_case_ref(pair, number),
                parents=(Parent(bsn=mother, source="brp"),))  # fmt: skip


def proof(pair: ProbePair, step: Step) -> str:
    """Return by what the other partner knows that a report of a missed step is from this one."""
    return pair.secret.mac(f"missed {step.key}".encode()).hex()


def is_proof(pair: ProbePair, step: Step, given: str) -> bool:
    """Return whether this is the proof of a missed step."""
    return hmac.compare_digest(proof(pair, step), given)


def step_of(pair: ProbePair, number: int) -> Step:
    """Return the step with this number; when it is due does not matter to who asks."""
    turn = (number // STEPS + number % STEPS) % 2
    return Step(round=number // STEPS, step=number % STEPS, organisation=pair.organisations[turn], due_at=0)


def _case_ref(pair: ProbePair, number: int) -> str:
    return pair.secret.mac(f"case {number}".encode()).hex()[:16]


def _persons(pair: ProbePair, number: int) -> tuple[Bsn, Bsn]:
    found: list[Bsn] = []
    attempt = 0
    while len(found) < 2:  # noqa: PLR2004 - a child and a mother
        tail = _draw(pair, number, attempt, "person") % 100_000
        attempt += 1
        try:
            person = Bsn.parse(f"{_TEST_RANGE}{tail:05}")
        except IdentifierError:
            continue
        if person not in found:
            found.append(person)
    return found[0], found[1]


def _moment(pair: ProbePair, number: int, step: int, day: datetime.date) -> int:
    """Return a second of this day, during the hours in which ordinary requests are made."""
    opens = datetime.datetime.combine(day, _OPENS, tzinfo=_ZONE)
    return int(opens.timestamp()) + _draw(pair, number, step, "time") % _OPEN_S


def _draw(pair: ProbePair, number: int, step: int, what: str) -> int:
    return int.from_bytes(hashlib.sha256(pair.secret.mac(f"{what} {number} {step}".encode())).digest()[:8], "big")
