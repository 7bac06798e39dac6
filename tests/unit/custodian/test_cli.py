"""`sluis-custodian`: every verb, its exit code, and that it never shows a secret."""

import json
import re
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
import uvicorn
from typer.testing import CliRunner, Result

from broker.custodian import folder, service
from broker.custodian.cli import app, main
from broker.custodian.evaluation import Custodian
from tests.simulators.custodian import (
    BROKER,
    CUSTODIANS,
    REGISTRARS,
    CustodianPair,
    SimulatedPartner,
    batch,
    register_text,
    seeded_key,
)

A, B = CUSTODIANS


def run(*arguments: object) -> Result:
    """Return the result of one command."""
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """Return a folder with the registrars' public keys."""
    for at, key in enumerate(REGISTRARS):
        (tmp_path / f"registrar-{at}.jwk").write_text(json.dumps(key.public.jwk()))
    return tmp_path


def init(files: Path, name: str, **options: str) -> Result:
    """Return the result of `init` for a custodian in `files`."""
    given = {"--public-url": f"https://{name}/", "--bind": "127.0.0.1:0", "--broker-id": BROKER} | options
    listed = [part for option in given.items() for part in option]
    registrars = [part for at in range(2) for part in ("--registrar", files / f"registrar-{at}.jwk")]
    return run("init", files / name, "--id", name, *listed, *registrars)


def ceremony(files: Path) -> None:
    """Make the key of epoch 1 by commands only."""
    for name in CUSTODIANS:
        out = ["--out", files / f"{name}.commit"]
        assert run("ceremony", "commit", files / name, "--epoch", 1, "--family", "nlbsn", *out).exit_code == 0
    for name, peer in ((A, B), (B, A)):
        given = ["--peer-commit", files / f"{peer}.commit", "--out", files / f"{name}.open"]
        assert run("ceremony", "open", files / name, *given).exit_code == 0
    for name, peer in ((A, B), (B, A)):
        given = ["--peer-commit", files / f"{peer}.commit", "--peer-open", files / f"{peer}.open"]
        result = run("ceremony", "finish", files / name, *given, "--out", files / f"{name}.epoch")
        assert result.exit_code == 0, result.output


def test_two_custodians_are_set_up_by_commands(files: Path) -> None:
    """From two empty folders to two custodians that would start, through the commands of the formats page."""
    partner = SimulatedPartner()
    for name in CUSTODIANS:
        result = init(files, name)
        assert json.loads(result.stdout) == json.loads((files / name / "custodian.pub.jwk").read_text())
    ceremony(files)
    joined = run("ceremony", "join", files / f"{A}.epoch", files / f"{B}.epoch", "--out", files / "epoch.json")
    assert joined.stdout.startswith("sha256 ")
    (files / "register.json").write_bytes(register_text([partner]))
    for name in CUSTODIANS:
        (files / "roster.json").write_bytes(partner.roster(name))
        (files / "roster-2.json").write_bytes(partner.roster(name, number=2))
        path = files / name
        for arguments, said in (
            (("register", "import", path, files / "register.json"), "register 1: 1 organisations"),
            (
                ("org", "enrol", path, "--oin", partner.oin, "--roster", files / "roster.json"),
                f"enrolled {partner.oin}",
            ),
            (("roster", "import", path, files / "roster-2.json"), "roster 2"),
            (("config", "check", path), "ok: 1 shares"),
            (("budget", "show", path, "--json"), "[]"),
        ):
            result = run(*arguments)
            assert result.exit_code == 0, result.output
            assert said in result.stdout


def test_open_needs_the_peers_commitments(files: Path) -> None:
    """`ceremony open` refuses before it has the peer's file, and writes nothing."""
    init(files, A)
    run("ceremony", "commit", files / A, "--epoch", 1, "--family", "nlbsn", "--out", files / "a.commit")
    out = files / "a.open"
    assert run("ceremony", "open", files / A, "--out", out).exit_code == 2
    assert run("ceremony", "open", files / A, "--peer-commit", files / "none", "--out", out).exit_code == 2
    assert run("ceremony", "open", files / A, "--peer-commit", files / "a.commit", "--out", out).exit_code == 1
    assert not out.exists()


def test_an_opening_that_does_not_match_is_refused(files: Path) -> None:
    """`ceremony finish` verifies both sides: a changed opening makes no key."""
    for name in CUSTODIANS:
        init(files, name)
    ceremony_until_open(files)
    changed = json.loads((files / "b.open").read_text())
    changed["openings"][0]["nonce"] = "A" * 43
    (files / "b.open").write_text(json.dumps(changed))
    given = ["--peer-commit", files / "b.commit", "--peer-open", files / "b.open", "--out", files / "a.epoch"]
    result = run("ceremony", "finish", files / A, *given)
    assert result.exit_code == 1
    assert not (files / "a.epoch").exists()


