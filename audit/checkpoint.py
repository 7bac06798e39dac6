"""The checkpoint of a tree (c2sp.org/tlog-checkpoint): three lines, never an extension line."""

import re
from dataclasses import dataclass

from audit.errors import NoteError
from audit.merkle import HASH_BYTES, TreeHead
from audit.note_text import check_name, from_base64, to_base64

MAX_SIZE = (1 << 63) - 1
_TEXT = re.compile(r"([^\n]+)\n(0|[1-9][0-9]{0,18})\n([A-Za-z0-9+/=]+)\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """The tree of one log: its origin (the log key's name) and its head."""

    origin: str
    head: TreeHead

    def encode(self) -> str:
        """Return the checkpoint text: origin, size, base64 of the root."""
        return f"{self.origin}\n{self.head.size}\n{to_base64(self.head.root)}\n"

    @classmethod
    def parse(cls, text: str) -> "Checkpoint":
        """Return the checkpoint with exactly this text.

        Raises:
            NoteError: not three lines, a leading zero, an extension line, or a root that has not 32 bytes.

        """
        match = _TEXT.fullmatch(text)
        if match is None:
            raise NoteError("checkpoint: must be origin, size and root on three lines")
        check_name(match[1])
        size, root = int(match[2]), from_base64(match[3])
        if size > MAX_SIZE or len(root) != HASH_BYTES:
            raise NoteError("checkpoint: the size or the root is out of range")
        return cls(origin=match[1], head=TreeHead(size=size, root=root))
