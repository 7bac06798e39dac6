"""The keys of other organisations as this partner first saw them: a change stops every letter until a person agrees.

The register says which keys an organisation has, and two registrars sign it. A letter is content, so that is not
enough: who changes a key in the register could read along. So the keys are pinned, in the casebook, when a letter is
first sent to or opened from an organisation; other keys show a fingerprint that two people compare by telephone.
"""

import hashlib
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from broker.protocol.errors import MalformedError
from broker.protocol.letter import Letter
from broker.protocol.register import Organisation
from broker.protocol.request_messages import wire_box
from broker.protocol.sealed_letter import Bound, LetterError, seal_letter
from broker.protocol.signing_keys import SigningKey, VerifyKey, b64url, b64url_bytes
from connectors.casebook import Casebook
from connectors.errors import CaseError, KeyChangedError

SCHEMA = """
CREATE TABLE IF NOT EXISTS pinned_key (
  oin TEXT NOT NULL, use TEXT NOT NULL, kid TEXT NOT NULL, public TEXT NOT NULL, PRIMARY KEY (oin, use, kid)
) STRICT, WITHOUT ROWID;
"""
SIGNING, SEALING = "signing", "sealing"
GROUPS, DIGITS = 4, 5
"""A fingerprint: four groups of five digits, which two people can read to each other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PinnedKeys:
    """The keys that letters to and from one organisation go by."""

    signing: Mapping[str, VerifyKey]
    sealing: Mapping[str, bytes]

    @classmethod
    def of(cls, organisation: Organisation) -> "PinnedKeys":
        """Return the keys that the register states."""
        return cls(signing=dict(organisation.signing_keys), sealing=dict(organisation.sealing_keys))

    @property
    def fingerprint(self) -> str:
        """Four groups of five digits over all of these keys; whoever has the same keys reads the same digits."""
        listed = [(SIGNING, key.public) for key in self.signing.values()]
        listed += [(SEALING, key) for key in self.sealing.values()]
        digest = hashlib.sha512(b"sluis key-fingerprint/v1\n")
        for use, key in sorted(listed):
            digest.update(use.encode() + b"\n" + key)
        number = int.from_bytes(digest.digest(), "big") % 10 ** (GROUPS * DIGITS)
        text = f"{number:0{GROUPS * DIGITS}}"
        return " ".join(text[at : at + DIGITS] for at in range(0, len(text), DIGITS))

    @property
    def receiving(self) -> bytes:
        """The public key that a letter to this organisation is sealed to: the one that sorts last by name.

        Both keys of a rotation open; every sender picks the same.
        """
        return self.sealing[max(self.sealing)]


class KeyPins:
    """The pins in an open casebook."""

    def __init__(self, book: Casebook) -> None:
        """Keep them in this casebook."""
        self._book = book
        with book.transaction() as database:
            database.execute(SCHEMA)

    def trusted(self, organisation: Organisation) -> PinnedKeys:
        """Return the keys of an organisation, pinned now if never before.

        Raises:
            KeyChangedError: the register states other keys than those pinned, and nobody agreed to them yet.
        """
        stated = PinnedKeys.of(organisation)
        pinned = self._pinned(organisation.oin)
        if pinned is None:
            self._pin(organisation.oin, stated)
            return stated
        if (pinned.signing, pinned.sealing) != (stated.signing, stated.sealing):
            raise KeyChangedError(oin=organisation.oin, name=organisation.name, fingerprint=stated.fingerprint)
        return pinned

    def sealed_to(self, organisation: Organisation) -> dict[str, str]:
        """Return what is kept beside a letter that waits: whose key it is sealed to, and which. Raises as `trusted`."""
        keys = self.trusted(organisation)
        if not keys.sealing:
            return {}
        return {"sealed_for": organisation.oin, "sealed_to": b64url(keys.receiving)}

    def still_open_to(self, kept: Mapping[str, str | None], organisations: Mapping[str, Organisation]) -> bool:
        """Return whether what was kept beside a waiting letter holds: its receiver's keys are trusted, and it has that.

        A key goes out of a register mostly because somebody else has it, so nothing more is sealed to it, or sent.
        """
        receiver, key = kept.get("sealed_for"), kept.get("sealed_to")
        if receiver is None:
            return True
        organisation = organisations.get(receiver)
        try:
            keys = () if organisation is None else self.trusted(organisation).sealing.values()
        except KeyChangedError:
            return False
        return key in {b64url(one) for one in keys}

    def accept(self, organisation: Organisation, *, fingerprint: str) -> None:
        """The keys that the register states are those of letters from now on.

        Raises:
            KeyChangedError: that is not their fingerprint, so nothing has changed.
        """
        stated = PinnedKeys.of(organisation)
        if "".join(fingerprint.split()) != stated.fingerprint.replace(" ", ""):
            raise KeyChangedError(oin=organisation.oin, name=organisation.name, fingerprint=stated.fingerprint)
        self._pin(organisation.oin, stated)

    def _pin(self, oin: str, keys: PinnedKeys) -> None:
        rows = [(oin, SIGNING, kid, b64url(key.public)) for kid, key in keys.signing.items()]
        rows += [(oin, SEALING, kid, b64url(key)) for kid, key in keys.sealing.items()]
        with self._book.transaction() as database:
            database.execute("DELETE FROM pinned_key WHERE oin = ?", (oin,))
            database.executemany("INSERT INTO pinned_key VALUES (?, ?, ?, ?)", rows)

    def _pinned(self, oin: str) -> PinnedKeys | None:
        with self._book.transaction() as database:
            rows = _rows(database, oin)
        if not rows:
            return None
        signing = {kid: VerifyKey(public) for use, kid, public in rows if use == SIGNING}
        return PinnedKeys(signing=signing, sealing={kid: public for use, kid, public in rows if use == SEALING})


def sealed_box(letter: Letter, *, bound: Bound, signing: SigningKey, keys: PinnedKeys) -> str:
    """Return a letter as it travels, signed with the own key and sealed to its receiver's.

    Raises:
        CaseError: the receiver has no key to seal to, or the letter does not fit in the largest box.
    """
    if not keys.sealing:
        raise CaseError("to", "must be an organisation that has a key to seal to")
    try:
        return wire_box(seal_letter(letter, bound=bound, signing=signing, receiver_key=keys.receiving))
    except (LetterError, MalformedError):
        raise CaseError("text", "must be shorter") from None


def _rows(database: sqlite3.Connection, oin: str) -> list[tuple[str, str, bytes]]:
    found: Iterable[tuple[str, str, str]] = database.execute(
        "SELECT use, kid, public FROM pinned_key WHERE oin = ?", (oin,)
    )
    return [(use, kid, b64url_bytes(public, field="public")) for use, kid, public in found]
