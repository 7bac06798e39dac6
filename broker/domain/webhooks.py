"""Webhooks: that it is time to fetch the inbox, said on a fixed clock to whoever wants to hear it, whatever waits (D8).

Where it goes is somebody else's word. Only an address on the public internet is ever connected to: a broker that can be
made to ask things of its own network is a way in.
"""

import ipaddress
import json
import re
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

EVERY_S = 900
"""Seconds between two events."""
MAX_TRIES = 5
"""How often one event is tried before it is a dead letter."""
FIRST_WAIT_S, WAIT_TIMES = 60, 4
"""Seconds until the second try, and how much longer each further wait is."""
EVENT_TYPE = "nl.sluis.postvak.ophalen"
MEDIA_TYPE = "application/cloudevents+json; charset=UTF-8"
_TEXT = "Haal het postvak van je organisatie op."
_HOST = re.compile(r"(?=.{1,253}\Z)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?")
_PATH = re.compile(r"(/[A-Za-z0-9._~-]{0,64}){0,8}")
_MOST = 512
_EMBEDDING = tuple(
    ipaddress.ip_network(net)
    # Addresses that carry an IPv4 address, by which a private one can be reached in disguise: mapped and compatible,
    # NAT64 (RFC 6052, RFC 8215), 6to4, Teredo.
    for net in ("::/96", "::ffff:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32")
)
_HIDDEN = tuple(
    ipaddress.ip_network(net) for net in ("100.64.0.0/10", "192.88.99.0/24", "fec0::/10", "5f00::/16", "3fff::/20")
)
"""Ranges of operators, of examples and of the past, which some lists call public (RFC 9602, RFC 9637)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookUrl:
    """Where an event goes: host, port and path, all of them checked."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def url(self) -> str:
        """The address as its organisation wrote it down."""
        port = "" if self.port == _PORTS.get(self.scheme) else f":{self.port}"
        return f"{self.scheme}://{self.host}{port}{self.path}"


_PORTS = {"https": 443, "http": 80}
_LOOPBACK = "127.0.0.1"


def parse_webhook_url(text: str, *, insecure_loopback: bool = False) -> WebhookUrl | None:
    """Return the address in a text, None where it is none that an event may go to.

    A name of the domain name system over https at its own port, without anybody's name, query or fragment in it.

    Args:
        insecure_loopback: also `http://127.0.0.1:PORT/...`, for tests and the demonstration alone.
    """
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return None
    path = parts.path or "/"
    made = WebhookUrl(scheme=parts.scheme, host=host, port=port or _PORTS.get(parts.scheme, 0), path=path)
    plain = len(text) <= _MOST and text.isascii() and _PATH.fullmatch(path) is not None
    # Whatever was read must be all that was written: no user, query or fragment, no dots, no other spelling.
    whole = text in (made.url, made.url.removesuffix("/")) and not {".", ".."} & set(path.split("/"))
    if not plain or not whole:
        return None
    if insecure_loopback and (made.scheme, host) == ("http", _LOOPBACK):
        return made
    safe = made.scheme == "https" and made.port == _PORTS["https"] and _HOST.fullmatch(host) is not None
    return made if safe else None


def is_public(address: str) -> bool:
    """Return whether an IP address is one of the public internet, by every name it goes by."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    if any(ip.version == net.version and ip in net for net in (*_EMBEDDING, *_HIDDEN)):
        return False
    special = ip.is_multicast or ip.is_reserved or ip.is_loopback or ip.is_link_local or ip.is_unspecified
    return ip.is_global and not special


def event_body(*, source: str, event_id: str, at: int) -> bytes:
    """Return the event (NL GOV profile for CloudEvents, structured): constant but for an opaque id and the time.

    As the profile recommends, the id is a UUID, and the source a URN of the name space `nld`: who publishes it, by the
    name that those who take part know, and which system.
    """
    event = {
        "specversion": "1.0",
        "id": str(uuid.UUID(event_id)),
        "source": f"urn:nld:sluis:{source}:systeem:postvak",
        "type": EVENT_TYPE,
        "time": datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "datacontenttype": "application/json",
        "data": {"text": _TEXT},
    }
    return json.dumps(event, separators=(",", ":")).encode()


def next_try_after(tries: int) -> int | None:
    """Return the seconds to wait after so many failed tries; None: it is a dead letter."""
    return None if tries >= MAX_TRIES else FIRST_WAIT_S * WAIT_TIMES ** (tries - 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class SetWebhook:
    """A change: an organisation's events go to this address from now on, or nowhere."""

    organisation: str
    url: str | None
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One event on its way to one organisation; `tries` were made before."""

    id: str
    organisation: str
    url: str
    made_at: int
    tries: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnWebhook:
    """Where an organisation's events go, None for nowhere, and the newest that were given up."""

    url: str | None
    dead: tuple[Delivery, ...]
