"""A region without a convenant: scenario 11 of the domain page, on real processes.

Each test reads as Given, When, Then; what is printed is what a worker reads.
"""

import datetime
import secrets
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from broker.settings import FILE_NAME
from policies import Bundle, InsecureTestBundleWarning, Permit, Refusal, load_bundle
from policies.question import read_question
from policies.replay import replay
from tests.simulators.enrolled import WIJKTEAM
from tests.simulators.region import call
from tests.simulators.region_desks import RegionDesks, calls, day, region_desks, says_yes, sends_yes, told
from tests.simulators.signing_people import released, signers_file
from tests.unit.policies.amsterdam import AA_DOCUMENT, AMSTELVEEN, BUURTTEAM, POLITIE
from tests.unit.policies.arnhem import changed_documents

PARTIES = {
    BUURTTEAM: ("Buurtteam Amsterdam", "wijkteam"),
    AMSTELVEEN: ("Wijkteam Amstelveen", "wijkteam"),
    POLITIE: ("Politie eenheid Amsterdam", "politie"),
    WIJKTEAM: ("Wijkteam Arnhem", "wijkteam"),
}
TELLS = (
    "tell", "--purpose", "overlast", "--ground", "WPG-20", "--team", "team-1", "--to-team", "team-1",
    "--category", "veiligheid", "--to",
)  # fmt: skip
ARNHEM_JOINS = (
    "partijen:\n  - {{id: wijkteam-arnhem, naam: Wijkteam Arnhem, klasse: wijkteam, oin: '00000099000000001000',"
    " toegetreden_op: {day}, uitgetreden_op: null, via: regio}}\n"
)


@pytest.fixture(scope="module")
def desks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RegionDesks]:
    """Parties of Amsterdam and a wijkteam of Arnhem at their desks, around a broker that serves."""
    with region_desks(tmp_path_factory.mktemp("convenant") / "region", PARTIES) as running:
        yield running


@pytest.fixture
def signed_desks(tmp_path: Path) -> Iterator[RegionDesks]:
    """The same parties, around a broker that decides with documents that two people signed."""
    with region_desks(tmp_path / "region", PARTIES) as running:
        folder = running.lettered.region.path("broker")
        signers_file(folder)
        text = (folder / FILE_NAME).read_text(encoding="utf-8")
        signed = 'policy_release = "release.json"\npolicy_signers = "signers.json"'
        (folder / FILE_NAME).write_text(text.replace("insecure_test_bundle = true", signed), encoding="utf-8")
        with pytest.warns(InsecureTestBundleWarning):
            tested = load_bundle(insecure_test_bundle=True)
        takes_up(running, load_bundle(), instead_of=tested)
        yield running


def takes_up(desks: RegionDesks, later: Bundle, *, instead_of: Bundle) -> None:
    """Two people signed this later version, and the broker that serves decides with it from now on."""
    folder = desks.lettered.region.path("broker")
    (folder / "release.json").write_bytes(released(later, instead_of).encode())
    assert later.sha256 in call("sluis-broker", "policy", "activate", folder)


def decide(bundle: Bundle, facts: Any, *, on: datetime.date) -> Permit | Refusal:  # noqa: ANN401 - facts as a record has them
    """Return the decision on these facts on another day."""
    ask, _ = read_question(facts)
    return bundle.decision_point().may_ask(replace(ask, day=on))


def test_scenario_11_a_convenant_binds_its_parties_only(signed_desks: RegionDesks, tmp_path: Path) -> None:
    """Given Amsterdam's convenant, when Arnhem joins, then it counts from that day on, and not for yesterday."""
    # Given: the police of Amsterdam may tell a team of Amsterdam on the convenant.
    desks, first, joins = signed_desks, load_bundle(), datetime.date.fromisoformat(day(0))
    text = desks.file(POLITIE, "text.txt", "Drie meldingen van overlast in oktober.")
    number = desks.file(POLITIE, "number", "besluit 2026-7")
    given = ("--text", text, "--proof", f"wpg_besluit:{day(-20)}:{day(300)}", "--proof-number", number)
    desks.tells(POLITIE, *TELLS, BUURTTEAM, *given)
    # When: they tell a team of Arnhem, which is no party. Then: refused, and the ways in law are named.
    failed = desks.tells(POLITIE, *TELLS, WIJKTEAM, *given, expect=1)["failed"][0]
    assert "omdat er voor deze ontvanger geen afspraak of wet is" in failed["text_nl"]
    assert any("Wmo 2015, artikel 5.2.6" in way for way in failed["possible"])
    assert desks.letters(WIJKTEAM, sender=POLITIE) == []
    record = failed["receipt"]["decision"]
    assert record["bundle"] == first.sha256
    # When: Arnhem joins, by a new version that two people signed. Then: the same broker lets it be told.
    joined = (AA_DOCUMENT, "partijen:\n", ARNHEM_JOINS.format(day=joins))
    later = load_bundle(changed_documents(tmp_path, (AA_DOCUMENT, "versie: 2026.1.0", "versie: 2026.2.0"), joined))
    takes_up(desks, later, instead_of=first)
    told_now = desks.tells(POLITIE, *TELLS, WIJKTEAM, *given)["results"][0]
    assert told_now["receipts"][0]["decision"]["bundle"] == later.sha256
    assert desks.letters(WIJKTEAM, sender=POLITIE) == [told_now["requests"][0]["requestId"]]
    # Then: the decision of before names the version it was made with, and is made again the same.
    assert replay(first, [record]).counts == {"reproduced": 1}
    # Then: of the day before Arnhem joined, the new version decides what the old one did.
    for bundle in (first, later):
        assert isinstance(decide(bundle, record["facts"], on=joins - datetime.timedelta(1)), Refusal)
    assert isinstance(decide(later, record["facts"], on=joins), Permit)


def test_scenario_11_a_team_of_arnhem_is_not_called_together(desks: RegionDesks) -> None:
    """Given two teams that are involved, when Amsterdam calls a casusoverleg, then only its own party is asked."""
    # Given: Amstelveen, a party, and Arnhem, which is none, are involved with the same resident.
    resident = secrets.token_hex(8)
    for oin in (AMSTELVEEN, WIJKTEAM):
        told(desks.partner(oin, purpose="proefregio", ground="TEST-PROEFREGIO").register(subject=resident))
    # When: Amsterdam calls. Then: Amstelveen reads it, Arnhem nothing, and Amsterdam not whom it reached.
    amsterdam, arnhem = (desks.partner(oin, purpose="casusoverleg", ground="TOEST") for oin in (BUURTTEAM, WIJKTEAM))
    says_yes(amsterdam, resident, parties=[AMSTELVEEN])
    assert told(calls(amsterdam, resident))["text"]["id"] == "call.sent"
    asked = {oin: desks.tells(oin, "oproepen", "list")["rings"] for oin in (AMSTELVEEN, WIJKTEAM)}
    assert [len(rings) for rings in asked.values()] == [1, 0]
    # When: Arnhem asks the resident for the same. Then: it reads at once that her yes would open nothing there.
    nothing = sends_yes(arnhem, resident, parties=[AMSTELVEEN])
    assert (nothing.status_code, nothing.json()["type"].endswith("consent-opens-nothing")) == (422, True), nothing.text
    # When: Arnhem calls. Then: refused, with the ways in law.
    refused = calls(arnhem, resident)
    assert refused.status_code == 403, refused.text
    assert {"kan.wet-blijft", "kan.veilig-thuis"} <= {way["textId"] for way in refused.json()["possible"]}
