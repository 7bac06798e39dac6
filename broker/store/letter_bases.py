"""What the letters of a page rest on: everything of them in one snapshot, each as its own store reads it."""

from collections.abc import Collection, Mapping
from dataclasses import replace

from audit.database import Connection
from broker.consent_ports import person_key
from broker.domain.matches import KeptMatch
from broker.domain.said import Said
from broker.letter_ports import ReadTogether, Wanted
from broker.match_ports import FoundMatches
from broker.ports import StampKey, StampKind
from broker.store.connection import Reader
from broker.store.consents import read_own_consents
from broker.store.exceptions import read_own_exception
from broker.store.matches import read_matches
from broker.store.signals import read_own_signals, read_stamps


class StoredBases:
    """`BasisReader` over a database."""

    def __init__(self, reader: Reader) -> None:
        """Read with this; the caller closes it."""
        self._reader = reader

    async def together(self, wanted: Wanted) -> ReadTogether:
        """Return all of it in one reading. See `BasisReader.together`."""
        return await self._reader.run(lambda connection: _together(connection, wanted))


def _together(connection: Connection, wanted: Wanted) -> ReadTogether:
    exceptions = {own_id: read_own_exception(connection, *own_id) for own_id in sorted(wanted.exceptions)}
    return ReadTogether(
        signals=read_own_signals(connection, wanted.signals),
        matches=_matches(connection, wanted.matches),
        consents=read_own_consents(connection, wanted.consents),
        exceptions={own_id: one for own_id, one in exceptions.items() if one is not None},
        stamps={stamp.of: stamp for stamp in read_stamps(connection, wanted.stamps)},
    )


def _matches(connection: Connection, match_ids: Collection[str]) -> Mapping[str, FoundMatches]:
    """Return each of these matches by its id, as if it had been read by itself."""
    found = read_matches(connection, match_ids)
    alone = {}
    for match in found.matches:
        said = _said_of(match)
        keys = _keys_of(match, said)
        stamps = tuple(stamp for stamp in found.stamps if stamp.of in keys)
        alone[match.id] = FoundMatches(matches=(replace(match, said=said),), stamps=stamps)
    return alone


def _said_of(match: KeptMatch) -> Said:
    """Return of what was read of all persons that of this match: each of them, and what each of its sides recorded."""
    persons = {one: person for one, person in match.said.persons.items() if one in match.signal_ids()}
    pairs = {(side.of.organisation, person) for side in match.sides for person in persons.values()}
    return Said(persons=persons, recorded={pair: one for pair, one in match.said.recorded.items() if pair in pairs})


def _keys_of(match: KeptMatch, said: Said) -> frozenset[StampKey]:
    signals = (match.newer, *(link.signal for link in match.links))
    return frozenset(
        {
            *(
                StampKey(kind=kind, key=one.id.encode("ascii"))
                for one in signals
                for kind in (StampKind.SHIELD, StampKind.LAST_DAY)
            ),
            *(StampKey(kind=StampKind.ORGANISATION, key=one.organisation.encode("ascii")) for one in signals),
            *(person_key(*pair) for pair in said.recorded),
        }
    )
