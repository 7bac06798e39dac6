"""Who signs checkpoints, and why a crash neither locks the log for ever nor lets it fork.

The signer's own file is separate from the log's database and holds `released`, the largest tree head whose checkpoint
may have left the process. In memory it knows the `intent`: a head that it signed and that may yet fail to commit.

    sign     (a) note the intent   (b) hand the line to the open database transaction
    caller   (c) commit
    settle   (d) persist released = intent   (e) only now may the note leave the process

Nothing leaves before (d), so whatever left is known durably, by one sync of this file for each tick (ADR 28):

- a failed commit leaves the database at `released`. The intent was seen by nobody, and `settle(released)` drops it:
  the log goes on. Another head of the same size may then be signed. So it is after a crash between (a) and (c).
- a crash between (c) and (d) leaves the database at a head this file does not know. It is released at the next start
  if it is the very next checkpoint after the released one, holds that whole tree, and bears this key's own signature.
- any other database head was not made by this signer, or is older than what left: `ForkError`, for good.
- while an intent stands, only that very head is signed again; a caller that does not know whether its commit
  succeeded reads the head anew and settles. It never guesses.

What this cannot see, and a witness does: the database and the signer's file put back together from one backup, or
from two that lie one tick apart; and a process that publishes a committed head from the database between (c) and (d),
when the database is then replaced by an older copy before (d). Nor the newest of the two slots of its file damaged and
the database put back by one tick.
"""

import fcntl
import json
import os
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from audit.checkpoint import Checkpoint
from audit.errors import AuditError, ForkError, NoteError, ProofError, SignerError
from audit.merkle import EMPTY_TREE, HASH_BYTES, TreeHead, verify_consistency
from audit.note import Algorithm, NoteSigningKey, VerifierKey, parse_note, verify_note
from audit.two_slots import TwoSlots


@dataclass(frozen=True, slots=True, kw_only=True)
class Successor:
    """The next checkpoint after the released one, as the database holds it: its note, and how it grew from there."""

    note: str
    proof: tuple[bytes, ...]


class Signer(Protocol):
    """Signs checkpoints of one log and never two that contradict each other."""

    @property
    def name(self) -> str:
        """The key's name, which is the log's origin."""

    @property
    def vkey(self) -> str:
        """The public key as a vkey."""

    @property
    def released(self) -> TreeHead:
        """The largest head whose checkpoint may have left the process."""

    def sign(self, checkpoint_text: str, proof: tuple[bytes, ...]) -> str:
        """Return the signature line; the head is noted as intended.

        Args:
            checkpoint_text: three lines.
            proof: consistency from `released` to this checkpoint.

        Raises:
            ForkError: the checkpoint is another log's, smaller, inconsistent, or another intent stands.

        """

    def settle(self, head: TreeHead, successor: Successor | None = None) -> None:
        """The head that the database durably holds is durably released, and no intent stands.

        To be called after each commit before the note is shown to anybody, after a failed commit with the head as
        read anew, and at start: `audit.log.settle_on` reads what it needs.

        Args:
            head: what the database holds.
            successor: that head's checkpoint, where it is the next one after `released`.

        Raises:
            ForkError: the head is neither the intended nor the released one, nor, at start, its proven successor.
            SignerError: the release could not be written.
            NotDurableError: it could not be made durable.

        """


@dataclass(frozen=True, slots=True, kw_only=True)
class _State:
    """`intent` is written as null; one that an earlier version made durable still counts."""

    released: TreeHead
    intent: TreeHead | None


