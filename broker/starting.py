"""What starting the broker and importing a document have in common; it loads neither web server nor policies.

A command that imports one document is done before these would be loaded.
"""

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from audit.database import DATABASE_ERRORS
from audit.errors import AuditError, DatabaseError
from audit.key_ring import KeyRing
from audit.policy_file import Policy
from broker.domain.errors import (
    BrokerError,
    RightsTooWideError,
    SchemaNotMigratedError,
    WriterHeldError,
)
from broker.protocol import strict_json
from broker.protocol.errors import MalformedError
from broker.protocol.register import Register
from broker.protocol.signing_keys import VerifyKey
from broker.settings import FILE_NAME, Settings, SettingsError
from broker.store.address import DatabaseAddress, PostgresServer, SqliteFile, address_of
from broker.store.connection import open_reader
from broker.store.documents import StoredDocuments


def read_pins(settings: Settings) -> tuple[Mapping[str, VerifyKey], Mapping[str, VerifyKey]]:
    """Return the keys of registrars (by kid) and custodians (by id) that this broker trusts. Raises SettingsError."""
    registrars = [_public_key(settings, "registrars", path) for path in settings.registrars]
    custodians = {name: _public_key(settings, "custodians", path) for name, path in settings.custodians.items()}
    for field, keys in (("registrars", registrars), ("custodians", list(custodians.values()))):
        if len({key.kid for key in keys}) != len(keys):
            raise SettingsError(field, "hold one key twice", "pin different parties")
    return {key.kid: key for key in registrars}, custodians


async def register_in_force(settings: Settings) -> Register:
    """Return the register that this broker goes by. Raises SettingsError: there is none."""
    registrars, custodians = read_pins(settings)
    advice = "run `sluis-broker migrate`, then `sluis-broker register import`"
    with told("register", advice), closing(open_reader(database_of(settings))) as reader:
        documents = StoredDocuments(reader, audience=settings.id, registrars=registrars, custodians=custodians)
        return await documents.register()


def database_of(settings: Settings) -> DatabaseAddress:
    """Return where this broker's database is."""
    return address_of(settings.database, folder=settings.path(Path()))


def migrate_database(settings: Settings) -> None:
    """The database has the newest schema, and on a server the serving role its rights. Raises SettingsError."""
    from broker.store.schema import migrate  # noqa: PLC0415 - an engine for administration is loaded here alone

    address = database_of(settings)
    with told("database_owner", "make the database and both roles first, as docs/postgresql.md says"):
        if isinstance(address, SqliteFile):
            migrate(address)
            return
        owner = None if settings.database_owner is None else address_of(settings.database_owner, folder=Path())
        if not isinstance(owner, PostgresServer):
            raise SettingsError("database_owner", "is missing or no server", f"add it to {FILE_NAME}")
        if owner.role == address.role:
            raise SettingsError("database_owner", "is the role of `database` too", "serve as a role with fewer rights")
        try:
            migrate(owner, service=address.role)
        except SQLAlchemyError as error:
            # Its text holds the statement and the server's words.
            rule = f"was refused by the server ({type(error).__name__})"
            raise SettingsError("database_owner", rule, "see docs/postgresql.md: both roles must be there") from None


def read_payload_keys(settings: Settings) -> KeyRing:
    """Return the keys with which the content of the log opens. Raises SettingsError: none, or others can read them.

    New ones would open nothing of the log that is there, so the way out is never to make them.
    """
    with told("payload_keys", "restore the folder with its keys, mode 0700 (docs/operations.md section 8)"):
        return KeyRing.open(settings.path(settings.payload_keys))


@contextmanager
def told(setting: str, advice: str, *, also: tuple[type[Exception], ...] = ()) -> Iterator[None]:
    """Turn whatever stops the start into one sentence that says what to do, without a value of any file.

    Args:
        also: further errors whose text names no value.
    """
    try:
        yield
    except SettingsError:
        raise
    except SchemaNotMigratedError:
        raise SettingsError("database", "has not the newest schema", "run `sluis-broker migrate`") from None
    except RightsTooWideError:
        rule = "is used as a role that may rewrite the log or change the schema"
        raise SettingsError("database", rule, "serve as another role than `database_owner`") from None
    except WriterHeldError:
        raise SettingsError("database", "has another broker that writes to it", "stop that one first") from None
    except OSError as error:
        raise SettingsError(setting, (error.strerror or "cannot be used").lower(), advice) from None
    except DatabaseError as error:
        if error.is_of_the_server:
            rule = "is a server that forgets what it acknowledged, or stands behind a pooler that changes sessions"
            raise SettingsError("database", rule, "see docs/postgresql.md") from None
        if error.lost:
            rule = f"cannot be reached ({error.sqlstate or 'no answer'})"
            raise SettingsError("database", rule, "start its server, or correct the address and the role") from None
        raise SettingsError("database", f"cannot be used ({error.sqlstate})", advice) from None
    except DATABASE_ERRORS as error:
        raise SettingsError(setting, f"cannot be used ({type(error).__name__})", advice) from None
    except (MalformedError, AuditError) as error:
        raise SettingsError(setting, str(error), advice) from None
    except also as error:
        raise SettingsError(setting, str(error), advice) from None
    except BrokerError as error:
        raise SettingsError(setting, f"cannot be used ({type(error).__name__})", advice) from None


def _public_key(settings: Settings, field: str, path: Path) -> VerifyKey:
    with told(field, "name a file with a public JWK"):
        return VerifyKey.from_jwk(strict_json.load_object(settings.path(path).read_bytes(), field=path.name))


def with_addresses(policy: Policy, url: str | None) -> Policy:
    """Return the policy in which a witness without an address is asked at this one."""
    witnesses = {name: party if party.url else replace(party, url=url) for name, party in policy.witnesses.items()}
    return replace(policy, witnesses=witnesses)
