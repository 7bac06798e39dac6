import re
from pathlib import Path

import pytest

from connectors.client import SluisClient
from connectors.sources.csv_file import COLUMNS
from tests.simulators.partner_world import PartnerWorld

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "connector.md").read_text("utf-8")


def test_the_ten_lines_work_as_written(
    world: PartnerWorld, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The example of docs/connector.md runs as it stands there, in a region of one process."""
    (example,) = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    monkeypatch.setattr("connectors.client.Surroundings", lambda: world.surroundings)
    world.folders["gi"].path.rename(world.path / "partner")
    monkeypatch.chdir(world.path)
    exec(compile(example, "docs/connector.md", "exec"), {})  # noqa: S102 - the documented example is what is tested
    assert capsys.readouterr().out == "[]\n"
    assert len(world.broker.signals) == 1


def test_the_page_names_every_column() -> None:
    """The columns of a CSV caseload stand on the page in the order of the code."""
    assert ",".join(COLUMNS) in PAGE


def test_the_client_does_what_the_page_says() -> None:
    """Every act the page names is one of the client's."""
    for name in ("register", "check", "renew", "withdraw", "list_signals", "resume"):
        assert f"`{name}`" in PAGE or f".{name}(" in PAGE
        assert callable(getattr(SluisClient, name))
