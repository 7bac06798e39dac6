"""An address on the registrars' list never becomes a token, at no partner and in no request (D4)."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from broker.protocol.identifiers import Address
from connectors.cli import command_line
from connectors.errors import FolderError
from connectors.folder import PartnerFolder
from tests.simulators.custodian import REGISTRARS, seeded_key
from tests.simulators.excluded import SHELTER, excluded_text
from tests.simulators.partner_world import PartnerWorld
from tests.unit.connectors.cases_by_hand import ASKED, brother, child, neighbour

HOME = {"postcode": "6811ac", "number": "12", "letter": "A", "addition": None, "designation": None}
"""The home of the child, in another spelling."""


def families_sent(world: PartnerWorld) -> set[str]:
    """Return the families that custodians were asked about."""
    found = {
        name for name in ("nlbsn", "fam", "addr") for _, sent in world.network.sent if f'"{name}"'.encode() in sent
    }
    world.network.sent.clear()
    return found


async def test_an_excluded_address_is_neither_registered_nor_asked_about(world: PartnerWorld) -> None:
    """Neighbours of a shelter do not find it, nor it them; persons and parents still match."""
    for folder in world.folders.values():
        folder.import_excluded(excluded_text(SHELTER, HOME, number=2))
    async with world.client("gi") as gi, world.client("wijkteam") as wijkteam:
        await gi.register(neighbour(), **ASKED)
        await gi.register(brother(), **ASKED)
        seen = await wijkteam.check(child(), **ASKED)
    assert [match.kind for match in seen.matches] == ["family"]
    assert families_sent(world) == {"nlbsn", "fam"}


async def test_another_address_is_used_as_before(world: PartnerWorld) -> None:
    """A list takes away what it names and nothing else."""
    for folder in world.folders.values():
        folder.import_excluded(excluded_text(SHELTER, number=2))
    async with world.client("gi") as gi, world.client("wijkteam") as wijkteam:
        await gi.register(neighbour(), **ASKED)
        seen = await wijkteam.check(child(), **ASKED)
    assert [match.kind for match in seen.matches] == ["address"]
    assert "addr" in families_sent(world)


async def test_without_a_list_no_address_leaves(world: PartnerWorld) -> None:
    """A partner that has no list cannot know which addresses are shelters: it is told so, and nothing is sent."""
    (world.folders["gi"].path / "excluded-addresses.json").unlink()
    async with world.client("gi") as gi:
        with pytest.raises(FolderError, match=r"excluded-addresses\.json: is not here yet"):
            await gi.register(child(), **ASKED)
        assert world.network.sent == []
        await gi.register(replace(child(), address=None), **ASKED)
        await gi.check(child(), families=["nlbsn", "fam"], **ASKED)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        (excluded_text(SHELTER, number=1), "no higher number"),
        (excluded_text(SHELTER, number=2, signers=REGISTRARS[:1]), "two registrars"),
        (excluded_text(SHELTER, number=2, signers=(REGISTRARS[0], seeded_key("x"))), "two registrars"),
        (excluded_text({**SHELTER, "postcode": "6811"}, number=2), "malformed"),
        (b"{}", "malformed"),
    ],
)
def test_only_a_newer_list_of_two_registrars_is_taken(world: PartnerWorld, text: bytes, rule: str) -> None:
    """What is refused leaves the list as it was, and no address is named."""
    folder = world.folders["gi"]
    with pytest.raises(FolderError, match=rule) as caught:
        folder.import_excluded(text)
    assert "6811" not in str(caught.value)
    assert PartnerFolder(folder.path).excluded_addresses.number == 1


async def test_a_list_imported_beside_a_running_connector_counts_at_once(world: PartnerWorld) -> None:
    """A shelter that another process put on the list becomes no token from the next question on."""
    async with world.client("gi") as gi:
        await gi.check(child(), **ASKED)
        assert "addr" in families_sent(world)
        PartnerFolder(world.folders["gi"].path).import_excluded(excluded_text(HOME, number=2))
        world.network.sent.clear()
        await gi.check(child(), **ASKED)
    assert "addr" not in families_sent(world)


def test_a_list_changed_on_disk_is_refused(world: PartnerWorld) -> None:
    """It is verified at every load: who removes an address there stops the connector, and uses no address."""
    folder = world.folders["gi"]
    folder.import_excluded(excluded_text(HOME, number=2))
    path = folder.path / "excluded-addresses.json"
    path.write_bytes(path.read_bytes().replace(b'"12"', b'"13"'))
    with pytest.raises(FolderError, match="two registrars"):
        _ = PartnerFolder(folder.path).excluded_addresses


def test_the_command_takes_a_list_and_tells_no_address(world: PartnerWorld, tmp_path: Path) -> None:
    """`trust import-excluded` says which list holds now and how long it is; the file is the owner's only."""
    file = tmp_path / "list.json"
    file.write_bytes(excluded_text(SHELTER, HOME, number=5))
    words = ["trust", "import-excluded", str(world.folders["gi"].path), str(file)]
    result: Any = CliRunner().invoke(command_line(words), words)
    assert (result.exit_code, result.stdout) == (0, "lijst 5 overgenomen: 2 uitgezonderde adressen\n")
    assert (world.folders["gi"].path / "excluded-addresses.json").stat().st_mode & 0o777 == 0o600
    assert CliRunner().invoke(command_line(words), words).exit_code == 2


def test_addresses_are_compared_in_their_one_form(world: PartnerWorld) -> None:
    """Case and blanks make no difference; another addition is another address."""
    listed = world.folders["gi"].import_excluded(excluded_text(HOME, number=2))
    assert listed.applied_to(child()).address is None
    other = replace(child(), address=Address(postcode="6811 AC", number="12", letter="a", addition="bis"))
    assert listed.applied_to(other) == other
    assert "6811" not in repr(listed)
