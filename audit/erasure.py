"""What an entry of kind `erasure` or `retention` says was erased, read strictly: ranges of entries and their groups.

    "erased": [{"from": 17, "to": 17, "groups": ["actor", "subject"]}, ...]     in `meta`, both ends included

`docs/audit-format.md` section 9 says it for others.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from audit.entry import GROUPS
from audit.errors import EntryError

ERASING_KINDS = frozenset({"erasure", "retention"})
"""Kinds whose `meta` can say that something was erased; that `meta` itself is never erased."""
MAX_RANGES = 40
"""Ranges that fit the `meta` of one entry beside everything else in it."""
_MEMBERS = {"from", "to", "groups"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasedRange:
    """One group of the entries `first` up to and with `last`."""

    first: int
    last: int
    group: str


def erased_ranges(meta: Mapping[str, object]) -> tuple[ErasedRange, ...]:
    """Return what the `meta` of an entry says was erased; nothing where it says nothing.

    Raises:
        EntryError: what it says breaks the format.

    """
    listed = meta.get("erased", [])
    if not isinstance(listed, list) or len(listed) > MAX_RANGES:
        raise EntryError("erased: not a list of at most 40 ranges")
    return tuple(one for item in listed for one in _ranges(item))


def _ranges(item: object) -> Iterable[ErasedRange]:
    if not isinstance(item, dict) or set(item) != _MEMBERS:
        raise EntryError("erased: a range has the members from, to and groups")
    first, last, groups = item["from"], item["to"], item["groups"]
    if type(first) is not int or type(last) is not int or not 0 <= first <= last:
        raise EntryError("erased: a range goes up, from 0")
    if not isinstance(groups, list) or not groups or groups != [group for group in GROUPS if group in groups]:
        raise EntryError("erased: groups of the closed list, each once and in its order")
    return [ErasedRange(first=first, last=last, group=group) for group in groups]
