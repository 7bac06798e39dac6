"""An export is written only when the broker's entry of it holds and every entry in it proves itself."""

import base64
import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from audit.entry import Leaf
from audit.export.folder import read_export
from audit.export.verify import verify_export
from audit.receipt import Receipt
from audit.seal import open_group
from broker.protocol.problems import problem
from connectors import export_commands
from connectors.cli import command_line
from connectors.errors import FolderError, NotDoneError, ReceiptError, RefusedError
from connectors.exchange import Exchange
from connectors.exporting import Asked, Exported, export_entries
from connectors.receipts import digest, verify_stored
from connectors.workers import add_worker
from tests.simulators.broker_twin import BUNDLE
from tests.simulators.custodian import BROKER
from tests.simulators.partner_world import Fault, PartnerWorld, problem_response
from tests.unit.audit.log_simulator import sealed, witness_key
from tests.unit.connectors.cases_by_hand import ASKED, child

Change = Callable[[dict[str, Any]], object]
GROUPS = ("meta", "actor")


def _claims(request: httpx.Request) -> dict[str, Any]:
    part = request.headers["authorization"].removeprefix("Sluis ").split(".")[1]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return found


def _cosign(world: PartnerWorld, size: int) -> None:
    line = witness_key().sign(world.log.reader.note(size).partition("\n\n")[0] + "\n", time=world.clock.now)
    with world.log.transaction() as transaction:
        transaction.insert_cosignature(size, witness_key().verifier.encode(), line)


def _entry(world: PartnerWorld, index: int, size: int) -> dict[str, Any]:
    log = world.log.reader
    leaf = Leaf.parse(bytes(log.entries(index, index + 1)[0]))
    openings = {}
    for group in GROUPS:
        row = log.sealed_row(index, group)
        assert row is not None
        key = world.log.kek.unwrap(row.wrapped_key, index=index, group=group)
        openings[group] = open_group(group=group, key=key, nonce=row.nonce, ciphertext=row.ciphertext)
    wire = Receipt(leaf=leaf, proof=log.proof(index, size), openings=openings, uncosigned_since=None).to_wire()
    return {"index": index, "erased": [], **{name: wire[name] for name in ("leaf", "proof", "openings")}}


def exports(world: PartnerWorld, change: Change = dict, *, recorded: Change = dict, own: bool = True) -> Fault:
    """Return the broker's answer to a request for an export: all entries of the log, recorded in an entry.

    Args:
        change: of the result, before the entry commits to it.
        recorded: of what the entry says was exported.
        own: whether there are entries at all.
    """

    def answer(request: httpx.Request, _: Callable[[], httpx.Response]) -> httpx.Response:
        claims, asked = _claims(request), dict(request.url.params)
        size = world.log.reader.size()
        if size:
            _cosign(world, size)
        entries = [_entry(world, index, size) for index in range(size)] if own else []
        made, reason = asked.pop("format"), asked.pop("reason")
        result: dict[str, Any] = {
            "schema": "entries/v1",
            "outcome": "done",
            "text": {"id": "export.done", "params": {}},
            "format": made,
            "reason": reason,
            "selection": asked,
            "entries": entries,
            "moreAfter": None,
        }
        leaves = b"".join(Leaf.parse(entry["leaf"].encode()).leaf_hash for entry in entries)
        said: dict[str, Any] = {"format": made, "reader": "organisation", "reason": reason, "entries": len(entries)}
        said["selection"] = dict(asked)
        said["leaves_sha256"] = _sha256(leaves)
        change(result)
        recorded(said)
        meta: dict[str, Any] = {
            "schema": "entry-meta/v1",
            "request": {"sha256": _sha256(b"")},
            "bundle": BUNDLE,
            "decision": None,
            "outcome": "done",
            "shown": [],
            "result_sha256": digest(result),
            "exported": said,
        }
        actor = {"organisation": claims["iss"], "worker": claims["sub"], "jti": claims["jti"], "tickets": []}
        appended = world.log.tick(sealed("export", meta=meta, actor=actor))
        receipt = appended.receipt(0).to_wire()
        return httpx.Response(200, content=json.dumps({"result": result, "receipt": receipt, "padding": ""}))

    return answer


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
async def reviewed(world: PartnerWorld) -> PartnerWorld:
    """A region in which the gi did two things and has an FG, dora."""
    async with world.client("gi") as gi:
        await gi.register(child(), **ASKED)
        await gi.check(child(), **ASKED)
    add_worker(world.folders["gi"], local_id="dora", name="Dora Bos", roles=["fg"])
    world.network.sent.clear()
    return world


