import asyncio
import re
from pathlib import Path

import pytest

from connectors.client import SluisClient
from connectors.errors import NotDoneError
from connectors.sources.csv_file import COLUMNS
from tests.simulators.custodian import BROKER, CUSTODIANS
from tests.simulators.gba_v import official_number
from tests.simulators.partner_world import PartnerWorld, down, lost
from tests.unit.connectors.cases_by_hand import ASKED, child

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "connector.md").read_text("utf-8")


EXAMPLES = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)


@pytest.fixture
def partner(world: PartnerWorld, monkeypatch: pytest.MonkeyPatch) -> PartnerWorld:
    """Give the region with the folder where the examples expect it."""
    monkeypatch.setattr("connectors.client.Surroundings", lambda: world.surroundings)
    world.folders["gi"].path.rename(world.path / "partner")
    world.folders["gi"].path = world.path / "partner"
    monkeypatch.chdir(world.path)
    return world


def test_the_ten_lines_work_as_written(partner: PartnerWorld, capsys: pytest.CaptureFixture[str]) -> None:
    """The first example of docs/connector.md runs as it stands there, in a region of one process."""
    exec(compile(EXAMPLES[0], "docs/connector.md", "exec"), {})  # noqa: S102 - the documented example is what is tested
    assert capsys.readouterr().out == "[]\n"
    assert len(partner.broker.signals) == 1


def test_the_import_works_as_written(partner: PartnerWorld, capsys: pytest.CaptureFixture[str]) -> None:
    """The second example brings a file in under a grant, and a second run of it brings in nothing more."""
    numbers = [official_number(place) for place in (21, 22)]
    rows = [dict.fromkeys(COLUMNS, "") | {"bsn": number} for number in numbers]
    lines = [",".join(COLUMNS), *(",".join(row.values()) for row in rows)]
    (partner.path / "cases.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    partner.granted("gi", {"nlbsn": 2}).rename(partner.path / "grant.json")
    for _ in range(2):
        exec(compile(EXAMPLES[1], "docs/connector.md", "exec"), {})  # noqa: S102 - the documented example is what is tested
    assert capsys.readouterr().out == "2\n2\n"
    assert (len(partner.broker.signals), partner.left()) == (2, [{"nlbsn": 0}])
    assert len(EXAMPLES) == 3, "the third is run by test_webhook_commands"


def import_as_documented() -> None:
    """Run the second example as it stands on the page."""
    exec(compile(EXAMPLES[1], "docs/connector.md", "exec"), {})  # noqa: S102 - the documented example is what is tested


def test_an_import_that_was_broken_off_is_finished_as_written(
    partner: PartnerWorld, capsys: pytest.CaptureFixture[str]
) -> None:
    """Charged at one custodian and waiting for the other, a row is resumed or waits on, and is never paid again."""
    lines = [",".join(COLUMNS), *(f",{official_number(place)}{',' * (len(COLUMNS) - 2)}" for place in (21, 22))]
    (partner.path / "cases.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    partner.granted("gi", {"nlbsn": 2}).rename(partner.path / "grant.json")
    partner.network.faults[CUSTODIANS[1]] = [down, down]
    with pytest.raises(NotDoneError):
        import_as_documented()
    # The row still waits, is named, and is not begun anew; the other row is done.
    import_as_documented()
    first = capsys.readouterr().out
    assert first.startswith("2 custodian-unreachable\n")
    assert first.endswith("\n1\n")
    assert (partner.left(0), partner.left(1)) == ([{"nlbsn": 0}], [{"nlbsn": 1}])
    import_as_documented()
    assert "Je signaal is opgeslagen." in capsys.readouterr().out
    assert (len(partner.broker.signals), partner.broker.doubled) == (2, 0)
    assert partner.left(0) == partner.left(1) == [{"nlbsn": 0}]


def test_what_a_resume_learnt_is_told_as_written(partner: PartnerWorld, capsys: pytest.CaptureFixture[str]) -> None:
    """The matches of a check that was broken off are printed by the documented loop, before anything else is done."""

    async def broken_off() -> None:
        async with partner.client("wijkteam") as other, partner.client("gi") as gi:
            await other.register(child(), **ASKED)
            partner.network.faults[BROKER] = [lost]
            with pytest.raises(NotDoneError):
                await gi.check(child("7"), **ASKED)

    asyncio.run(broken_off())
    (partner.path / "cases.csv").write_text(",".join(COLUMNS) + "\n", encoding="utf-8")
    partner.granted("gi", {"nlbsn": 2}).rename(partner.path / "grant.json")
    import_as_documented()
    told = capsys.readouterr().out
    assert told.startswith("7 ")
    assert "['wijkteam']" in told


def test_the_page_names_every_column() -> None:
    """The columns of a CSV caseload stand on the page in the order of the code."""
    assert ",".join(COLUMNS) in PAGE


def test_the_client_does_what_the_page_says() -> None:
    """Every act the page names is one of the client's."""
    for name in ("register", "check", "renew", "withdraw", "list_signals", "resume", "grant", "look"):
        assert f"`{name}`" in PAGE or f".{name}(" in PAGE
        assert callable(getattr(SluisClient, name))
