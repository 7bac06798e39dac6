"""A new sealing key takes the place of the old, which stays to open what was sealed to it, until nothing can be.

A letter lives ten working days at most. So an old key goes 21 days after the register states it no more: whoever
sealed to it by then has a letter that has expired.
"""

import datetime
import os
from collections.abc import Collection
from pathlib import Path

from connectors.casebook import Casebook
from connectors.sealing import SealingKey

KEPT_DAYS = 21
_SEALING = Path("keys/sealing.key")
_OLDER = "sealing-*.key"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS old_sealing_key (kid TEXT PRIMARY KEY, unstated_since TEXT NOT NULL) STRICT, WITHOUT ROWID;
"""


def older_keys(folder: Path) -> list[Path]:
    """Return the files of sealing keys that were rotated out and not retired yet."""
    return sorted((folder / "keys").glob(_OLDER), reverse=True)


def older_sealing_keys(folder: Path) -> list[SealingKey]:
    """Return the sealing keys before the present one: what was sealed to them still opens."""
    return [SealingKey.read(path) for path in older_keys(folder)]


def rotate_sealing_key(folder: Path) -> SealingKey:
    """Return a fresh sealing key, in force in this folder from now on; the old one stays beside it.

    The old file is linked under its new name before the new key takes its place: a crash in between leaves the old
    key in force, and no letter that cannot be opened.
    """
    present = folder / _SEALING
    old = SealingKey.read(present)
    kept = folder / "keys" / f"sealing-{old.kid}.key"
    if not kept.exists():
        os.link(present, kept)
    fresh = folder / "keys" / ".sealing.new"
    fresh.unlink(missing_ok=True)
    key = SealingKey.create(fresh)
    fresh.replace(present)
    _sync(folder / "keys")
    return key


def retire_sealing_keys(
    folder: Path, book: Casebook, *, stated: Collection[str], today: datetime.date
) -> tuple[list[str], dict[str, datetime.date]]:
    """Return which old keys are gone now, and of the others from which day they can go.

    Args:
        stated: the kids that the register states of this organisation.
    """
    gone, later = [], {}
    for path in older_keys(folder):
        kid = SealingKey.read(path).kid
        since = _unstated_since(book, kid, stated=kid in stated, today=today)
        if since is None:
            continue
        free = since + datetime.timedelta(days=KEPT_DAYS)
        if today < free:
            later[kid] = free
            continue
        _overwrite(path)
        gone.append(kid)
    return gone, later


def _unstated_since(book: Casebook, kid: str, *, stated: bool, today: datetime.date) -> datetime.date | None:
    """Return the first day on which it was seen that the register states a key no more; None while it does."""
    with book.transaction() as database:
        database.execute(_SCHEMA)
        if stated:
            database.execute("DELETE FROM old_sealing_key WHERE kid = ?", (kid,))
            return None
        database.execute("INSERT OR IGNORE INTO old_sealing_key VALUES (?, ?)", (kid, today.isoformat()))
        found = database.execute("SELECT unstated_since FROM old_sealing_key WHERE kid = ?", (kid,)).fetchone()
    return datetime.date.fromisoformat(found[0])


def _overwrite(path: Path) -> None:
    """The key's bytes are overwritten, then its name is gone."""
    with path.open("r+b") as file:
        file.write(bytes(path.stat().st_size))
        file.flush()
        os.fsync(file.fileno())
    path.unlink()
    _sync(path.parent)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
