"""`sluis-audit` as operators and auditors use it: exit 0 holds, 1 does not hold, 2 bad input."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from audit.cli import app, main
from audit.errors import AuditError
from audit.export.folder import write_folder, zipped
from audit.note import VerifierKey
from audit.signer import LocalSigner
from audit.witness_config import init_witness, load_witness
from audit.witness_process import serve_witness
from tests.unit.audit.export.opened_log import OpenedLog
from tests.unit.audit.log_simulator import NOW, ORIGIN, LogInFolder, LogInMemory, policy_text, sealed, witness_key
from tests.unit.audit.test_witness import growth

RUN = CliRunner()
LOG_KEY = LogInMemory().key.verifier.encode()


def run(*arguments: object) -> tuple[int, str]:
    """Return the exit code and the output of a command."""
    result = RUN.invoke(app, [str(argument) for argument in arguments])
    return result.exit_code, result.output


@pytest.fixture
def policy(log: LogInFolder, tmp_path: Path) -> Path:
    """A policy file for the log that asks for one witness of one."""
    path = tmp_path / "policy"
    path.write_text(policy_text(log.verifier, witness_key().verifier, quorum="enough"))
    return path


@pytest.fixture
def cosigned(log: LogInFolder, tmp_path: Path) -> Path:
    """A receipt in a file, of an entry whose checkpoint is cosigned in the database too."""
    appended = log.tick(sealed("check", meta={"outcome": "nothing"}))
    line = witness_key().sign(appended.checkpoint.encode(), time=NOW)
    with log.transaction() as transaction:
        transaction.insert_cosignature(1, witness_key().verifier.encode(), line)
    path = tmp_path / "receipt.json"
    path.write_text(json.dumps(appended.receipt(0, cosignatures=[line]).to_wire()))
    return path


def test_publish_and_verify(log: LogInFolder, policy: Path, cosigned: Path, tmp_path: Path) -> None:
    """A log that is published from its database holds; one altered byte and it does not."""
    assert cosigned.exists()
    out = tmp_path / "out"
    code, text = run("publish", out, "--database", log.database, "--policy", policy, "--json")
    assert (code, json.loads(text)["size"]) == (0, 1)
    code, text = run("verify", out, "--policy", policy, "--json")
    report = json.loads(text)
    assert (code, report["holds"], report["cosignedBy"], report["size"]) == (0, True, ["w1"], 1)
    code, text = run("verify", out, "--policy", policy)
    assert code == 0
    assert "cosignedBy: w1" in text
    assert "problems: none" in text
    bundle = out / "tile/entries/000.p/1"
    bundle.write_bytes(bundle.read_bytes().replace(b"check", b"chock"))
    code, text = run("verify", out, "--policy", policy, "--json")
    assert (code, json.loads(text)["holds"]) == (1, False)
    assert run("publish", out, "--database", log.database, "--policy", policy)[0] == 1


def test_verify_a_receipt_as_a_partner_keeps_it(policy: Path, cosigned: Path, tmp_path: Path) -> None:
    """A receipt beside its answer is verified as it lies in a partner's folder."""
    kept = tmp_path / "0.json"
    kept.write_text(json.dumps({"index": 0, "answer": {}, "receipt": json.loads(cosigned.read_text())}))
    assert run("verify", "--receipt", kept, "--policy", policy)[0] == 0
    kept.write_text(json.dumps({"receipt": []}))
    assert run("verify", "--receipt", kept, "--policy", policy)[0] == 2


def test_verify_a_receipt(policy: Path, cosigned: Path) -> None:
    """A receipt holds, or not, or is none."""
    code, text = run("verify", "--receipt", cosigned, "--policy", policy, "--json")
    result = json.loads(text)
    assert (code, result["status"], result["cosignedBy"], result["index"]) == (0, "cosigned", ["w1"], 0)
    wire = json.loads(cosigned.read_text())
    cosigned.write_text(json.dumps({**wire, "leaf": wire["leaf"].replace("kind check", "kind signal")}))
    assert run("verify", "--receipt", cosigned, "--policy", policy)[0] == 1
    for content in ("", "{}", '{"leaf":1,"leaf":1}'):
        cosigned.write_text(content)
        assert run("verify", "--receipt", cosigned, "--policy", policy)[0] == 2


