"""`sluis-custodian grant`: accept, list and revoke, with what an operator sees."""

import json
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from broker.custodian.cli import app
from tests.simulators.custodian import (
    BROKER,
    CustodianPair,
    SimulatedPartner,
    grant_of,
    grant_text,
)


def run(*arguments: object, expect: int = 0) -> Result:
    """Return the result of one command, which ends as expected."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == expect, result.output
    return result


@pytest.fixture
def now() -> int:
    """Return the time, which commands take from the machine."""
    return int(time.time())


def test_a_grant_is_accepted_listed_and_revoked(
    pair: CustodianPair, partner: SimulatedPartner, tmp_path: Path, now: int
) -> None:
    """The operator reads who asks how much of what until when, and what is left of it."""
    grant, file = grant_of(partner, now=now), tmp_path / "grant.json"
    file.write_bytes(grant_text(partner, grant, at=now))
    path = pair.folders[0]
    assert run("grant", "list", path, "--json").stdout == "[]\n"
    told = run("grant", "accept", path, file).stdout
    assert told == f"grant {grant.id} of {partner.oin}: 3 nlbsn, 2 fam, for verwijsindex, up to {grant.expires_on}\n"
    (listed,) = json.loads(run("grant", "list", path, "--json").stdout)
    assert (listed["left"], listed["revoked"], listed["id"]) == ({"nlbsn": 3, "fam": 2}, False, grant.id)
    assert "3 of 3 nlbsn, 2 of 2 fam left" in run("grant", "list", path).stdout
    run("grant", "revoke", path, grant.id, "--oin", partner.oin)
    assert run("grant", "list", path).stdout.endswith("left (revoked)\n")
    assert run("grant", "accept", pair.folders[1], file, "--json").stdout == json.dumps(grant.document()) + "\n"


def test_what_is_not_accepted_ends_in_one_line(
    pair: CustodianPair, partner: SimulatedPartner, tmp_path: Path, now: int
) -> None:
    """A grant that does not hold is exit 1, a file that is none exit 2, each with one line and no value of it."""
    file = tmp_path / "grant.json"
    good = grant_text(partner, grant_of(partner, now=now), at=now)
    one_person = grant_text(partner, grant_of(partner, now=now), at=now, people=[("anna", "worker")])
    for text, code in ((one_person, 1), (b"{", 2), (good.replace(b'"nlbsn":3', b'"nlbsn":4'), 1), (good, 0), (good, 1)):
        file.write_bytes(text)
        result = run("grant", "accept", pair.folders[0], file, expect=code)
        assert result.stderr.count("\n") == (1 if code else 0)
        assert partner.sub("anna", BROKER) not in result.output
    run("grant", "accept", pair.folders[0], tmp_path / "none.json", expect=2)
    run("grant", "revoke", pair.folders[0], "0" * 32, "--oin", partner.oin, expect=1)
