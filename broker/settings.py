"""What the broker is told at start: one frozen `Settings`, read from `DIR/broker.toml` and passed down as arguments.

    MalformedError
    `-- SettingsError           the broker does not start; says which setting, which rule, and what to do

No module reads the environment. Secrets are files, named relative to the folder. Switches that make the broker unsafe
are spelled `insecure_...` and warn.
"""

import re
import tomllib
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Self
from urllib.parse import parse_qsl, urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PrivateAttr, ValidationError, model_validator

from broker.domain.disclosures import MOST_SIGNALS_OF_AN_ADDRESS
from broker.protocol.errors import MalformedError

FILE_NAME = "broker.toml"
REGISTRARS_NEEDED = 2
CUSTODIANS_NEEDED = 2
LOG_KEY = "log.key"
INDEX_KEY = "index.key"
OFFLINE_PUBLIC_KEY = "offline.pub"
OFFLINE_PRIVATE_KEY = "offline-private.key"
"""Where `init` leaves it unless told otherwise; no broker starts beside it."""

_PARTY = re.compile(r"\A[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?\Z")
_BIND = re.compile(r"\A(?P<host>[A-Za-z0-9.:\[\]-]+):(?P<port>[0-9]{1,5})\Z")
_MAX_PORT = 65_535
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class SettingsError(MalformedError):
    """The broker cannot start with these settings; `advice` says what to do about it."""

    def __init__(self, setting: str, rule: str, advice: str) -> None:
        super().__init__(setting, f"{rule}; {advice}")
        self.advice = advice


class InsecureSettingWarning(UserWarning):
    """A setting makes the broker unfit for anything but demonstrations and measurements."""


def _party(value: object) -> object:
    if not isinstance(value, str) or _PARTY.match(value) is None:
        raise ValueError("is not a DNS-like name of at most 63 characters")
    return value


def _url(value: object) -> object:
    parts = urlsplit(value) if isinstance(value, str) else None
    if parts is None or parts.scheme not in {"http", "https"} or not parts.netloc or parts.query or parts.fragment:
        raise ValueError("is not a URL that begins with http:// or https://")
    if parts.path not in {"", "/"}:
        raise ValueError("is not a URL without a path")
    return str(value).rstrip("/")


def _bind(value: object) -> object:
    match = _BIND.match(value) if isinstance(value, str) else None
    if match is None or not 0 < int(match["port"]) <= _MAX_PORT:
        raise ValueError("is not HOST:PORT")
    return value


def _database(value: object) -> object:
    """Refuse an address with a password: secrets are files, and this one is libpq's `passfile`."""
    if not isinstance(value, str) or not value:
        raise ValueError("is neither a path nor a postgresql:// address")
    if "://" in value or value.startswith("postgres"):
        _server(value)
    return value


def _server(value: str) -> None:
    """Hold only for an address that names role and database, holds no secret, and is reached in no other's sight."""
    parts = urlsplit(value)
    options = dict(parse_qsl(parts.query))
    if not value.startswith("postgresql://") or not parts.username or not parts.path.strip("/") or "user" in options:
        raise ValueError("is not postgresql://ROLE@HOST/NAME")
    if parts.password is not None or options.keys() & {"password", "sslpassword"}:
        raise ValueError("holds a password; name a file with passfile=...")
    places = (parts.hostname, options.get("host"), options.get("hostaddr"))
    hosts = [host for place in places for host in (place or "").split(",") if host]
    near = all(host.startswith("/") or host in _LOOPBACK for host in hosts)
    if not near and options.get("sslmode") != "verify-full":
        raise ValueError("is on another machine without sslmode=verify-full")


def _path(value: object) -> object:
    if not isinstance(value, str) or not value:
        raise ValueError("is not a path")
    return Path(value)


Party = Annotated[str, BeforeValidator(_party)]
Url = Annotated[str, BeforeValidator(_url)]
FilePath = Annotated[Path, BeforeValidator(_path)]
Database = Annotated[str, BeforeValidator(_database)]


_INSECURE = (
    "insecure_tick_ms", "insecure_test_bundle", "insecure_unsigned_bundle", "insecure_webhook_loopback",
)  # fmt: skip


