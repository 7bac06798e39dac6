"""`sluis-custodian`: sets up, opens and runs one custodian in a folder of its own.

Exit codes: 0 it holds or is done, 1 it does not hold, 2 the input is wrong. An error names a field and a rule.
"""

import json
from pathlib import Path
from typing import Annotated

import typer

from audit.typed import Commands
from broker.custodian import backup_cli, budgets, ceremony, folder, grants
from broker.custodian.clock import SystemClock, unix_seconds
from broker.custodian.monitor_cli import monitor_app
from broker.custodian.refresh_cli import refresh_app
from broker.custodian.refusals import refusals as _refusals
from broker.custodian.settings import Settings
from broker.protocol import strict_json
from broker.protocol.errors import MalformedError
from broker.protocol.families import Family
from broker.protocol.signing_keys import SigningKey

app = typer.Typer(
    cls=Commands, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__
)
ceremony_app = typer.Typer(no_args_is_help=True, help="Make the key of an epoch together with the other custodian.")
register_app = typer.Typer(no_args_is_help=True, help="The register of organisations.")
org_app = typer.Typer(no_args_is_help=True, help="The organisations this custodian serves.")
roster_app = typer.Typer(no_args_is_help=True, help="The workers of an enrolled organisation.")
budget_app = typer.Typer(no_args_is_help=True, help="What was charged.")
grant_app = typer.Typer(no_args_is_help=True, help="Import grants that organisations ask for.")
config_app = typer.Typer(no_args_is_help=True, help="The configuration.")
for name, part in {
    "ceremony": ceremony_app,
    "register": register_app,
    "org": org_app,
    "roster": roster_app,
    "budget": budget_app,
    "grant": grant_app,
    "config": config_app,
}.items():
    app.add_typer(part, name=name)

ceremony_app.add_typer(refresh_app, name="refresh")
app.add_typer(monitor_app, name="monitor")
app.command("backup-key")(backup_cli.backup_key)
app.command("backup")(backup_cli.back_up)
app.command("restore")(backup_cli.restore)
budget_app.command("forfeit")(backup_cli.budget_forfeit)

