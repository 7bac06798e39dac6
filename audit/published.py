"""The entry bundles of a published log, read back as they stand there; nothing here says that they hold."""

from collections.abc import Iterator
from pathlib import Path

from audit.errors import TileError
from audit.tile_path import ENTRIES, TILE_WIDTH, tile_path

LENGTH_BYTES = 2


def published_entries(path: Path, size: int) -> Iterator[bytes]:
    """Yield the leaf texts of the first `size` entries of the log that was published into a folder.

    Raises:
        TileError: a bundle is missing or cut short.

    """
    for _, rows in published_bundles(path, size):
        yield from (row[LENGTH_BYTES:] for row in rows)


def published_bundles(path: Path, size: int) -> Iterator[tuple[int, list[bytes]]]:
    """Yield each bundle's number and its entries, each with the two bytes of length before it.

    Raises:
        TileError: a bundle is missing or cut short.

    """
    for index in range((size + TILE_WIDTH - 1) // TILE_WIDTH):
        width = min(TILE_WIDTH, size - index * TILE_WIDTH)
        yield index, _rows(_read(path, index, width), width)


def _read(path: Path, index: int, width: int) -> bytes:
    """Return the bundle of this width, or the full one when a later publish has replaced the partial one."""
    for name in (tile_path(ENTRIES, index, width), tile_path(ENTRIES, index)):
        if (path / name).is_file():
            return (path / name).read_bytes()
    raise TileError("entries: a bundle is missing")


def _rows(data: bytes, width: int) -> list[bytes]:
    rows, position, end = list[bytes](), 0, len(data) - LENGTH_BYTES
    for _ in range(width):
        if position > end:
            raise TileError("entries: a bundle is cut short")
        start, position = position, position + LENGTH_BYTES + (data[position] << 8 | data[position + 1])
        rows.append(data[start:position])
    if position > len(data):
        raise TileError("entries: a bundle is cut short")
    return rows
