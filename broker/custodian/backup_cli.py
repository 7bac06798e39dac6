"""`sluis-custodian backup`, `restore` and `budget forfeit`: a custodian that is lost comes back, its budgets do not."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from broker.custodian import backup, folder, sealing
from broker.custodian.clock import SystemClock
from broker.custodian.forfeit import forfeit
from broker.custodian.refusals import refusals
from broker.protocol import strict_json
from broker.protocol.signing_keys import VerifyKey

Dir = Annotated[Path, typer.Argument(metavar="DIR", help="The custodian's folder.")]
File = Annotated[Path, typer.Argument(metavar="FILE", help="The sealed backup.")]


def backup_key(
    private: Annotated[Path, typer.Option("--private", help="The half that opens backups; take it offline.")],
    public: Annotated[Path, typer.Option("--public", help="The half that seals them; stays with the custodian.")],
) -> None:
    """Make the pair that backups are sealed with: two new files."""
    with refusals():
        sealing.create_pair(private=private, public=public)
    typer.echo(f"take {private} to where no custodian runs, in two places", err=True)


def back_up(
    directory: Dir,
    *,
    to: Annotated[Path, typer.Option("--to", help="The public half of the pair.")],
    out: Annotated[Path, typer.Option("--out", help="Where the sealed backup is written.")],
) -> None:
    """Write a sealed backup of keys, shares, enrolments and rosters; the custodian may serve meanwhile."""
    with refusals():
        backup.back_up(directory, out, public=sealing.read_public(to), clock=SystemClock())
    typer.echo("ok")


def restore(
    file: File,
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="A new or empty folder.")],
    *,
    key: Annotated[Path, typer.Option("--key", help="The private half of the pair.")],
    signer: Annotated[Path, typer.Option("--signer", help="The custodian's public JWK, as others pin it.")],
    register: Annotated[Path, typer.Option("--register", help="The register in force now.")],
) -> None:
    """Make a custodian's folder of a backup. Everything counts as used up: no budget, grant or worker comes back."""
    with refusals():
        restored = backup.restore(
            file.read_bytes(),
            directory,
            private=sealing.read_private_key(key),
            custodian_key=VerifyKey.from_jwk(
                strict_json.load_object(signer.read_bytes(), field="signer"), field="signer"
            ),
            register=register.read_bytes(),
            clock=SystemClock(),
        )
    made = datetime.fromtimestamp(restored.made_at, UTC).strftime("%Y-%m-%d %H:%M UTC")
    typer.echo(f"{restored.custodian}: {len(restored.enrolments)} organisations, as of {made}")
    typer.echo("nobody of an organisation is served until its roster is imported: roster import", err=True)


def budget_forfeit(directory: Dir) -> None:
    """Count everything as used up: for a folder that was put back as files and may have forgotten charges."""
    with refusals(), folder.open_trust(directory) as (store, _):
        forfeit(store, clock=SystemClock())
    typer.echo("ok")
