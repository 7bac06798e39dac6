"""Matches in the database: one per new signal and other team, with the signals they rest on."""

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from audit.database import Connection
from broker.domain.errors import StaleDecisionError
from broker.domain.households import Household, MatchKind, Parent, TokenIndex, TokenRole
from broker.domain.matches import (
    CONTACTED,
    ChangeMatch,
    KeptMatch,
    Link,
    MarkOverdue,
    MatchSide,
    MatchState,
    MeetLater,
    NameCasusregisseur,
    NoteMet,
    StoreMatch,
    TeamOf,
)
from broker.domain.signals import Signal
from broker.match_ports import FoundMatches, Unmet
from broker.ports import Stamp, StampKey, StampKind
from broker.store.connection import Reader
from broker.store.said import read_said
from broker.store.signal_rows import day, iso
from broker.store.signals import read_signals, read_stamps
from broker.store.team_tasks import unanswered_matches

_MATCH = (
    "id, newer_signal, made_on, due_on, overdue_on, coordinator, coordinator_team, coordinator_beside, "
    "coordinator_beside_team, casusregisseur_organisation, casusregisseur_team, casusregisseur_entry, "
    "casusregisseur_over"
)
_OF_SIDE = """id IN (SELECT match_id FROM match_sides WHERE organisation = ? AND told AND match_id > ?
    ORDER BY match_id LIMIT ?)"""
_COORDINATED = """id IN (
        SELECT id FROM (SELECT id FROM matches WHERE coordinator = ? AND id > ? ORDER BY id LIMIT ?) one
        UNION SELECT id FROM (SELECT id FROM matches WHERE coordinator_beside = ? AND id > ? ORDER BY id LIMIT ?) other)
    ORDER BY id LIMIT ?"""
_OVERDUE = f"""overdue_on IS NULL AND coordinator IS NOT NULL AND due_on < ? AND (due_on, id) > (?, ?)
    AND NOT EXISTS
    (SELECT 1 FROM match_sides s WHERE s.match_id = matches.id AND s.told
        AND s.state IN ({", ".join(f"'{state.value}'" for state in sorted(CONTACTED))}))
    ORDER BY due_on, id LIMIT ?"""  # noqa: S608 - states of ours, no value

_NEXT_UNMET = "SELECT signal_id FROM unmet_signals WHERE organisation %s ? ORDER BY organisation, seq LIMIT 1"


class StoredMatches:
    """`MatchReader` over a database."""

    def __init__(self, reader: Reader) -> None:
        """Read with this; the caller closes it."""
        self._reader = reader

    async def one(self, match_id: str) -> FoundMatches:
        """Return this match, if there is one. See `MatchReader.one`."""
        return await self._read("id = ?", match_id)

    async def among(self, match_ids: Collection[str]) -> FoundMatches:
        """Return those of these matches that there are. See `MatchReader.among`."""
        return await self._reader.run(lambda connection: read_matches(connection, match_ids))

    async def of_side(self, *, organisation: str, after: str, at_most: int) -> FoundMatches:
        """Return matches of which a side is told. See `MatchReader.of_side`."""
        return await self._read(_OF_SIDE, organisation, after, at_most)

    async def coordinated_by(self, *, organisation: str, after: str, at_most: int) -> FoundMatches:
        """Return matches of a coordinator. See `MatchReader.coordinated_by`."""
        asked = (organisation, after, at_most)
        return await self._read(_COORDINATED, *asked, *asked, at_most)

    async def overdue(self, *, day: date, after: tuple[str, str], at_most: int) -> FoundMatches:
        """Return matches past their day without contact. See `MatchReader.overdue`."""
        return await self._read(_OVERDUE, day.isoformat(), *after, at_most)

    async def touching(self, signal_ids: Collection[str]) -> FoundMatches:
        """Return matches that rest on one of these signals. See `MatchReader.touching`."""

        def read(connection: Connection) -> FoundMatches:
            wanted = sorted(signal_ids)
            newer, first = connection.dialect.among("newer_signal", wanted)
            older, second = connection.dialect.among("signal_id", wanted)
            condition = f"{newer} OR id IN (SELECT match_id FROM match_signals WHERE {older})"  # noqa: S608 - no value in it
            found = _found(connection, condition, (*first, *second))
            return replace(found, stamps=(*found.stamps, *_met_under(connection, wanted)))

        return await self._reader.run(read)

    async def next_unmet(self, *, after: str) -> Unmet | None:
        """Return the signal whose turn it is. See `MatchReader.next_unmet`."""
        return await self._reader.run(lambda connection: _next_unmet(connection, after))

    async def _read(self, condition: str, *values: object) -> FoundMatches:
        return await self._reader.run(lambda connection: _found(connection, condition, values))


def read_matches(connection: Connection, match_ids: Collection[str]) -> FoundMatches:
    """Return those of these matches that there are, with the stamps of all of them, in the connection's transaction."""
    condition, values = connection.dialect.among("id", sorted(match_ids))
    return _found(connection, condition, values)


