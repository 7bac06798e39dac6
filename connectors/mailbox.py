"""`cases.sqlite`: the letters of this organisation: what was sent, so that only its answer opens; what was opened.

A letter that was opened is kept here, under the folder's own key, before the broker hears that it arrived: what was
handed out is never lost between two steps.
"""

import datetime
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from broker.protocol.letter import Letter
from broker.protocol.sealed_letter import ANSWERS, Bound, LetterError, OpeningKey, open_letter
from connectors.casebook import Casebook
from connectors.errors import LetterNotOpenedError
from connectors.key_pins import PinnedKeys
from connectors.sealing import OutboxKey, SealingKey

_SCHEMA = """
CREATE TABLE IF NOT EXISTS letter_sent (
  request_id TEXT PRIMARY KEY, receiver TEXT NOT NULL, expires_on TEXT NOT NULL, case_ref TEXT
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS letter_opened (
  request_id TEXT NOT NULL, label TEXT NOT NULL, opened_on TEXT NOT NULL, sealed BLOB NOT NULL,
  PRIMARY KEY (request_id, label)
) STRICT, WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedLetter:
    """A letter as it was opened, from whom it was, and for which purpose; one kept long ago does not say which."""

    request_id: str
    label: str
    sender: str
    purpose: str
    letter: Letter = field(repr=False)


class Mailbox:
    """The letters in an open casebook."""

    def __init__(self, book: Casebook, key: OutboxKey) -> None:
        """Keep them in this casebook, opened ones under this key."""
        self._book = book
        self._key = key
        with book.transaction() as database:
            for statement in _SCHEMA.split(";")[:-1]:
                database.execute(statement)

    def note_sent(self, request_id: str, *, receiver: str, expires_on: datetime.date, case_ref: str | None) -> None:
        """This letter goes out now, to this organisation and to no other."""
        row = (request_id, receiver, expires_on.isoformat(), case_ref)
        with self._book.transaction() as database:
            database.execute("INSERT OR REPLACE INTO letter_sent VALUES (?, ?, ?, ?)", row)

    def receiver_of(self, request_id: str) -> str | None:
        """Return to whom this organisation sent a letter, None where it sent none under this id."""
        with self._book.transaction() as database:
            found = database.execute("SELECT receiver FROM letter_sent WHERE request_id = ?", (request_id,)).fetchone()
        return None if found is None else str(found[0])

    def case_of(self, request_id: str) -> str | None:
        """Return what the own side calls the case that a letter it sent is about, None where that was not said."""
        query = "SELECT case_ref FROM letter_sent WHERE request_id = ?"
        with self._book.transaction() as database:
            found = database.execute(query, (request_id,)).fetchone()
        return None if found is None else found[0]

    def open(
        self, box: bytes, *, bound: Bound, keys: PinnedKeys, own: Sequence[SealingKey], today: datetime.date
    ) -> OpenedLetter:
        """Return the letter, kept here, if everything it is bound to holds (red line 8).

        Raises:
            LetterNotOpenedError: an answer to what was never asked of this sender, another letter than the one that was
                opened here under this id before, or a step of `open_letter`.
        """
        if bound.label in ANSWERS.values() and self.receiver_of(bound.request) != bound.sender:
            raise LetterNotOpenedError("asked")
        opening = [OpeningKey(key.reveal()) for key in own]
        try:
            letter = open_letter(box, bound=bound, sender_keys=keys.signing, opening_keys=opening, today=today)
        except LetterError as error:
            raise LetterNotOpenedError(error.step) from None
        opened = OpenedLetter(
            request_id=bound.request, label=bound.label, sender=bound.sender, purpose=bound.purpose, letter=letter
        )  # fmt: skip
        # What was read once stays as it was read, also by another run at this very moment: no other letter or sender
        # takes its place.
        known = self._kept(opened, on=today)
        if known != replace(opened, purpose=known.purpose and opened.purpose):
            raise LetterNotOpenedError("changed")
        return opened

    def opened(self, request_id: str) -> list[OpenedLetter]:
        """Return what was opened of a request before: the question, or its answer."""
        with self._book.transaction() as database:
            found = database.execute(
                "SELECT label, sealed FROM letter_opened WHERE request_id = ? ORDER BY label", (request_id,)
            ).fetchall()
        return [self._unsealed(request_id, label, sealed) for label, sealed in found]

    def _kept(self, opened: OpenedLetter, *, on: datetime.date) -> OpenedLetter:
        """Return what is kept under this request and label: this letter, unless another was before."""
        letter = dict(opened.letter.document())
        content = {"sender": opened.sender, "purpose": opened.purpose, "letter": letter}
        sealed = self._key.seal(json.dumps(content).encode())
        with self._book.transaction() as database:
            row = (opened.request_id, opened.label, on.isoformat(), sealed)
            database.execute("INSERT INTO letter_opened VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING", row)
            query = "SELECT sealed FROM letter_opened WHERE request_id = ? AND label = ?"
            (first,) = database.execute(query, (opened.request_id, opened.label)).fetchone()
        return self._unsealed(opened.request_id, opened.label, first)

    def _unsealed(self, request_id: str, label: str, sealed: bytes) -> OpenedLetter:
        content = json.loads(self._key.unseal(sealed))
        letter = Letter.parse(content["letter"])
        return OpenedLetter(
            request_id=request_id, label=label, sender=content["sender"], purpose=content.get("purpose", ""),
            letter=letter,
        )  # fmt: skip
