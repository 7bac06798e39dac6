"""A new sealing key takes the place of the old, which stays to open what was sealed to it, until nothing can be.

A letter lives ten working days at most. So an old key goes 21 days after the register states it no more: whoever
sealed to it by then has a letter that has expired.
"""

import datetime
import os
from collections.abc import Collection
from pathlib import Path

from connectors.casebook import Casebook
from connectors.folder import write_durably
from connectors.sealing import SealingKey

KEPT_DAYS = 21
_SEALING = Path("keys/sealing.key")
_OLDER = "sealing-*.key"
_GOING = ".destroyed-"
"""Before the name of a key that is being destroyed: from then on nothing reads it as a key."""
_SCHEMA = """
CREATE TABLE IF NOT EXISTS old_sealing_key (kid TEXT PRIMARY KEY, unstated_since TEXT NOT NULL) STRICT, WITHOUT ROWID;
"""


def older_keys(folder: Path) -> list[Path]:
    """Return the files of sealing keys that were rotated out and not retired yet."""
    return [path for path in sorted((folder / "keys").glob(_OLDER), reverse=True) if not _is_overwritten(path)]


def older_sealing_keys(folder: Path) -> list[SealingKey]:
    """Return the sealing keys before the present one: what was sealed to them still opens."""
    return [SealingKey.read(path) for path in older_keys(folder)]


def rotate_sealing_key(folder: Path) -> SealingKey:
    """Return a fresh sealing key, in force in this folder from now on; the old one stays beside it.

    The old key is copied under its new name before the new key takes its place: a crash in between leaves the old
    key in force, and no letter that cannot be opened. It is a file of its own: whoever destroys it destroys no other.
    """
    present = folder / _SEALING
    old = SealingKey.read(present)
    write_durably(folder / "keys" / f"sealing-{old.kid}.key", present.read_bytes())
    _sync(folder / "keys")
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
    _finish_destroying(folder / "keys")
    # A rotation that was cut off leaves a copy of the key that is in force: that one is not old.
    present = SealingKey.read(folder / _SEALING).kid
    gone, later = [], {}
    for path in older_keys(folder):
        kid = SealingKey.read(path).kid
        if kid == present:
            continue
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


def _finish_destroying(keys: Path) -> None:
    """Nothing is left of keys whose destruction was cut off; those that lost only their bytes go too."""
    for path in keys.glob(f"{_GOING}*"):
        _erase(path)
    for path in keys.glob(_OLDER):
        if _is_overwritten(path):
            path.unlink()
    _sync(keys)


def _is_overwritten(path: Path) -> bool:
    return not any(path.read_bytes())


def _overwrite(path: Path) -> None:
    """The key has no name as a key any more, then its bytes are overwritten, then it is gone.

    In this order: cut off anywhere, the others still open what came for them, and the next run goes on.
    """
    going = path.with_name(_GOING + path.name)
    path.replace(going)
    _sync(path.parent)
    _erase(going)
    _sync(path.parent)


def _erase(path: Path) -> None:
    # A file under two names is another key's too: only the name goes.
    if path.stat().st_nlink == 1:
        with path.open("r+b") as file:
            file.write(bytes(path.stat().st_size))
            file.flush()
            os.fsync(file.fileno())
    path.unlink()


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
