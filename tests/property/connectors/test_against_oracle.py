import datetime
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from broker.protocol.identifiers import Bsn
from connectors.client import SluisClient
from connectors.sources.caseload import Caseload
from connectors.sources.gba_v import SELF_BSN, read_gba_v
from tests.region.oracle import Person, one_spelling, read_people
from tests.simulators.gba_v import generate
from tests.simulators.partner_world import partner_world
from tests.unit.connectors.cases_by_hand import ASKED

TODAY = datetime.date(2026, 11, 22)
ORACLE = Path(__file__).resolve().parents[2] / "region" / "oracle.py"


def plain(bsns: tuple[Bsn, ...]) -> set[str]:
    """Return numbers as text."""
    return {bsn.reveal().decode() for bsn in bsns}


@settings(max_examples=12)
@given(seed=st.integers(min_value=0, max_value=99), persons=st.integers(min_value=50, max_value=120))
def test_the_source_reads_what_the_oracle_reads(tmp_path_factory: Any, seed: int, persons: int) -> None:  # noqa: ANN401 - pytest's own factory
    """Two readers that share no line agree on every person of a generated file: who counts, and whose he is."""
    path = tmp_path_factory.mktemp("generated") / "file.csv"
    path.write_text(generate(seed, persons), encoding="utf-8")
    caseload = read_gba_v(path, today=TODAY)
    people = {label: Person(rows, TODAY.isoformat()) for label, rows in read_people(str(path)).items()}
    assert {case.row for case in caseload.cases} == {label for label, person in people.items() if not person.reason}
    for case in caseload.cases:
        person = people[case.row]
        assert case.subject is not None
        assert plain((case.subject,)) == {person.subject}
        assert plain(tuple(parent.bsn for parent in case.parents)) == person.parents
        assert plain(case.members) == person.members
        fields = None if case.address is None else one_spelling(case.address.reveal().decode().split("\x1f"))
        assert fields == person.address


def test_every_generated_file_has_the_traps_of_the_format(tmp_path: Path) -> None:
    """A generated file holds rejected persons, a doubled number, unlabelled current children and a stray child."""
    for seed in range(5):
        path = tmp_path / "file.csv"
        path.write_text(generate(seed, 60), encoding="utf-8")
        caseload = read_gba_v(path, today=TODAY)
        assert generate(seed, 60) == path.read_text("utf-8")
        fields = {remark.field for remark in caseload.rejected}
        assert SELF_BSN in fields
        assert len(caseload.one_subject_each(field=SELF_BSN).cases) < len(caseload.cases)
        assert [remark.field for remark in caseload.reported] == ["09"]
        assert any(len(case.members) > 3 for case in caseload.cases)


async def test_two_partners_find_what_the_plaintext_count_says(tmp_path: Path) -> None:
    """Fifty generated persons split over two partners: the shown matches equal the plaintext count."""
    path = tmp_path / "file.csv"
    path.write_text(generate(1, 60), encoding="utf-8")
    count = oracle(path, "--limit", "50", "--split", "wijkteam", "gi")
    caseloads = {
        name: read_gba_v(path, today=TODAY, limit=50)
        .chosen({label for label, holders in count["holders"].items() if name in holders})
        .one_subject_each(field=SELF_BSN)
        for name in ("wijkteam", "gi")
    }
    with partner_world(tmp_path / "region") as world:
        for name, caseload in caseloads.items():
            async with world.client(name) as client:
                await register_all(client, caseload)
        found = []
        for name, caseload in caseloads.items():
            async with world.client(name) as client:
                found += await check_all(client, caseload, name)
    assert sorted(found, key=str) == sorted(count["shown"], key=str)
    assert {"person", "family"} <= {match["kind"] for match in found}


def oracle(path: Path, *options: str) -> dict[str, Any]:
    """Return what the oracle prints, run as a process of its own."""
    done = subprocess.run([sys.executable, str(ORACLE), str(path), *options], capture_output=True, check=True)
    counted: dict[str, Any] = json.loads(done.stdout)
    return counted


async def register_all(client: SluisClient, caseload: Caseload) -> None:
    """Register every case."""
    for case in caseload.cases:
        await client.register(case, **ASKED)


async def check_all(client: SluisClient, caseload: Caseload, name: str) -> list[dict[str, str]]:
    """Return what every check shows, in the oracle's words."""
    found = []
    for case in caseload.cases:
        outcome = await client.check(case, **ASKED)
        found += [
            {"checker": name, "checker_row": case.row, "holder": match.holder.name, "kind": match.kind}
            for match in outcome.matches
        ]
    return found
