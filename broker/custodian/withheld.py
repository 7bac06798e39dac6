"""Entries whose `actor` was not opened: erased, as an entry of the log says, or withheld from those who watch.

Which of both it is cannot be told when such an entry comes, for the entry that erased it comes later. So it is noted,
let go when an erasing entry names it, and told once the log was followed to its end without one.
"""

from audit.believed import KEPT_S
from audit.entry import Leaf, Opening, parse_payload
from audit.erasure import ERASING_KINDS, ErasedRange, erased_ranges
from audit.errors import EntryError
from broker.custodian import findings
from broker.custodian.findings import Finding
from broker.custodian.store import Store

_GROUP = "actor"


def note(store: Store, *, index: int, at: int) -> None:
    """This entry, of this time, did not say who asked; inside the caller's transaction."""
    store.change(
        "INSERT INTO withheld (entry_index, entry_time) VALUES (?, ?) ON CONFLICT DO NOTHING", index, at
    )  # fmt: skip


def let_go(store: Store, leaf: Leaf, index: int, meta: Opening | None) -> None:
    """What an erasing entry truly names is withheld no more; inside the caller's transaction.

    An entry of kind `retention` needs no two people, so it counts only for what was old enough.
    """
    youngest = leaf.time - KEPT_S if leaf.kind == "retention" else leaf.time
    for one in _named(leaf, meta):
        if one.group == _GROUP and one.last < index:
            store.change(
                "DELETE FROM withheld WHERE entry_index BETWEEN ? AND ? AND entry_time <= ?",
                one.first,
                one.last,
                youngest,
            )


def _named(leaf: Leaf, meta: Opening | None) -> tuple[ErasedRange, ...]:
    """Return what an entry says was erased: nothing where its `meta` did not come, or not truly."""
    if meta is None or leaf.kind not in ERASING_KINDS:
        return ()
    try:
        if meta.commitment(leaf.kind, "meta") != leaf.commitment("meta"):
            return ()
        return erased_ranges(parse_payload(meta.payload))
    except EntryError:
        return ()


def tell(store: Store, *, now: int) -> None:
    """The log was seen to its end: what nothing in it erased is a finding for everybody; inside the transaction."""
    for index, at in store.rows("SELECT entry_index, entry_time FROM withheld ORDER BY entry_index"):
        findings.add(
            store,
            Finding(kind="withheld", organisation=findings.EVERYBODY, found_at=now, entry=index, entry_time=at),
        )
    store.change("DELETE FROM withheld")


def forget(store: Store) -> None:
    """The log is followed anew; inside the caller's transaction."""
    store.change("DELETE FROM withheld")