def ceremony_until_open(files: Path) -> None:
    """Let both custodians commit, and B open."""
    for name, short in ((A, "a"), (B, "b")):
        run("ceremony", "commit", files / name, "--epoch", 1, "--family", "nlbsn", "--out", files / f"{short}.commit")
    for name, short, peer in ((A, "a", "b"), (B, "b", "a")):
        given = ["--peer-commit", files / f"{peer}.commit", "--out", files / f"{short}.open"]
        assert run("ceremony", "open", files / name, *given).exit_code == 0


def test_bad_input_is_refused_and_changes_nothing(files: Path) -> None:
    """Exit 2 for input that is wrong, 1 for what does not hold; one line says which field and rule."""
    partner = SimulatedPartner()
    assert init(files, "Custodian A").exit_code == 1
    assert not (files / "Custodian A").exists()
    assert init(files, A).exit_code == 0
    assert init(files, A).exit_code == 1
    path = files / A
    register = files / "register.json"
    for text, code in (
        (b"{", 2),
        (register_text([partner], signers=REGISTRARS[:1]), 1),
        (register_text([partner], signers=[REGISTRARS[0], seeded_key("another registrar")]), 1),
        (register_text([partner], number=2), 0),
        (register_text([partner], number=1), 1),
    ):
        register.write_bytes(text)
        result = run("register", "import", path, register)
        assert (result.exit_code, result.stderr.count("\n")) == (code, 1 if code else 0)
    assert run("register", "import", path, files / "none.json").exit_code == 2
    assert run("register", "import", files / "nowhere", register).exit_code == 1
    (path / "custodian.sqlite").write_bytes(b"junk" * 1000)
    result = run("budget", "show", path)
    assert (result.exit_code, "store is not available" in result.stderr) == (1, True)


def test_budgets_are_shown(pair: CustodianPair, partner: SimulatedPartner) -> None:
    """The operator sees what is left per organisation and worker, with nothing about whom was looked up."""
    pair.ask(0, partner, batch())
    listed = json.loads(run("budget", "show", pair.folders[0], "--json").stdout)
    assert listed == [
        {"organisation": partner.oin, "worker": None, "class": "check", "left": 1992},
        {"organisation": partner.oin, "worker": partner.sub("anna", BROKER), "class": "check", "left": 59},
    ]
    assert f"{partner.oin}  organisation  check: 1992 left" in run("budget", "show", pair.folders[0]).stdout


def test_serve_announces_where_it_listens(pair: CustodianPair, monkeypatch: pytest.MonkeyPatch) -> None:
    """`serve` really listens, prints `ready URL` and nothing else, and ends when it is told to."""
    made = service.make_server

    def stopping(custodian: Custodian, *, announce: Callable[[str], None], monitor: None) -> uvicorn.Server:
        def announce_and_stop(url: str) -> None:
            announce(url)
            server.should_exit = True

        server = made(custodian, announce=announce_and_stop, monitor=monitor)
        return server

    monkeypatch.setattr(service, "make_server", stopping)
    result = run("serve", pair.folders[0])
    assert result.exit_code == 0
    assert re.fullmatch(r"ready http://127\.0\.0\.1:[0-9]+\n", result.stdout)
    assert "nobody checks what becomes of the tickets" in result.stderr


def test_serve_says_when_its_address_is_taken(pair: CustodianPair) -> None:
    """A custodian that cannot listen ends with an error and never says that it is ready."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings = pair.folders[0] / "custodian.toml"
        port = taken.getsockname()[1]
        settings.write_text(settings.read_text().replace("127.0.0.1:0", f"127.0.0.1:{port}"))
        result = run("serve", pair.folders[0])
    assert (result.exit_code != 0, result.stdout) == (True, "")


def test_the_console_script_runs_the_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    """The entry point of the console script is the command line."""
    monkeypatch.setattr("sys.argv", ["sluis-custodian", "config", "check", "nowhere"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1


def test_serve_refuses_a_damaged_folder(pair: CustodianPair) -> None:
    """A custodian whose keys others can read does not start."""
    (pair.folders[0] / "keys").chmod(0o755)
    result = run("serve", pair.folders[0])
    assert (result.exit_code, result.stdout) == (1, "")
    assert "mode 0700" in result.stderr
    assert folder.check(pair.folders[1]).newest is not None
