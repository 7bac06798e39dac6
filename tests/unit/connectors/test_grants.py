"""Import grants at a partner: proposed by one person, approved by another, refused here where they cannot be used."""

import datetime
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from broker.protocol.grant import SignedGrant
from connectors.errors import FolderError, GrantError
from connectors.grants import approve, own_grant, parse_elements, propose, shortage
from connectors.workers import add_worker
from tests.simulators.partner_world import PartnerWorld
from tests.unit.connectors.cases_by_hand import brother, child, mother

UNTIL = datetime.date(2026, 12, 1)


def proposed(world: PartnerWorld, *, worker: str = "anna", name: str = "gi", **changed: Any) -> SignedGrant:  # noqa: ANN401 - the options of `propose`
    """Return what a worker of a partner proposes."""
    asked: dict[str, Any] = {
        "purpose": "proefregio",
        "elements": {"nlbsn": 2, "fam": 1, "addr": 0},
        "expires_on": UNTIL,
        "surroundings": world.surroundings,
        **changed,
    }
    return propose(world.folders[name], worker=worker, **asked)


def test_two_people_make_a_grant(world: PartnerWorld, tmp_path: Path) -> None:
    """What one proposed and another approved is a grant of the organisation; it names what is asked and no zero."""
    folder = world.folders["gi"]
    approved = approve(folder, proposed(world).encode(), worker="carla", surroundings=world.surroundings)
    file = tmp_path / "grant.json"
    file.write_bytes(approved.encode())
    grant = own_grant(folder, file, purpose="proefregio", now=world.clock.now)
    assert dict(grant.elements) == {"nlbsn": 2, "fam": 1}
    assert [signer.role for signer in approved.require(folder.organisation)] == ["worker", "approver"]
    world.accept(approved.encode())
    assert world.left() == [{"nlbsn": 2, "fam": 1}]


def test_nobody_approves_their_own_proposal(world: PartnerWorld) -> None:
    """The same person, in whatever role, is not a second one."""
    folder = world.folders["gi"]
    with pytest.raises(GrantError, match="another person"):
        approve(folder, proposed(world).encode(), worker="anna", surroundings=world.surroundings)
    add_worker(folder, local_id="anna", name="Anna", roles=["approver"])
    with pytest.raises(GrantError, match="another person"):
        approve(folder, proposed(world).encode(), worker="anna", surroundings=world.surroundings)


def test_only_a_worker_or_approver_of_the_folder_states_a_grant(world: PartnerWorld) -> None:
    """A stranger, or somebody who only supervises, states no grant."""
    with pytest.raises(FolderError, match="not in this folder"):
        proposed(world, worker="zoe")
    add_worker(world.folders["gi"], local_id="fred", name="Fred", roles=["fg"])
    with pytest.raises(GrantError, match="worker or an approver"):
        proposed(world, worker="fred")


@pytest.mark.parametrize(
    ("changed", "rule"),
    [
        ({"elements": {}}, "elements"),
        ({"elements": {"nlbsn": 0}}, "elements"),
        ({"elements": {"nlbsn": 1_000_001}}, "elements.nlbsn"),
        ({"expires_on": datetime.date(2026, 12, 20)}, "within 31 days"),
        ({"expires_on": datetime.date(2026, 11, 17)}, "within 31 days"),
        ({"purpose": "twee woorden"}, "purpose"),
    ],
)
def test_a_proposal_keeps_the_rules_of_a_grant(world: PartnerWorld, changed: dict[str, Any], rule: str) -> None:
    """What no custodian would read is refused where it is proposed."""
    with pytest.raises(GrantError, match=rule):
        proposed(world, **changed)


def later(world: PartnerWorld, text: bytes) -> bytes:
    """Return the grant on a day after its last."""
    world.clock.pass_seconds(20 * 86_400)
    return text


def unsigned(world: PartnerWorld, text: bytes) -> bytes:
    """Return the grant as nobody stated it."""
    del world
    return replace(SignedGrant.read(text), statements=()).encode()


def one_custodian(world: PartnerWorld, text: bytes) -> bytes:
    """Return a grant that names one custodian only."""
    del text
    stated = proposed(world)
    world.folders["gi"].settings.__dict__["custodians"] = world.folders["gi"].settings.custodians[:1]
    return stated.encode()


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (later, "expired"),
        (unsigned, "one person"),
        (one_custodian, "other custodians"),
        (
            lambda world, text: approve(
                world.folders["gi"], text, worker="carla", surroundings=world.surroundings
            ).encode(),
            "one person",
        ),
        (lambda world, _: proposed(world, name="wijkteam").encode(), "one person"),
        (lambda *_: b"{", "JSON"),
    ],
)  # fmt: skip - one case a line
def test_only_an_open_proposal_of_the_own_organisation_is_approved(
    world: PartnerWorld, change: Callable[[PartnerWorld, bytes], bytes], rule: str
) -> None:
    """What expired, was approved already, is another organisation's or no grant at all is not approved."""
    text = change(world, proposed(world).encode())
    with pytest.raises(GrantError, match=rule):
        approve(world.folders["gi"], text, worker="bram", surroundings=world.surroundings)


def test_a_grant_is_used_for_what_it_is(world: PartnerWorld, tmp_path: Path) -> None:
    """Another organisation's, a proposal, another purpose and a passed day are refused before anything is sent."""
    file, folder = world.granted("gi", {"nlbsn": 1}), world.folders["gi"]
    own_grant(folder, file, purpose="proefregio", now=world.clock.now)
    with pytest.raises(GrantError, match="two people of this organisation"):
        own_grant(world.folders["wijkteam"], file, purpose="proefregio", now=world.clock.now)
    with pytest.raises(GrantError, match="another purpose"):
        own_grant(folder, file, purpose="verwijsindex", now=world.clock.now)
    with pytest.raises(GrantError, match="expired"):
        own_grant(folder, file, purpose="proefregio", now=world.clock.now + 11 * 86_400)
    with pytest.raises(GrantError, match="cannot be read"):
        own_grant(folder, tmp_path / "none", purpose="proefregio", now=world.clock.now)
    draft = tmp_path / "draft"
    draft.write_bytes(proposed(world).encode())
    with pytest.raises(GrantError, match="two people"):
        own_grant(folder, draft, purpose="proefregio", now=world.clock.now)
    assert world.network.sent == []


@pytest.mark.parametrize("text", ["", "nlbsn", "nlbsn=", "nlbsn=-1", "nlbsn=1.5", "iban=1", "nlbsn=1,nlbsn=2", "fam=²"])
def test_elements_are_families_with_counts(text: str) -> None:
    """Counts are whole numbers of known families, each once."""
    with pytest.raises(GrantError, match="family=count"):
        parse_elements(text)


async def test_the_elements_of_cases_are_what_registering_them_takes(world: PartnerWorld) -> None:
    """Subjects, parents and addresses are counted as they would be evaluated; members of a household are not."""
    cases, client = [child(), brother(), mother()], world.client("gi")
    whole = client.elements_of(cases, families=["nlbsn", "fam", "addr"])
    assert whole == parse_elements("nlbsn=3,fam=3,addr=1")
    assert client.elements_of(cases, families=["nlbsn"]) == {"nlbsn": 3}
    await client.aclose()
    grant = proposed(world).grant
    assert shortage(grant, {"nlbsn": 2, "fam": 3, "addr": 1}) == {"fam": 2, "addr": 1}
