"""What consents say of a question: the facts of the asker, and of each hit (D5).

A consent opens only the tokens of those who gave it. Before it may be asked only the own organisation's records are
read: who may not ask must not notice what others recorded.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from broker.consent_ports import AboutPerson, ConsentReader, Pair, person_key
from broker.domain.consent_standing import NO_STANDING, Standing, lasts_until, standing, together
from broker.domain.consents import ConsentState, Needed
from broker.domain.households import FoundToken, Hit, Household, TokenIndex
from broker.domain.signals import Signal
from broker.flows.act import Act
from broker.flows.judging import ConsentWord
from broker.flows.policy import PolicyInForce
from broker.ports import LookUp, Stamp

CONSENT_KIND = "toestemming"
INVOLVEMENT = "betrokkenheid"
"""The data category of everything that the broker itself shows."""
_YOUNGEST = ("under12", "12to15", "16to17", "18to22", "from23", "unknown")


@dataclass(frozen=True, slots=True, kw_only=True)
class Consented:
    """What is recorded of the persons of one question, by the asker and by the holders that were found.

    `worker` asks; `claimed` are the grounds of consent among those that were claimed, `alone` says that there are no
    others.
    """

    asker: str
    persons: tuple[TokenIndex, ...]
    purpose: str
    day: date
    needed: Needed
    claimed: frozenset[str]
    alone: bool
    known: Mapping[Pair, AboutPerson] = field(repr=False)
    worker: str = ""

    def asked(self) -> Standing:
        """Return what the asker recorded of the persons asked about: of the youngest who consents, or why none does."""
        found = [self._looks(person) for person in self.persons]
        for state in (ConsentState.GIVEN, ConsentState.REFUSED, ConsentState.WITHDRAWN, ConsentState.EXPIRED):
            of_state = [one for one in found if one.state is state]
            if of_state:
                return min(of_state, key=lambda one: _YOUNGEST.index(one.age))
        return found[0] if found else NO_STANDING

    def of_hit(self, holder: str, person: TokenIndex) -> ConsentWord:
        """Return whether this very person agrees that this holder is shown to the asker.

        She agrees that the asker looks, as the asker recorded, and that he is shown this holder, as either recorded.
        """
        looks = self._looks(person)
        if looks.state is not ConsentState.GIVEN:
            return together([looks], counting=[looks]).value
        counting = self._counting(holder, person)
        # What one worker added after a no that two know of takes nothing of that no away.
        return together([self._of(self.asker, person, party=holder), *counting], counting=counting).value

    def last_day(self, shown: Iterable[tuple[str, TokenIndex]]) -> date | None:
        """Return until when these persons of these holders may be shown again.

        By exactly what was weighed to ask and to show them: a record about who is not shown changes nothing (D8).
        """
        pairs = tuple(shown)
        looks = [self._looks(one) for one in {*self.persons, *(person for _, person in pairs)}]
        last = [_until([one]) for one in looks]
        # Of two yeses that each let it be shown, one is enough: it lasts as long as the longer of them.
        last += [_until(self._counting(holder, person)) for holder, person in pairs]
        return min((day for day in last if day is not None), default=None)

    def rests_until(self, ground: str) -> date | None:
        """Return the last day of a signal on this ground; None where it does not rest on consent.

        It rests on what its own organisation recorded of its subject, up to the day on which that is a yes no more.
        """
        if ground not in self.claimed:
            return None
        about = replace(self, persons=self.persons[:1])
        return lasts_until(lambda day: replace(about, day=day).asked(), day=self.day) or self.day

    @property
    def stamps(self) -> tuple[Stamp, ...]:
        """The stamps of everything that was read."""
        return tuple(about.stamp for about in self.known.values())

    def _looks(self, person: TokenIndex) -> Standing:
        """Return whether the asker may look at all: by all that it recorded, but a no stays until two say otherwise."""
        approved = self._of(self.asker, person, party=None, approved=True)
        ended = approved.state in (ConsentState.REFUSED, ConsentState.WITHDRAWN)
        return approved if ended else self._of(self.asker, person, party=None)

    def _counting(self, holder: str, person: TokenIndex) -> tuple[Standing, Standing]:
        """Return whose yes opens this holder: what a second person of the asker approved, and the holder's own."""
        approved = self._of(self.asker, person, party=holder, approved=True)
        return approved, self._of(holder, person, party=self.asker)

    def _of(self, organisation: str, person: TokenIndex, *, party: str | None, approved: bool = False) -> Standing:
        about = self.known.get((organisation, person))
        consents = () if about is None else about.consents
        return standing(
            consents,
            purpose=self.purpose,
            category=INVOLVEMENT,
            party=party,
            needed=self.needed,
            day=self.day,
            approved=approved,
            reader=self.worker if organisation == self.asker else None,
        )


