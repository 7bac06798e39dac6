"""Exceptions and advice at the desk: to whom first, the dossier sealed for the FG, and a counter that names nobody."""

import datetime
import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from connectors.advice import count_advice
from connectors.dossiers import fg_key, fingerprint, keep, open_dossier, pin_fg_key
from connectors.errors import CaseError, FolderError
from connectors.sealing import SealingKey, seal_to
from tests.simulators.asking import household
from tests.simulators.partner_world import PartnerWorld
from tests.simulators.requesting import HUISARTS
from tests.simulators.served_desks import Desks

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "connector.md").read_text("utf-8")
SIX = ("consent_tried", "conscience", "no_other_way", "serious_harm", "averts_harm", "least_possible")
TEXT = "canary-dossier-text"
DOSSIER = {"answers": dict.fromkeys(SIX, TEXT), "consulted": "bram", "tell_on": "2026-12-10", "meldcode_step": 4}
STATED = {
    "type": "cvp", "recipient": "politie", "team": "team-1", "category": "veiligheid", "level": 3,
    "reason": "danger_to_child", "dossier": DOSSIER,
}  # fmt: skip


async def with_fg(desks: Desks) -> Path:
    """Return the private key of the FG, made by the command and kept outside the folder."""
    key = desks.path / "fg.key"
    await desks.run(HUISARTS, "exception", "key", "--key", key, worker=None)
    return key


def sealed(desks: Desks) -> list[Path]:
    """Return the dossiers in the folder."""
    return sorted((desks.folder(HUISARTS).path / "dossiers").glob("*"))


async def invoke(desks: Desks, *, expect: int = 0, **changed: Any) -> dict[str, Any]:  # noqa: ANN401 - members of a statement
    """Return what invoking an exception printed."""
    file = desks.file(HUISARTS, "exception.json", {**STATED, **changed})
    return await desks.tells(HUISARTS, "exception", "invoke", file, "--approver", "carla", expect=expect)


async def test_only_the_fg_reads_the_dossier_that_the_log_commits_to(desks: Desks) -> None:
    """What is invoked is told and listed; the file opens with the FG's key, and its hash is what the broker has."""
    fg = await with_fg(desks)
    told = (await invoke(desks))["exceptions"][0]
    assert (told["ground"], told["dossier"]) == ("CVP", "complete")
    (file,) = sealed(desks)
    stored = b"".join(one.read_bytes() for one in (desks.world.folder / "broker").rglob("*") if one.is_file())
    assert TEXT.encode() not in stored + file.read_bytes()
    assert file.stat().st_mode & 0o077 == 0
    read = (await desks.run("", "exception", "read", file, "--key", fg, worker=None)).output
    assert read.splitlines()[0] == file.name.split(".")[0]
    assert read.splitlines()[0] in str(desks.world.rows("SELECT body FROM exceptions"))
    assert TEXT in read
    listed = (await desks.run(HUISARTS, "exception", "list")).output
    assert f"{told['exceptionId']}  cvp  politie  CVP" in listed


