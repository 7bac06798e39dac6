"""What was recorded of the persons of a signal and of those whom it meets: for the decisions of holders (D5, D8)."""

from collections.abc import Iterable, Mapping

from broker.consent_ports import ConsentReader
from broker.domain.households import Hit, TokenIndex
from broker.domain.said import RecordedOf, Said
from broker.domain.signals import Signal
from broker.ports import Stamp


async def said_when_met(
    signal: Signal, person: TokenIndex | None, hits: Iterable[Hit], *, subjects: Mapping[str, TokenIndex],
    consents: ConsentReader,
) -> tuple[Said, tuple[Stamp, ...]]:  # fmt: skip
    """Return what was recorded of a signal's person, and of those whom it met, with the stamps of that.

    Args:
        person: the subject of the signal.
        hits: what it met.
        subjects: of these, by the ids of their signals.
        consents: asked whatever was met.
    """
    own = {} if person is None else {signal.id: person}
    persons = {**own, **{hit.signal.id: subjects[hit.signal.id] for hit in hits}}
    holders = {signal.organisation, *(hit.signal.organisation for hit in hits)}
    known = await consents.about([(oin, one) for oin in holders for one in set(persons.values())])
    recorded = {pair: RecordedOf(consents=one.consents, version=one.stamp.version) for pair, one in known.items()}
    return Said(persons=persons, recorded=recorded), tuple(one.stamp for one in known.values())
