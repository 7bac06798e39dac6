"""`sluis-custodian ceremony refresh`: new shares of the same key, together with the other custodian."""

from pathlib import Path
from typing import Annotated

import typer

from broker.custodian import ceremony, folder, refresh
from broker.custodian.refusals import refusals
from broker.custodian.settings import Settings
from broker.protocol import strict_json
from broker.protocol.signing_keys import VerifyKey

refresh_app = typer.Typer(no_args_is_help=True, help="Make new shares of the key in force; tokens stay what they are.")

Dir = Annotated[Path, typer.Argument(metavar="DIR", help="The custodian's folder.")]
Out = Annotated[Path, typer.Option("--out", help="Where the public result is written.")]
PeerCommit = Annotated[Path, typer.Option("--peer-commit", help="The other custodian's commitments.")]


@refresh_app.command()
def commit(directory: Dir, out: Out) -> None:
    """Begin a refresh and write commitments, to send to the other custodian."""
    with refusals():
        settings, key = Settings.load(directory), folder.signing_key(directory).public
        out.write_bytes(refresh.commit(directory, custodian=settings.id, key=key))


@refresh_app.command("open")
def open_exchange(directory: Dir, peer_commit: PeerCommit, out: Out) -> None:
    """Store the other custodian's commitments, and only then write this one's part with proofs."""
    with refusals():
        key = folder.signing_key(directory).public
        out.write_bytes(refresh.open_exchange(directory, key=key, peer_commitments=peer_commit.read_bytes()))


@refresh_app.command()
def finish(
    directory: Dir,
    peer_commit: PeerCommit,
    peer_open: Annotated[Path, typer.Option("--peer-open", help="The other custodian's openings.")],
    out: Out,
) -> None:
    """Verify both sides, store the new shares and write the new epoch document, signed; prints its SHA-256.

    The old shares stay in use until `use`; join both documents with `ceremony join` first.
    """
    with refusals():
        text = refresh.finish(
            directory,
            key=folder.signing_key(directory),
            peer_commitments=peer_commit.read_bytes(),
            peer_openings=peer_open.read_bytes(),
        )
        out.write_bytes(text)
        typer.echo(f"sha256 {ceremony.fingerprint(text)}")


@refresh_app.command()
def use(
    directory: Dir,
    epoch: Annotated[Path, typer.Argument(metavar="EPOCH", help="The document that both custodians signed.")],
    peer_key: Annotated[Path, typer.Option("--peer-key", help="Public JWK of the other custodian.")],
    *,
    without_backup: Annotated[
        bool, typer.Option("--without-backup", help="Go on although no backup has the new shares.")
    ] = False,
) -> None:
    """Answer by the new shares from the next request on, and erase the old ones; a running service takes it over."""
    with refusals():
        document = refresh.use(
            directory,
            epoch.read_bytes(),
            custodian=Settings.load(directory).id,
            key=folder.signing_key(directory).public,
            peer_key=VerifyKey.from_jwk(
                strict_json.load_object(peer_key.read_bytes(), field="peer-key"), field="peer-key"
            ),
            without_backup=without_backup,
        )
    if without_backup:
        typer.echo("warning: if this disk breaks before a backup is made, the key and every token are lost", err=True)
    typer.echo(f"epoch {document.epoch}, refresh {document.refresh}")
