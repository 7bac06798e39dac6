import base64
import hashlib
import re
from pathlib import Path

import pytest

from connectors.errors import NotDoneError
from tests.simulators.custodian import BROKER, CUSTODIANS
from tests.simulators.partner_world import PartnerWorld, lost, partner_world
from tests.unit.connectors.cases_by_hand import ASKED, CHILD, FATHER, MOTHER, OTHER, child, neighbour

SECRETS = [bsn.reveal() for bsn in (CHILD, MOTHER, FATHER, OTHER)]
PLAIN = [b"6811AC", b"6811ac", b"zaak-1", b"2014", b"201405", b"2014-05", b"20140500", b"2014-05-00", b"anna"]


def forms(value: bytes) -> set[bytes]:
    """Return the ways in which a value could be written."""
    text = value.decode()
    found = {
        value,
        value.hex().encode(),
        value.hex().upper().encode(),
        text.encode("utf-16-le"),
        text.encode("utf-16-be"),
    }
    for offset in range(3):
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            # the first and last group depend on what stands beside it
            found.add(encode(b"\x00" * offset + value)[4 if offset else 0 : -4])
    digest = hashlib.sha256(value)
    return found | {digest.digest(), digest.hexdigest().encode(), base64.b64encode(digest.digest())[:-1]}


def said(value: bytes, text: bytes) -> bool:
    """Return whether a value stands in a text by itself: random hex or base64 holds any four of them now and then."""
    return re.search(rb"(?<![0-9A-Za-z])" + re.escape(value) + rb"(?![0-9A-Za-z])", text) is not None


async def everything(world: PartnerWorld) -> None:
    """Do everything a client can do about the child: register, check, lose an answer, resume, renew, list, withdraw."""
    async with world.client("gi", approver="carla") as gi:
        registered = await gi.register(child(), **ASKED)
        await gi.register(neighbour(), **ASKED)
        await gi.list_signals()
        await gi.withdraw(registered.signal_id or "", reason="mistake")
    async with world.client("wijkteam") as wijkteam:
        await wijkteam.check(child(), **ASKED)
        world.network.faults[BROKER] = [lost]
        with pytest.raises(NotDoneError):
            await wijkteam.check(child(), **ASKED)
        await wijkteam.resume()


async def test_nothing_but_points_and_tokens_leaves(tmp_path: Path) -> None:
    """No header, URL or body that leaves a partner holds a number, address, case reference or local id in any form."""
    with partner_world(tmp_path / "region") as world:
        await everything(world)
        wire = b"\n".join(sent for _, sent in world.network.sent)
    assert len(wire) > 10_000
    for value in SECRETS:
        assert not [form for form in forms(value) if form in wire]
    assert not [value for value in PLAIN if said(value, wire)]


async def test_the_scan_finds_what_it_looks_for() -> None:
    """The same scan finds each form of a number that does stand somewhere."""
    for value in SECRETS:
        for written in (value, base64.b64encode(b"x" + value + b"yz"), hashlib.sha256(value).digest()):
            assert [form for form in forms(value) if form in b"...." + written + b"...."]
    for value in PLAIN:
        assert said(value, b'{"a":"' + value + b'"}')
        assert said(value, b"x-case: " + value + b"\n")
        assert not said(value, b"00-31e6" + value + b"9c73518257be79d03-01")


async def test_the_partners_own_files_hold_no_number(tmp_path: Path) -> None:
    """Not even the casebook, outbox and receipts keep a number: a case is known by an HMAC."""
    with partner_world(tmp_path / "region") as world:
        await everything(world)
        kept = b"".join(file.read_bytes() for file in (tmp_path / "region").rglob("*") if file.is_file())
    assert not [value for value in SECRETS if value in kept]


async def test_two_custodians_get_the_same_points_and_cannot_compare_workers(tmp_path: Path) -> None:
    """Both custodians get one body of blinded points, padded; the worker is another person to each."""
    with partner_world(tmp_path / "region") as world:
        async with world.client("gi") as gi:
            await gi.check(child(), **ASKED)
            await gi.check(child(), **ASKED)
        asked = [sent for host, sent in world.network.sent if host in CUSTODIANS]
    bodies = [sent.partition(b"\n\n")[2] for sent in asked]
    assert bodies[0] == bodies[1]
    assert bodies[0] != bodies[2]
    tokens = [sent.partition(b"Sluis ")[2].split(b"\n")[0].split(b".")[1] for sent in asked[:2]]
    subs = {base64.urlsafe_b64decode(token + b"==").partition(b'"sub":"')[2][:26] for token in tokens}
    assert len(subs) == 2
