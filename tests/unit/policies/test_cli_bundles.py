"""``sluis-policy`` on whole bundles: signing takes two people, and each says no where it must."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from policies import DecisionPoint, load_bundle
from policies.cli import app
from policies.load import SHIPPED
from policies.release import read_release
from tests.simulators.signing_people import OFFICER, PARTY, STRANGER, key_file, released, signers_file
from tests.unit.policies.arnhem import CHECK, SIGNAL_OF_GI, VIRA, changed_documents

runner = CliRunner()


def run(*arguments: object, code: int = 0) -> Result:
    """What the command came to, with this exit status."""
    result = runner.invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == code, result.output
    return result


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Documents that can be changed."""
    return changed_documents(tmp_path)


def sign(source: Path, name: str, out: Path, *more: object, code: int = 0, replaces: object = "-") -> Result:
    """One person signs."""
    key = key_file(out.parent, name)
    return run("sign", source, "--key", key, "--out", out, "--replaces", replaces, *more, code=code)


def test_two_people_make_a_release(folder: Path, tmp_path: Path) -> None:
    """Draft, countersign, verify: only with both people's signatures for what opens does a release verify."""
    out, people = tmp_path / "release.json", signers_file(tmp_path)
    told = json.loads(sign(folder, OFFICER, out).stdout)
    run("verify", out, "--signers", people, code=1)
    sign(out, PARTY, out, "--openings", told["openings"])
    assert "too few signed what it opens" in run("verify", out, "--signers", people, code=1).stderr
    sign(out, OFFICER, out, "--openings", told["openings"])
    verified = json.loads(run("verify", out, "--signers", people, "--json").stdout)
    assert verified["statement"]["bundle"] == told["bundle"] == load_bundle(folder).sha256
    assert sorted(verified["signed_by"]) == [f"{OFFICER} (privacyfunctionaris)", f"{PARTY} (partij)"]
    assert OFFICER in run("verify", out, "--signers", people).stdout


def test_openings_are_signed_for_by_their_number(folder: Path, tmp_path: Path) -> None:
    """Who has not looked at what opens cannot sign for it: the number is part of the command."""
    out = tmp_path / "release.json"
    result = sign(folder, OFFICER, out, "--openings", 1, code=1)
    assert "this release opens" in result.stderr
    assert not out.exists()


def test_who_countersigns_compares_it_himself(folder: Path, tmp_path: Path) -> None:
    """A release whose statement is not what the bundles differ in is not signed."""
    out, wider = (
        tmp_path / "release.json",
        changed_documents(tmp_path / "b", (VIRA, "    bsn_recht: simulated\n", "")),
    )
    sign(wider, OFFICER, out, replaces=folder)
    sign(out, PARTY, out, replaces=folder)
    assert "must say what this bundle changes" in sign(out, PARTY, out, code=1).stderr


def test_an_opening_needs_the_second_sign_off(folder: Path, tmp_path: Path) -> None:
    """What widens a clause verifies only when both signed for its openings; what narrows one needs no more than two."""
    people = signers_file(tmp_path)
    wider = changed_documents(tmp_path / "b", (VIRA, "    bsn_recht: simulated\n", ""))
    for old, new, needed in ((folder, wider, True), (wider, folder, False)):
        out = tmp_path / f"{needed}.json"
        count = json.loads(sign(new, OFFICER, out, replaces=old).stdout)["openings"]
        sign(out, PARTY, out, replaces=old)
        assert bool(count) == needed
        run("verify", out, "--signers", people, code=1 if needed else 0)


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (
            (
                VIRA,
                "onvertaalbaar: []",
                "onvertaalbaar: [{artikel: art. 9, brontekst: x, reden: y, geaccepteerd_door: null}]",
            ),
            "nobody accepted",
        ),
        ((VIRA, "    vangnet: true\n", ""), "decides no request"),
    ],
)
def test_what_is_open_or_dead_is_not_signed(tmp_path: Path, change: tuple[str, str, str], rule: str) -> None:
    """An untranslated article that nobody accepted, or a dead clause, keeps a bundle from being signed."""
    source = changed_documents(tmp_path, change)
    assert rule in sign(source, OFFICER, tmp_path / "release.json", code=1).stderr


def test_a_key_or_list_that_is_none_is_bad_input(folder: Path, tmp_path: Path) -> None:
    """A wrong key file, list, day or target is exit 2; nothing is written."""
    out, key = tmp_path / "release.json", key_file(tmp_path, OFFICER)
    options = ("--replaces", "-", "--out", out)
    run("sign", folder, "--key", tmp_path / "missing", *options, code=2)
    run("sign", folder, "--key", key, *options, "--registered-on", "vandaag", code=2)
    run("sign", folder, "--key", key, "--replaces", "-", "--out", tmp_path / "no" / "where", code=2)
    run("sign", tmp_path / "missing", "--key", key, *options, code=2)
    assert not out.exists()
    (tmp_path / "text").write_text("{", encoding="utf-8")
    run("verify", tmp_path / "text", "--signers", signers_file(tmp_path), code=2)
    run("verify", tmp_path / "text", "--signers", tmp_path / "text", code=2)


