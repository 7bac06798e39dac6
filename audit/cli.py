"""`sluis-audit`: verify, check exports, publish, run a witness, make a log's key.

Exit code 0: what was asked holds or was done; 1: it does not hold; 2: bad input.
"""

import json
import sys
from contextlib import AbstractContextManager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from audit.database import Connection
from audit.errors import AuditError, NotDurableError, ReceiptError, TileError
from audit.export.folder import read_export
from audit.export.verify import verify_export
from audit.key_ring import KeyRing
from audit.policy_file import Policy
from audit.receipt import Receipt
from audit.sample_command import sample
from audit.signer import LocalSigner
from audit.sqlite import open_read_only
from audit.stored_log import StoredLog
from audit.strict_json import loads
from audit.tiles import publish as publish_tiles
from audit.typed import Commands
from audit.verify import Report, VerifiedReceipt, parse_policy, verify_directory, verify_receipt
from audit.verify_groups import group_wire, verify_groups
from audit.witness_config import init_witness

DOES_NOT_HOLD = 1
BAD_INPUT = 2
_DEFAULT_BIND = "127.0.0.1:0"

app = typer.Typer(
    cls=Commands, no_args_is_help=True, add_completion=False, help="Verify, publish and witness the audit log."
)
witness_app = typer.Typer(no_args_is_help=True, help="Run a witness.")
app.add_typer(witness_app, name="witness")
export_app = typer.Typer(no_args_is_help=True, help="Check exports of the log.")
app.add_typer(export_app, name="export")
app.command()(sample)

