"""An export holds as a whole or not at all, for whoever has the policy, offline."""

import base64
import hashlib
import json
import random
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from audit.errors import ExportError
from audit.export.bundle import Files
from audit.export.committed import erased_sha256
from audit.export.formats import FORMATS, json_bytes
from audit.export.opened import OpenedEntry
from audit.export.verify import verify_export
from audit.note import Algorithm, NoteSigningKey
from audit.policy_file import parse_policy
from tests.unit.audit.export.opened_log import EXPORTED, GI, STATED, WORKER, OpenedLog, in_folder
from tests.unit.audit.log_simulator import policy_text, witness_key

Mutation = Callable[[dict[str, bytes]], None]


def edited(path: str, change: Callable[[Any], object]) -> Mutation:
    """Return a mutation that rewrites a JSON file in our own form, so that only the content differs."""

    def mutate(files: dict[str, bytes]) -> None:
        value = json.loads(files[path])
        files[path] = json_bytes(change(value) or value)  # type: ignore[arg-type]  # tests put in whatever they like

    return mutate


def moved(old: str, new: str) -> Mutation:
    """Return a mutation that renames a file."""

    def mutate(files: dict[str, bytes]) -> None:
        files[new] = files.pop(old)

    return mutate


def swapped(one: str, other: str) -> Mutation:
    """Return a mutation that exchanges two files."""

    def mutate(files: dict[str, bytes]) -> None:
        files[one], files[other] = files[other], files[one]

    return mutate


def text(path: str, old: str, new: str) -> Mutation:
    """Return a mutation that replaces text in a file, where it stands."""

    def mutate(files: dict[str, bytes]) -> None:
        assert old.encode() in files[path]
        files[path] = files[path].replace(old.encode(), new.encode(), 1)

    return mutate


def dropped(path: str) -> Mutation:
    """Return a mutation that takes a file away."""

    def mutate(files: dict[str, bytes]) -> None:
        del files[path]

    return mutate


def added(path: str, data: bytes) -> Mutation:
    """Return a mutation that puts a file in."""
    return lambda files: files.update({path: data})


def shortened(files: dict[str, bytes]) -> None:
    """Take the last entry away, with its proof, its row and its mention in the manifest, as one who hides it would."""
    number = len(EXPORTED)
    del files[f"entries/{number:06d}.json"], files[f"proofs/{number:06d}.tlog-proof"]
    rows = files["records.csv"].split(b"\r\n")
    files["records.csv"] = b"\r\n".join([*rows[:-2], b""])
    edited("manifest.json", lambda manifest: manifest.update(entries=number - 1))(files)


def another_payload(files: dict[str, bytes]) -> None:
    """Put in another payload with the same key, as one who rewrites what was done would."""

    def change(entry: dict[str, Any]) -> None:
        opening = entry["openings"]["actor"]
        payload = base64.urlsafe_b64decode(opening["payload"] + "==").replace(b"k5uqhz", b"zzzzzz")
        opening["payload"] = base64.urlsafe_b64encode(payload).rstrip(b"=").decode()

    edited("entries/000001.json", change)(files)


