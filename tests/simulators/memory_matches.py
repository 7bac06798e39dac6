"""The memory twin of the reader of matches."""

from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import date

from broker.consent_ports import person_key
from broker.domain.households import Household, Parent, TokenRole
from broker.domain.matches import KeptMatch
from broker.domain.said import RecordedOf, Said
from broker.domain.team_tasks import TaskKind
from broker.match_ports import FoundMatches, Unmet
from broker.ports import Stamp, StampKey, StampKind
from tests.simulators.broker_memory import MemoryBroker


class MemoryMatches:
    """`MatchReader` over the memory of a broker."""

    def __init__(self, broker: MemoryBroker) -> None:
        self._broker = broker

    async def one(self, match_id: str) -> FoundMatches:
        """See `MatchReader.one`."""
        return self._found(match for match in self._all() if match.id == match_id)

    async def among(self, match_ids: Collection[str]) -> FoundMatches:
        """See `MatchReader.among`."""
        return self._found(match for match in self._all() if match.id in match_ids)

    async def of_side(self, *, organisation: str, after: str, at_most: int) -> FoundMatches:
        """See `MatchReader.of_side`."""
        sides = ((match, match.side_of(organisation)) for match in self._all())
        told = [match for match, side in sides if side is not None and side.told and match.id > after]
        return self._found(told[:at_most])

    async def coordinated_by(self, *, organisation: str, after: str, at_most: int) -> FoundMatches:
        """See `MatchReader.coordinated_by`."""
        of = {match.id: {one.organisation for one in match.coordinators} for match in self._all()}
        found = [one for one in self._all() if organisation in of[one.id] and one.id > after]
        return self._found(found[:at_most])

    async def overdue(self, *, day: date, after: tuple[str, str], at_most: int) -> FoundMatches:
        """See `MatchReader.overdue`."""
        waiting = [match for match in self._all() if match.overdue_on is None and match.coordinators]
        late = [match for match in waiting if match.due_on < day and not match.contacted]
        ordered = sorted(late, key=lambda match: (match.due_on, match.id))
        return self._found([one for one in ordered if (one.due_on.isoformat(), one.id) > after][:at_most])

    async def touching(self, signal_ids: Collection[str]) -> FoundMatches:
        """See `MatchReader.touching`."""
        found = self._found(match for match in self._all() if match.signal_ids() & set(signal_ids))
        under = sorted({token.index.reveal() for one in signal_ids for token in self._broker.state.tokens[one]})
        met = self._broker.state.stamps([StampKey(kind=StampKind.TOKEN, key=index) for index in under])
        return replace(found, stamps=(*found.stamps, *met))

    async def next_unmet(self, *, after: str) -> Unmet | None:
        """See `MatchReader.next_unmet`."""
        state = self._broker.state
        waiting = sorted((state.signals[one] for one in state.unmet), key=lambda one: one.organisation)
        later = [one for one in waiting if one.organisation > after]
        if not waiting:
            return None
        signal = (later or waiting)[0]
        of = {role: [token for token in state.tokens[signal.id] if token.role is role] for role in TokenRole}
        single = {role: tokens[0].index for role, tokens in of.items() if tokens}
        household = Household(
            subject=single.get(TokenRole.SUBJECT),
            parents=tuple(Parent(index=one.index, source=str(one.source)) for one in of[TokenRole.PARENT]),
            address=single.get(TokenRole.ADDRESS),
        )
        return Unmet(signal=signal, household=household)

    def _all(self) -> list[KeptMatch]:
        """Return every match in the order of the ids, with its signals as they are now."""
        state = self._broker.state
        return [
            replace(
                match,
                newer=state.signals[match.newer.id],
                links=tuple(replace(link, signal=state.signals[link.signal.id]) for link in match.links),
                unanswered=any(
                    (task.kind, task.about, task.done_on) == (TaskKind.REACTION, match.id, None) and task.told_on
                    for task in state.team_tasks.values()
                ),
            )
            for _, match in sorted(state.matches.items())
        ]

    def _found(self, matches: Iterable[KeptMatch]) -> FoundMatches:
        found = tuple(matches)
        signals = {one for match in found for one in match.signal_ids()}
        holders = {self._broker.state.signals[one].organisation for one in signals}
        keys = [StampKey(kind=StampKind.SHIELD, key=one.encode()) for one in sorted(signals)]
        keys += [StampKey(kind=StampKind.ORGANISATION, key=oin.encode()) for oin in sorted(holders)]
        stamps = self._broker.state.stamps(keys)
        told = [self._said(match) for match in found]
        matches = tuple(replace(match, said=said) for match, (said, _) in zip(found, told, strict=True))
        agreed = dict.fromkeys(stamp for _, of_consents in told for stamp in of_consents)
        return FoundMatches(matches=matches, stamps=(*stamps, *agreed))

    def _said(self, match: KeptMatch) -> tuple[Said, tuple[Stamp, ...]]:
        """Return what both sides recorded of the persons of a match, with the stamps of that."""
        state = self._broker.state
        persons = {
            one: token.index
            for one in match.signal_ids()
            for token in state.tokens[one]
            if token.role is TokenRole.SUBJECT
        }
        pairs = [(side.of.organisation, one) for side in match.sides for one in dict.fromkeys(persons.values())]
        stamps = state.stamps([person_key(*pair) for pair in pairs])
        kept = state.consents.values()
        recorded = {
            pair: RecordedOf(
                consents=tuple(one for one, who in kept if (one.organisation, who) == pair), version=stamp.version
            )
            for pair, stamp in zip(pairs, stamps, strict=True)
        }
        return Said(persons=persons, recorded=recorded), tuple(stamps)
