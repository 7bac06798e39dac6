"""Revocation on real processes: each party takes the register itself, and needs nobody else for it."""

import dataclasses
import json
import secrets
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from broker.protocol.families import Family
from broker.protocol.tokens import random_points
from connectors.errors import FolderError
from tests.simulators.custodian import REGISTRARS, register_text
from tests.simulators.enrolled import GI, SCHOOL, WIJKTEAM, Enrolled
from tests.simulators.partner_world import FolderPartner, partner_world
from tests.simulators.region import Region, custodian_roster, run, running_region
from tests.simulators.two_custodians import NAMES as CUSTODIANS
from tests.simulators.wire_partner import WirePartner
from tests.unit.connectors.cases_by_hand import ASKED, child

ALLOWED_S = 60.0
ROTATED = "the second key of the wijkteam"


@pytest.fixture(scope="module")
def region(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Region]:
    """Registrars, two custodians, a witness and a broker, each set up by its own commands, each a process."""
    with running_region(tmp_path_factory.mktemp("parties")) as running:
        yield running


@contextmanager
def within_a_minute() -> Iterator[None]:
    """Hold only if everything in it is true less than a minute after it began."""
    began = time.monotonic()
    yield
    assert time.monotonic() - began < ALLOWED_S


def publish(region: Region, **changed: object) -> Path:
    """Return the file of the next register, signed by both registrars."""
    number = region.next_number()
    file = region.folder / f"register-{number}.json"
    region.publish_register(Enrolled(number=number, **changed), file)  # type: ignore[arg-type]  # the fields of Enrolled
    return file


def taken(region: Region, file: Path, *, broker: bool = True) -> None:
    """Every party imports the register for itself, beside what it serves."""
    for name in CUSTODIANS:
        run("sluis-custodian", "register", "import", region.path(name), file)
    if broker:
        run("sluis-broker", "register", "import", region.path("broker"), file)


def at_custodians(region: Region, partner: WirePartner) -> set[str]:
    """Return what the custodians say to a look-up: `ok` or the problem."""
    said = set()
    for name in CUSTODIANS:
        points = {Family.NLBSN: random_points(8, secrets.token_bytes)}
        body = json.dumps(partner.evaluation("check", {Family.NLBSN: []}, points)).encode()
        said.add(told(partner.ask(name, region.urls[name], "POST", "/v1/evaluations", body)))
    return said


def at_broker(partner: WirePartner) -> set[str]:
    """Return what the broker says to readings of two kinds."""
    return {told(partner.get(path)) for path in ("/v1/signals", "/v1/organisations")}


def told(answer: httpx.Response) -> str:
    """Return `ok`, or the id of the problem."""
    return "ok" if answer.status_code == 200 else str(answer.json()["type"]).removeprefix("urn:sluis:problem:")


def test_a_suspended_organisation_is_refused_by_every_party(region: Region) -> None:
    """After the import nothing of it is accepted by either custodian or the broker; others are served as before."""
    gi, school = region.partner(GI), region.partner(SCHOOL)
    file = publish(region, suspended=frozenset({GI}))
    assert (at_custodians(region, gi), at_broker(gi)) == ({"ok"}, {"ok"})
    with within_a_minute():
        taken(region, file)
        assert at_custodians(region, gi) == {"organisation-suspended"}
        assert at_broker(gi) == {"organisation-suspended"}
    assert (at_custodians(region, school), at_broker(school)) == ({"ok"}, {"ok"})
    taken(region, publish(region))
    assert (at_custodians(region, gi), at_broker(gi)) == ({"ok"}, {"ok"})


def test_a_suspension_holds_with_the_broker_down(region: Region) -> None:
    """Custodians need no broker to stop an organisation, and no restart; the broker takes it before it serves again."""
    gi, school = region.partner(GI), region.partner(SCHOOL)
    file = publish(region, suspended=frozenset({GI}))
    region.services["broker"].stop(signal.SIGKILL)
    try:
        with within_a_minute():
            taken(region, file, broker=False)
            assert at_custodians(region, gi) == {"organisation-suspended"}
        assert at_custodians(region, school) == {"ok"}
        run("sluis-broker", "register", "import", region.path("broker"), file)
    finally:
        region.services["broker"].start()
    assert at_broker(gi) == {"organisation-suspended"}
    taken(region, publish(region))


def test_a_killed_custodian_comes_back_with_the_suspension(region: Region) -> None:
    """What was imported holds over SIGKILL and a start, and an older register does not undo it."""
    gi = region.partner(GI)
    older, file = publish(region), publish(region, suspended=frozenset({GI}))
    taken(region, file)
    for name in CUSTODIANS:
        region.services[name].stop(signal.SIGKILL)
        region.services[name].start()
        run("sluis-custodian", "register", "import", region.path(name), older, expect=1)
    run("sluis-broker", "register", "import", region.path("broker"), older, expect=1)
    assert (at_custodians(region, gi), at_broker(gi)) == ({"organisation-suspended"}, {"organisation-suspended"})
    taken(region, publish(region))


def test_a_rotated_key_signs_and_the_old_one_no_more(region: Region) -> None:
    """In the overlap both keys sign; after the register without the old one only the new one does, at every party."""
    old = region.partner(WIJKTEAM)
    new = dataclasses.replace(old, key_name=ROTATED)
    assert (at_custodians(region, new), at_broker(new)) == ({"request-token-key-unknown"},) * 2
    overlap = {WIJKTEAM: (WIJKTEAM, ROTATED)}
    taken(region, publish(region, keys=overlap))
    roster = region.folder / "roster-2.json"
    for name in CUSTODIANS:
        roster.write_bytes(custodian_roster(WIJKTEAM, name, number=2, key_name=ROTATED))
        run("sluis-custodian", "roster", "import", region.path(name), roster)
    roster.write_bytes(Enrolled(keys=overlap).roster_document(WIJKTEAM, number=2).encode())
    run("sluis-broker", "roster", "import", region.path("broker"), roster)
    for partner in (old, new):
        assert (at_custodians(region, partner), at_broker(partner)) == ({"ok"}, {"ok"})
    file = publish(region, keys={WIJKTEAM: (ROTATED,)})
    with within_a_minute():
        taken(region, file)
        assert (at_custodians(region, old), at_broker(old)) == ({"request-token-key-unknown"},) * 2
    assert (at_custodians(region, new), at_broker(new)) == ({"ok"}, {"ok"})


async def test_a_partner_that_is_suspended_sends_nothing(tmp_path: Path) -> None:
    """A connector at work takes the register that is imported beside it, stops at once, and starts again with it."""
    with partner_world(tmp_path / "world") as world:
        folder = world.folders["gi"]
        partner = FolderPartner(oin=folder.settings.oin, name="gi", folder=folder)
        async with world.client("gi") as gi:
            assert (await gi.check(child(), **ASKED)).outcome == "nothing"
            sent = len(world.network.sent)
            stopped = dataclasses.replace(partner, status="suspended")
            type(folder)(folder.path).import_register(register_text([stopped], number=2, signers=REGISTRARS))
            with pytest.raises(FolderError, match="suspended"):
                await gi.check(child(), **ASKED)
            assert len(world.network.sent) == sent
            with pytest.raises(FolderError, match="no higher number"):
                folder.import_register(register_text([partner], number=1, signers=REGISTRARS))
            type(folder)(folder.path).import_register(register_text([partner], number=3, signers=REGISTRARS))
            assert (await gi.check(child(), **ASKED)).outcome == "nothing"
