"""What `watch.toml` says: whose log this custodian follows, who else watches it, and who its peers are.

It is written by `sluis-custodian monitor configure`, beside `custodian.toml`: the broker's log and its witnesses exist
only after the custodian does. A custodian without it hands out tickets that nobody checks, and says so when it starts.
"""

import dataclasses
import json
import tomllib
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from audit.errors import AuditError
from audit.note import VerifierKey
from audit.policy_file import Policy, parse_policy
from broker.custodian.errors import FolderError
from broker.custodian.settings import Registrar
from broker.protocol.signing_keys import VerifyKey

FILE = "watch.toml"
LOG_POLICY = "log-policy"
"""The broker's log and its witnesses, as this custodian pinned them."""
_URL = r"^https?://[A-Za-z0-9_.:\[\]-]+(/[A-Za-z0-9_.-]+)*$"
_PARTY = r"^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$"


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)


class Peer(Registrar):
    """Another custodian: its id, where it answers, and its public JWK."""

    id: Annotated[str, Field(pattern=_PARTY)]
    url: Annotated[str, Field(pattern=_URL)]

    def key(self) -> VerifyKey:
        """Return the key it signs with. Raises MalformedError."""
        return VerifyKey.from_jwk(self.model_dump(exclude={"id", "url"}), field="peers")


class WatchSettings(_Table):
    """How this custodian watches.

    Args:
        broker_url: where the broker answers; requests to it are bound to this address.
        peers: the other custodians.
        poll_s: seconds between two looks; a ticket is matched within 15 minutes of its entry.
        max_blind_s: seconds without a look to the log's end after which no ticket is handed out, but urgent ones.
    """

    broker_url: Annotated[str, Field(pattern=_URL)]
    peers: Annotated[tuple[Peer, ...], Field(max_length=8, strict=False)] = ()
    poll_s: Annotated[int, Field(ge=1, le=300)] = 20
    max_blind_s: Annotated[int, Field(ge=60, le=86_400)] = 3600

    @classmethod
    def load(cls, folder: Path) -> Self | None:
        """Return the settings of a folder, None where nothing is watched. Raises FolderError."""
        try:
            members = tomllib.loads((folder / FILE).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except (OSError, ValueError):
            raise FolderError(f"{FILE} is not TOML: run monitor configure anew") from None
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
        """Return the text of `watch.toml`; the values allowed need no escaping beyond JSON's."""
        lines = [f"{name} = {json.dumps(getattr(self, name))}" for name in ("broker_url", "poll_s", "max_blind_s")]
        for peer in self.peers:
            lines += ["", "[[peers]]", *(f"{name} = {json.dumps(value)}" for name, value in peer.model_dump().items())]
        return "\n".join(lines) + "\n"


def read_log_policy(folder: Path) -> Policy:
    """Return whose log is followed, and who witnesses it. Raises FolderError."""
    try:
        return parse_policy((folder / LOG_POLICY).read_text(encoding="utf-8"))
    except (OSError, ValueError, AuditError):
        raise FolderError(f"{LOG_POLICY} is missing or no policy: run monitor configure anew") from None


def own_policy(broker: Policy, own: VerifierKey) -> Policy:
    """Return the policy of this custodian's own log: the same witnesses, and the same quorum of them."""
    return dataclasses.replace(broker, log=dataclasses.replace(broker.log, key=own, url=None))