ONE, TWO = "entries/000001.json", "entries/000002.json"
PROOF = "proofs/000001.tlog-proof"
MUTATIONS: Mapping[str, Mutation] = {
    "a cell": text("records.csv", "Noor de Wit", "Ali Vos"),
    "a row away": lambda files: files.update({"records.csv": files["records.csv"].rpartition(b'"6"')[0]}),
    "line ends": text("records.csv", "\r\n", "\n"),
    "no byte order mark": text("records.csv", "\ufeff", ""),
    "the records away": dropped("records.csv"),
    "records under another name": moved("records.csv", "records2.csv"),
    "the time of a leaf": text(ONE, "time 1795305600", "time 1795305601"),
    "the kind of a leaf": text(ONE, "kind check", "kind signal"),
    "a payload": another_payload,
    "a key": edited(ONE, lambda entry: entry["openings"]["meta"].update(key="A" * 43)),
    "openings exchanged": edited(ONE, lambda e: e["openings"].update(meta=e["openings"]["actor"])),
    "a group withheld": edited(ONE, lambda entry: entry["openings"].pop("actor") and None),
    "a group called erased": edited(ONE, lambda entry: entry.update(erased=["actor"])),
    "a group more": edited(ONE, lambda e: e["openings"].update(hits=e["openings"]["meta"])),
    "an entry of another form": edited(ONE, lambda entry: entry.update(more=1)),
    "erased is no list": edited(ONE, lambda entry: entry.update(erased={})),
    "an entry that is no object": edited(ONE, lambda _: [1]),
    "two entries exchanged": swapped(ONE, TWO),
    "an entry twice": lambda files: files.update({TWO: files[ONE], "proofs/000002.tlog-proof": files[PROOF]}),
    "an entry away": dropped(TWO),
    "the last entry hidden": shortened,
    "an index": text(PROOF, "index 0", "index 1"),
    "a hash of a proof": text(PROOF, "index 0\n", "index 0\n" + "A" * 43 + "=\n"),
    "a proof away": dropped(PROOF),
    "two proofs exchanged": swapped(PROOF, "proofs/000002.tlog-proof"),
    "the size of the tree": text(PROOF, "\n8\n", "\n9\n"),
    "the log's signature": text(PROOF, "— broker.example/log ", "— broker.example/other "),
    "the witness's signature": text(PROOF, "— witness.example/w1 ", "— witness.example/w9 "),
    "a proof that is no text": lambda files: files.update({PROOF: b"\xff"}),
    "the policy": text("policy", "quorum enough", "quorum none"),
    "the policy away": dropped("policy"),
    "a file more": added("notes.txt", b"trust me"),
    "a file with a name that acts": added("\x1b[2Jall is well" + "x" * 99, b""),
    "the manifest away": dropped("manifest.json"),
    "the manifest in another form": text("manifest.json", "  ", " "),
    "the manifest twice": text("manifest.json", '"entries": 6', '"entries": 6, "entries": 6'),
    "the manifest's count": edited("manifest.json", lambda manifest: manifest.update(entries=7)),
    "the manifest's log": edited("manifest.json", lambda manifest: manifest["log"].update(size=9)),
    "the manifest's format": edited("manifest.json", lambda manifest: manifest.update(format="fhir")),
    "the manifest's reader": edited("manifest.json", lambda manifest: manifest.update(reader="supervisor")),
    "a reader nobody knows": edited("manifest.json", lambda manifest: manifest.update(reader="everybody")),
    "a hash in the manifest": edited("manifest.json", lambda m: m["files"][0].update(sha256="0" * 64)),
    "the leaves in the manifest": edited("manifest.json", lambda m: m.update(leavesSha256="0" * 64)),
    "a name in the manifest": edited("manifest.json", lambda m: m["names"].update({WORKER: "Ali Vos"})),
    "a name of somebody else": edited("manifest.json", lambda m: m["names"].update(other="Ali Vos")),
    "the selection": edited("manifest.json", lambda m: m["made"]["selection"].update(tot="2026-11-29")),
    "who made it": edited("manifest.json", lambda m: m["made"].update(organisation=GI)),
    "when it was made": edited("manifest.json", lambda m: m["made"].update(at=1)),
    "why it was made": edited("manifest.json", lambda m: m["made"].update(reason="nieuwsgierig")),
    "the receipt of the export": text("export-receipt.json", "kind export", "kind review"),
    "the receipt of the export is none": edited("export-receipt.json", lambda _: {"a": 1}),
}  # fmt: skip


@pytest.fixture(scope="module")
def files(world: OpenedLog) -> Files:
    """The files of an export that the broker recorded."""
    return world.files(receipt=world.receipt)


@pytest.mark.parametrize("format_name", [name for name, made in FORMATS.items() if name != "csv"])
def test_every_format_holds(world: OpenedLog, format_name: str) -> None:
    """Whatever the format, an export is made again from its own entries, byte for byte."""
    report = verify_export(world.files(format_name), world.policy)
    assert report.problems == ()
    assert (report.holds, report.format, report.entries, report.recorded) == (True, format_name, len(EXPORTED), False)


def test_an_export_that_the_broker_recorded_holds_and_says_so(world: OpenedLog, files: Files) -> None:
    """With the receipt of its own entry, whom it is by, when and of which entries is proven too."""
    report = verify_export(files, world.policy)
    assert (report.problems, report.unchecked) == ((), ())
    assert (report.holds, report.recorded, report.origin, report.size) == (True, True, "broker.example/log", 8)


@pytest.mark.parametrize("name", sorted(MUTATIONS))
def test_every_mutation_is_rejected(world: OpenedLog, files: Files, name: str) -> None:
    """Whatever is altered, added or taken away, the export does not hold, and the report says it without echoing it."""
    mutated = dict(files)
    MUTATIONS[name](mutated)
    assert mutated != files
    report = verify_export(mutated, world.policy)
    assert not report.holds
    assert report.problems
    assert all(problem.isprintable() for problem in report.problems)
    assert "trust me" not in str(report)


def test_every_single_byte_counts(world: OpenedLog, files: Files) -> None:
    """A change of any one byte of any file is noticed: a sample of them, and never the same file twice."""
    chosen = random.Random(7)
    for path in sorted(files):
        place = chosen.randrange(len(files[path]))
        data = bytearray(files[path])
        data[place] ^= 1 << chosen.randrange(8)
        report = verify_export({**files, path: bytes(data)}, world.policy)
        assert not report.holds, path


