"""`sluis-registrar`: the register of organisations is drafted by one registrar and approved by another (D13).

    content.json ──propose──► draft (1 signature) ──approve, another registrar──► register (2 signatures)
    register ──suspend──► draft of the next number ──approve──► ...

A signature names its signer by the `kid` of the registrar's key, which is what every party pins. The tool holds no
trust of its own: whoever imports a register verifies both signatures against its own pins.
"""

import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from audit.typed import Commands
from broker.protocol import strict_json
from broker.protocol.errors import MalformedError, ProtocolError, SignatureError
from broker.protocol.excluded_addresses import SCHEMA as EXCLUDED
from broker.protocol.excluded_addresses import ExcludedAddresses, PlainAddress
from broker.protocol.register import REGISTRARS_NEEDED, SCHEMA, Organisation, Register
from broker.protocol.signed_document import SignedDocument
from broker.protocol.signing_keys import SigningKey, VerifyKey

BAD_INPUT = 2
DOES_NOT_HOLD = 1
_CONFIG = "registrar.toml"
_KEY = Path("keys") / "registrar.jwk"
_MAX_BYTES = 4_194_304

app = typer.Typer(
    cls=Commands, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__
)
excluded_app = typer.Typer(no_args_is_help=True, help="The list of addresses that never become a token (D4).")
app.add_typer(excluded_app, name="excluded")

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="The registrar's folder.")]
KeyFolder = Annotated[Path, typer.Option("--key", help="The folder of the registrar who signs.")]
Out = Annotated[Path, typer.Option("--out", help="Where the result is written.")]
File = Annotated[Path, typer.Argument(metavar="F", help="A register or a draft of one.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


@app.command()
def init(folder: Folder, name: Annotated[str, typer.Option("--name")], as_json: AsJson = False) -> None:
    """Make a registrar's key in a new folder and print the public JWK, which parties pin."""
    with _refusals():
        if not name.isprintable() or '"' in name or "\\" in name or not name.strip():
            raise MalformedError("name", "is not a printable name without quotes")
        (folder / "keys").mkdir(parents=True, mode=0o700)
        key = SigningKey.generate()
        key.write(folder / _KEY)
        (folder / _CONFIG).write_text(f'name = "{name}"\n', encoding="utf-8")
        jwk = json.dumps(key.public.jwk())
        (folder / "registrar.pub.jwk").write_text(jwk + "\n", encoding="utf-8")
    typer.echo(json.dumps({"name": name, "jwk": key.public.jwk()}) if as_json else jwk)


@app.command()
def propose(
    content: Annotated[Path, typer.Option("--from", help="The register's content: number, organisations, budgets.")],
    key: KeyFolder,
    out: Out,
    as_json: AsJson = False,
) -> None:
    """Draft a register from its content, with the first signature."""
    with _refusals():
        members = strict_json.load_object(content.read_bytes(), field=content.name, max_bytes=_MAX_BYTES)
        draft = _signed(SignedDocument(document={"schema": SCHEMA, **members}, signatures=()), key)
        register = Register.draft(draft)
        _write(out, draft)
    _tell(register, signatures=1, changes=changes(None, register), as_json=as_json)


@app.command()
def approve(
    draft: File,
    *,
    key: KeyFolder,
    out: Out,
    previous: Annotated[Path | None, typer.Option("--previous", help="The register in force, to compare with.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Sign without asking first.")] = False,
    as_json: AsJson = False,
) -> None:
    """Sign another registrar's draft, after showing what it changes."""
    with _refusals():
        signed = _read(draft)
        register = Register.draft(signed)
        _require_other_draft(draft, signed, key)
        before = None if previous is None else Register.draft(_read(previous))
        _require_next(register, before)
        changed = changes(before, register)
        if not yes and sys.stdin.isatty():
            typer.echo("\n".join(changed))
            typer.confirm("Sign this register?", abort=True)
        _write(out, _signed(signed, key))
    _tell(register, signatures=REGISTRARS_NEEDED, changes=changed, as_json=as_json)


@app.command()
def suspend(
    current: File,
    oin: Annotated[str, typer.Option("--oin", help="The organisation that may no longer act.")],
    key: KeyFolder,
    out: Out,
    as_json: AsJson = False,
) -> None:
    """Draft the next register, in which this organisation is suspended."""
    with _refusals():
        before = Register.draft(_read(current))
        if oin not in before.organisations:
            raise MalformedError("oin", "is not in this register")
        document = {
            **before.signed.document,
            "number": before.number + 1,
            "organisations": [
                {**item, "status": "suspended"} if item["oin"] == oin else item
                for item in before.signed.document["organisations"]
            ],
        }
        draft = _signed(SignedDocument(document=document, signatures=()), key)
        register = Register.draft(draft)
        _write(out, draft)
    _tell(register, signatures=1, changes=changes(before, register), as_json=as_json)


@app.command()
def export(
    current: File,
    registrar: Annotated[
        list[Path] | None, typer.Option("--registrar", help="Public JWK of a registrar, to verify with.")
    ] = None,
) -> None:
    """Print the content of a register, ready to be edited and proposed; with `--registrar` twice it is verified."""
    with _refusals():
        signed = _read(current)
        Register.draft(signed)
        if registrar:
            signed.require(_pins(registrar), at_least=REGISTRARS_NEEDED)
        content = {name: value for name, value in signed.document.items() if name != "schema"}
    typer.echo(json.dumps(content, indent=2, ensure_ascii=False))


@excluded_app.command("propose")
def propose_excluded(
    content: Annotated[Path, typer.Option("--from", help="The list: number, and addresses with their five fields.")],
    key: KeyFolder,
    out: Out,
    as_json: AsJson = False,
) -> None:
    """Draft a list of addresses that never become a token, with the first signature."""
    with _refusals():
        members = strict_json.load_object(content.read_bytes(), field=content.name, max_bytes=_MAX_BYTES)
        draft = _signed(SignedDocument(document={"schema": EXCLUDED, **members}, signatures=()), key)
        listed = ExcludedAddresses.draft(draft)
        _write(out, draft)
    _tell_list(listed, signatures=1, as_json=as_json)


@excluded_app.command("approve")
def approve_excluded(
    draft: File,
    *,
    key: KeyFolder,
    out: Out,
    previous: Annotated[Path | None, typer.Option("--previous", help="The list in force, to compare with.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Sign without asking first.")] = False,
    as_json: AsJson = False,
) -> None:
    """Sign another registrar's draft of the list, after showing how many addresses it adds and removes."""
    with _refusals():
        signed = _read(draft, EXCLUDED)
        listed = ExcludedAddresses.draft(signed)
        _require_other_draft(draft, signed, key)
        before = None if previous is None else ExcludedAddresses.draft(_read(previous, EXCLUDED))
        _require_next(listed, before)
        old = set[PlainAddress]() if before is None else set(before.addresses)
        added, removed = len(set(listed.addresses) - old), len(old - set(listed.addresses))
        if not yes and sys.stdin.isatty():
            typer.confirm(f"Sign this list? It adds {added} and removes {removed} addresses", abort=True)
        _write(out, _signed(signed, key))
    _tell_list(listed, signatures=REGISTRARS_NEEDED, as_json=as_json)


def changes(before: Register | None, after: Register) -> list[str]:
    """Return one line per organisation that was added, removed or changed, naming the members that differ."""
    old: Mapping[str, Organisation] = {} if before is None else before.organisations
    lines = [f"number {'none' if before is None else before.number} -> {after.number}"]
    lines += [f"+ {oin} {after.organisations[oin].name}" for oin in after.organisations if oin not in old]
    lines += [f"- {oin} {old[oin].name}" for oin in old if oin not in after.organisations]
    for oin, organisation in after.organisations.items():
        if oin in old and (members := _differing(old[oin].document(), organisation.document())):
            lines.append(f"~ {oin} {organisation.name}: {', '.join(members)}")
    if before is not None and before.signed.document["budgetClasses"] != after.signed.document["budgetClasses"]:
        lines.append("~ budgetClasses")
    return lines


def main() -> None:
    """Run the command line of a registrar."""
    app()


def _differing(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Name the members that differ; a status says what it becomes, for that is what a reader must see."""
    return [f"status {new[name]}" if name == "status" else name for name in new if new[name] != old[name]]


def _require_other_draft(draft: Path, signed: SignedDocument, key: Path) -> None:
    """Hold only for a draft with one signature, by another registrar."""
    if len(signed.signatures) != 1:
        raise MalformedError(draft.name, "is not a draft with one signature")
    if signed.signatures[0].kid == SigningKey.read(key / _KEY).public.kid:
        raise SignatureError("nobody approves their own draft: another registrar must sign")


def _require_next(new: Register | ExcludedAddresses, before: Register | ExcludedAddresses | None) -> None:
    if before is not None and new.number <= before.number:
        raise MalformedError("number", "is not higher than that of the one in force")


def _pins(files: list[Path]) -> dict[str, VerifyKey]:
    keys = [VerifyKey.from_jwk(strict_json.load_object(path.read_bytes(), field=path.name)) for path in files]
    return {key.kid: key for key in keys}


def _read(path: Path, schema: str = SCHEMA) -> SignedDocument:
    return SignedDocument.parse(path.read_bytes(), schema=schema)


def _signed(document: SignedDocument, folder: Path) -> SignedDocument:
    key = SigningKey.read(folder / _KEY)
    return document.with_signature(key.public.kid, key)


def _write(path: Path, document: SignedDocument) -> None:
    """Write the file whole or not at all."""
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.write_bytes(document.encode())
    os.replace(temporary, path)  # noqa: PTH105 - says plainly that an existing file is replaced


def _tell(register: Register, *, signatures: int, changes: list[str], as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({"number": register.number, "signatures": signatures, "changes": changes}))
        return
    typer.echo(f"register {register.number}, {signatures} of {REGISTRARS_NEEDED} signatures")
    for line in changes:
        typer.echo(f"  {line}")


def _tell_list(listed: ExcludedAddresses, *, signatures: int, as_json: bool) -> None:
    """Tell number and size; never an address, for a terminal is no place for a shelter's."""
    told = {"number": listed.number, "addresses": len(listed.addresses), "signatures": signatures}
    line = f"list {listed.number}, {len(listed.addresses)} addresses, {signatures} of {REGISTRARS_NEEDED} signatures"
    typer.echo(json.dumps(told) if as_json else line)


@contextmanager
def _refusals() -> Iterator[None]:
    """Turn what is wrong with the input into one line on standard error and an exit code."""
    try:
        yield
    except SignatureError as error:
        typer.echo(f"sluis-registrar: {str(error) or 'the signatures do not hold'}", err=True)
        raise typer.Exit(DOES_NOT_HOLD) from None
    except ProtocolError as error:
        typer.echo(f"sluis-registrar: {error}", err=True)
        raise typer.Exit(BAD_INPUT) from None
    except OSError as error:
        typer.echo(f"sluis-registrar: {error.filename}: {error.strerror}", err=True)
        raise typer.Exit(BAD_INPUT) from None