async def asked_for(world: PartnerWorld, fault: Fault, *, worker: str = "dora", **changed: Any) -> Exported:  # noqa: ANN401 - members of Asked
    """Return the export that a partner makes of what this broker answers."""
    world.network.faults[BROKER] = [fault]
    members: dict[str, Any] = {"format": "csv", "reason": "maandcontrole", "since": 0, "until": 2**31, **changed}
    async with Exchange(world.folders["gi"], world.surroundings) as exchange:
        return await export_entries(world.folders["gi"], exchange, Asked(**members), worker=worker)


async def test_an_export_holds_for_whoever_has_the_policy(reviewed: PartnerWorld) -> None:
    """The files prove themselves, name the own workers, and carry the broker's entry of the export."""
    exported = await asked_for(reviewed, exports(reviewed))
    assert exported.files is not None
    report = verify_export(exported.files, reviewed.folders["gi"].log_policy)
    assert (report.problems, report.holds, report.recorded, report.entries) == ((), True, True, 2)
    assert b"Anna" in exported.files["records.csv"]
    assert b"Dora Bos" in exported.files["manifest.json"]
    assert b"Carla" not in b"".join(exported.files.values())
    (sent,) = (text for _, text in reviewed.network.sent)
    assert b"/v1/review/exports?format=csv&reason=maandcontrole&since=0&until=2147483648 " not in sent
    assert _role(sent) == "fg"


def _role(sent: bytes) -> str:
    token = next(line for line in sent.split(b"\n") if line.lower().startswith(b"authorization:"))
    part = token.split(b".")[1].decode()
    return str(json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))["role"])


async def test_an_export_of_nothing_writes_nothing(reviewed: PartnerWorld) -> None:
    """Where there is no entry there are no files; the receipt of having asked is kept."""
    exported = await asked_for(reviewed, exports(reviewed, own=False), after=5)
    assert (exported.files, exported.entries) == (None, 0)
    folder = reviewed.folders["gi"]
    kept = folder.receipts / f"{exported.entry.index}.json"
    assert verify_stored(kept, policy=folder.log_policy).kind == "export"


def _first(change: Change) -> Change:
    return lambda result: change(result["entries"][0])


def _part(result: dict[str, Any]) -> None:
    result["moreAfter"] = 1


LIES: Mapping[str, dict[str, Change]] = {
    "an entry less than recorded": {"change": lambda result: result["entries"].pop()},
    "an entry of another kind": {
        "change": _first(lambda entry: entry.update(leaf=entry["leaf"].replace("kind signal", "kind check")))
    },
    "a proof of another entry": {
        "change": lambda result: result["entries"][0].update(proof=result["entries"][1]["proof"])
    },
    "a group withheld": {"change": _first(lambda entry: entry["openings"].pop("actor"))},
    "another selection": {"change": lambda result: result["selection"].update(until="1")},
    "another period, recorded so": {
        "change": lambda result: result["selection"].update(until="1"),
        "recorded": lambda said: said["selection"].update(until="1"),
    },
    "other leaves": {"recorded": lambda said: said.update(leaves_sha256="0" * 64)},
    "a part told as the whole": {"recorded": lambda said: said.update(more_after=1)},
    "a whole told as a part": {"change": _part},
    "another format": {"recorded": lambda said: said.update(format="pdf")},
}


@pytest.mark.parametrize("lie", sorted(LIES))
async def test_a_broker_that_lies_is_not_believed(reviewed: PartnerWorld, lie: str) -> None:
    """What does not prove itself, or is not what the entry says, becomes no export, though its receipt holds."""
    with pytest.raises(ReceiptError):
        await asked_for(reviewed, exports(reviewed, **LIES[lie]))  # type: ignore[arg-type]  # changes only


async def test_an_answer_changed_on_its_way_is_not_believed(reviewed: PartnerWorld) -> None:
    """The receipt commits to the very answer."""

    def changed(request: httpx.Request, answer: Callable[[], httpx.Response]) -> httpx.Response:
        members = json.loads(exports(reviewed)(request, answer).content)
        members["result"]["moreAfter"] = 3
        return httpx.Response(200, content=json.dumps(members))

    with pytest.raises(ReceiptError):
        await asked_for(reviewed, changed)


@pytest.mark.parametrize("content", [b"", b"{}", b'{"result": {}, "receipt": {}}', b"[]"])
async def test_what_is_no_answer_is_an_outage(reviewed: PartnerWorld, content: bytes) -> None:
    """An answer that is none means: not done."""
    with pytest.raises(NotDoneError):
        await asked_for(reviewed, lambda *_: httpx.Response(200, content=content))


@pytest.mark.parametrize(
    ("problem_id", "error"), [("role-not-allowed", RefusedError), ("log-unavailable", NotDoneError)]
)
async def test_a_refusal_and_an_outage_are_told_apart(
    reviewed: PartnerWorld, problem_id: str, error: type[Exception]
) -> None:
    """Refused is for certain, and an outage is not."""
    with pytest.raises(error) as caught:
        await asked_for(reviewed, lambda *_: problem_response(problem(problem_id)))
    assert isinstance(caught.value, RefusedError) is (error is RefusedError)


