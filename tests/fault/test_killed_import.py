"""An import whose process is killed with SIGKILL, again and again, at every kind of moment: no duplicate, no loss."""

import json
from collections.abc import Iterator
from pathlib import Path
from subprocess import Popen
from typing import Any

import pytest

from connectors.outbox import Outbox
from connectors.sources.csv_file import COLUMNS
from tests.simulators.connect_process import Event, ServedRegion
from tests.simulators.gba_v import official_number
from tests.simulators.partner_world import PartnerWorld, partner_world

ROWS = 9
MOMENTS = [(0, False), (0, True), (1, True), (2, False), (2, True), (-3, True), (4, True), (-5, True)]
"""Which request of a run ends it, before or after the party acted; a negative one once its answer was sent."""
N = [official_number(place) for place in range(300, 300 + ROWS + 1)]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[PartnerWorld]:
    """Give a region with one importing partner and another."""
    with partner_world(tmp_path / "region") as made:
        yield made


@pytest.fixture
def served(world: PartnerWorld) -> Iterator[ServedRegion]:
    """Give the region to processes of their own."""
    region = ServedRegion(world=world)
    yield region
    region.close()


def caseload(path: Path) -> Path:
    """Return a file with nine rows, each with a parent."""
    lines = [",".join(COLUMNS)]
    for at, number in enumerate(N[:ROWS]):
        row = dict.fromkeys(COLUMNS, "") | {"case_ref": f"zaak-{at}", "bsn": number}
        row |= {"parent_bsn_1": N[ROWS], "parent_1_source": "brp"}
        lines.append(",".join(row[column] for column in COLUMNS))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def command(world: PartnerWorld, file: Path, grant: Path) -> list[object]:
    """Return the import of this file as a worker types it, also when it broke off before."""
    org = ("--org", world.folders["gi"].path, "--purpose", "proefregio", "--ground", "PROEF", "--worker", "anna")
    pace = ("--resume", "--look-at-most", 0, "--parallel", 2, "--json")
    return ["register", "--source", "csv", file, *org, "--team", "team-1", "--grant", grant, *pace]


def killing(at: int, *, acted: bool) -> Event:
    """Return the death of the process at its request of this number, before or after the party acted on it."""

    def event(process: Popen[str], number: int, done: bool) -> None:  # noqa: FBT001 - as events are told
        if (number, done) == (at, acted):
            process.kill()

    return event


def test_an_import_that_is_killed_everywhere_ends_exactly_done(
    world: PartnerWorld, served: ServedRegion, tmp_path: Path
) -> None:
    """However often it is killed, a resume registers each row once, uses the grant up exactly and leaves nothing."""
    file, grant = caseload(tmp_path / "cases.csv"), world.granted("gi", {"nlbsn": ROWS, "fam": ROWS})
    words = command(world, file, grant)
    codes = [served.run(words, event=killing(number, acted=acted))[0] for number, acted in MOMENTS]
    assert codes == [-9] * len(MOMENTS)
    code, out, err = served.run(words)
    assert code == 0, err
    told: dict[str, Any] = json.loads(out)
    folder = world.folders["gi"]
    assert (len(world.broker.signals), world.broker.doubled) == (ROWS, 0)
    assert world.left(0) == world.left(1) == [{"nlbsn": 0, "fam": 0}]
    with Outbox(folder.outbox_path, folder.outbox_key) as outbox, folder.casebook() as book:
        assert outbox.waiting() == []
        signals = book.signals()
        assert {signal.signal_id for signal in signals} == {signal.id for signal in world.broker.signals}
        assert len(book.looks_waiting()) == told["to_look_at"] == ROWS
    assert all((folder.receipts / f"{signal.receipt}.json").exists() for signal in signals)