def test_bad_input(log: LogInFolder, policy: Path, tmp_path: Path) -> None:
    """What cannot be read is neither true nor false."""
    none = tmp_path / "none"
    bad_policy = tmp_path / "bad"
    bad_policy.write_text("log nothing\n")
    file = tmp_path / "file"
    file.touch()
    for arguments in (
        ("verify", "--policy", policy),
        ("verify", none, "--policy", policy),
        ("verify", none, "--receipt", none, "--policy", policy),
        ("verify", "--receipt", none, "--policy", policy),
        ("verify", tmp_path, "--policy", none),
        ("verify", tmp_path, "--policy", bad_policy),
        ("verify", tmp_path),
        ("publish", none, "--database", none, "--policy", policy),
        ("publish", file, "--database", log.database, "--policy", policy),
        ("witness", "init", none, "--name", "w", "--log", LOG_KEY, "--bind", "nowhere"),
        ("witness", "init", none, "--name", "w", "--log", "nonsense"),
        ("witness", "serve", none),
        ("keygen", "--name", "a b", "--out", none),
    ):
        assert run(*arguments)[0] == 2, arguments
    assert not none.exists()


def test_an_export_is_checked_offline(log: LogInFolder, tmp_path: Path) -> None:
    """An export holds as a folder and as a zip file; altered it does not, and what is none is bad input."""
    world = OpenedLog(log)
    policy, folder, packed = tmp_path / "p", tmp_path / "export", tmp_path / "export.zip"
    policy.write_text(world.policy_text)
    write_folder(world.files(), folder)
    packed.write_bytes(zipped(world.files()))
    for export in (folder, packed):
        code, text = run("export", "verify", export, "--policy", policy, "--json")
        assert (code, json.loads(text)["holds"], json.loads(text)["problems"]) == (0, True, [])
    (folder / "records.csv").write_text("nothing")
    code, text = run("export", "verify", folder, "--policy", policy)
    assert (code, "records.csv: is not what the entries give" in text) == (1, True)
    assert run("export", "verify", tmp_path / "none", "--policy", policy)[0] == 2
    assert run("export", "verify", folder, "--policy", tmp_path / "none")[0] == 2


def test_keygen(tmp_path: Path) -> None:
    """A log is founded with a key and the state of its empty tree; the vkey is printed."""
    code, text = run("keygen", "--name", ORIGIN, "--out", tmp_path / "key")
    assert code == 0
    with LocalSigner.open(tmp_path / "key") as signer:
        assert VerifierKey.parse(text.strip()).encode() == signer.vkey
    assert run("keygen", "--name", ORIGIN, "--out", tmp_path / "key")[0] == 2


def test_a_witness_as_a_process(tmp_path: Path) -> None:
    """`witness init` and `witness serve` give a witness that cosigns over HTTP and stops when told to."""
    folder = tmp_path / "witness"
    code, text = run("witness", "init", folder, "--name", "witness.example/w1", "--log", LOG_KEY)
    assert code == 0
    assert (folder / "keys" / "witness.key").stat().st_mode & 0o777 == 0o600
    command = [sys.executable, "-c", "from audit.cli import main; main()", "witness", "serve", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            ready = process.stdout.readline().split()
            assert ready[:1] == ["ready"]
            answer = httpx.post(ready[1] + "/add-checkpoint", content=growth(LogInMemory().grow(3), 0, 3), timeout=120)
            assert answer.status_code == 200
            assert answer.text.startswith("— witness.example/w1 ")
            assert VerifierKey.parse(text.strip()).name == "witness.example/w1"
        finally:
            os.kill(process.pid, signal.SIGTERM)
            process.wait(timeout=120)


def test_a_witness_is_made_once_and_its_settings_are_strict(tmp_path: Path) -> None:
    """An existing witness is not overwritten; unknown settings and a missing file stop the start."""
    folder = tmp_path / "witness"
    init_witness(folder, name="w", logs=[LOG_KEY], host="::1", port=0)
    settings, _ = load_witness(folder)
    assert (settings.host, settings.port, settings.logs) == ("::1", 0, [LOG_KEY])
    with pytest.raises(AuditError):
        init_witness(folder, name="w", logs=[LOG_KEY], host="127.0.0.1", port=0)
    for port, logs in ((70_000, [LOG_KEY]), (0, [])):
        with pytest.raises(AuditError):
            init_witness(tmp_path / "other", name="w", logs=logs, host="127.0.0.1", port=port)
    toml = folder / "witness.toml"
    toml.write_text(toml.read_text() + "debug = true\n")
    with pytest.raises(AuditError):
        load_witness(folder)
    toml.write_text("host = ")
    with pytest.raises(AuditError):
        load_witness(folder)


def test_an_address_that_is_taken(tmp_path: Path) -> None:
    """A witness that cannot listen says so."""
    init_witness(tmp_path / "w", name="w", logs=[LOG_KEY], host="192.0.2.1", port=1)
    with pytest.raises(AuditError):
        serve_witness(tmp_path / "w")


def test_the_console_script(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """`main` is what the console script calls."""
    monkeypatch.setattr(sys, "argv", ["sluis-audit", "--help"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0
    assert "witness" in capsys.readouterr().out
