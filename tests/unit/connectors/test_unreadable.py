"""Files that cannot be read are named in a sentence, and never end a command in the middle of its own source."""

import pytest

from tests.simulators.enrolled import VEILIG_THUIS, WIJKTEAM
from tests.simulators.served_desks import Desks

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
