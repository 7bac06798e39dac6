"""An export as files, `export/v1`: the records, each entry with its proof, the policy and a manifest.

    manifest.json            what this is, who made it and why, and every other file with its hash
    policy                   the log policy it was made under; for convenience, never trusted
    <records>                in one of the formats
    entries/<n>.json         leaf, openings, groups that were erased; n from 1, in the order of the log
    proofs/<n>.tlog-proof    c2sp.org/tlog-proof@v1
    export-receipt.json      where the broker recorded this export: the receipt of that entry

Numbers run on without a gap: an export tells nothing of what is not in it.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from audit.errors import ExportError, ReceiptError
from audit.export.committed import erased_sha256
from audit.export.content import Content, Json, Stated
from audit.export.formats import FORMATS, json_bytes
from audit.export.opened import READERS, OpenedEntry, VerifiedEntries, verify_entries
from audit.export.pdf import renderer
from audit.receipt import Receipt
from audit.verify import Policy, verify_receipt

SCHEMA = "export/v1"
MANIFEST, POLICY, RECEIPT = "manifest.json", "policy", "export-receipt.json"

Files = Mapping[str, bytes]
"""The files of an export by their path in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """What an export is made of.

    Attributes:
        receipt: of the entry of kind `export` by which the broker recorded it, None where there is none.
        set_elsewhere: the page as somebody else's program set it, and that program, where it cannot be set here.
    """

    format: str
    stated: Stated
    policy_text: str
    entries: Sequence[OpenedEntry]
    receipt: Receipt | None = None
    set_elsewhere: tuple[bytes, str] | None = None


def build_export(export: Export, policy: Policy) -> Files:
    """Return the files of an export in which everything holds under this policy.

    Raises:
        ExportError: an unknown format, entries that make no export (see `verify_entries`), or an entry of kind
            `export` that recorded something else.
        RendererError: a page must be set, and cannot be here.
        ReceiptError: an entry does not hold.

    """
    if export.format not in FORMATS:
        raise ExportError("format: not one of those that an export can have")
    verified = verify_entries(export.entries, policy, reader=export.stated.reader)
    files: dict[str, bytes] = {POLICY: export.policy_text.encode("utf-8")}
    content = Content(stated=export.stated, checkpoint=verified.checkpoint, records=verified.records)
    made = FORMATS[export.format]
    page, program = export.set_elsewhere or (None, renderer() if made.is_set else None)
    files[made.file] = made.write(content) if page is None else page
    for number, entry in enumerate(verified.entries, start=1):
        wire = entry.receipt.to_wire()
        members = {"leaf": wire["leaf"], "openings": wire["openings"], "erased": list(entry.erased)}
        files[entry_path(number)] = json_bytes(members)
        files[proof_path(number)] = entry.receipt.proof.encode().encode("utf-8")
    if export.receipt is not None:
        _check_recorded(export.receipt, export, verified, policy)
        files[RECEIPT] = json_bytes(export.receipt.to_wire())
    files[MANIFEST] = json_bytes(_manifest(export, verified, files, program))
    return files


def entry_path(number: int) -> str:
    """Return where the leaf and openings of entry `number` lie."""
    return f"entries/{number:06d}.json"


def proof_path(number: int) -> str:
    """Return where its proof lies."""
    return f"proofs/{number:06d}.tlog-proof"


def leaves_sha256(entries: Sequence[OpenedEntry]) -> str:
    """Return hex SHA-256 of the leaf hashes, one after the other: what an entry of kind `export` commits to."""
    return hashlib.sha256(b"".join(entry.receipt.leaf.leaf_hash for entry in entries)).hexdigest()


def recorded_as(format_name: str, stated: Stated, entries: Sequence[OpenedEntry]) -> Json:
    """Return what the `meta` of an entry of kind `export` says under `exported`."""
    return {
        "format": format_name,
        "reader": stated.reader,
        "reason": stated.reason,
        "selection": dict(stated.selection),
        "entries": len(entries),
        "leaves_sha256": leaves_sha256(entries),
        **_some("erased_sha256", erased_sha256((one.receipt.leaf.leaf_hash, one.erased) for one in entries)),
        **_some("more_after", stated.more_after),
    }


def _some(name: str, value: str | int | None) -> Json:
    """Return a member that stands there only where it says something: that it is a part, or that not all opens."""
    return {} if value is None else {name: value}


def _check_recorded(receipt: Receipt, export: Export, verified: VerifiedEntries, policy: Policy) -> None:
    """The entry of kind `export` is in the log, and is about these entries, this maker and this moment."""
    try:
        found = verify_receipt(receipt, policy)
    except ReceiptError as error:
        raise ExportError("export receipt: does not hold") from error
    meta, actor, stated = found.payloads["meta"], found.payloads["actor"], export.stated
    same = (
        found.leaf.kind == "export",
        meta.get("exported") == recorded_as(export.format, stated, verified.entries),
        (actor.get("organisation"), actor.get("worker")) == (stated.organisation, stated.worker),
        found.leaf.time == stated.made_at,
    )
    if not all(same):
        raise ExportError("export receipt: recorded another export than this")


def _manifest(export: Export, verified: VerifiedEntries, files: Files, program: str | None) -> Json:
    stated, head = export.stated, verified.checkpoint.head
    return {
        "schema": SCHEMA,
        "format": export.format,
        "log": {"origin": verified.checkpoint.origin, "size": head.size, "root": head.root.hex()},
        "made": {
            "at": stated.made_at,
            "organisation": stated.organisation,
            "worker": stated.worker,
            "reason": stated.reason,
            "selection": dict(stated.selection),
            **_some("moreAfter", stated.more_after),
        },
        "reader": stated.reader,
        "groups": list(READERS[stated.reader]),
        "names": _used_names(stated, verified),
        "entries": len(verified.entries),
        "records": FORMATS[export.format].file,
        "setBy": program,
        "leavesSha256": leaves_sha256(verified.entries),
        "files": [
            {"path": path, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
            for path, data in sorted(files.items())
        ],
    }


def _used_names(stated: Stated, verified: VerifiedEntries) -> Json:
    """Return the names of those who stand in the records, and of the maker: a list of all staff goes nowhere."""
    workers = {stated.worker, *(record.worker for record in verified.records)}
    return {worker: name for worker, name in stated.names.items() if worker in workers}