async def test_a_recorded_failure_comes_with_its_entry(reviewed: PartnerWorld) -> None:
    """A failure that the broker recorded is told with its receipt, once that holds."""

    def fails(request: httpx.Request, _: Callable[[], httpx.Response]) -> httpx.Response:
        claims, document = _claims(request), problem("not-done").document()
        meta: dict[str, Any] = {
            "schema": "entry-meta/v1", "request": {"sha256": _sha256(b"")}, "bundle": BUNDLE, "decision": None,
            "outcome": "error", "shown": [],
            "result_sha256": digest(document),
        }  # fmt: skip
        actor = {"organisation": claims["iss"], "worker": claims["sub"], "jti": claims["jti"], "tickets": []}
        receipt = reviewed.log.tick(sealed("export", meta=meta, actor=actor)).receipt(0).to_wire()
        return httpx.Response(503, content=json.dumps(document | {"receipt": receipt}))

    with pytest.raises(NotDoneError) as caught:
        await asked_for(reviewed, fails)
    assert caught.value.receipt is not None
    assert caught.value.receipt.kind == "export"


@pytest.mark.parametrize("wrong", [{"format": "docx"}, {"reason": "twee woorden"}, {"worker": "anna"}, {"worker": "x"}])
async def test_what_cannot_be_asked_is_not_sent(reviewed: PartnerWorld, wrong: dict[str, str]) -> None:
    """An unknown format, a reason that is no word, and who may not export are found here."""
    with pytest.raises(FolderError):
        await asked_for(reviewed, exports(reviewed), **wrong)
    assert reviewed.network.sent == []


async def test_a_pdf_that_cannot_be_set_here_is_not_asked_for(
    reviewed: PartnerWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the program nothing is opened, and nothing is recorded in vain."""
    monkeypatch.setattr("connectors.exporting.renderer", lambda: None)
    with pytest.raises(FolderError, match="pdf"):
        await asked_for(reviewed, exports(reviewed), format="pdf")
    assert reviewed.network.sent == []


@pytest.mark.parametrize("name", ["export", "export.zip"])
def test_the_command_writes_an_export(
    reviewed: PartnerWorld, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`review export` writes a folder or a zip file, says where the proof of exporting is, and overwrites nothing."""
    monkeypatch.setattr(export_commands, "Surroundings", lambda: reviewed.surroundings)
    folder, out = reviewed.folders["gi"], tmp_path / name
    words = [
        "review",
        "export",
        "--org",
        str(folder.path),
        "--worker",
        "dora",
        "--format",
        "csv",
        "--reason",
        "controle",
    ]
    words += ["--since", "2020-01-01", "--until", "2030-01-01", "--out", str(out)]
    reviewed.network.faults[BROKER] = [exports(reviewed), exports(reviewed, own=False)]
    done = CliRunner().invoke(command_line(words), words)
    assert (done.exit_code, "2 regels met hun bewijs" in done.output) == (0, True), done.output
    assert verify_export(read_export(out), folder.log_policy).holds
    assert CliRunner().invoke(command_line(words), words).exit_code == 2
    words[-1] = str(tmp_path / "none")
    empty = CliRunner().invoke(command_line(words), [*words, "--json"])
    told = json.loads(empty.stdout)
    assert (empty.exit_code, told["entries"], told["out"], told["receipt"]["kind"]) == (0, 0, None, "export")
    assert not (tmp_path / "none").exists()


def test_the_command_says_that_there_is_more_and_when_it_cannot_write(
    reviewed: PartnerWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page that is not the last names what to go on from; a place that cannot be written ends with an error."""
    monkeypatch.setattr(export_commands, "Surroundings", lambda: reviewed.surroundings)
    words = ["review", "export", "--org", str(reviewed.folders["gi"].path), "--worker", "dora", "--format", "csv"]
    words += ["--reason", "controle", "--since", "2020-01-01", "--until", "2030-01-01", "--out"]
    more = exports(reviewed, _part, recorded=lambda said: said.update(more_after=1))
    reviewed.network.faults[BROKER] = [more, exports(reviewed, own=False), more]
    done = CliRunner().invoke(command_line(words), [*words, str(tmp_path / "out")])
    assert (done.exit_code, "--after 1" in done.output) == (0, True)
    assert verify_export(read_export(tmp_path / "out"), reviewed.folders["gi"].log_policy).more_after == 1
    none = CliRunner().invoke(command_line(words), [*words, str(tmp_path / "none")])
    assert (none.exit_code, "geen regels" in none.output) == (0, True)
    (tmp_path / "file").touch()
    failed = CliRunner().invoke(command_line(words), [*words, str(tmp_path / "file" / "out")])
    assert failed.exit_code == 2
