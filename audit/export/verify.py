"""Checking an export offline: it is made again from its own entries, under the reader's policy, and compared.

What holds then: every row comes from an entry of a log whose tree the policy's witnesses signed; every row says what
that entry says; no byte of any file was altered. What cannot hold from this alone: that nothing was left out. Where the
broker recorded the export, its receipt says which entries it opened and which of their groups were erased by then, and
nothing was left out of those. Without it "erased" is only the word of whoever hands the export on.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from audit.errors import AuditError, EntryError, ExportError, RendererError
from audit.export.bundle import MANIFEST, POLICY, RECEIPT, Export, Files, build_export, entry_path, proof_path
from audit.export.content import Stated
from audit.export.formats import FORMATS
from audit.export.opened import OpenedEntry
from audit.export.pdf import renderer
from audit.receipt import Receipt
from audit.strict_json import loads
from audit.verify import Policy

SCHEMAS = Path(__file__).parent / "schemas"
_LONGEST_PATH = 40
_ENTRY_MEMBERS = {"leaf", "openings", "erased"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportReport:
    """What an export turned out to be.

    `holds` when there is no problem and nothing was left unchecked. `recorded` when the broker's entry of this export
    is in it and agrees. `more_after` is its last entry where more of the selection come after it, so that it is a part.
    `unchecked` names a page that only another version of the program that set it could set again, and each entry with a
    group that is called erased while no entry of the broker says so.
    """

    holds: bool
    format: str
    origin: str
    size: int
    entries: int
    recorded: bool
    more_after: int | None
    unchecked: tuple[str, ...]
    problems: tuple[str, ...]


@cache
def validator(schema: str) -> Draft202012Validator:
    """Return the validator of a published schema of this package, such as `export/v1`."""
    text = (SCHEMAS / f"{schema.replace('/', '-')}.json").read_text(encoding="utf-8")
    return Draft202012Validator(json.loads(text))


def verify_export(files: Files, policy: Policy) -> ExportReport:
    """Return whether an export holds, and what does not; whatever it contains, nothing is raised for it."""
    try:
        manifest = _manifest(files)
    except AuditError as error:
        return _report(None, [str(error)])
    try:
        rebuilt, unchecked = _rebuilt(files, manifest, policy)
    except AuditError as error:
        return _report(manifest, [str(error)])
    problems = [f"{_named(path)}: is missing" for path in sorted(set(rebuilt) - set(files))]
    problems += [f"{_named(path)}: does not belong to this export" for path in sorted(set(files) - set(rebuilt))]
    problems += [
        f"{path}: is not what the entries give"
        for path in sorted(set(rebuilt) & set(files))
        if rebuilt[path] != files[path]
    ]
    return _report(manifest, problems, unchecked=unchecked, recorded=RECEIPT in files)


def _report(
    manifest: dict[str, Any] | None, problems: list[str], *, unchecked: tuple[str, ...] = (), recorded: bool = False
) -> ExportReport:
    log: dict[str, Any] = manifest["log"] if manifest else {"origin": "", "size": 0}
    return ExportReport(
        holds=not problems and not unchecked,
        format=manifest["format"] if manifest else "",
        origin=log["origin"],
        size=log["size"],
        entries=manifest["entries"] if manifest else 0,
        recorded=recorded and not problems,
        more_after=manifest["made"].get("moreAfter") if manifest else None,
        unchecked=unchecked,
        problems=tuple(problems),
    )


def _manifest(files: Files) -> dict[str, Any]:
    manifest = _json(files, MANIFEST)
    if not isinstance(manifest, dict) or not validator("export/v1").is_valid(manifest):
        raise ExportError("manifest.json: not of the form export/v1")
    return manifest


def _rebuilt(files: Files, manifest: dict[str, Any], policy: Policy) -> tuple[Files, tuple[str, ...]]:
    """Return the files that these entries give, and those of them that were taken as they are."""
    made, page = manifest["made"], FORMATS[manifest["format"]]
    stated = Stated(
        made_at=made["at"],
        organisation=made["organisation"],
        worker=made["worker"],
        reason=made["reason"],
        selection=made["selection"],
        reader=manifest["reader"],
        names=manifest["names"],
        more_after=made.get("moreAfter"),
    )
    export = Export(
        format=manifest["format"],
        stated=stated,
        policy_text=_text(files, POLICY),
        entries=[_entry(files, number) for number in range(1, manifest["entries"] + 1)],
        receipt=Receipt.from_wire(_json(files, RECEIPT)) if RECEIPT in files else None,
    )
    called = () if export.receipt else _called_erased(export.entries)
    if not page.is_set or manifest["setBy"] == renderer():
        return build_export(export, policy), called
    if manifest["setBy"] is None or page.file not in files:
        raise RendererError(f"{page.file}: is missing, or what set it is not named")
    elsewhere = replace(export, set_elsewhere=(files[page.file], manifest["setBy"]))
    return build_export(elsewhere, policy), (*called, page.file)


def _called_erased(entries: Sequence[OpenedEntry]) -> tuple[str, ...]:
    """Return the entries of which a group does not open, which only its maker explains."""
    return tuple(entry_path(number) for number, entry in enumerate(entries, start=1) if entry.erased)


def _entry(files: Files, number: int) -> OpenedEntry:
    members = _json(files, entry_path(number))
    if not isinstance(members, dict) or set(members) != _ENTRY_MEMBERS:
        raise ExportError("entries: one has not the form of an opened entry")
    erased = members["erased"]
    if not isinstance(erased, list) or not all(isinstance(group, str) for group in erased):
        raise ExportError("entries: erased is a list of groups")
    wire = {
        "leaf": members["leaf"],
        "openings": members["openings"],
        "proof": _text(files, proof_path(number)),
        "uncosignedSince": None,
    }
    return OpenedEntry(receipt=Receipt.from_wire(wire), erased=tuple(erased))


def _json(files: Files, path: str) -> object:
    try:
        return loads(_text(files, path))
    except EntryError as error:
        raise ExportError(f"{_named(path)}: not JSON that reads one way") from error


def _text(files: Files, path: str) -> str:
    if path not in files:
        raise ExportError(f"{_named(path)}: is missing")
    try:
        return files[path].decode("utf-8")
    except UnicodeDecodeError as error:
        raise ExportError(f"{_named(path)}: not UTF-8") from error


def _named(path: str) -> str:
    """Return a path as a report may print it: our own names as they are, anything else only as such."""
    return path if path.isascii() and path.isprintable() and len(path) <= _LONGEST_PATH else "a file of another name"