Dir = Annotated[Path, typer.Argument(metavar="DIR", help="The custodian's folder.")]
File = Annotated[Path, typer.Argument(metavar="FILE")]
Out = Annotated[Path, typer.Option("--out", help="Where the public result is written.")]
PeerCommit = Annotated[Path, typer.Option("--peer-commit", help="The other custodian's commitments.")]
PeerOpen = Annotated[Path, typer.Option("--peer-open", help="The other custodian's openings.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


@app.command()
def init(
    directory: Dir,
    *,
    party: Annotated[str, typer.Option("--id", help="This custodian's name, like custodian-a.example.nl.")],
    public_url: Annotated[str, typer.Option("--public-url", help="The address partners use.")],
    bind: Annotated[str, typer.Option("--bind", help="HOST:PORT to listen on; port 0 takes a free one.")],
    broker_id: Annotated[str, typer.Option("--broker-id", help="The broker that tickets are for.")],
    registrar: Annotated[list[Path], typer.Option("--registrar", help="Public JWK of a registrar; twice or more.")],
) -> None:
    """Make the folder, the signing key and the store of a new custodian; prints the public JWK, which others pin."""
    with _refusals():
        settings = Settings.checked(
            {
                "id": party,
                "public_url": public_url.rstrip("/"),
                "bind": bind,
                "broker_id": broker_id,
                "registrars": [strict_json.load_object(path.read_bytes(), field=path.name) for path in registrar],
            }
        )
        key = SigningKey.generate()
        public_jwk = json.dumps(key.public.jwk())
        folder.create(directory, settings, public_jwk, key)
    typer.echo(public_jwk)


@app.command()
def serve(directory: Dir) -> None:
    """Answer evaluation requests until told to stop; prints `ready URL` when it does."""
    # A web server takes a second to load; no other command needs it.
    from broker.custodian import service  # noqa: PLC0415 - the reason stands above
    from broker.custodian.monitor_folder import open_monitor  # noqa: PLC0415 - as above

    with (
        _refusals(),
        folder.open_custodian(directory) as custodian,
        open_monitor(directory, custodian) as monitor,
    ):
        if monitor is None:
            typer.echo("warning: nobody checks what becomes of the tickets: run monitor configure", err=True)
        service.make_server(custodian, announce=lambda url: typer.echo(f"ready {url}"), monitor=monitor).run()
        custodian.store.durability.check()


@ceremony_app.command()
def commit(
    directory: Dir,
    *,
    epoch: Annotated[int, typer.Option("--epoch", min=1, help="Number of the epoch.")],
    family: Annotated[list[Family], typer.Option("--family", help="nlbsn, fam or addr; once for each.")],
    out: Out,
) -> None:
    """Make this custodian's shares and write commitments to them, to send to the other custodian."""
    with _refusals():
        settings = Settings.load(directory)
        out.write_bytes(ceremony.commit(directory, custodian=settings.id, epoch=epoch, families=family))


@ceremony_app.command("open")
def open_shares(directory: Dir, peer_commit: PeerCommit, out: Out) -> None:
    """Store the other custodian's commitments, and only then write this one's public shares with proofs."""
    with _refusals():
        out.write_bytes(ceremony.open_shares(directory, peer_commitments=peer_commit.read_bytes()))


@ceremony_app.command()
def finish(directory: Dir, peer_commit: PeerCommit, peer_open: PeerOpen, out: Out) -> None:
    """Verify both sides, take the shares in use and write the epoch document, signed; prints its SHA-256."""
    with _refusals():
        text = ceremony.finish(
            directory,
            peer_commitments=peer_commit.read_bytes(),
            peer_openings=peer_open.read_bytes(),
            key=folder.signing_key(directory),
        )
        out.write_bytes(text)
        typer.echo(f"sha256 {ceremony.fingerprint(text)}")


@ceremony_app.command()
def join(
    first: Annotated[Path, typer.Argument(metavar="A")], second: Annotated[Path, typer.Argument(metavar="B")], out: Out
) -> None:
    """Write one epoch document with the signatures of both custodians; prints its SHA-256."""
    with _refusals():
        text = ceremony.join([first.read_bytes(), second.read_bytes()])
        out.write_bytes(text)
        typer.echo(f"sha256 {ceremony.fingerprint(text)}")


@register_app.command("import")
def register_import(directory: Dir, file: File) -> None:
    """Take a register into force, if two of this custodian's own registrars signed it and its number is higher."""
    with _refusals(), folder.open_trust(directory) as (_, trust):
        register = trust.import_register(file.read_bytes(), now=unix_seconds(SystemClock()))
    typer.echo(f"register {register.number}: {len(register.organisations)} organisations")


@org_app.command("enrol")
def org_enrol(
    directory: Dir,
    *,
    oin: Annotated[list[str], typer.Option("--oin", help="The organisation to serve from now on; may be repeated.")],
    roster: Annotated[
        list[Path], typer.Option("--roster", help="Its first roster for this custodian, signed by it; one for each.")
    ],
) -> None:
    """Enrol an organisation of the register: this custodian's own act, after checking who it is.

    Of several organisations the first that is refused ends the command; those before it are enrolled.
    """
    with _refusals(), folder.open_trust(directory) as (_, trust):
        if len(oin) != len(roster):
            raise MalformedError("roster", "must be given once for each --oin, in the same order")
        for number, file in zip(oin, roster, strict=True):
            enrolled = trust.enrol(number, file.read_bytes(), now=unix_seconds(SystemClock()))
            typer.echo(f"enrolled {enrolled.oin}: {len(enrolled.workers)} workers")


@roster_app.command("import")
def roster_import(directory: Dir, file: File) -> None:
    """Take over a newer roster of an enrolled organisation."""
    with _refusals(), folder.open_trust(directory) as (_, trust):
        roster = trust.import_roster(file.read_bytes())
    typer.echo(f"roster {roster.number} of {roster.oin}: {len(roster.workers)} workers")


@budget_app.command("show")
def budget_show(directory: Dir, *, as_json: AsJson = False) -> None:
    """Print what was left in every bucket after its last charge."""
    with _refusals(), folder.open_trust(directory) as (store, _):
        states = budgets.bucket_states(store)
    listed = [
        {
            "organisation": state.organisation,
            "worker": state.worker or None,
            "class": state.budget_class,
            "left": state.level.points,
        }
        for state in states
    ]
    if as_json:
        typer.echo(json.dumps(listed))
        return
    for line in listed:
        typer.echo(f"{line['organisation']}  {line['worker'] or 'organisation'}  {line['class']}: {line['left']} left")


@grant_app.command("accept")
def grant_accept(directory: Dir, file: File, *, as_json: AsJson = False) -> None:
    """Accept an import grant: this custodian's own act, after asking the organisation whether it means this."""
    with _refusals(), folder.open_trust(directory) as (store, trust):
        custodian, now = Settings.load(directory).id, unix_seconds(SystemClock())
        grant = grants.accept(store, trust.current(), file.read_bytes(), custodian=custodian, now=now)
    if as_json:
        typer.echo(json.dumps(grant.document()))
        return
    asked = ", ".join(f"{count} {family}" for family, count in grant.elements.items())
    typer.echo(f"grant {grant.id} of {grant.organisation}: {asked}, for {grant.purpose}, up to {grant.expires_on}")


@grant_app.command("revoke")
def grant_revoke(
    directory: Dir,
    grant_id: Annotated[str, typer.Argument(metavar="GRANT", help="Its id, as `list` prints it.")],
    *,
    oin: Annotated[str, typer.Option("--oin", help="The organisation whose grant it is.")],
) -> None:
    """Stop evaluating under a grant, at once."""
    with _refusals(), folder.open_trust(directory) as (store, _):
        grants.revoke(store, organisation=oin, grant_id=grant_id, now=unix_seconds(SystemClock()))
    typer.echo(f"revoked {grant_id} of {oin}; have it revoked at every other custodian too")


@grant_app.command("list")
def grant_list(directory: Dir, *, as_json: AsJson = False) -> None:
    """Print every grant that was accepted here, and what is left of it."""
    with _refusals(), folder.open_trust(directory) as (store, _):
        listed = [
            {**state.grant.document(), "left": dict(state.left), "revoked": state.revoked}
            for state in grants.grant_states(store)
        ]
    if as_json:
        typer.echo(json.dumps(listed))
        return
    for line in listed:
        left = ", ".join(f"{line['left'][family]} of {count} {family}" for family, count in line["elements"].items())
        ended = " (revoked)" if line["revoked"] else ""
        typer.echo(f"{line['id']}  {line['oin']}  {line['purpose']}  up to {line['expiresOn']}: {left} left{ended}")


@config_app.command("check")
def config_check(directory: Dir) -> None:
    """Hold if this custodian would start: configuration, keys, shares and store are as they must be."""
    with _refusals(), folder.open_trust(directory) as (_, trust):
        trust.current()
        keyring = folder.check(directory)
    typer.echo(f"ok: {len(keyring.shares)} shares")


def main() -> None:
    """Run the command line of a custodian."""
    app()
