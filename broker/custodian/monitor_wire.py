"""What other parties answer to a custodian that looks: parsed once, believed in nothing."""

import json
from typing import Any

from audit.entry import Opening
from broker.custodian.errors import WatchError
from broker.custodian.followed import PageEntry
from broker.protocol import strict_json
from broker.protocol.errors import ProtocolError
from broker.protocol.signing_keys import b64url_bytes

MAX_BYTES = 4_194_304
_KEY_BYTES = 32


def read_page(answer: bytes) -> tuple[str, list[PageEntry]]:
    """Return the checkpoint and the entries of a page of the log. Raises WatchError: it is none."""
    try:
        members = strict_json.load_object(answer, field="page", max_bytes=MAX_BYTES)
        note, entries = members["checkpoint"], members["entries"]
        if set(members) != {"checkpoint", "entries"} or not isinstance(note, str) or not isinstance(entries, list):
            raise WatchError("what came is no page of a log")
        return note, [_entry(entry) for entry in entries]
    except (ProtocolError, KeyError, TypeError, ValueError, AttributeError):
        raise WatchError("what came is no page of a log") from None


def _entry(value: dict[str, Any]) -> PageEntry:
    """Return one entry. Raises as whatever is wrong with it: the caller turns it into one error."""
    # A broker of an earlier version opens no `meta`.
    meta = _opening(value.get("meta"))
    return PageEntry(leaf=str(value["leaf"]).encode("ascii"), actor=_opening(value["actor"]), meta=meta)


def _opening(value: dict[str, Any] | None) -> Opening | None:
    if value is None:
        return None
    key = b64url_bytes(value["key"], field="key", length=_KEY_BYTES)
    return Opening(key=key, payload=b64url_bytes(value["payload"], field="payload"))


def read_findings(answer: bytes) -> tuple[int, list[tuple[int, str]]]:
    """Return of which store, and number and JSON text of what the other custodian found. Raises WatchError: no list."""
    try:
        members = strict_json.load_object(answer, field="findings", max_bytes=MAX_BYTES)
        of = _whole(members["store"])
        return of, [(_whole(one["number"]), json.dumps(one, sort_keys=True)) for one in members["findings"]]
    except (ProtocolError, KeyError, TypeError):
        raise WatchError("what came is no list of findings") from None


def _whole(number: object) -> int:
    if not isinstance(number, int) or isinstance(number, bool) or not 0 < number < 1 << 53:
        raise WatchError("what came is no list of findings")
    return number
