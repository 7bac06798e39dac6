"""Between whom each own match is, as it was first shown here: a letter goes to that team, and to no other.

The broker tells that somebody is involved, and with which team. Whom one writes to is not for it to say: what it told
a worker who read it stands here, and what it tells a command that is about to seal is held against that.
"""

from collections.abc import Iterable

from broker.protocol.match_messages import ShownMatch
from connectors.casebook import Casebook
from connectors.errors import CaseError, ReceiptError

_SCHEMA = """CREATE TABLE IF NOT EXISTS shown_match (
  id TEXT PRIMARY KEY, team TEXT NOT NULL, holder TEXT NOT NULL, holder_team TEXT NOT NULL
) STRICT"""
_SHOWN = "SELECT team, holder, holder_team FROM shown_match WHERE id = ?"


class MatchBook:
    """The matches that were shown, in a partner's own database."""

    def __init__(self, book: Casebook) -> None:
        """Keep them in this book."""
        self._book = book
        with book.transaction() as connection:
            connection.execute(_SCHEMA)

    def keep(self, matches: Iterable[ShownMatch]) -> None:
        """These are between whom they were first shown to be. Raises ReceiptError: one is told otherwise now."""
        with self._book.transaction() as connection:
            for one in matches:
                told = _sides_of(one)
                connection.execute("INSERT INTO shown_match VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING", told)
                if connection.execute(_SHOWN, (one.match_id,)).fetchone() != told[1:]:
                    raise ReceiptError("a match with the other team that was shown before")

    def check_shown(self, match_id: str) -> None:
        """Hold only for a match that a worker here was shown. Raises CaseError: nobody was."""
        with self._book.transaction() as connection:
            if connection.execute(_SHOWN, (match_id,)).fetchone() is None:
                raise CaseError("match", "must have been shown by `matches list` or `matches open`")


def _sides_of(one: ShownMatch) -> tuple[str, str, str, str]:
    return one.match_id, one.team, one.involved.holder.oin, one.involved.holder.team
