"""A caseload on real processes: two people, two custodians' own acts, an import that is killed and resumed."""

import datetime
import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from broker.protocol.roster import ContactCard
from connectors.sources.csv_file import COLUMNS
from tests.simulators.enrolled import NAMES, Enrolled, key
from tests.simulators.gba_v import official_number
from tests.simulators.region import BROKER, PATIENCE_S, Region, environment, run
from tests.simulators.two_custodians import NAMES as CUSTODIANS

IMPORTER = "00000099000000007700"
ROWS = 6
CARD = ContactCard(
    code="team-1",
    display_name="Team 1",
    phone="026 000 0000",
    working_days="ma-vr",
    after_hours_phone=None,
    stand_in=None,
)


def enrol(region: Region, folder: Path) -> Path:
    """Return the folder of a new partner that every party of the region has taken up, by commands."""
    identity = ("--oin", IMPORTER, "--name", "Wijkteam Overbetuwe", "--broker", f"{BROKER}={region.urls['broker']}")
    parties: list[object] = []
    for name in CUSTODIANS:
        parties += ["--custodian", f"{name}={region.urls[name]}"]
        parties += ["--custodian-key", f"{name}={region.path(name) / 'custodian.pub.jwk'}"]
    pins = (*region.registrar_options(), "--log-policy", region.path("broker") / "log-policy")
    run("sluis-connect", "init", folder, *identity, *parties, *pins)
    # The region's register is made of seeded keys.
    (folder / "keys" / "signing.jwk").unlink()
    key(IMPORTER).write(folder / "keys" / "signing.jwk")
    for local_id, role in (("anna", "worker"), ("carla", "approver")):
        run("sluis-connect", "worker", "add", folder, "--local-id", local_id, "--name", local_id, "--role", role)
    (folder / "teams.json").write_text(json.dumps([CARD.document()]))
    rosters = {name: folder / f"roster-{name}.json" for name in (BROKER, *CUSTODIANS)}
    out = [part for name, file in rosters.items() for part in ("--audience", name, "--out", file)]
    run("sluis-connect", "roster", "sign", folder, "--teams", folder / "teams.json", *out)
    register = folder / "register-next.json"
    names = {**NAMES, IMPORTER: ("Wijkteam Overbetuwe", "wijkteam")}
    region.publish_register(Enrolled(number=region.next_number(), names=names), register)
    run("sluis-broker", "register", "import", region.path("broker"), register)
    run("sluis-broker", "roster", "import", region.path("broker"), rosters[BROKER])
    for name in CUSTODIANS:
        run("sluis-custodian", "register", "import", region.path(name), register)
        run("sluis-custodian", "org", "enrol", region.path(name), "--oin", IMPORTER, "--roster", rosters[name])
    run("sluis-connect", "trust", "import-register", folder, register, "--epoch", region.folder / "epoch.json")
    return folder


def caseload(path: Path, *, first: int) -> Path:
    """Return a file with six rows, each with a parent; `first` chooses people whom no other test knows."""
    lines = [",".join(COLUMNS)]
    for at in range(ROWS):
        row = dict.fromkeys(COLUMNS, "") | {"case_ref": f"zaak-{at}", "bsn": official_number(first + at)}
        row |= {"parent_bsn_1": official_number(first + ROWS), "parent_1_source": "brp"}
        lines.append(",".join(row[column] for column in COLUMNS))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def left(region: Region, custodian: str) -> dict[str, int]:
    """Return what is left of the importer's grant at a custodian."""
    (grant,) = json.loads(run("sluis-custodian", "grant", "list", region.path(custodian), "--json"))
    found: dict[str, int] = grant["left"]
    return found


def test_a_caseload_is_brought_in_under_a_grant(region: Region, tmp_path: Path) -> None:
    """Killed after its first receipts and resumed, an import registers each row once and uses its exact grant up."""
    folder = enrol(region, tmp_path / "partner")
    file = caseload(tmp_path / "cases.csv", first=700)
    org = ("--org", folder, "--purpose", "proefregio")
    asked = (*org, "--ground", "TEST-PROEFREGIO", "--worker", "anna", "--team", "team-1", "--parallel", 1, "--json")
    words = ("register", "--source", "csv", file, *asked)
    elements = json.loads(run("sluis-connect", *words, "--dry-run"))["elements"]
    assert elements == {"nlbsn": ROWS, "fam": ROWS}
    size = ",".join(f"{family}={count}" for family, count in elements.items())
    stated, grant = tmp_path / "proposed.json", tmp_path / "grant.json"
    until = ("--expires-on", day_from_now(5))
    run("sluis-connect", "grant", "propose", *org, "--elements", size, *until, "--worker", "anna", "--out", stated)
    run("sluis-connect", "grant", "approve", stated, "--org", folder, "--worker", "carla", "--out", grant)
    for name in CUSTODIANS:
        run("sluis-custodian", "grant", "accept", region.path(name), grant)
    importing = subprocess.run(
        [sys.executable, "-m", "tests.e2e.dying_connect", "2", *map(str, words), "--grant", str(grant)],
        capture_output=True,
        check=False,
        timeout=PATIENCE_S,
        env=environment(),
    )
    assert importing.returncode == -signal.SIGKILL
    assert len(list((folder / "receipts").glob("*.json"))) == 2
    resumed = json.loads(run("sluis-connect", *words, "--grant", grant, "--resume", "--look-at-most", 2))
    assert {outcome["outcome"] for outcome in (*resumed["results"], *resumed["resumed"])} == {"done"}
    assert (len(resumed["looked"]), resumed["to_look_at"]) == (2, ROWS - 2)
    assert [left(region, name) for name in CUSTODIANS] == [{"nlbsn": 0, "fam": 0}] * 2
    listed: list[dict[str, Any]] = json.loads(run("sluis-connect", "list", *org[:2], "--worker", "anna", "--json"))[
        "results"
    ]
    assert [one["state"] for one in listed[0]["signals"]] == ["active"] * ROWS
    receipts = sorted((folder / "receipts").glob("*.json"))
    run("sluis-connect", "receipt", "verify", *receipts, "--org", folder)


def day_from_now(days: int) -> str:
    """Return the day so many days from now, as the commands of a partner take it."""
    return (datetime.datetime.now(datetime.UTC).date() + datetime.timedelta(days=days)).isoformat()
