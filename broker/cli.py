"""`sluis-broker`: sets up, checks and runs one broker in a folder of its own (docs/formats.md section 9).

Exit codes: 0 it holds or is done, 1 it does not hold, 2 the input is wrong. An error names a field and a rule.
"""

import asyncio
import json
import logging
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from audit.database import DATABASE_ERRORS
from audit.errors import AuditError, NotDurableError
from audit.typed import Commands
from broker import founding, webhook_command
from broker.domain.errors import BrokerError, DocumentNotNewerError, OrganisationUnknownError
from broker.protocol.errors import ProtocolError, SignatureError
from broker.settings import FILE_NAME, OFFLINE_PRIVATE_KEY, Settings, SettingsError, check_outside

if TYPE_CHECKING:
    from starlette.applications import Starlette

# Database, policies and web server take two seconds to load; each command loads what it needs (PLC0415 below).

DOES_NOT_HOLD = 1
BAD_INPUT = 2
_Jwk = dict[str, Any]

app = typer.Typer(
    cls=Commands, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__
)
register_app = typer.Typer(no_args_is_help=True, help="The register of organisations.")
roster_app = typer.Typer(no_args_is_help=True, help="The workers and teams of an organisation.")
epoch_app = typer.Typer(no_args_is_help=True, help="The custodians' public shares.")
config_app = typer.Typer(no_args_is_help=True, help="The configuration.")
policy_app = typer.Typer(no_args_is_help=True, help="The policy it decides with.")
for _name, _part in {
    "register": register_app,
    "roster": roster_app,
    "epoch": epoch_app,
    "config": config_app,
    "policy": policy_app,
}.items():
    app.add_typer(_part, name=_name)

