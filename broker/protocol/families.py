"""The families of identifiers; each has a key of its own, so the key used is the authority (D1)."""

from enum import StrEnum


class Family(StrEnum):
    """A family of identifiers: its value is the name on the wire, its `code` the byte in a token index."""

    NLBSN = "nlbsn"
    """A person, by BSN."""
    FAM = "fam"
    """A BSN in its role as parent; never equal to that person's own `NLBSN` token."""
    ADDR = "addr"
    """An address."""
    DMK = "dmk"
    """A demographic match key; reserved, no key is made for it yet."""

    @property
    def code(self) -> int:
        """Return the fixed one-byte code of the family, 1 to 4."""
        return _CODES[self]


_CODES = {Family.NLBSN: 1, Family.FAM: 2, Family.ADDR: 3, Family.DMK: 4}
