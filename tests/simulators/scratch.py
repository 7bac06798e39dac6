"""Where tests write: into memory where the machine gives enough of it, else to its disk.

Nothing that a test writes outlives its run, and every call that makes data durable is made just the same; only the disk
does not have to carry it out. A database server of a test is made and gone in hundredths of seconds then.
"""

import os
import tempfile
from pathlib import Path

MEMORY = Path("/dev/shm")  # noqa: S108 - every file below it is made by `tempfile` or pytest, for us alone
NEEDED = 4 << 30
"""Bytes: several times what a whole run has there at once."""


def use_memory(memory: Path = MEMORY) -> bool:
    """Return whether temporary files of this process and its children are in memory from now on.

    Whoever chose a folder, by TMPDIR, keeps it.
    """
    if "TMPDIR" in os.environ or min(_room(memory), _memory_left()) < NEEDED:
        return False
    os.environ["TMPDIR"] = tempfile.tempdir = str(memory)
    return True


def _room(folder: Path) -> int:
    if not os.access(folder, os.W_OK | os.X_OK):
        return 0
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize


def _memory_left() -> int:
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    kilobytes = [line.split()[1] for line in lines if line.startswith("MemAvailable:")]
    return int(kilobytes[0]) << 10 if kilobytes else 0
