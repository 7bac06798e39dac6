"""The offline proof of one entry, `c2sp.org/tlog-proof@v1`: its index, the inclusion hashes and the checkpoint."""

import re
from dataclasses import dataclass

from audit.errors import NoteError
from audit.merkle import HASH_BYTES
from audit.note_text import from_base64, to_base64

HEADER = "c2sp.org/tlog-proof@v1"
_MAX_HASHES = 63
_INDEX = re.compile(r"index (0|[1-9][0-9]{0,18})")


@dataclass(frozen=True, slots=True, kw_only=True)
class TlogProof:
    """A proof that has the right form; nothing in it is verified.

    `hashes` run from the leaf's sibling up to the child of the root; `note` is the checkpoint with its signatures.
    """

    index: int
    hashes: tuple[bytes, ...]
    note: str

    def encode(self) -> str:
        """Return the proof's text, without an `extra` line."""
        lines = [HEADER, f"index {self.index}", *(to_base64(value) for value in self.hashes)]
        return "\n".join(lines) + "\n\n" + self.note

    @classmethod
    def parse(cls, text: str) -> "TlogProof":
        """Return the proof with exactly this text; an `extra` line, which nothing authenticates, is refused.

        Raises:
            NoteError: the header, the index line, a hash or the empty line is wrong.

        """
        head, separator, note = text.partition("\n\n")
        lines = head.split("\n")
        if not separator or len(lines) < 2 or lines[0] != HEADER:  # noqa: PLR2004 - the header and the index line
            raise NoteError("proof: must be a header, an index, hashes, an empty line and a checkpoint")
        match = _INDEX.fullmatch(lines[1])
        if match is None or len(lines) - 2 > _MAX_HASHES:
            raise NoteError("proof: the index line is malformed or there are too many hashes")
        hashes = tuple(from_base64(line) for line in lines[2:])
        if any(len(value) != HASH_BYTES for value in hashes):
            raise NoteError("proof: every hash has 32 bytes")
        return cls(index=int(match[1]), hashes=hashes, note=note)