def _found(connection: Connection, condition: str, values: Sequence[object]) -> FoundMatches:
    """Return matches with their signals, and the stamps of all that, in one snapshot."""
    rows = connection.execute(f"SELECT {_MATCH} FROM matches WHERE {condition}", values).fetchall()  # noqa: S608 - column names of ours
    ids = [row[0] for row in rows]
    among, listed = connection.dialect.among("match_id", ids)
    query = f"SELECT match_id, signal_id, kind, shown, tells FROM match_signals WHERE {among} ORDER BY signal_id"  # noqa: S608 - no value in it
    links = connection.execute(query, listed).fetchall()
    query = f"SELECT match_id, organisation, team, told, state, changed_on FROM match_sides WHERE {among}"  # noqa: S608 - no value in it
    sides = connection.execute(query, listed).fetchall()
    unanswered = unanswered_matches(connection, ids)
    signals = read_signals(connection, {*(row[1] for row in rows), *(row[1] for row in links)})
    kinds = (StampKind.SHIELD, StampKind.LAST_DAY)
    keys = [StampKey(kind=kind, key=one.encode("ascii")) for kind in kinds for one in sorted(signals)]
    holders = sorted({signal.organisation for signal in signals.values()})
    keys += [StampKey(kind=StampKind.ORGANISATION, key=oin.encode("ascii")) for oin in holders]
    matches = [_match(row, _of(row[0], links), _of(row[0], sides), signals) for row in rows]
    said, of_consents = read_said(
        connection, [([side.of.organisation for side in match.sides], match.signal_ids()) for match in matches]
    )
    matches = [replace(match, unanswered=match.id in unanswered, said=said) for match in matches]
    stamps = (*read_stamps(connection, keys), *of_consents)
    return FoundMatches(matches=tuple(sorted(matches, key=lambda match: match.id)), stamps=stamps)


def _met_under(connection: Connection, signal_ids: Sequence[str]) -> tuple[Stamp, ...]:
    """Return the stamps of the tokens under which these are met: one that moved since may have brought a match."""
    among, values = connection.dialect.among("signal_id", signal_ids)
    query = f"SELECT DISTINCT idx FROM signal_tokens WHERE {among} ORDER BY idx"  # noqa: S608 - no value in it
    rows = connection.execute(query, values).fetchall()
    return read_stamps(connection, [StampKey(kind=StampKind.TOKEN, key=bytes(row[0])) for row in rows])


def _of(match_id: str, rows: Iterable[Sequence[Any]]) -> list[Sequence[Any]]:
    return [row for row in rows if row[0] == match_id]


def _match(
    row: Sequence[Any], links: list[Sequence[Any]], sides: list[Sequence[Any]], signals: Mapping[str, Signal]
) -> KeptMatch:
    match_id, newer_id, made_on, due_on, overdue_on, *named, led_by, led_by_team, named_in, over = row
    newer = signals[newer_id]
    by_organisation = {side[1]: _side(side) for side in sides}
    (older,) = set(by_organisation) - {newer.organisation}
    return KeptMatch(
        id=match_id,
        newer=newer,
        links=tuple(
            Link(signal=signals[link[1]], kind=MatchKind(link[2]), shown=bool(link[3]), tells=bool(link[4]))
            for link in links
        ),
        newer_side=by_organisation[newer.organisation],
        older_side=by_organisation[older],
        made_on=date.fromisoformat(made_on),
        due_on=date.fromisoformat(due_on),
        overdue_on=day(overdue_on),
        coordinators=tuple(one for at in (0, 2) if (one := _team(*named[at : at + 2])) is not None),
        casusregisseur=_team(led_by, led_by_team),
        named_in=named_in,
        named_over=None if over is None else frozenset(json.loads(over)),
    )


def _team(organisation: str | None, team: str | None) -> TeamOf | None:
    return None if organisation is None or team is None else TeamOf(organisation=organisation, team=team)


def _side(row: Sequence[Any]) -> MatchSide:
    _, organisation, team, told, state, changed_on = row
    of = TeamOf(organisation=organisation, team=team)
    return MatchSide(of=of, told=bool(told), state=MatchState(state), changed_on=date.fromisoformat(changed_on))


def _next_unmet(connection: Connection, after: str) -> Unmet | None:
    rows = (connection.execute(_NEXT_UNMET % operator, (after,)).fetchone() for operator in (">", "<="))
    row = next((row for row in rows if row is not None), None)
    if row is None:
        return None
    query = "SELECT idx, role, source FROM signal_tokens WHERE signal_id = ? ORDER BY role, idx"
    tokens = [(TokenIndex(index), role, source) for index, role, source in connection.execute(query, row)]
    single = {role: index for index, role, _ in tokens if role != TokenRole.PARENT.value}
    household = Household(
        subject=single.get(TokenRole.SUBJECT.value),
        parents=tuple(
            Parent(index=one, source=source) for one, role, source in tokens if role == TokenRole.PARENT.value
        ),
        address=single.get(TokenRole.ADDRESS.value),
    )
    return Unmet(signal=read_signals(connection, row)[row[0]], household=household)


