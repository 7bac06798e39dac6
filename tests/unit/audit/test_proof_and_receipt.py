"""The two texts a receipt travels in are read in their canonical form only."""

import base64
from typing import Any

import pytest

from audit.errors import NoteError, ReceiptError
from audit.proof import HEADER, TlogProof
from audit.receipt import Receipt
from tests.unit.audit.log_simulator import LogInFolder

HASH = base64.b64encode(bytes(32)).decode()


@pytest.mark.parametrize(
    "text",
    [
        "",
        f"{HEADER}\nindex 0\n",
        f"{HEADER}\n\nnote",
        f"c2sp.org/tlog-proof@v2\nindex 0\n{HASH}\n\nnote",
        f"{HEADER}\nindex 00\n{HASH}\n\nnote",
        f"{HEADER}\nindex -1\n{HASH}\n\nnote",
        f"{HEADER}\nextra {HASH}\nindex 0\n{HASH}\n\nnote",
        f"{HEADER}\nindex 0\nAAAA\n\nnote",
        f"{HEADER}\nindex 0\n{HASH} \n\nnote",
        f"{HEADER}\nindex 0\n" + f"{HASH}\n" * 64 + "\nnote",
    ],
)
def test_malformed_proofs(text: str) -> None:
    """A proof has one form; nothing unauthenticated rides along."""
    with pytest.raises(NoteError):
        TlogProof.parse(text)


def test_a_proof_is_written_as_it_is_read() -> None:
    """Writing and reading a proof are each other's inverse, without hashes too."""
    for hashes in ((), (bytes(32),) * 63):
        proof = TlogProof(index=5, hashes=hashes, note="note\n")
        assert TlogProof.parse(proof.encode()) == proof


def test_a_receipt_survives_the_wire(log: LogInFolder) -> None:
    """What is read is what was issued, and only `meta` and `actor` are opened."""
    receipt = log.tick().receipt(0, uncosigned_since=17)
    wire = receipt.to_wire()
    assert Receipt.from_wire(wire) == receipt
    assert set(receipt.openings) == {"meta", "actor"}


def broken(wire: dict[str, Any], **changes: object) -> dict[str, Any]:
    """Return the wire form with members changed."""
    return {**wire, **changes}


def test_malformed_receipts(log: LogInFolder) -> None:
    """A member missing, added or of another type makes it no receipt."""
    wire: dict[str, Any] = log.tick().receipt(0).to_wire()
    opening = wire["openings"]["meta"]
    malformed: list[object] = [
        None,
        [],
        {},
        broken(wire, more=1),
        {member: value for member, value in wire.items() if member != "uncosignedSince"},
        broken(wire, leaf=1),
        broken(wire, proof=None),
        broken(wire, leaf=wire["leaf"] + "\n"),
        broken(wire, leaf=wire["leaf"].replace("time", "tíme")),
        broken(wire, proof="nothing"),
        broken(wire, uncosignedSince=True),
        broken(wire, uncosignedSince=-1),
        broken(wire, uncosignedSince="1"),
        broken(wire, openings=[]),
        broken(wire, openings={"reason": opening}),
        broken(wire, openings={"meta": "opening"}),
        broken(wire, openings={"meta": {"key": opening["key"]}}),
        broken(wire, openings={"meta": {**opening, "key": 1}}),
        broken(wire, openings={"meta": {**opening, "key": opening["key"] + "="}}),
        broken(wire, openings={"meta": {**opening, "key": "é"}}),
        broken(wire, openings={"meta": {**opening, "key": "A"}}),
        broken(wire, openings={"meta": {**opening, "key": "AB"}}),
    ]
    for value in malformed:
        with pytest.raises(ReceiptError):
            Receipt.from_wire(value)