class LocalSigner:
    """A signer whose key and state are two files of this machine; one process holds it at a time."""

    __slots__ = ("_key", "_lock", "_settled", "_slots", "_state")

    def __init__(self, key: NoteSigningKey, slots: TwoSlots, lock: int, state: _State) -> None:
        self._key = key
        self._slots = slots
        self._lock = lock
        self._state = state
        self._settled = False

    def __repr__(self) -> str:
        """Show the public side only."""
        return f"LocalSigner({self.name}, redacted)"

    @staticmethod
    def create(key_path: Path, name: str) -> VerifierKey:
        """A new log's key and the state of its empty tree stand in two new private files.

        This is the log's inception: state that is lost later is never made anew silently.

        Raises:
            SealError: one of the files exists already or cannot be written.
            NoteError: the name cannot stand in a note.

        """
        key = NoteSigningKey.generate(name, Algorithm.ED25519)
        TwoSlots.create(_state_path(key_path), _encode_state(_State(released=EMPTY_TREE, intent=None)))
        key.save(key_path)
        return key.verifier

    @classmethod
    def open(cls, key_path: Path) -> "LocalSigner":
        """Return the signer of these files, held by this process alone; the caller settles it before signing.

        Raises:
            SignerError: the state is damaged, or another process holds the signer.
            SealError: a file is missing or others have rights on it.
            NoteError: the key is malformed or no log key.

        """
        key = NoteSigningKey.load(key_path)
        if key.verifier.algorithm is not Algorithm.ED25519:
            raise NoteError("signing key: a log signs with type 01")
        lock = os.open(key_path, os.O_RDONLY)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            slots = TwoSlots.open(_state_path(key_path))
        except OSError as error:
            os.close(lock)
            raise SignerError("signer: another process holds it") from error
        except Exception:
            os.close(lock)
            raise
        try:
            state = _parse_state(slots.record)
        except SignerError:
            slots.close()
            os.close(lock)
            raise
        return cls(key, slots, lock, state)

    def close(self) -> None:
        """Another process may hold the signer."""
        self._slots.close()
        os.close(self._lock)

    def __enter__(self) -> Self:
        """Return this signer."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let the signer go."""
        self.close()

    @property
    def name(self) -> str:
        """The key's name, which is the log's origin."""
        return self._key.verifier.name

    @property
    def vkey(self) -> str:
        """The public key as a vkey."""
        return self._key.verifier.encode()

    @property
    def released(self) -> TreeHead:
        """The largest head whose checkpoint may have left the process."""
        return self._state.released

    def sign(self, checkpoint_text: str, proof: tuple[bytes, ...]) -> str:
        """Return the signature line; the head is noted as intended. See `Signer.sign`."""
        checkpoint = Checkpoint.parse(checkpoint_text)
        head, state = checkpoint.head, self._state
        # (1) This key speaks for one log.
        if checkpoint.origin != self.name:
            raise ForkError("signer: the checkpoint names another log")
        # (2) One unsettled head at a time: its fate in the database is not known yet.
        if state.intent not in (None, head):
            raise ForkError("signer: another head is signed and not settled")
        # (3) The new tree holds everything that was ever released; never smaller, never another root.
        try:
            verify_consistency(old=state.released, new=head, proof=proof)
        except ProofError as error:
            raise ForkError("signer: the checkpoint contradicts one that was released") from error
        # (4) The intent stands before the signature exists. In memory: what a crash makes of it, the next start finds.
        if head != state.released:
            self._state = _State(released=state.released, intent=head)
        # (5) The same text always gets the same signature (Ed25519 is deterministic).
        return self._key.sign(checkpoint_text)

    def settle(self, head: TreeHead, successor: Successor | None = None) -> None:
        """The head that the database durably holds is released, and no intent stands. See `Signer.settle`."""
        # (1) Committed before: nothing was lost, and what was only intended left no trace.
        # (2) Committed now: from here on it can never be taken back.
        # (3) Committed by the process before this one, which did not live to release it.
        # (4) Anything else is a rollback, a fork or another writer.
        known = head in (self._state.released, self._state.intent)
        if not known and (self._settled or successor is None or not self._follows(head, successor)):
            raise ForkError("signer: the database holds a head that this signer did not sign, or an older one")
        # The first time it is written anyhow: after a failed sync the file may have said so in memory only.
        if self._state != (settled := _State(released=head, intent=None)) or not self._settled:
            self._persist(settled)
        self._settled = True

    def _follows(self, head: TreeHead, successor: Successor) -> bool:
        """Return whether this key itself signed this head, and it holds everything that was ever released."""
        try:
            note = parse_note(successor.note.encode("utf-8"))
            verify_note(note, [self._key.verifier])
            verify_consistency(old=self._state.released, new=head, proof=successor.proof)
            return Checkpoint.parse(note.text) == Checkpoint(origin=self.name, head=head)
        except AuditError:
            return False

    def _persist(self, state: _State) -> None:
        try:
            self._slots.write(_encode_state(state))
        except OSError as error:
            raise SignerError("signer: its state could not be written") from error
        self._state = state


def _state_path(key_path: Path) -> Path:
    return key_path.with_name(key_path.name + ".state")


def _encode_state(state: _State) -> bytes:
    heads = {"released": state.released, "intent": state.intent}
    wire = {name: head and {"size": head.size, "root": head.root.hex()} for name, head in heads.items()}
    return json.dumps(wire, sort_keys=True).encode("ascii")


def _parse_state(data: bytes) -> _State:
    try:
        wire = json.loads(data)
        intent = wire["intent"]
        state = _State(
            released=_parse_head(wire["released"]), intent=_parse_head(intent) if intent is not None else None
        )
    except (ValueError, KeyError, TypeError) as error:
        raise SignerError("signer: its state is damaged; restore it or found a new log") from error
    if _encode_state(state) != data:
        raise SignerError("signer: its state is damaged; restore it or found a new log")
    return state


def _parse_head(wire: dict[str, str]) -> TreeHead:
    root = bytes.fromhex(wire["root"])
    if len(root) != HASH_BYTES:
        raise ValueError("a root has 32 bytes")
    return TreeHead(size=int(wire["size"]), root=root)