Dir = Annotated[Path, typer.Argument(metavar="DIR", help="The broker's folder.")]
File = Annotated[Path, typer.Argument(metavar="FILE")]
Batch = Annotated[int, typer.Option("--batch", min=1, max=24, help="Signals that one entry of the log ends.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


@app.command()
def init(
    directory: Dir,
    *,
    party: Annotated[str, typer.Option("--id", help="This broker's name, like broker.example.nl.")],
    public_url: Annotated[str, typer.Option("--public-url", help="The address partners use.")],
    bind: Annotated[str, typer.Option("--bind", help="HOST:PORT to listen on.")],
    registrar: Annotated[list[Path], typer.Option("--registrar", help="Public JWK of a registrar; twice or more.")],
    custodian: Annotated[list[str], typer.Option("--custodian", help="ID=FILE with a public JWK; once for each.")],
    witness_url: Annotated[str | None, typer.Option("--witness-url", help="A witness without its own address.")] = None,
    log_policy: Annotated[
        str, typer.Option("--log-policy", help="Where the log policy is, or will be.")
    ] = "log-policy",
    database: Annotated[
        str | None, typer.Option("--database", help="postgresql://ROLE@HOST/NAME to serve with; a file if left out.")
    ] = None,
    database_owner: Annotated[
        str | None, typer.Option("--database-owner", help="The same database as the role that owns its schema.")
    ] = None,
    insecure_test_bundle: Annotated[
        bool, typer.Option("--insecure-test-bundle", help="Load policies that are no law.")
    ] = False,
    offline_key_out: Annotated[
        Path | None, typer.Option("--offline-key-out", help="Write the key that must leave this machine here.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make the folder and keys of a new broker; prints the log's vkey, which the log policy and witnesses need."""
    offline = offline_key_out or directory / OFFLINE_PRIVATE_KEY
    with _refusals():
        if (directory / FILE_NAME).exists() or (directory / "keys").exists():
            raise SettingsError("DIR", "holds a broker already", "nothing was changed")
        registrars, custodians = founding.read_pins(registrar, custodian)
        members = {
            "id": party,
            "public_url": public_url,
            "bind": bind,
            "registrars": [founding.pin_of(name) for name in registrars],
            "log_policy": log_policy,
            "insecure_test_bundle": insecure_test_bundle,
            **({} if witness_url is None else {"witness_url": witness_url}),
            **({} if database is None else {"database": database}),
            **({} if database_owner is None else {"database_owner": database_owner}),
            "custodians": {name: founding.pin_of(name) for name in custodians},
        }
        check_outside(directory, offline_key_out)
        with _warnings_told():
            vkey = founding.found(directory, members, {**registrars, **custodians}, offline=offline)
    typer.echo(f"Take {offline} offline now: with it and the database every token can be read.", err=True)
    typer.echo(json.dumps({"vkey": vkey, "offlinePrivateKey": str(offline)}) if as_json else vkey)


@app.command()
def migrate(directory: Dir) -> None:
    """Give the database the newest schema."""
    from broker import starting  # noqa: PLC0415 - loaded by this command alone

    with _refusals():
        starting.migrate_database(_settings(directory))
    typer.echo("ok")


@config_app.command("check")
def config_check(directory: Dir) -> None:
    """Hold if this broker would start: settings, keys, policies, documents, database and log are as they must be."""
    with _refusals():
        asyncio.run(_start_and_stop(_settings(directory)))
    typer.echo("ok")


@register_app.command("import")
def register_import(directory: Dir, file: File) -> None:
    """Take a register into force, if two of this broker's own registrars signed it and its number is higher."""
    from broker import starting  # noqa: PLC0415 - loaded by this command alone
    from broker.store import administration  # noqa: PLC0415 - loaded by this command alone

    with _refusals():
        settings = _settings(directory)
        registrars, _ = starting.read_pins(settings)
        address = starting.database_of(settings)
        register = administration.import_register(address, file.read_bytes(), registrars=registrars, now=_now())
    typer.echo(f"register {register.number}: {len(register.organisations)} organisations")


@roster_app.command("import")
def roster_import(directory: Dir, files: Annotated[list[Path], typer.Argument(metavar="FILE...")]) -> None:
    """Take over newer rosters, each signed by its organisation for this broker; the first that is refused ends it."""
    from broker import starting  # noqa: PLC0415 - loaded by this command alone
    from broker.store import administration  # noqa: PLC0415 - loaded by this command alone

    with _refusals():
        settings = _settings(directory)
        register = asyncio.run(starting.register_in_force(settings))
        address = starting.database_of(settings)
        for file in files:
            roster = administration.import_roster(
                address, file.read_bytes(), audience=settings.id, register=register, now=_now()
            )
            counts = f"{len(roster.workers)} workers, {len(roster.teams)} teams"
            typer.echo(f"roster {roster.number} of {roster.oin}: {counts}")


@epoch_app.command("import")
def epoch_import(directory: Dir, file: File) -> None:
    """Take an epoch into use, if every pinned custodian signed it and its number is higher."""
    from broker import starting  # noqa: PLC0415 - loaded by this command alone
    from broker.store import administration  # noqa: PLC0415 - loaded by this command alone

    with _refusals():
        settings = _settings(directory)
        _, custodians = starting.read_pins(settings)
        address = starting.database_of(settings)
        epoch = administration.import_epoch(address, file.read_bytes(), custodians=custodians, now=_now())
    typer.echo(f"epoch {epoch}")


@app.command()
def serve(directory: Dir) -> None:
    """Answer requests until told to stop; prints `ready URL` when it does."""
    import uvloop  # noqa: PLC0415 - loaded by this command alone

    from broker.api.serving import serve as serve_app  # noqa: PLC0415 - loaded by this command alone

    # Only our own lines are written in full; libraries quote what they work on.
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    logging.getLogger("sluis").setLevel(logging.INFO)
    with _refusals():
        settings = _settings(directory)
        uvloop.run(
            serve_app(
                _application(settings),
                host=settings.host,
                port=settings.port,
                announce=lambda: typer.echo(f"ready {settings.public_url}"),
            )
        )


@app.command()
def sweep(directory: Dir, *, batch: Batch = 24, as_json: AsJson = False) -> None:
    """End every signal whose last day has passed; a broker that serves does it itself when asked by this."""
    from broker.sweep_command import sweep as sweep_now  # noqa: PLC0415 - loaded by this command alone

    with _refusals():
        swept = sweep_now(_settings(directory), batch=batch, application=_application)
    typer.echo(json.dumps(swept) if as_json else "\n".join(f"{name}: {value}" for name, value in swept.items()))


@policy_app.command("activate")
def policy_activate(directory: Dir, *, as_json: AsJson = False) -> None:
    """Decide with the policy that the settings name now; a broker that serves does so without a restart."""
    from broker.policy_command import take_up  # noqa: PLC0415 - loaded by this command alone

    with _refusals():
        result = take_up(_settings(directory), application=_application)
    since = "was in force already" if result["entry"] is None else f"in force from entry {result['entry']} on"
    typer.echo(json.dumps(result) if as_json else f"policy {result['bundleSha256']}: {since}")


@app.command()
def verify(directory: Dir, *, as_json: AsJson = False) -> None:
    """Hold if every stored group of the log is there, or erased by the entry that says so."""
    from broker.verify_command import verify as verify_log  # noqa: PLC0415 - loaded by this command alone

    with _refusals():
        report = verify_log(_settings(directory))
    typer.echo(json.dumps(report) if as_json else "\n".join(f"{name}: {value}" for name, value in report.items()))
    raise typer.Exit(0 if report["holds"] else DOES_NOT_HOLD)


@app.command()
def openapi() -> None:
    """Print the OpenAPI document of the API."""
    from broker.api.app import description  # noqa: PLC0415 - loaded by this command alone

    typer.echo(json.dumps(description(), indent=2, sort_keys=True, ensure_ascii=False))


def main() -> None:
    """Run the command line of a broker."""
    app()


async def _start_and_stop(settings: Settings) -> None:
    application = _application(settings)
    async with application.router.lifespan_context(application):
        pass


def _settings(directory: Path) -> Settings:
    """Return the settings; what is insecure in them is said on standard error."""
    with _warnings_told():
        return Settings.read(directory)


def _application(settings: Settings) -> "Starlette":
    from broker import main as broker  # noqa: PLC0415 - loaded by this command alone

    with _warnings_told():
        return broker.create_app(settings)


@contextmanager
def _warnings_told() -> Iterator[None]:
    """Say each warning in one line of our own; Python's form shows where on this machine the code stands."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    for warning in caught:
        typer.echo(f"sluis-broker: {warning.message}", err=True)


def _now() -> int:
    return int(time.time())


@contextmanager
def _refusals() -> Iterator[None]:
    """Turn what is wrong into one line on standard error and an exit code."""
    try:
        yield
    except SignatureError:
        _fail(DOES_NOT_HOLD, "the signatures do not hold; nothing was changed")
    except DocumentNotNewerError:
        _fail(DOES_NOT_HOLD, "the number is not higher than that of the document in force; nothing was changed")
    except OrganisationUnknownError:
        _fail(DOES_NOT_HOLD, "the organisation is not in the register in force; nothing was changed")
    except (ProtocolError, AuditError) as error:
        _fail(DOES_NOT_HOLD if isinstance(error, NotDurableError) else BAD_INPUT, str(error))
    except (BrokerError, *DATABASE_ERRORS) as error:
        _fail(DOES_NOT_HOLD, f"the database is not available ({type(error).__name__}); nothing was changed")
    except OSError as error:
        _fail(BAD_INPUT, f"{error.filename or 'address'}: {error.strerror}")


def _fail(code: int, message: str) -> None:
    typer.echo(f"sluis-broker: {message}", err=True)
    raise typer.Exit(code)


webhook_command.add_to(app, read=_settings, refusals=_refusals)
