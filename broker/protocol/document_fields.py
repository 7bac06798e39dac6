"""Reading typed fields out of the JSON of a signed document; every failure names the field and the rule."""

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from broker.protocol.errors import MalformedError
from broker.protocol.request_signing import is_oin, is_word


def parse_day(value: object) -> datetime.date | None:
    """Return the day of a text YYYY-MM-DD, or None; other ISO forms (week dates, no dashes) are refused."""
    if not isinstance(value, str):
        return None
    try:
        day = datetime.date.fromisoformat(value)
    except ValueError:
        return None
    return day if day.isoformat() == value else None


@dataclass(frozen=True, slots=True)
class Fields:
    """The members of one JSON object, with the path that errors name."""

    path: str
    members: Mapping[str, Any]

    @classmethod
    def of(cls, value: object, path: str, *, exactly: set[str]) -> "Fields":
        """Return the object's fields; it must be an object with exactly these members. Raises MalformedError."""
        if not isinstance(value, dict):
            raise MalformedError(path, "is not an object")
        unknown, missing = set(value) - exactly, exactly - set(value)
        if unknown:
            raise MalformedError(path, "has members that are not known")
        if missing:
            raise MalformedError(f"{path}.{min(missing)}", "is missing")
        return cls(path, value)

    def text(self, name: str, *, at_most: int = 200) -> str:
        """Return a non-empty text of at most so many characters."""
        value = self.members[name]
        if not isinstance(value, str) or not 0 < len(value) <= at_most or not value.isprintable():
            self._refuse(name, f"is not a text of 1 to {at_most} printable characters")
        return str(value)

    def word(self, name: str) -> str:
        """Return a short name without spaces."""
        if not is_word(self.members[name]):
            self._refuse(name, "is not a short name")
        return str(self.members[name])

    def choice(self, name: str, choices: Sequence[str]) -> str:
        """Return one of a closed list."""
        if self.members[name] not in choices:
            self._refuse(name, "is not one of " + ", ".join(choices))
        return str(self.members[name])

    def oin(self, name: str) -> str:
        """Return an organisation number."""
        if not is_oin(self.members[name]):
            self._refuse(name, "is not an OIN of 20 digits")
        return str(self.members[name])

    def number(self, name: str, *, least: int = 0, most: int = 2**40) -> int:
        """Return a whole number between two bounds."""
        value = self.members[name]
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            self._refuse(name, f"is not a whole number from {least} to {most}")
        return int(value)

    def flag(self, name: str) -> bool:
        """Return true or false."""
        if not isinstance(self.members[name], bool):
            self._refuse(name, "is not true or false")
        return bool(self.members[name])

    def day(self, name: str) -> datetime.date:
        """Return a day, YYYY-MM-DD."""
        day = parse_day(self.members[name])
        if day is None:
            self._refuse(name, "is not a day (YYYY-MM-DD)")
        return day

    def items(self, name: str, *, at_most: int = 100_000) -> list[Any]:
        """Return a list."""
        value = self.members[name]
        if not isinstance(value, list) or len(value) > at_most:
            self._refuse(name, f"is not a list of at most {at_most}")
        return list(value)

    def words(self, name: str, choices: Sequence[str] | None = None) -> tuple[str, ...]:
        """Return a list of different short names, of a closed list if one is given."""
        values = self.items(name)
        if not all(is_word(value) for value in values) or len(set(values)) != len(values):
            self._refuse(name, "is not a list of different short names")
        if choices is not None and not set(values) <= set(choices):
            self._refuse(name, "has an item that is not one of " + ", ".join(choices))
        return tuple(values)

    def child(self, name: str, *, exactly: set[str]) -> "Fields":
        """Return the object under this name."""
        return Fields.of(self.members[name], f"{self.path}.{name}", exactly=exactly)

    def optional(self, name: str) -> bool:
        """Return whether there is a value, that is, not null."""
        return self.members[name] is not None

    def _refuse(self, name: str, rule: str) -> NoReturn:
        raise MalformedError(f"{self.path}.{name}", rule)
