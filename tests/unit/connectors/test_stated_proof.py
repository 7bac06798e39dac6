"""The proof of a task in law, as a worker states it in a file."""

import datetime
import json
from pathlib import Path
from typing import Any

import pytest

from connectors.errors import SourceError
from connectors.stated_proof import StatedProof, read_proof

PROOF: dict[str, Any] = {"kind": "melding", "reference": " VT-2026-118 ", "since": "2026-11-20", "ends_on": None}


def written(folder: Path, members: object) -> Path:
    """Return a file with these members."""
    file = folder / "proof.json"
    file.write_text(json.dumps(members), encoding="utf-8")
    return file


def test_a_proof_is_read_and_its_number_stays_here(tmp_path: Path) -> None:
    """What is read are kind and days; the number leaves as an HMAC of the organisation's own, and is never printed."""
    stated = read_proof(written(tmp_path, PROOF))
    assert stated == StatedProof(kind="melding", reference="VT-2026-118", since=datetime.date(2026, 11, 20))
    members = stated.members(lambda data: bytes([len(data)] * 32))
    assert members["reference"] == "19" * 32
    assert "118" not in repr(stated) + repr(members)


def test_the_same_number_of_another_kind_is_another_reference() -> None:
    """References of two kinds of proof are never equal, so that one tells nothing about the other."""
    one = StatedProof(kind="melding", reference="7", since=datetime.date(2026, 11, 20))
    other = StatedProof(kind="maatregel", reference="7", since=datetime.date(2026, 11, 20))
    assert one.members(bytes)["reference"] != other.members(bytes)["reference"]


@pytest.mark.parametrize(
    ("members", "field"),
    [
        ([], "proof"),
        ({**PROOF, "bsn": "1"}, "proof"),
        ({**PROOF, "kind": "a melding"}, "proof.kind"),
        ({**PROOF, "reference": "  "}, "proof.reference"),
        ({**PROOF, "reference": "7" * 201}, "proof.reference"),
        ({**PROOF, "since": "20-11-2026"}, "proof.since"),
        ({**PROOF, "ends_on": "never"}, "proof.ends_on"),
    ],
)
def test_what_is_no_proof_names_its_field(tmp_path: Path, members: object, field: str) -> None:
    """A file that breaks a rule is refused before anything leaves, with the field and never the value."""
    with pytest.raises(SourceError) as refused:
        read_proof(written(tmp_path, members))
    assert str(refused.value).startswith(f"source: {field}: ") or str(refused.value).startswith(f"source: {field} ")
    assert "2026" not in str(refused.value).replace("YYYY", "")


def test_a_file_that_is_not_there_is_no_proof(tmp_path: Path) -> None:
    """What cannot be read is refused too."""
    with pytest.raises(SourceError):
        read_proof(tmp_path / "nothing.json")
