"""Two partners of a running region with folders of their own, made by the commands that people would give."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from broker.protocol.roster import ContactCard
from tests.simulators.enrolled import NAMES, Enrolled, key, opening_key
from tests.simulators.region import BROKER, Region, call, run
from tests.simulators.two_custodians import NAMES as CUSTODIANS

CARD = ContactCard(
    code="team-1", display_name="Team 1", phone="026 000 0000", working_days="ma-vr", after_hours_phone=None,
    stand_in=None,
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioPartner:
    """One partner: a worker `anna`, a colleague `bert` and an approver `carla`."""

    oin: str
    folder: Path

    def does(self, *words: object, expect: int = 0, worker: str = "anna") -> Any:  # noqa: ANN401 - what was printed, as JSON
        """Return what a command of `sluis-connect` printed as JSON; it goes over the network, from this process."""
        printed = call("sluis-connect", *words, "--org", self.folder, "--worker", worker, "--json", expect=expect)
        return json.loads(printed)

    def file(self, name: str, content: object) -> Path:
        """Return a JSON file with this content, which only this partner reads."""
        path = self.folder / f"{name}.json"
        path.write_text(json.dumps(content), encoding="utf-8")
        return path


def enrol(region: Region, folder: Path, partners: Mapping[str, tuple[str, str]]) -> dict[str, ScenarioPartner]:
    """Return the partners by OIN; each stands in the register and with every party of the region."""
    for oin, (name, _) in partners.items():
        _init(region, folder / oin, oin, name)
    register = folder / "register-next.json"
    enrolled = Enrolled(number=region.next_number(), names={**NAMES, **partners})
    region.publish_register(enrolled, register)
    run("sluis-broker", "register", "import", region.path("broker"), register)
    for name in CUSTODIANS:
        run("sluis-custodian", "register", "import", region.path(name), register)
    for oin in partners:
        _roster(region, folder / oin, oin)
        epoch = region.folder / "epoch.json"
        run("sluis-connect", "trust", "import-register", folder / oin, register, "--epoch", epoch)
    return {oin: ScenarioPartner(oin=oin, folder=folder / oin) for oin in partners}


def _init(region: Region, folder: Path, oin: str, name: str) -> None:
    identity = ("--oin", oin, "--name", name, "--broker", f"{BROKER}={region.urls['broker']}")
    parties: list[object] = []
    for custodian in CUSTODIANS:
        parties += ["--custodian", f"{custodian}={region.urls[custodian]}"]
        parties += ["--custodian-key", f"{custodian}={region.path(custodian) / 'custodian.pub.jwk'}"]
    pins = (*region.registrar_options(), "--log-policy", region.path("broker") / "log-policy")
    run("sluis-connect", "init", folder, *identity, *parties, *pins)
    # The region's register is made of seeded keys.
    (folder / "keys" / "signing.jwk").unlink()
    key(oin).write(folder / "keys" / "signing.jwk")
    opens = base64.b64encode(opening_key(oin).reveal())
    (folder / "keys" / "sealing.key").write_bytes(opens + b"\n")
    for local_id, role in (("anna", "worker"), ("bert", "worker"), ("carla", "approver")):
        run("sluis-connect", "worker", "add", folder, "--local-id", local_id, "--name", local_id, "--role", role)
    (folder / "teams.json").write_text(json.dumps([CARD.document()]), encoding="utf-8")


def _roster(region: Region, folder: Path, oin: str) -> None:
    rosters = {name: folder / f"roster-{name}.json" for name in (BROKER, *CUSTODIANS)}
    out = [part for name, file in rosters.items() for part in ("--audience", name, "--out", file)]
    run("sluis-connect", "roster", "sign", folder, "--teams", folder / "teams.json", *out)
    run("sluis-broker", "roster", "import", region.path("broker"), rosters[BROKER])
    for name in CUSTODIANS:
        run("sluis-custodian", "org", "enrol", region.path(name), "--oin", oin, "--roster", rosters[name])