def _until(said: Iterable[Standing]) -> date | None:
    """Return the last day of those that are given; None where none is."""
    days = [one.until for one in said if one.state is ConsentState.GIVEN and one.until is not None]
    return max(days, default=None)


async def own_consents(
    act: Act, household: Household, *, policy: PolicyInForce, day: date, consents: ConsentReader
) -> Consented | None:
    """Return what the asker recorded of the persons asked about; None where no consent is claimed as a ground."""
    subject = () if household.subject is None else (household.subject,)
    persons = (*subject, *household.members)
    asker = act.requester.organisation
    claimed = await claimed_consents(
        act.grounds, asker=asker, persons=persons, purpose=act.purpose or "", of=[(asker, one) for one in persons],
        policy=policy, day=day, consents=consents,
    )  # fmt: skip
    return None if claimed is None else replace(claimed, worker=act.requester.worker)


async def claimed_consents(
    grounds: Sequence[str], *, asker: str, persons: tuple[TokenIndex, ...], purpose: str, of: Collection[Pair],
    policy: PolicyInForce, day: date, consents: ConsentReader,
) -> Consented | None:  # fmt: skip
    """Return what these organisations recorded of these persons; None where no consent is claimed as a ground.

    Args:
        grounds: as they are claimed.
        asker: whose question it is.
        persons: whom it is about.
        purpose: of the question.
        of: whose records about whom are read.
        policy: in force.
        day: the calendar day.
        consents: as committed.
    """
    known = [policy.bundle.grounds[ground] for ground in grounds if ground in policy.bundle.grounds]
    claimed = [ground for ground in known if ground.kind == CONSENT_KIND]
    if not claimed:
        return None
    return Consented(
        asker=asker,
        persons=persons,
        purpose=purpose,
        day=day,
        needed=claimed[0].consenters,
        claimed=frozenset(ground.id for ground in claimed),
        alone=len(claimed) == len(grounds),
        known=await consents.about(of),
    )


async def with_holders(
    consented: Consented | None, found: Iterable[FoundToken], *, consents: ConsentReader
) -> Consented | None:
    """Return also what holders recorded of who was found, and the asker of those among them it did not ask about."""
    if consented is None:
        return None
    pairs = {
        pair
        for token in found
        for pair in ((token.signal.organisation, token.subject), (consented.asker, token.subject))
        if pair not in consented.known
    }
    return replace(consented, known={**consented.known, **await consents.about(pairs)})


def said_of(
    consented: Consented | None, hits: Iterable[Hit], *, found: Iterable[FoundToken]
) -> Mapping[str, ConsentWord]:
    """Return what the person of each hit says of this holder and the asker, by signal id; of nobody without a claim."""
    if consented is None:
        return {}
    subjects = {token.signal.id: token.subject for token in found}
    return {hit.signal.id: consented.of_hit(hit.signal.organisation, subjects[hit.signal.id]) for hit in hits}


def agreed_of(consented: Consented | None, signal: Signal, subject: TokenIndex) -> tuple[Stamp, ...]:
    """Return the stamps of what was recorded of asking this holder about this person; none without a claim."""
    if consented is None:
        return ()
    persons = {subject, *consented.persons}
    of = {person_key(consented.asker, one) for one in persons} | {person_key(signal.organisation, subject)}
    return tuple(stamp for stamp in consented.stamps if stamp.of in of)


def agreed_until(consented: Consented | None, signal: Signal, subject: TokenIndex) -> date | None:
    """Return the last day of what was agreed of asking this holder about this person; None without a claim."""
    return None if consented is None else consented.last_day([(signal.organisation, subject)])


def rests_on_of(
    looked_up: LookUp,
    consented: Consented | None,
    shown: Iterable[Signal],
    persons: set[tuple[str, TokenIndex]],
    *,
    asker: str,
) -> tuple[tuple[Stamp, ...], date | None]:
    """Return the stamps of what is shown, and the last day on which it may be shown again.

    Of consents: what the asker recorded of who was asked about or is shown, and what a shown holder recorded of whom.
    """
    signals = tuple(shown)
    keys = {name.encode("ascii") for signal in signals for name in (signal.id, signal.organisation)}
    stamps = tuple(stamp for stamp in looked_up.stamps if stamp.of.key in keys)
    ends = [signal.last_day for signal in signals]
    if consented is not None and signals:
        pairs = persons | {(asker, person) for _, person in persons} | {(asker, one) for one in consented.persons}
        of = {person_key(*pair) for pair in pairs}
        stamps += tuple(stamp for stamp in consented.stamps if stamp.of in of)
        last = consented.last_day(persons)
        ends += [] if last is None else [last]
    return stamps, min(ends, default=None)