def test_the_day_of_registration_is_the_signers_own(folder: Path, tmp_path: Path) -> None:
    """The statement carries the day it was made, or the one that is given."""
    out = tmp_path / "release.json"
    sign(folder, OFFICER, out, "--registered-on", "2026-11-22")
    assert read_release(out).registered_on.isoformat() == "2026-11-22"


def test_keygen_tells_the_public_key_only(tmp_path: Path) -> None:
    """A new key file is made once, and what is printed can be given away."""
    told = json.loads(run("keygen", tmp_path / "key.jwk").stdout)
    assert set(told) == {"kty", "crv", "x"}
    run("keygen", tmp_path / "key.jwk", code=2)


def test_diff_tells_what_opens_first(folder: Path, tmp_path: Path) -> None:
    """Exit 1 and the groups that open, exit 0 when nothing does."""
    wider = changed_documents(tmp_path / "b", (VIRA, "    bsn_recht: simulated\n", ""))
    told = run("diff", folder, wider, code=1).stdout.splitlines()
    assert told[0].startswith("opens ")
    assert told[1].startswith("opens ")
    assert "act=register ask=school" in told[1]
    assert told[-1] == f"differs: {VIRA}"
    assert json.loads(run("diff", wider, folder, "--json").stdout)["openings"] == 0
    run("diff", "-", folder, code=1)
    run("diff", tmp_path / "missing", folder, code=2)


def test_replay_tells_how_many_change(folder: Path, tmp_path: Path, point: DecisionPoint) -> None:
    """Records of the bundle itself come out the same; of another one, how many would change is told."""
    records = tmp_path / "records.jsonl"
    decisions = (point.may_ask(CHECK), point.may_see(CHECK, SIGNAL_OF_GI))
    records.write_text("\n".join(json.dumps(one.record()) for one in decisions), encoding="utf-8")
    assert "0 past decisions would change" in run("replay", folder, "--records", records).stdout
    narrower = changed_documents(
        tmp_path / "b", (VIRA, "vragend: [wijkteam, gi, veilig_thuis]", "vragend: [gi, veilig_thuis]")
    )
    result = json.loads(run("replay", narrower, "--records", records, "--json").stdout)
    assert (result["changed"], result["counts"]) == (2, {"closes": 2})
    forged = {**decisions[0].record(), "level": 1}
    records.write_text(json.dumps(forged), encoding="utf-8")
    run("replay", SHIPPED, "--records", records, code=1)
    records.write_text("{", encoding="utf-8")
    run("replay", folder, "--records", records, code=2)
    run("replay", folder, "--records", tmp_path / "missing", code=2)


def test_a_release_is_a_bundle_for_every_command(folder: Path, tmp_path: Path) -> None:
    """Check, diff and replay take a release where they take a folder."""
    out = tmp_path / "release.json"
    out.write_bytes(released(load_bundle(folder)).encode())
    assert json.loads(run("check", out, "--json").stdout)["findings"] == []
    run("diff", out, folder)
    assert STRANGER not in run("check", out).stdout


def test_check_and_test_fail_on_a_dead_clause_and_an_untested_rule(folder: Path, tmp_path: Path) -> None:
    """A dead clause fails the check; a row that is decided otherwise, or a rule without one, fails the tables."""
    assert " rows, 0 otherwise, 0 rules untested, 0 duties" in run("test", "--insecure-test-bundle").stdout
    assert json.loads(run("test", folder, "--json").stdout)["misses"] == []
    dead = changed_documents(tmp_path / "b", (VIRA, "    vangnet: true\n", ""))
    assert "dead: vira@2026.1.0/gi-nooit-aan-school" in run("check", dead, code=1).stdout
    other = changed_documents(tmp_path / "c", (VIRA, "niveau: {min: 1, max: 2}", "niveau: {min: 1, max: 1}"))
    told = run("test", other, code=1).stdout
    assert "vira/signaal-na-overleg informeer_betrokkene P28D expected" in told
    (folder / "lex" / "grenzen.tabel.csv").unlink()
    assert "lex@2026.1.0/uitgesloten: decides no row" in run("test", folder, code=1).stdout
    (folder / "lex" / "wettelijk.tabel.yml").unlink()
    assert "lex@2026.1.0/meldrecht noem_overleg: no row expects this duty" in run("test", folder, code=1).stdout
    (folder / "x.tabel.yml").write_text("schema: x\n", encoding="utf-8")
    run("test", folder, code=2)


def test_render_writes_a_page(folder: Path, tmp_path: Path) -> None:
    """A document of the bundle is shown on standard output or in a file; another one is bad input."""
    assert "<!doctype html>" in run("render", "vira@2026.1.0").stdout
    run("render", "lex@2026.1.0", "--documents", folder, "--out", tmp_path / "page.html")
    assert "Wettelijke grenzen" in (tmp_path / "page.html").read_text(encoding="utf-8")
    release = tmp_path / "release.json"
    release.write_bytes(released(load_bundle(folder)).encode())
    assert "Geen voorbeeld" in run("render", "lex@2026.1.0", "--documents", release).stdout
    run("render", "lex@1.0.0", code=2)
