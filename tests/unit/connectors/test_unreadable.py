"""Files that cannot be read are named in a sentence, and never end a command in the middle of its own source."""

import pytest

from connectors.command_line import WORDS_NL
from connectors.inbox_command import LEFT_NL
from tests.simulators.enrolled import VEILIG_THUIS, WIJKTEAM
from tests.simulators.served_desks import MELDING_DAY, Desks

ASKS = (
    "request", "send", "--purpose", "vt-melding", "--ground", "WMO-5.1.6", "--team", "team-1", "--to", WIJKTEAM,
    "--to-team", "team-1", "--category", "hulp", "--text",
)  # fmt: skip


async def test_a_text_in_another_encoding_is_bad_input(desks: Desks) -> None:
    """A file that a program saved in the letters of Windows, or that is not there, is named by its option; exit 2."""
    folder = desks.folder(VEILIG_THUIS).path
    (folder / "text.txt").write_bytes("Ze zat in het café.".encode("cp1252"))
    for name, rule in (("text.txt", "must be text in UTF-8"), ("nothing.txt", "cannot be read")):
        told = (await desks.run(VEILIG_THUIS, *ASKS, folder / name, expect=2)).output
        assert told.startswith(f"Fout: text: {rule}")
        assert "Ze zat" not in told


@pytest.mark.parametrize("name", ["cases.sqlite", "outbox.sqlite"])
async def test_a_damaged_database_is_not_done(desks: Desks, name: str) -> None:
    """What the folder keeps cannot be read: that is said, with nothing of what stands in it, and it is not done."""
    folder = desks.folder(VEILIG_THUIS).path
    for beside in folder.glob(f"{name}*"):
        beside.unlink()
    (folder / name).write_bytes(b"no database, and a name in it" * 99)
    told = (await desks.run(VEILIG_THUIS, "request", "list", expect=1)).output
    assert told.startswith("Fout: cases.sqlite or outbox.sqlite: cannot be read or written")
    assert "a name in it" not in told


async def test_what_the_broker_carried_out_and_cannot_be_kept_waits(desks: Desks) -> None:
    """A full disk or a damaged folder of receipts afterwards is no bad input: he reads that it waits."""
    folder = desks.folder(VEILIG_THUIS).path
    receipts, away = folder / "receipts", folder / "receipts-away"
    receipts.rename(away)
    receipts.write_bytes(b"")
    proof = ("--proof", f"melding:{MELDING_DAY}", "--proof-number", desks.file(VEILIG_THUIS, "number", "VT-2026-00017"))
    asks = (*ASKS, desks.file(VEILIG_THUIS, "question.txt", "Welke hulp is er?"), *proof)
    told = (await desks.run(VEILIG_THUIS, *asks, expect=1)).output
    assert told.startswith("We hebben dit **niet** kunnen doen.")
    assert "Het verzoek wacht in de outbox; ga verder met: sluis-connect resume" in told
    receipts.unlink()
    away.rename(receipts)
    # What was begun just now may still run; after a while whoever fetches the post reads that something waits (U10-47).
    assert LEFT_NL not in (await desks.run(VEILIG_THUIS, "inbox", "--offline")).output
    desks.world.clock.move(61)
    left = (await desks.run(VEILIG_THUIS, "inbox", "--offline")).output
    assert f"{LEFT_NL} 1. Maak ze af met: sluis-connect resume" in left
    assert "Er wacht niets." not in (await desks.run(VEILIG_THUIS, "resume")).output
    assert "Er wacht niets." in (await desks.run(VEILIG_THUIS, "resume")).output
    assert len((await desks.tells(WIJKTEAM, "request", "list"))["requests"]) == 1


async def test_a_word_that_does_not_exist_is_told_where_to_look(desks: Desks) -> None:
    """Who types a category that there is none of reads which words there are, by a command (U10-50)."""
    proof = ("--proof", f"melding:{MELDING_DAY}", "--proof-number", desks.file(VEILIG_THUIS, "number", "VT-2026-00017"))
    words = ["zorgen" if word == "hulp" else word for word in ASKS]
    told = await desks.tells_refused(VEILIG_THUIS, *words, desks.file(VEILIG_THUIS, "q.txt", "Welke hulp?"), *proof)
    assert "soort gegevens" in told
    assert WORDS_NL in told
