"""What `custodian.toml` says: strict, every key known; secrets are files beside it and never stand in it."""

import json
import re
import tomllib
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from broker.custodian.errors import FolderError
from broker.protocol.errors import MalformedError
from broker.protocol.register import REGISTRARS_NEEDED
from broker.protocol.signing_keys import VerifyKey

FILE = "custodian.toml"
_PARTY = r"^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$"
_BIND = re.compile(r"\A(?P<host>[A-Za-z0-9_.-]+|\[[0-9a-fA-F:]+\]):(?P<port>[0-9]{1,5})\Z")


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)


class Registrar(_Table):
    """The public JWK of a registrar that this custodian trusts by its own decision."""

    kty: str
    crv: str
    x: str
    kid: str

    def key(self) -> VerifyKey:
        """Return the key. Raises MalformedError."""
        return VerifyKey.from_jwk(self.model_dump(), field="registrars")


class Settings(_Table):
    """The configuration of one custodian.

    `public_url` is the address partners use, without a slash at its end; request tokens are bound to it.
    """

    id: Annotated[str, Field(pattern=_PARTY)]
    public_url: Annotated[str, Field(pattern=r"^https?://[A-Za-z0-9_.:\[\]-]+(/[A-Za-z0-9_.-]+)*$")]
    bind: Annotated[str, Field(max_length=255)]
    broker_id: Annotated[str, Field(pattern=_PARTY)]
    registrars: Annotated[tuple[Registrar, ...], Field(min_length=REGISTRARS_NEEDED, max_length=16, strict=False)]

    @model_validator(mode="after")
    def _holds(self) -> Self:
        if (found := _BIND.match(self.bind)) is None or int(found["port"]) > 65535:  # noqa: PLR2004 - the last TCP port
            raise ValueError("bind is not HOST:PORT")
        if self.id == self.broker_id:
            raise ValueError("id and broker_id must differ: a custodian is another party than the broker")
        try:
            keys = {registrar.key().kid for registrar in self.registrars}
        except MalformedError as error:
            raise ValueError(str(error)) from None
        if len(keys) != len(self.registrars):
            raise ValueError("registrars must be different keys")
        return self

    @property
    def address(self) -> tuple[str, int]:
        """The host and port to listen on; port 0 takes a free one."""
        host, _, port = self.bind.rpartition(":")
        return host.strip("[]"), int(port)

    @property
    def registrar_keys(self) -> dict[str, VerifyKey]:
        """The registrars' keys by their thumbprint, which is how a register names its signers."""
        return {registrar.kid: registrar.key() for registrar in self.registrars}

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Return the settings of a custodian's folder. Raises FolderError, which names the field and the rule."""
        try:
            with (folder / FILE).open("rb") as file:
                members = tomllib.load(file)
        except (OSError, ValueError):
            raise FolderError(f"{FILE} is missing or is not TOML: run init, or correct the file") from None
        return cls.checked(members)

    @classmethod
    def checked(cls, members: dict[str, object]) -> Self:
        """Return the settings of these members. Raises FolderError, which names the field and the rule."""
        try:
            return cls.model_validate(members)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False, include_context=False)[0]
            place = ".".join(str(part) for part in first["loc"])
            raise FolderError(f"{FILE}: {place or 'settings'}: {first['msg']}") from None

    def toml(self) -> str:
        """Return the text of `custodian.toml`; the values allowed need no escaping beyond JSON's."""
        names = ("id", "public_url", "bind", "broker_id")
        lines = [f"{name} = {json.dumps(getattr(self, name))}" for name in names]
        for registrar in self.registrars:
            lines += ["", "[[registrars]]"]
            lines += [f"{name} = {json.dumps(value)}" for name, value in registrar.model_dump().items()]
        return "\n".join(lines) + "\n"