async def test_a_reviewer_finds_the_dossier_of_an_act(desks: Desks, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside the act stands what its entry says of the exception, and the very file; nothing of the dossier is told."""
    surroundings = desks.surroundings
    monkeypatch.setattr("connectors.review_client.Surroundings", lambda: surroundings)
    await with_fg(desks)
    told = (await invoke(desks))["exceptions"][0]
    (file,) = sealed(desks)
    said = " ".join((await desks.run(HUISARTS, "review", "own")).output.split())
    assert f"uitzondering {told['exceptionId']}: cvp, aan politie, over veiligheid, reden danger_to_child" in said
    assert "overlegd met Bram; de betrokkene hoort het: 10 december 2026; meldcodestap 4" in said
    assert f"sluis-connect exception read {file} --key" in said
    assert TEXT not in said

    file.rename(desks.path / "elsewhere.sealed")
    assert "ligt niet in deze map" in (await desks.run(HUISARTS, "review", "own")).output
    await invoke(desks, type="acuut", recipient="veilig_thuis", dossier=None)
    assert "Het dossier is er nog niet" in (await desks.run(HUISARTS, "review", "own")).output


async def test_nobody_replaces_the_fgs_key_unseen(desks: Desks) -> None:
    """Another key takes its place only where the digits of the one before are named; every dossier says its key."""
    await with_fg(desks)
    folder = desks.folder(HUISARTS)
    first, own = fg_key(folder), desks.path / "own.key"
    for words in ([], ["--replaces", "00000 00000 00000 00000"]):
        told = await desks.run(HUISARTS, "exception", "key", "--key", own, *words, worker=None, expect=2)
        assert "--replaces" in told.output
        assert not own.exists()
        assert fg_key(folder) == first
    file = desks.file(HUISARTS, "exception.json", STATED)
    said = (await desks.run(HUISARTS, "exception", "invoke", file, "--approver", "carla")).output
    assert fingerprint(first) in said
    (lies,) = sealed(desks)
    assert lies.name.split(".")[1] == fingerprint(first)[:5]
    made = await desks.run(
        HUISARTS, "exception", "key", "--key", own, "--replaces", fingerprint(first), worker=None
    )  # fmt: skip
    assert fg_key(folder) == SealingKey.read(own).public != first
    assert fingerprint(fg_key(folder)) in made.output
    with pytest.raises(FolderError):
        pin_fg_key(folder, first)
    assert stat.S_IMODE((folder.path / "keys" / "fg-dossier.pub").stat().st_mode) == 0o600


async def test_the_documented_statement_is_invoked(desks: Desks) -> None:
    """The example on the page for developers is one that the command takes."""
    await with_fg(desks)
    stated = json.loads(PAGE.split("## Exceptions and advice")[1].split("```json")[1].split("```")[0])
    assert (await invoke(desks, **stated))["exceptions"][0]["dossier"] == "complete"


async def test_where_a_law_lets_you_tell_it_is_no_exception(desks: Desks) -> None:
    """To Veilig Thuis it is refused with the way that is open; with an answer missing nothing is sent either."""
    await with_fg(desks)
    refused = await invoke(desks, recipient="veilig_thuis", expect=1)
    assert refused["failed"][0]["problem"] == "exception-statutory-right"
    halved = {**DOSSIER, "answers": {**dict.fromkeys(SIX, TEXT), "conscience": " "}}
    missing = await invoke(desks, dossier=halved, expect=1)
    assert missing["failed"][0]["problem"] == "exception-incomplete"
    assert (await desks.tells(HUISARTS, "exception", "list"))["exceptions"] == []


async def test_in_acute_danger_the_rest_follows(desks: Desks) -> None:
    """Two acts: told at once with 112 and Veilig Thuis, shown as owing the rest; then the rest, by its id."""
    await with_fg(desks)
    first = await invoke(desks, type="acuut", recipient="veilig_thuis", dossier=None)
    assert "112" in first["text_nl"]
    assert "0800-2000" in first["text_nl"]
    acute = first["exceptions"][0]
    assert "de rest volgt nog" in (await desks.run(HUISARTS, "exception", "list")).output
    rest = desks.file(HUISARTS, "rest.json", DOSSIER)
    done = (await desks.tells(HUISARTS, "exception", "complete", acute["exceptionId"], rest))["exceptions"][0]
    assert (done["dossier"], done["restDue"]) == ("complete", None)
    assert "de rest volgt nog" not in (await desks.run(HUISARTS, "exception", "list")).output


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"remark": TEXT}, "statement: has a member that is not known"),
    ({"dossier": {**DOSSIER, "remark": TEXT}}, "dossier: has a member that is not known"),
    ({"dossier": [TEXT]}, "dossier: has a member that is not known"),
    ({"dossier": {**DOSSIER, "answers": [TEXT]}}, "dossier.answers: must be a text for each question"),
    ({"dossier": {**DOSSIER, "answers": {"conscience": 1}}}, "dossier.answers: must be a text for each question"),
    ({"dossier": {**DOSSIER, "tell_on": "soon"}}, "dossier.tell_on: must be a day"),
    ({"level": 9}, "level: must be 4 or less"),
]


@pytest.mark.parametrize(("changed", "said"), WRONG)
async def test_a_statement_that_breaks_a_rule_never_leaves(desks: Desks, changed: dict[str, Any], said: str) -> None:
    """The field and its rule are named, never the text; nothing reaches the broker, and the exit code is 2."""
    await with_fg(desks)
    before = desks.world.leaves
    file = desks.file(HUISARTS, "wrong.json", {**STATED, **changed})
    told = await desks.run(HUISARTS, "exception", "invoke", file, "--approver", "carla", expect=2)
    assert said in told.output
    assert TEXT not in told.output
    assert desks.world.leaves == before


async def test_without_a_key_of_the_fg_nothing_is_invoked(desks: Desks) -> None:
    """A dossier that nobody could read is none: the command says who makes the key, and nothing is asked."""
    before = desks.world.leaves
    file = desks.file(HUISARTS, "exception.json", STATED)
    told = await desks.run(HUISARTS, "exception", "invoke", file, expect=2)
    assert "the FG makes it with `exception key`" in told.output
    assert desks.world.leaves == before


async def test_an_exception_names_whom_it_is_about_and_so_does_its_dossier(desks: Desks) -> None:
    """By an own signal, whose id the FG reads in the dossier; two cases in a file are not one person."""
    fg = await with_fg(desks)
    answer = await desks.world.register(HUISARTS, household(subject="trudy"))
    signal = answer.json()["result"]["signalId"]
    file = desks.file(HUISARTS, "exception.json", STATED)
    words = ("exception", "invoke", file, "--approver", "carla")
    told = await desks.tells(HUISARTS, *words, "--signal", signal)
    assert told["exceptions"][0]["persons"] == 1
    (lies,) = sealed(desks)
    read = (await desks.run("", "exception", "read", lies, "--key", fg, worker=None)).output
    assert signal in read
    cases = desks.file(HUISARTS, "cases.json", [{"bsn": "999999990"}, {"bsn": "999999011"}])
    before = desks.world.leaves
    await desks.run(HUISARTS, *words, "--case", cases, expect=2)
    assert desks.world.leaves == before


async def test_pages_follow_each_other_and_an_id_is_an_id(desks: Desks, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full page is asked on after its last; what is no id is named here."""
    await with_fg(desks)
    for _ in range(2):
        await invoke(desks)
    async with desks.client(HUISARTS) as client:
        whole = await client.exceptions.list_own()
        monkeypatch.setattr("connectors.exceptions.EXCEPTIONS_PER_PAGE", 1)
        assert await client.exceptions.list_own() == whole
        with pytest.raises(CaseError, match="32 lower-case hex"):
            await client.exceptions.complete("../x", DOSSIER)
    assert len(whole) == 2


def test_a_dossier_opens_with_its_own_key_only(world: PartnerWorld) -> None:
    """Another key, an altered file and what is no dossier open to nothing; the same words never commit alike."""
    folder = world.folders["wijkteam"]
    fg, other = (SealingKey(bytes([number] * 32)) for number in (1, 2))
    pin_fg_key(folder, fg.public)
    assert fg_key(folder) == fg.public
    kept, again = (keep(folder, {"answers": {}}, salt=bytes([number] * 32)) for number in (1, 2))
    assert kept.commitment != again.commitment
    assert open_dossier(kept.path, key=fg).commitment == kept.commitment
    assert "answers" not in repr(open_dossier(kept.path, key=fg))
    with pytest.raises(FolderError):
        open_dossier(kept.path, key=other)
    sealed = kept.path.read_bytes()
    kept.path.write_bytes(sealed[:-1] + bytes([sealed[-1] ^ 1]))
    with pytest.raises(FolderError):
        open_dossier(kept.path, key=fg)
    kept.path.write_bytes(seal_to(fg.public, b'{"schema": "dossier/v1"}'))
    with pytest.raises(FolderError, match="dossier: is none"):
        open_dossier(kept.path, key=fg)
    (folder.path / "keys/fg-dossier.pub").write_bytes(b"short\n")
    with pytest.raises(FolderError):
        keep(folder, {"answers": {}}, salt=bytes(32))


def test_a_dossier_is_on_disk_before_anything_of_it_is_stated(
    world: PartnerWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file, the folder that names it and the partner's own folder are synced: no entry without its dossier."""
    folder, sync, synced = world.folders["wijkteam"], os.fsync, list[bool]()
    pin_fg_key(folder, SealingKey(bytes([1] * 32)).public)

    def watched(descriptor: int) -> None:
        """Sync, and write down whether it was a folder."""
        sync(descriptor)
        synced.append(stat.S_ISDIR(os.fstat(descriptor).st_mode))

    monkeypatch.setattr(os, "fsync", watched)
    assert keep(folder, {"answers": {}}, salt=bytes(32)).path.exists()
    assert synced == [False, True, True]


def test_advice_is_a_number_per_month(world: PartnerWorld) -> None:
    """It goes up by one, begins anew each month, and stands in the folder only; a damaged one is told, not reset."""
    folder = world.folders["wijkteam"]
    november, december = datetime.date(2026, 11, 30), datetime.date(2026, 12, 1)
    assert [count_advice(folder, today=november)[1] for _ in range(2)] == [1, 2]
    assert count_advice(folder, today=december) == ("2026-12", 1)
    file = folder.path / "advice.json"
    assert json.loads(file.read_text(encoding="ascii")) == {"2026-11": 2, "2026-12": 1}
    for damaged in ("{", "[]", '{"2026-11": "many"}'):
        file.write_text(damaged, encoding="ascii")
        with pytest.raises(FolderError):
            count_advice(folder, today=november)
        assert file.read_text(encoding="ascii") == damaged
    assert world.network.sent == []


async def test_asking_advice_reaches_nobody(desks: Desks) -> None:
    """The command tells whom to call and counts; the broker hears nothing of it."""
    desks.folder(HUISARTS)
    before = desks.world.leaves
    said = (await desks.run(HUISARTS, "advice", worker=None)).output
    assert "Bel Veilig Thuis: 0800-2000" in said
    counted = json.loads((await desks.run(HUISARTS, "advice", "--json", worker=None)).stdout)
    assert counted["asked"] == 2
    assert desks.world.leaves == before