def insert_unmet(connection: Connection, change: MeetLater) -> None:
    """In the open transaction a signal waits for its turn."""
    query = "INSERT INTO unmet_signals (signal_id, organisation) VALUES (?, ?)"
    connection.execute(query, (change.signal_id, change.organisation))


def delete_unmet(connection: Connection, change: NoteMet) -> None:
    """In the open transaction a signal waits no more. Raises StaleDecisionError: it did not."""
    if connection.execute("DELETE FROM unmet_signals WHERE signal_id = ?", (change.signal_id,)).rowcount != 1:
        raise StaleDecisionError


def insert_match(connection: Connection, change: StoreMatch) -> None:
    """The open transaction holds this match."""
    match = change.match
    named = [name for one in match.coordinators for name in (one.organisation, one.team)]
    connection.execute(
        "INSERT INTO matches (id, newer_signal, made_on, due_on, coordinator, coordinator_team, coordinator_beside, "
        "coordinator_beside_team) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (match.id, match.newer.id, iso(match.made_on), iso(match.due_on), *named, *[None] * (4 - len(named))),
    )
    for side in match.sides:
        connection.execute(
            "INSERT INTO match_sides (match_id, organisation, team, told, state, changed_on) VALUES (?, ?, ?, ?, ?, ?)",
            (match.id, side.of.organisation, side.of.team, side.told, side.state.value, iso(side.changed_on)),
        )
    for link in match.links:
        connection.execute(
            "INSERT INTO match_signals (match_id, signal_id, kind, shown, tells) VALUES (?, ?, ?, ?, ?)",
            (match.id, link.signal.id, link.kind.value, link.shown, link.tells),
        )


def change_match(connection: Connection, change: ChangeMatch) -> None:
    """In the open transaction a side is so far. Raises StaleDecisionError: it is not where it was."""
    query = "UPDATE match_sides SET state = ?, changed_on = ? WHERE match_id = ? AND organisation = ? AND state = ?"
    values = (change.state.value, iso(change.on), change.match_id, change.organisation, change.was.value)
    if connection.execute(query, values).rowcount != 1:
        raise StaleDecisionError


def name_casusregisseur(connection: Connection, change: NameCasusregisseur, *, index: int) -> None:
    """In the open transaction a team leads the plan. Raises StaleDecisionError: another was named meanwhile."""
    for match_id, was in ((change.match_id, change.was), *change.beside):
        query = "SELECT casusregisseur_organisation, casusregisseur_team FROM matches WHERE id = ?"
        row = connection.execute(query, (match_id,)).fetchone()
        if row is None or _team(*row) != was:
            raise StaleDecisionError
    query = """UPDATE matches SET casusregisseur_organisation = ?, casusregisseur_team = ?, casusregisseur_entry = ?,
        casusregisseur_over = ? WHERE id = ?"""
    over = json.dumps(sorted(change.over))
    connection.execute(query, (change.now.organisation, change.now.team, index, over, change.match_id))


def mark_overdue(connection: Connection, change: MarkOverdue) -> None:
    """In the open transaction a match is overdue. Raises StaleDecisionError: it was already."""
    query = "UPDATE matches SET overdue_on = ? WHERE id = ? AND overdue_on IS NULL"
    if connection.execute(query, (iso(change.on), change.match_id)).rowcount != 1:
        raise StaleDecisionError


def forget_matches(connection: Connection, signal_id: str) -> None:
    """The open transaction has no match, and no notice of one, that rests on this signal and on no other of its side.

    Nobody can see such a match any more, whatever it rests on came back for (D16).
    """
    query = "SELECT match_id FROM match_signals WHERE signal_id = ?"
    linked = [row[0] for row in connection.execute(query, (signal_id,)).fetchall()]
    connection.execute("DELETE FROM match_signals WHERE signal_id = ?", (signal_id,))
    query = "SELECT id FROM matches WHERE newer_signal = ?"
    gone = [row[0] for row in connection.execute(query, (signal_id,)).fetchall()]
    query = "SELECT 1 FROM match_signals WHERE match_id = ?"
    gone += [one for one in linked if connection.execute(query, (one,)).fetchone() is None]
    for match_id in gone:
        connection.execute("DELETE FROM notices WHERE about = ?", (match_id,))
        connection.execute("DELETE FROM team_tasks WHERE about = ?", (match_id,))
        for table in ("match_signals", "match_sides"):
            connection.execute(f"DELETE FROM {table} WHERE match_id = ?", (match_id,))  # noqa: S608 - names of ours
        connection.execute("DELETE FROM matches WHERE id = ?", (match_id,))


MATCH_CHANGES: Mapping[type, Callable[[Connection, Any], None]] = {
    StoreMatch: insert_match,
    ChangeMatch: change_match,
    MarkOverdue: mark_overdue,
}
"""How each change of a match is written."""
