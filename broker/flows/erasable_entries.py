"""Whether entries may be erased by who asks: own ones, of the controller named, each of them there and true."""

from collections.abc import Mapping, Sequence

from broker.domain.erasures import GROUPS, EntryRange, places, range_fault
from broker.domain.errors import AlreadyErasedError, FieldRuleError, NotFoundError
from broker.domain.review import REVIEWED_DAYS
from broker.flows.act import Act
from broker.flows.errors import DecisionFailedError
from broker.log_ports import EntryReader, GroupStatus, OpenedEntry
from broker.protocol.erasure_messages import EraseEntries

KEPT_KINDS = frozenset({"erasure", "retention", "review", "read", "export"})
"""Entries of which nothing is erased before their term is over (AVG art. 17(3)(b) and (e)).

What was erased, by whom, and who proposed it: else two people could erase that they erased. What reviewers read and
stated: else verdicts, thresholds and a closed month could be taken back, and a sample drawn until it pleases."""
REVIEWED_S = REVIEWED_DAYS * 86_400
"""Seconds an act keeps all it says: what stands out is told by what came before and after it, so an act that may still
be reviewed is not erased. AVG art. 12(3) gives three months."""
_WHOSE = ("meta", "actor")


def ranges_of(command: EraseEntries) -> tuple[EntryRange, ...]:
    """Return the ranges of a command. Raises FieldRuleError: they overlap, go down, or are too many."""
    ranges = tuple(
        EntryRange(first=one.first, last=one.last, groups=tuple(sorted(set(one.groups), key=_order)))
        for one in command.ranges
    )
    fault = range_fault(ranges)
    if fault is not None:
        raise FieldRuleError("ranges", fault)
    return ranges


def _order(group: str) -> int:
    return GROUPS.index(group)


async def check_erasable(ranges: Sequence[EntryRange], *, act: Act, entries: EntryReader, now: int) -> None:
    """Hold only for own entries of the act's controller, whose named groups are all there and true.

    What an entry holds about others is not looked at, so nothing of it can be told by asking to erase it.

    Raises:
        NotFoundError: there is no such entry, it is another organisation's, nobody's, or another controller's.
        FieldRuleError: an entry of a kind of which nothing is erased by decision, or an act that may be reviewed yet.
        AlreadyErasedError: a named group of an own entry was erased before.
        DecisionFailedError: something is MISSING or MISMATCH: what is an alarm is not erased away.
    """
    wanted = dict(places(ranges))
    groups = {group for named in wanted.values() for group in named}
    opened = {one.index: one for one in await entries.opened(tuple(wanted), groups | set(_WHOSE))}
    earlier = {by for one in opened.values() for group in one.groups.values() if (by := group.erased_by) is not None}
    erasing = {one.index: one for one in await entries.opened(tuple(earlier), _WHOSE)}
    for index, named in wanted.items():
        entry = opened.get(index)
        # (1) Whose it is; nobody learns of any other entry more than that it is not theirs.
        if entry is None or not _is_of(act, entry, erasing):
            raise NotFoundError
        # (2) What oversight rests on, this very erasure included.
        if entry.kind in KEPT_KINDS:
            raise FieldRuleError("ranges", "name an entry that says what was reviewed, exported or erased")
        # (3) What may still be reviewed: without it, and what came with it, it would not stand out any more.
        if entry.time > now - REVIEWED_S:
            raise FieldRuleError("ranges", f"name an act of the last {REVIEWED_DAYS} days")
        # (4) Everything named is there.
        for group in named:
            _check_there(entry, group)


def _check_there(entry: OpenedEntry, group: str) -> None:
    status = entry.groups[group].status
    if status is GroupStatus.ERASED:
        raise AlreadyErasedError
    if status is not GroupStatus.OK:
        raise DecisionFailedError


def _is_of(act: Act, entry: OpenedEntry, erasing: Mapping[int, OpenedEntry]) -> bool:
    """Return whether an entry is the asker's; what of it was erased is told by the entry that erased it."""
    meta, actor = (_or_of_eraser(entry, group, erasing) for group in _WHOSE)
    if actor is None or meta is None:
        return False
    request = meta.get("request")
    controller = request.get("controller") if isinstance(request, dict) else None
    return (actor.get("organisation"), controller) == (act.requester.organisation, act.controller)


def _or_of_eraser(
    entry: OpenedEntry, group: str, erasing: Mapping[int, OpenedEntry]
) -> Mapping[str, object] | None:  # fmt: skip
    by = entry.groups[group].erased_by
    return entry.payload(group) if by is None else erasing[by].payload(group)