def test_the_policy_of_the_reader_decides(world: OpenedLog, files: Files) -> None:
    """Another log's key, or a witness that did not sign, and the export does not hold, whatever policy lies in it."""
    other_log = NoteSigningKey(name="broker.example/log", algorithm=Algorithm.ED25519, seed=bytes(32)).verifier
    stranger = witness_key("witness.example/w9").verifier
    for wrong in (
        policy_text(other_log, world.policy.witnesses["w1"].key, quorum="enough"),
        policy_text(world.policy.log.key, stranger, quorum="enough"),
        policy_text(world.policy.log.key),
    ):
        assert not verify_export(files, parse_policy(wrong)).holds


def test_a_recorded_export_says_what_the_broker_recorded(world: OpenedLog) -> None:
    """An export of other entries, by another person, at another moment or in another form is not the recorded one."""
    stated = world.stated
    for changes in (
        {"entries": world.entries[:-1]},
        {"stated": replace(stated, worker="another")},
        {"stated": replace(stated, made_at=stated.made_at + 1)},
        {"stated": replace(stated, reason="andere")},
        {"stated": replace(stated, selection={})},
        {"format_name": "fhir"},
        {"receipt": world.entries[0].receipt},
        {"receipt": replace(world.receipt, openings={})},
    ):
        with pytest.raises(ExportError):
            world.files(**{"receipt": world.receipt, **changes})  # type: ignore[arg-type]  # one of several members


def test_a_format_nobody_knows_is_refused(world: OpenedLog) -> None:
    """There are five formats, and no export in any other."""
    with pytest.raises(ExportError):
        world.files("docx")


def test_names_of_those_who_do_not_occur_stay_out(world: OpenedLog) -> None:
    """The maker's list of staff is not handed on: only names of workers in the records, and the maker's own."""
    stated = replace(world.stated, names={**world.stated.names, "somebody": "Jan Kok"})
    found = world.files(stated=stated)
    assert b"Jan Kok" not in b"".join(found.values())
    assert found == world.files()


def test_what_the_maker_states_is_in_the_manifest(files: Files) -> None:
    """Who made it, when, why and by which selection stands in the manifest, and its hashes are those of the files."""
    manifest = json.loads(files["manifest.json"])
    assert manifest["made"]["organisation"] == STATED.organisation
    assert manifest["made"]["selection"] == STATED.selection
    assert manifest["groups"] == ["meta", "actor"]
    assert {file["path"] for file in manifest["files"]} == set(files) - {"manifest.json"}


def called_erased(entry: OpenedEntry, *groups: str) -> OpenedEntry:
    """Return the entry without these openings, and with the word that they were erased."""
    kept = {group: opening for group, opening in entry.receipt.openings.items() if group not in groups}
    return OpenedEntry(receipt=replace(entry.receipt, openings=MappingProxyType(kept)), erased=groups)


def test_nobody_can_call_an_act_erased_that_the_broker_opened(world: OpenedLog) -> None:
    """Who hands an export on takes inconvenient acts out of it in vain: the broker's entry says what it opened."""
    with pytest.raises(ExportError, match="recorded another export"):
        world.files(entries=[called_erased(one, "meta", "actor") for one in world.entries], receipt=world.receipt)
    hidden = [*world.entries[:-1], called_erased(world.entries[-1], "actor")]
    files = dict(world.files(entries=hidden))
    files["export-receipt.json"] = json_bytes(world.receipt.to_wire())
    report = verify_export(files, world.policy)
    assert (report.holds, report.recorded) == (False, False)


def test_without_the_brokers_entry_an_erased_group_is_unchecked(world: OpenedLog) -> None:
    """Only its maker says then that it was erased: each such entry is named, and the export does not hold."""
    entries = [world.entries[0], called_erased(world.entries[1], "actor"), *world.entries[2:]]
    report = verify_export(world.files(entries=entries), world.policy)
    assert (report.problems, report.unchecked, report.holds) == ((), ("entries/000002.json",), False)


def test_what_was_erased_is_in_the_brokers_entry(tmp_path: Path) -> None:
    """An export of entries of which a group is gone holds where the broker recorded exactly that."""
    world = in_folder(tmp_path / "log", erased={1: ("actor",)})
    erased = [world.entries[0], called_erased(world.entries[1], "actor"), *world.entries[2:]]
    report = verify_export(world.files(entries=erased, receipt=world.receipt), world.policy)
    assert (report.holds, report.recorded, report.problems) == (True, True, ())
    for changed in (world.entries, [called_erased(erased[0], "meta"), *erased[1:]]):
        with pytest.raises(ExportError, match="recorded another export"):
            world.files(entries=changed, receipt=world.receipt)


def test_what_a_broker_commits_to_of_erased_groups() -> None:
    """The hash of the published format: leaf hash, names, line end; nothing where nothing was erased."""
    said = bytes(32) + b"meta,actor\n" + b"\x01" * 32 + b"actor\n"
    of = [(bytes(32), ("meta", "actor")), (b"\x02" * 32, ()), (b"\x01" * 32, ("actor",))]
    assert erased_sha256(of) == hashlib.sha256(said).hexdigest()
    assert erased_sha256([(bytes(32), ())]) is None
