"""The Dutch words of exports that people read. Codes without a word stand as they are."""

from collections.abc import Mapping
from types import MappingProxyType

KINDS: Mapping[str, str] = MappingProxyType(
    {
        "signal": "signaal",
        "check": "controle van een gezin",
        "oproep": "oproep",
        "match": "match",
        "request": "vraag om informatie",
        "answer": "antwoord op een vraag",
        "consent": "toestemming",
        "exception": "uitzondering",
        "inbox": "postvak",
        "review": "beoordeling",
        "read": "inzage",
        "policy": "beleid",
        "register": "register",
        "admin": "beheer",
        "export": "uitvoer",
        "erasure": "wissing",
        "retention": "bewaartermijn",
        "rights": "recht van een betrokkene",
        "key": "sleutelbeheer",
    }
)
OUTCOMES: Mapping[str, str] = MappingProxyType(
    {
        "shown": "uitgevoerd, iets getoond",
        "nothing": "uitgevoerd, niets getoond",
        "done": "uitgevoerd",
        "sent": "verstuurd",
        "refused": "geweigerd",
        "error": "niet uitgevoerd",
    }
)
DECISIONS: Mapping[str, str] = MappingProxyType({"permit": "toegestaan", "refuse": "geweigerd"})
ROLES: Mapping[str, str] = MappingProxyType(
    {
        "worker": "medewerker",
        "approver": "goedkeurder",
        "fg": "FG",
        "housekeeping": "onderhoud",
    }
)
GROUPS: Mapping[str, str] = MappingProxyType(
    {
        "meta": "verzoek en besluit",
        "actor": "wie het deed",
        "subject": "over wie",
        "hits": "treffers",
        "shielded": "afgeschermd",
    }
)


def in_dutch(words: Mapping[str, str], code: str | None) -> str:
    """Return the Dutch word for a code, the code itself where there is none, and nothing for nothing."""
    return "" if code is None else words.get(code, code)