PolicyFile = Annotated[Path, typer.Option("--policy", help="The policy file: log, witnesses, quorum.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


def main() -> None:
    """Run the command line."""
    app()


@app.command()
def verify(
    policy: PolicyFile,
    directory: Annotated[Path | None, typer.Argument(help="A published log.")] = None,
    *,
    receipt: Annotated[Path | None, typer.Option("--receipt", help="A receipt as JSON.")] = None,
    database: Annotated[str | None, typer.Option(help="A log's own database, with --payload-keys.")] = None,
    payload_keys: Annotated[Path | None, typer.Option(help="The folder of its key-encryption keys.")] = None,
    as_json: AsJson = False,
) -> None:
    """Check a published log, one receipt, or every stored group of a log's own database, under your own policy."""
    if [directory, receipt, database].count(None) != 2 or (database is None) != (payload_keys is None):  # noqa: PLR2004 - one of three
        _fail(BAD_INPUT, "give a folder, or --receipt FILE, or --database with --payload-keys")
    trusted = _read_policy(policy)
    if database is not None and payload_keys is not None:
        _verify_groups(database, payload_keys, trusted, as_json=as_json)
    elif receipt is not None:
        _verify_receipt_file(receipt, trusted, as_json=as_json)
    elif directory is None or not directory.is_dir():
        _fail(BAD_INPUT, "there is no such folder")
    else:
        report = verify_directory(directory, trusted)
        _print(_report_wire(report), as_json=as_json)
        if not report.holds:
            raise typer.Exit(DOES_NOT_HOLD)


@export_app.command("verify")
def export_verify(
    export: Annotated[Path, typer.Argument(help="The export: its folder, or its zip file.")],
    policy: PolicyFile,
    as_json: AsJson = False,
) -> None:
    """Check offline that every row of an export comes from an entry of a cosigned log, and that nothing was altered."""
    trusted = _read_policy(policy)
    try:
        report = verify_export(read_export(export), trusted)
    except AuditError as error:
        _fail(BAD_INPUT, str(error))
    _print({**asdict(report), "unchecked": list(report.unchecked), "problems": list(report.problems)}, as_json=as_json)
    if not report.holds:
        raise typer.Exit(DOES_NOT_HOLD)


@app.command()
def publish(
    directory: Annotated[Path, typer.Argument(help="The folder to publish into.")],
    database: Annotated[str, typer.Option(help="The database that holds the log: a file, or postgresql://...")],
    policy: PolicyFile,
    as_json: AsJson = False,
) -> None:
    """Write the newest checkpoint and everything it covers as tiles."""
    text = _read_text(policy, "the policy")
    _read_policy(policy)
    try:
        with _log_in(database) as connection:
            head = publish_tiles(StoredLog(connection), directory, text)
    except TileError as error:
        _fail(DOES_NOT_HOLD, str(error))
    except (AuditError, OSError) as error:
        _fail(BAD_INPUT, str(error) if isinstance(error, AuditError) else "the folder cannot be written")
    _print({"size": head.size, "root": head.root.hex()}, as_json=as_json)


@app.command()
def keygen(
    name: Annotated[str, typer.Option(help="The log's origin, for example broker.example/log.")],
    out: Annotated[Path, typer.Option(help="The new key file; its state goes beside it.")],
) -> None:
    """Found a log: make its signing key and the signer's state, and print the vkey."""
    try:
        typer.echo(LocalSigner.create(out, name).encode())
    except AuditError as error:
        _fail(BAD_INPUT, str(error))


@witness_app.command("init")
def witness_init(
    directory: Annotated[Path, typer.Argument(help="The new witness's folder.")],
    name: Annotated[str, typer.Option(help="The witness's key name.")],
    log: Annotated[list[str], typer.Option(help="The vkey of a log to watch; may be repeated.")],
    bind: Annotated[str, typer.Option(help="HOST:PORT to listen on; port 0 takes a free one.")] = _DEFAULT_BIND,
) -> None:
    """Make a witness's key and settings, and print its vkey."""
    host, _, port = bind.rpartition(":")
    if not port.isascii() or not port.isdecimal():
        _fail(BAD_INPUT, "--bind must be HOST:PORT")
    try:
        typer.echo(init_witness(directory, name=name, logs=log, host=host.strip("[]"), port=int(port)).encode())
    except AuditError as error:
        _fail(BAD_INPUT, str(error))


@witness_app.command("serve")
def witness_serve(directory: Annotated[Path, typer.Argument(help="The witness's folder.")]) -> None:
    """Serve a witness; prints `ready <url>` when it answers."""
    try:
        from audit.witness_process import serve_witness  # noqa: PLC0415 - the web framework, for this command only

        serve_witness(directory)
    except NotDurableError as error:
        _fail(DOES_NOT_HOLD, str(error))
    except AuditError as error:
        _fail(BAD_INPUT, str(error))


def _log_in(database: str) -> AbstractContextManager[Connection]:
    """Return a session that sees one state of the database and cannot write. Raises AuditError."""
    if not database.startswith("postgresql://"):
        return open_read_only(Path(database))
    from audit.postgres import open_postgres_read_only  # noqa: PLC0415 - the driver is loaded only for a server

    return open_postgres_read_only(database)


def _verify_groups(database: str, payload_keys: Path, policy: Policy, *, as_json: bool) -> None:
    try:
        with _log_in(database) as connection:
            report = verify_groups(StoredLog(connection), KeyRing.open(payload_keys), policy)
    except AuditError as error:
        _fail(BAD_INPUT, str(error))
    _print(group_wire(report), as_json=as_json)
    if not report.holds:
        raise typer.Exit(DOES_NOT_HOLD)


def _verify_receipt_file(path: Path, policy: Policy, *, as_json: bool) -> None:
    text = _read_text(path, "the receipt")
    try:
        wire = loads(text)
        # A partner keeps a receipt with the answer it belongs to; both forms are read.
        receipt = Receipt.from_wire(wire["receipt"] if isinstance(wire, dict) and "receipt" in wire else wire)
    except AuditError as error:
        _fail(BAD_INPUT, str(error))
    try:
        verified = verify_receipt(receipt, policy)
    except ReceiptError as error:
        _fail(DOES_NOT_HOLD, str(error))
    _print(_receipt_wire(verified), as_json=as_json)


def _read_policy(path: Path) -> Policy:
    try:
        return parse_policy(_read_text(path, "the policy"))
    except AuditError as error:
        _fail(BAD_INPUT, str(error))


def _read_text(path: Path, what: str) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        _fail(BAD_INPUT, f"{what} cannot be read")


def _report_wire(report: Report) -> dict[str, object]:
    return {
        "holds": report.holds,
        "origin": report.origin,
        "size": report.size,
        "root": report.root,
        "files": report.files,
        "uncovered": report.uncovered,
        "cosignedBy": list(report.cosigned_by),
        "problems": list(report.problems),
    }


def _receipt_wire(verified: VerifiedReceipt) -> dict[str, object]:
    return {
        "holds": True,
        "index": verified.index,
        "kind": verified.leaf.kind,
        "time": verified.leaf.time,
        "origin": verified.checkpoint.origin,
        "size": verified.checkpoint.head.size,
        "status": verified.status,
        "cosignedBy": list(verified.cosigned_by),
        "seenBy": dict(verified.seen_by),
        "uncosignedSince": verified.uncosigned_since,
    }


def _print(result: dict[str, object], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(result))
        return
    for member, value in result.items():
        shown = ", ".join(map(str, value)) or "none" if isinstance(value, list) else value
        typer.echo(f"{member}: {shown}")


def _fail(code: int, message: str) -> NoReturn:
    sys.stderr.write(f"sluis-audit: {message}\n")
    raise typer.Exit(code)
