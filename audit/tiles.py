"""Publishing the log as a folder of tiles (c2sp.org/tlog-tiles) that any web server can hand out.

Files never change once written; the checkpoint is replaced last, so a reader who starts from it finds all it covers.
A partial tile stands for every size that has a checkpoint until the full tile exists.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from audit.checkpoint import Checkpoint
from audit.durable_file import replace_durably, sync_directory
from audit.errors import AuditError, TileError
from audit.merkle import EMPTY_TREE, NodeReader, TreeHead, root_at
from audit.note import parse_note
from audit.tile_path import ENTRIES, TILE_LEVELS, TILE_WIDTH, tile_path

_PUBLIC_MODE = 0o644


class TileSource(NodeReader, Protocol):
    """The log to publish, seen in one consistent state."""

    def nodes(self, level: int, start: int, end: int) -> list[bytes]:
        """Return the hashes of the perfect subtrees `start` up to `end` of a level."""

    def entries(self, start: int, end: int) -> list[bytes]:
        """Return the leaf texts of the entries `start` up to `end`."""

    def checkpoint_sizes(self, start: int, end: int) -> list[int]:
        """Return the sizes from `start` up to and with `end` that have a checkpoint."""

    def latest_note(self) -> str:
        """Return the newest checkpoint with its cosignatures."""


def publish(source: TileSource, directory: Path, policy: str) -> TreeHead:
    """The folder holds every tile and entry of the newest checkpoint, the policy and, written last, the checkpoint.

    Raises:
        TileError: what the folder holds contradicts the log; nothing that was published is changed.
        LogStoreError: the log has no checkpoint, or an entry or node is missing.

    """
    note = source.latest_note()
    new = _head(note)
    # (1) What was published before is the beginning of what is published now.
    old = _published(directory)
    if old.size > new.size or root_at(source, old.size) != old.root:
        raise TileError("publish: the folder holds a tree that is no beginning of this log")
    # (2) New tiles and bundles; what stands there already must be the same.
    directory.mkdir(parents=True, exist_ok=True)
    touched: set[Path] = {directory}
    for path, data in _new_files(source, old.size, new.size):
        _write_once(directory, path, data, touched)
    for folder in sorted(touched):
        sync_directory(folder)
    # (3) The checkpoint makes them count.
    replace_durably(directory / "policy", policy.encode("utf-8"), mode=_PUBLIC_MODE)
    replace_durably(directory / "checkpoint", note.encode("utf-8"), mode=_PUBLIC_MODE)
    # (4) Full tiles now stand for the partial ones.
    _remove_superseded(directory, old.size, new.size)
    return new


def _head(note: str) -> TreeHead:
    return Checkpoint.parse(parse_note(note.encode("utf-8")).text).head


def _published(directory: Path) -> TreeHead:
    try:
        return _head((directory / "checkpoint").read_text("utf-8"))
    except FileNotFoundError:
        return EMPTY_TREE
    except (AuditError, ValueError) as error:
        raise TileError("publish: the folder holds a checkpoint that cannot be read") from error


def _new_files(source: TileSource, old_size: int, new_size: int) -> Iterator[tuple[str, bytes]]:
    sizes = source.checkpoint_sizes(old_size, new_size)
    for level in (ENTRIES, *range(TILE_LEVELS)):
        shift = 0 if level == ENTRIES else 8 * int(level)
        end = new_size >> shift
        full = end // TILE_WIDTH
        for index in range((old_size >> shift) // TILE_WIDTH, full):
            yield tile_path(level, index), _tile(source, level, index * TILE_WIDTH, (index + 1) * TILE_WIDTH)
        ends = sorted({size >> shift for size in sizes if size >> shift > full * TILE_WIDTH})
        if ends:
            rows = _rows(source, level, full * TILE_WIDTH, ends[-1])
            for width in (partial - full * TILE_WIDTH for partial in ends):
                yield tile_path(level, full, width), b"".join(rows[:width])


def _tile(source: TileSource, level: int | str, start: int, end: int) -> bytes:
    return b"".join(_rows(source, level, start, end))


def _rows(source: TileSource, level: int | str, start: int, end: int) -> list[bytes]:
    if level == ENTRIES:
        return [len(entry).to_bytes(2, "big") + entry for entry in source.entries(start, end)]
    return source.nodes(8 * int(level), start, end)


def _write_once(directory: Path, path: str, data: bytes, touched: set[Path]) -> None:
    target = directory / path
    if target.exists():
        if target.read_bytes() != data:
            raise TileError("publish: a published tile differs from the log")
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    replace_durably(target, data, mode=_PUBLIC_MODE, sync_parent=False)
    touched.update(folder for folder in target.parents if folder.is_relative_to(directory))


def _remove_superseded(directory: Path, old_size: int, new_size: int) -> None:
    for level in (ENTRIES, *range(TILE_LEVELS)):
        shift = 0 if level == ENTRIES else 8 * int(level)
        index = (old_size >> shift) // TILE_WIDTH
        if index < (new_size >> shift) // TILE_WIDTH:
            folder = directory / f"{tile_path(level, index)}.p"
            for partial in folder.glob("*"):
                partial.unlink()
            if folder.is_dir():
                folder.rmdir()
