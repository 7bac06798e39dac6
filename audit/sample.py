r"""A random sample that nobody picks, and that anybody can draw again (docs/audit-format.md).

    seed      SHA-256("sluis sample/v1 seed\n" || checkpoint text || the cosignatures, sorted)
              of each "<name> <hex of key id and blob>\n"
    rank(i)   HMAC-SHA256(seed, "sluis sample/v1 rank\n" || i as 8 bytes, big-endian)
    sample    the indexes with the smallest ranks, as many as `sample_size` says, and every flagged one besides

Whoever writes the log chooses its entries, and so its root: it could try until a sample pleases it. It cannot try out
the signature of a witness, which is why the seed takes those in; its own signature it could make anew, so that is not.
"""

import hashlib
import hmac
from collections.abc import Collection, Iterable

from audit.note import VerifierKey, parse_note

_SEED = b"sluis sample/v1 seed\n"
_RANK = b"sluis sample/v1 rank\n"
_INDEX_BYTES = 8
ALL_UNDER = 5
PERCENT = 3
AT_MOST = 40
REJUDGED = 10
"""Verdicts of a month that the FG judges again."""


def sample_size(population: int) -> int:
    """Return how many of so many acts are drawn: all under five, else the larger of five and 3 %, at most forty."""
    if population < ALL_UNDER:
        return population
    return min(AT_MOST, max(ALL_UNDER, -(-population * PERCENT // 100)))


def seed_of(note_text: str, log: VerifierKey) -> bytes:
    """Return the seed in a checkpoint with its cosignatures: every signature line but the log's own counts.

    Nothing is verified here; whoever believes it asks that each of those lines is a good one of a witness he knows.

    Raises:
        NoteError: it is no note.
    """
    note = parse_note(note_text.encode("utf-8"))
    others = [one for one in note.signatures if (one.name, one.key_id) != (log.name, log.key_id)]
    lines = sorted(f"{one.name} {(one.key_id + one.blob).hex()}\n" for one in others)
    return hashlib.sha256(_SEED + note.text.encode("utf-8") + "".join(lines).encode("utf-8")).digest()


def rank(seed: bytes, index: int) -> bytes:
    """Return the place of an index in the order of this seed."""
    return hmac.digest(seed, _RANK + index.to_bytes(_INDEX_BYTES, "big"), hashlib.sha256)


def draw(seed: bytes, population: Collection[int], flagged: Iterable[int] = ()) -> tuple[int, ...]:
    """Return the indexes that are drawn, ascending. Each of the population is as likely as any other.

    Args:
        seed: 32 bytes that nobody knew when the population was closed.
        population: the indexes of the entries to draw from.
        flagged: those that are taken whatever the seed says.
    """
    return tuple(sorted({*pick(seed, population, sample_size(len(set(population)))), *flagged}))


def pick(seed: bytes, population: Collection[int], count: int) -> tuple[int, ...]:
    """Return so many indexes with the smallest ranks, ascending; all where there are no more."""
    return tuple(sorted(sorted(set(population), key=lambda index: rank(seed, index))[:count]))
