"""What a review finds an entry by, written with the entry itself, inside the writer's open transaction."""

import json
from collections.abc import Collection

from audit.database import Connection
from broker.domain.acts import ReviewNote, SearchTerms
from broker.domain.errors import StaleDecisionError
from broker.ports import Proposal

_ACT = "INSERT INTO acts (idx, organisation, controller, kind, at) VALUES (?, ?, ?, ?, ?)"
_HANDLE = "INSERT INTO act_handles (handle, idx) VALUES (?, ?)"
_NOTE = "INSERT INTO review_notes (idx, organisation, worker, kind, about, body, at) VALUES (?, ?, ?, ?, ?, ?, ?)"
_NOTED = "SELECT 1 FROM review_notes WHERE organisation = ? AND kind = ? AND about = ? LIMIT 1"


def index_act(connection: Connection, proposal: Proposal, *, index: int, at: int) -> None:
    """The open transaction holds under what this entry is found, and the note that came with it.

    Raises:
        StaleDecisionError: the same was stated meanwhile, and may be stated once.
        DATABASE_ERRORS: the database refused.
    """
    if proposal.search is not None:
        _index(connection, proposal.search, kind=proposal.kind, index=index, at=at)
    if proposal.note is not None:
        _keep(connection, proposal.note, index=index, at=at)


def forget_acts(connection: Connection, *, first: int, last: int, groups: Collection[str]) -> None:
    """The open transaction keeps nothing of expired groups of these entries beside the log.

    With `subject` or `hits` they are found no more by the signals they concerned; with `actor` or `subject` what a
    reviewer stated is gone. That an act was done by an organisation, and when, stays: it says nothing of a person.
    Only where the term is over: a decision of the asker takes no look out of sight of those whose signals it hit.
    """
    if {"subject", "hits"} & set(groups):
        connection.execute("DELETE FROM act_handles WHERE idx BETWEEN ? AND ?", (first, last))
    if {"actor", "subject"} & set(groups):
        connection.execute("DELETE FROM review_notes WHERE idx BETWEEN ? AND ?", (first, last))


def _index(connection: Connection, terms: SearchTerms, *, kind: str, index: int, at: int) -> None:
    connection.execute(_ACT, (index, terms.organisation, terms.controller, kind, at))
    if terms.handles:
        connection.executemany(_HANDLE, [(handle, index) for handle in sorted(terms.handles)])


def _keep(connection: Connection, note: ReviewNote, *, index: int, at: int) -> None:
    if note.once and connection.execute(_NOTED, (note.organisation, note.kind, note.about)).fetchone() is not None:
        raise StaleDecisionError
    body = json.dumps(dict(note.body), sort_keys=True, separators=(",", ":"))
    connection.execute(_NOTE, (index, note.organisation, note.worker, note.kind, note.about, body, at))
