"""The independent verifier: of a published log, and of a receipt. It needs nothing of the log's writer.

Both trust one thing only: the policy the reader holds, which names the log's key, the witnesses and the quorum.
`docs/audit-format.md` describes every byte, so that others can write this file anew.
"""

import itertools
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from audit import merkle
from audit.checkpoint import Checkpoint
from audit.entry import Leaf, check_leaves, parse_payload
from audit.errors import AuditError, EntryError, ReceiptError, SignatureError, TileError
from audit.note import parse_note, verify_note
from audit.policy_file import Policy, parse_policy
from audit.published import LENGTH_BYTES, published_bundles
from audit.receipt import Receipt
from audit.tile_path import ENTRIES, TILE_HEIGHT, TILE_WIDTH, tile_path

MOST_BACK_S = 900
"""Seconds that an entry may be dated before one that precedes it: no broker of today does, a clock of before might."""

__all__ = [
    "Policy", "Receipt", "Report", "VerifiedCheckpoint", "VerifiedReceipt",
    "parse_policy", "verify_checkpoint", "verify_directory", "verify_receipt",
]  # fmt: skip

_WIDTHS = MappingProxyType({str(width): width for width in range(1, TILE_WIDTH + 1)})


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedCheckpoint:
    """A checkpoint that the policy's log signed.

    `seen_by` maps each witness of the policy that signed, by its name there, to the time it states in unix seconds;
    `cosigned_by` holds the same names when they are enough for the quorum, and is empty when they are not.
    """

    checkpoint: Checkpoint
    seen_by: Mapping[str, int]
    cosigned_by: tuple[str, ...]
    quorum_met: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedReceipt:
    """A receipt that holds: the entry stands in the log, and the opened payloads are what it commits to.

    `status` is `cosigned` only when the quorum's witnesses signed this very checkpoint; `uncosigned` still means
    signed by the log, with the witnesses that did sign in `seen_by`.
    """

    index: int
    leaf: Leaf
    checkpoint: Checkpoint
    payloads: Mapping[str, Mapping[str, object]]
    status: Literal["cosigned", "uncosigned"]
    cosigned_by: tuple[str, ...]
    seen_by: Mapping[str, int]
    uncosigned_since: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a published log turned out to be. `uncovered` counts files that this checkpoint says nothing about."""

    holds: bool
    origin: str
    size: int
    root: str
    files: int
    uncovered: int
    cosigned_by: tuple[str, ...]
    problems: tuple[str, ...]


def verify_checkpoint(note_text: str, policy: Policy) -> VerifiedCheckpoint:
    """The note is a checkpoint of the policy's log; who cosigned it is returned.

    Raises:
        NoteError: malformed, another log's, not signed by it, or a known key's signature does not hold.

    """
    note = parse_note(note_text.encode("utf-8"))
    log = policy.log.key
    names = {party.key: name for name, party in policy.witnesses.items()}
    # (1) No known signature may be bad.
    good = verify_note(note, [log, *names])
    # (2) The log itself signed; witnesses alone make no checkpoint.
    if log not in [signature.key for signature in good]:
        raise SignatureError("checkpoint: the log did not sign")
    # (3) The text is a checkpoint of that log.
    checkpoint = Checkpoint.parse(note.text)
    if checkpoint.origin != log.name:
        raise SignatureError("checkpoint: the origin is not the log's name")
    # (4) The witnesses count together, by the policy's own names.
    seen = {names[signature.key]: signature.time for signature in good if signature.time is not None}
    met = policy.quorum_met(seen)
    return VerifiedCheckpoint(
        checkpoint=checkpoint,
        seen_by=MappingProxyType(seen),
        cosigned_by=tuple(sorted(seen)) if met else (),
        quorum_met=met,
    )


def verify_receipt(
    receipt: Receipt, policy: Policy, *, require: Collection[str] = ("meta", "actor")
) -> VerifiedReceipt:
    """The receipt holds under this policy; below the quorum it is returned as `uncosigned`.

    Args:
        receipt: as parsed; nothing in it is trusted.
        policy: the reader's own.
        require: groups that must be opened.

    Raises:
        ReceiptError: a signature, the inclusion proof, an opening or a payload does not hold.

    """
    try:
        # (1) The checkpoint: signed by the log, no bad signature.
        verified = verify_checkpoint(receipt.proof.note, policy)
        # (2) The leaf stands at its index under that checkpoint's root.
        merkle.verify_inclusion(
            leaf=receipt.leaf.leaf_hash,
            index=receipt.proof.index,
            size=verified.checkpoint.head.size,
            proof=receipt.proof.hashes,
            root=verified.checkpoint.head.root,
        )
        # (3) Every opening gives the leaf's commitment, and the required ones are there.
        _check_openings(receipt, require)
        # (4) What was opened is canonical JSON, so that it reads one way only.
        payloads = {group: parse_payload(opening.payload) for group, opening in receipt.openings.items()}
    except ReceiptError:
        raise
    except AuditError as error:
        raise ReceiptError("receipt: the checkpoint, the proof or a payload does not hold") from error
    return VerifiedReceipt(
        index=receipt.proof.index,
        leaf=receipt.leaf,
        checkpoint=verified.checkpoint,
        payloads=MappingProxyType(payloads),
        status="cosigned" if verified.cosigned_by else "uncosigned",
        cosigned_by=verified.cosigned_by,
        seen_by=verified.seen_by,
        uncosigned_since=receipt.uncosigned_since,
    )


def _check_openings(receipt: Receipt, require: Collection[str]) -> None:
    if not set(require) <= set(receipt.openings):
        raise ReceiptError("receipt: a required group is not opened")
    for group, opening in receipt.openings.items():
        if opening.commitment(receipt.leaf.kind, group) != receipt.leaf.commitment(group):
            raise ReceiptError("receipt: an opening does not fit the leaf's commitment")


def verify_directory(path: Path, policy: Policy) -> Report:
    """Return whether the published log holds: signatures, quorum, every entry, every tile and the root.

    A file that is missing, altered or malformed is a problem in the report, not an exception.
    """
    # (1) The checkpoint.
    try:
        verified = verify_checkpoint((path / "checkpoint").read_bytes().decode("utf-8"), policy)
    except (AuditError, OSError, UnicodeDecodeError):
        return _report(None, 0, 0, ["checkpoint: missing, malformed or not signed by this log"])
    head = verified.checkpoint.head
    problems = [] if verified.quorum_met else ["checkpoint: too few witnesses of the policy cosigned it"]
    covered: set[Path] = set()
    # (2) Every entry, strictly parsed, gives its leaf hash anew, and is not dated before those that precede it.
    times = _Times()
    try:
        hashes = [value for bundle in _bundles(path, head.size, covered, times) for value in bundle]
    except (TileError, EntryError):
        return _report(verified, 0, 0, [*problems, "entries: a bundle is missing, altered or malformed"])
    # (3) These leaves, in this order, are the tree that was signed, and
    # (4) every tile, and every partial one that stands there, is what the leaves give.
    root, tiles_hold = _tree(path, hashes, covered)
    if times.back:
        problems.append(f"entries: {times.back} are dated before one that precedes them, the first is #{times.first}")
    if root != head.root:
        problems.append("entries: they do not give the signed root")
    if not tiles_hold:
        problems.append("tiles: one is missing or altered")
    present = {file for file in (path / "tile").rglob("*") if file.is_file()}
    return _report(verified, len(covered), len(present - covered), problems)


def _report(verified: VerifiedCheckpoint | None, files: int, uncovered: int, problems: list[str]) -> Report:
    return Report(
        holds=verified is not None and not problems,
        origin=verified.checkpoint.origin if verified else "",
        size=verified.checkpoint.head.size if verified else 0,
        root=verified.checkpoint.head.root.hex() if verified else "",
        files=files,
        uncovered=uncovered,
        cosigned_by=verified.cosigned_by if verified else (),
        problems=tuple(problems),
    )


@dataclass(slots=True)
class _Times:
    """How many entries are dated too long before one that precedes them, and the first of them.

    A log never goes back: an act that is dated long ago would stand in no review, and soon be erased as old.
    """

    newest: int = 0
    back: int = 0
    first: int | None = None

    def note(self, entries: Sequence[bytes], times: Sequence[int], *, start: int) -> None:
        """These entries come next; `times` are those that they state, `start` is the index of the first."""
        if list(times) == sorted((self.newest, *times))[1:]:  # nearly always, and in no time
            self.newest = times[-1]
            return
        for index, entry in enumerate(entries, start=start):
            time = Leaf.parse(entry).time
            if time < self.newest - MOST_BACK_S:
                self.back += 1
                self.first = index if self.first is None else self.first
            self.newest = max(self.newest, time)


def _bundles(path: Path, size: int, covered: set[Path], times: _Times) -> Iterator[list[bytes]]:
    """Yield the leaf hashes of each entry bundle."""
    for index, rows in published_bundles(path, size):
        entries = [row[LENGTH_BYTES:] for row in rows]
        times.note(entries, check_leaves(entries), start=index * TILE_WIDTH)
        _check_tile(path, ENTRIES, index, rows, covered)
        yield merkle.leaf_hashes(entries)


def _tree(path: Path, hashes: list[bytes], covered: set[Path]) -> tuple[bytes, bool]:
    """Return the root over the leaf hashes, and whether every hash tile of every level is what they give."""
    peaks: list[bytes] = []
    hold = True
    for height, level in enumerate(itertools.chain([hashes], merkle.perfect_levels(hashes))):
        if len(level) % 2:  # without a sibling: the root of a perfect subtree at the right edge
            peaks.insert(0, level[-1])
        if height % TILE_HEIGHT == 0:
            hold = _tiles_hold(path, height // TILE_HEIGHT, level, covered) and hold
    return merkle.root_over(peaks), hold


def _tiles_hold(path: Path, level: int, hashes: list[bytes], covered: set[Path]) -> bool:
    try:
        for start in range(0, len(hashes), TILE_WIDTH):
            _check_tile(path, level, start // TILE_WIDTH, hashes[start : start + TILE_WIDTH], covered)
    except TileError:
        return False
    return True


def _check_tile(path: Path, level: int | str, index: int, rows: list[bytes], covered: set[Path]) -> None:
    """The tile that holds these rows stands there, and so does nothing that contradicts them.

    A full tile may go on after rows that are not complete yet: a later publish put it there.
    """
    full = path / tile_path(level, index)
    files = {full: len(rows)} if full.is_file() else {}
    for partial in full.with_name(f"{full.name}.p").glob("*"):
        if _WIDTHS.get(partial.name, TILE_WIDTH + 1) <= len(rows):
            files[partial] = _WIDTHS[partial.name]
    for file, width in files.items():
        content, wanted = file.read_bytes(), b"".join(rows[:width])
        goes_on = file == full and len(rows) < TILE_WIDTH
        if content != wanted and not (goes_on and content.startswith(wanted)):
            raise TileError("tile: altered")
    if len(rows) not in files.values():
        raise TileError("tile: missing")
    covered.update(files)