class Settings(BaseModel):
    """One broker's settings; every path is relative to the folder that holds `broker.toml`.

    Args:
        id: this broker as others name it; the log's origin is `<id>/log`.
        public_url: what clients call and sign (`htu`).
        bind: HOST:PORT to listen on.
        registrars: public JWKs of the registrars whose two signatures make a register.
        custodians: custodian id -> public JWK that its tickets and epoch descriptors are signed with.
        witness_url: where a witness is asked whose address the log policy does not name.
        payload_keys: the folder of the key-encryption keys: outside the database and every backup, best on a disk of
            its own that does not copy on write.
        database: an SQLite file, or postgresql://ROLE@HOST/NAME with the role this broker serves as.
        database_owner: the same database as the role that owns its schema; only `migrate` uses it.
        tick_ms: milliseconds in which requests gather before their answers leave together (D7).
        max_uncosigned_s: seconds that the log may lack its quorum of witnesses before nothing is disclosed (ADR 24).
        address_mute_above: an address with more visible signals of others says nothing (D4); lower is stricter.
        policy_release: the signed bundle to decide with (release/v1).
        policy_signers: the list of who may sign it (signers/v1).
        policy_earlier: releases that were in force before; the one that is replaced must be among them.
        policy_tables: a folder with the decision tables of the release, to show what each clause was tested with.
        insecure_tick_ms: replaces `tick_ms` in benches.
        insecure_test_bundle: loads the policy documents that are no law.
        insecure_unsigned_bundle: decides with the shipped documents, which are examples that nobody signed.
        insecure_webhook_loopback: sends events to the own machine where a webhook names it.
        webhook_trust: the certificates (PEM) that those of webhooks must lead to, in place of the usual authorities.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)

    id: Party
    public_url: Url
    bind: Annotated[str, BeforeValidator(_bind)]
    registrars: Annotated[list[FilePath], Field(min_length=REGISTRARS_NEEDED)]
    custodians: Annotated[dict[Party, FilePath], Field(min_length=CUSTODIANS_NEEDED)]
    witness_url: Url | None = None
    log_policy: FilePath = Path("log-policy")
    keys: FilePath = Path("keys")
    payload_keys: FilePath = Path("payload-keys")
    database: Database = "broker.sqlite"
    database_owner: Database | None = None
    tick_ms: Annotated[int, Field(ge=20, le=5_000)] = 200
    max_uncosigned_s: Annotated[int, Field(ge=60, le=86_400)] = 3600
    address_mute_above: Annotated[int, Field(ge=1, le=MOST_SIGNALS_OF_AN_ADDRESS)] = MOST_SIGNALS_OF_AN_ADDRESS
    policy_release: FilePath | None = None
    policy_signers: FilePath | None = None
    policy_earlier: list[FilePath] = Field(default_factory=list)
    policy_tables: FilePath | None = None
    insecure_tick_ms: Annotated[int, Field(ge=0, le=5_000)] | None = None
    insecure_test_bundle: bool = False
    insecure_unsigned_bundle: bool = False
    insecure_webhook_loopback: bool = False
    webhook_trust: FilePath | None = None
    _folder: Path = PrivateAttr(default=Path())

    @model_validator(mode="after")
    def _warn_of_insecure_switches(self) -> Self:
        for name in _INSECURE:
            if getattr(self, name) is not None and getattr(self, name) is not False:
                warnings.warn(
                    f"{name} is set: never use this broker for real people", InsecureSettingWarning, stacklevel=2
                )
        return self

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Return the settings in this folder's `broker.toml`.

        Raises:
            SettingsError: the file is missing or no TOML, a field is missing, unknown or breaks its rule.
        """
        try:
            text = (folder / FILE_NAME).read_text(encoding="utf-8")
        except OSError:
            raise SettingsError(FILE_NAME, "cannot be read", "run `sluis-broker init` first") from None
        except UnicodeDecodeError:
            raise SettingsError(FILE_NAME, "is not TOML", "correct the file") from None
        return cls.parse(text, folder=folder)

    @classmethod
    def parse(cls, text: str, *, folder: Path) -> Self:
        """Return the settings in this TOML text, whose paths are relative to `folder`. Raises SettingsError."""
        try:
            settings = cls.model_validate(tomllib.loads(text))
        except tomllib.TOMLDecodeError:
            raise SettingsError(FILE_NAME, "is not TOML", "correct the file") from None
        except ValidationError as error:
            raise _refusal(error) from None
        settings._folder = folder  # noqa: SLF001 - our own private attribute, set once here
        return settings

    def path(self, relative: Path) -> Path:
        """Return a path of these settings as it is on this machine."""
        return self._folder / relative

    @property
    def log_origin(self) -> str:
        """The name of the log and of its key."""
        return f"{self.id}/log"

    @property
    def effective_tick_ms(self) -> int:
        """How many milliseconds requests gather before one commit."""
        return self.tick_ms if self.insecure_tick_ms is None else self.insecure_tick_ms

    @property
    def host(self) -> str:
        """The host to listen on."""
        return self.bind.rpartition(":")[0].strip("[]")

    @property
    def port(self) -> int:
        """The port to listen on."""
        return int(self.bind.rpartition(":")[2])


def encode(members: Mapping[str, Any]) -> str:
    """Return TOML for settings of texts, numbers, flags, lists of texts, and one table of texts at the end."""
    plain = [f"{name} = {_toml(value)}" for name, value in members.items() if not isinstance(value, Mapping)]
    tables = [
        "\n".join(["", f"[{name}]", *(f"{_toml(key)} = {_toml(item)}" for key, item in value.items())])
        for name, value in members.items()
        if isinstance(value, Mapping)
    ]
    return "\n".join([*plain, *tables]) + "\n"


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, list):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    text = str(value)
    if not text.isprintable() or '"' in text or "\\" in text:
        raise SettingsError("settings", "hold a text with quotes or control characters", "choose another name")
    return f'"{text}"'


def _refusal(error: ValidationError) -> SettingsError:
    """Name the setting and the rule; never the value, which could be a secret that was pasted in the wrong place."""
    first = error.errors(include_input=False, include_url=False, include_context=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    advice = f"correct it in {FILE_NAME}"
    if first["type"] == "extra_forbidden":
        return SettingsError(place, "is not a setting", f"remove it from {FILE_NAME}")
    if first["type"] == "missing":
        return SettingsError(place, "is missing", f"add it to {FILE_NAME}")
    return SettingsError(place, first["msg"].removeprefix("Value error, "), advice)


def check_outside(directory: Path, file: Path | None) -> None:
    """Hold if the offline key can go to this file, if any: new, and outside the folder. Raises SettingsError."""
    if file is None:
        return
    if file.resolve().is_relative_to(directory.resolve()):
        raise SettingsError("--offline-key-out", "is in the broker's folder", "name a file elsewhere")
    if file.exists() or not file.parent.is_dir():
        raise SettingsError("--offline-key-out", "is no new file in a folder that is there", "name another")
