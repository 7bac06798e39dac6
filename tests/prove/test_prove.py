"""`make prove` and `sluis-policy prove`: what they leave, and that they say no."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from policies import load_bundle
from policies.cli import app
from policies.must_hold import Broken
from policies.prove import Mismatch, Proof, prove
from tests.prove import __main__ as command
from tests.prove.proven import read_proven
from tests.prove.test_slices import BUNDLE
from tests.prove.wrong_documents import read_survivors, write_survivors, wrong_documents

runner = CliRunner()
WORDS = {"act": "check"}


def test_a_wrong_set_of_lines_does_not_hold() -> None:
    """Lines that open what no document says are mismatches of the engine and the documents."""
    kijken = next(line for line in BUNDLE.lines if line.rid == "vira@2026.1.0/kijken")
    wider = replace(BUNDLE, lines=tuple(sorted({*BUNDLE.lines, replace(kijken, standing="none")})))
    found = prove(wider)
    assert not found.holds
    assert {one.request["standing"] for one in found.mismatches} == {"none"}
    assert found.document()["mismatches"]


def test_nothing_looked_at_is_nothing_proven() -> None:
    """A proof without a cell, with a mismatch or with a broken property does not hold."""
    good = Proof(slices=1, cells=1, mismatches=(), broken=())
    assert good.holds
    assert not replace(good, cells=0).holds
    assert not replace(good, mismatches=(Mismatch(request=WORDS, engine=True, documents=False),)).holds
    assert not replace(good, broken=(Broken(name="P1", request=WORDS),)).holds


def test_make_prove_leaves_a_report_and_accepts_what_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The report says what was looked at; with ACCEPT the slices count as proven, and only when everything holds."""
    good = Proof(slices=1, cells=1, mismatches=(), broken=())
    monkeypatch.setattr(command, "prove", lambda _: good)
    monkeypatch.setattr(command, "survivors", lambda _, among: [among[0].name])
    proven, known = tmp_path / "proven.json", tmp_path / "survivors.json"
    gone = next(wrong_documents(load_bundle())).name
    write_survivors([gone, "another"], known)
    assert command.main(tmp_path, accept=True, proven=proven, known=known) == 0
    assert read_survivors(known) == [gone]
    assert len(read_proven(proven)) > 100
    assert json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))["survived"] == []
    assert "72 mutants, 0 survived" in capsys.readouterr().out
    proven.unlink()
    monkeypatch.setattr(command, "prove", lambda _: replace(good, broken=(Broken(name="P1", request=WORDS),)))
    assert command.main(tmp_path, accept=True, proven=proven, known=known) == 1
    assert not proven.exists()
    monkeypatch.setattr(command, "prove", lambda _: good)
    write_survivors([], known)
    assert command.main(tmp_path, accept=True, proven=proven, known=known) == 1
    assert read_survivors(known) == []
    assert f"of which new: {gone}" in capsys.readouterr().out


def test_the_command_says_what_it_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """`sluis-policy prove` counts slices and cells; a mismatch or a broken property is exit 1 with its request."""
    bad = Proof(
        slices=1,
        cells=1,
        mismatches=(Mismatch(request=WORDS, engine=True, documents=False),),
        broken=(Broken(name="P1", request=WORDS),),
    )
    for proof, code in ((bad, 1), (Proof(slices=2, cells=3, mismatches=(), broken=()), 0)):
        monkeypatch.setattr("policies.cli_bundles.prove", lambda _, found=proof: found)
        told = runner.invoke(app, ["prove"])
        assert (told.exit_code, "broken P1" in told.stdout) == (code, bool(code))
        assert json.loads(runner.invoke(app, ["prove", "--json"]).stdout)["cells"] == proof.cells
