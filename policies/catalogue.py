"""The tables every convenant builds on: grounds, purposes and organisation classes, as frozen values.

The documents are Dutch; each ``from_content`` reads one mapping that already follows its JSON Schema.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any, Literal, Self

Content = dict[str, Any]
"""A mapping that already follows its JSON Schema; its ``Any`` ends where a typed value begins."""

Words = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Validity:
    """From the first day up to, not including, the last; None means not yet ended."""

    since: date
    until: date | None

    @classmethod
    def from_content(cls, content: Content) -> Self:
        """Read ``van`` and ``tot``."""
        until = content["tot"]
        return cls(since=date.fromisoformat(content["van"]), until=date.fromisoformat(until) if until else None)

    def overlap(self, other: "Validity") -> "Validity":
        """The days that lie in both."""
        ends = [end for end in (self.until, other.until) if end]
        return Validity(since=max(self.since, other.since), until=min(ends) if ends else None)

    def holds(self, day: date) -> bool:
        """Whether the day lies in it."""
        return self.since <= day and (self.until is None or day < self.until)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """A statutory ground, consent, an exception, or a test's stand-in.

    Attributes:
        verification: how surely its text is known, marks as in ``lex/gronden.yaml``.
        needs_connection: usable only where the document states ``landelijke_aansluiting``.
    """

    id: str
    kind: Literal["wet", "toestemming", "uitzondering", "test"]
    citation: str
    summary_nl: str
    short_nl: str
    validity: Validity
    verification: str
    needs_connection: bool

    @classmethod
    def from_content(cls, content: Content) -> Self:
        """Read one row of ``gronden/v1``."""
        return cls(
            id=content["id"],
            kind=content["soort"],
            citation=content["citaat"],
            summary_nl=content["samenvatting"],
            short_nl=content["kort"],
            validity=Validity.from_content(content),
            verification=content["verificatie"],
            needs_connection=content["vereist_aansluiting"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """One row of a purpose's fence: these classes may do this, on this proof and ground, up to this level."""

    classes: Words
    operations: Words
    standings: Words
    grounds: Words
    level: int

    @classmethod
    def from_content(cls, content: Content) -> Self:
        """Read one row of ``wie``."""
        return cls(
            classes=tuple(content["klassen"]),
            operations=tuple(content["handelingen"]),
            standings=tuple(content["bewijs"]),
            grounds=tuple(content["grondslagen"]),
            level=content["uitkomst"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Purpose:
    """One row of the purposes table.

    Attributes:
        match_kinds: match kinds this purpose uses.
        families: identifier families it uses.
        max_years: longest life of a signal in years, or None.
        age_limit: a signal ends no later than this birthday, or None.
        needs_assessment: a person judged each subject, by whom and when.
        needs_informing: the family is informed, or why not.
        valid_until: first day on which it no longer holds, or None.
    """

    id: str
    description_nl: str
    short_nl: str
    article: str
    match_kinds: frozenset[str]
    families: frozenset[str]
    max_years: int | None
    age_limit: int | None
    needs_assessment: bool
    needs_informing: bool
    valid_from: date
    valid_until: date | None
    verification: str
    allowances: tuple[Allowance, ...]

    @classmethod
    def from_content(cls, content: Content) -> Self:
        """Read one row of ``doelen/v1``."""
        validity = Validity.from_content(content)
        return cls(
            id=content["id"],
            description_nl=content["omschrijving"],
            short_nl=content["kort"],
            article=content["artikel"],
            match_kinds=frozenset(content["soorten_match"]),
            families=frozenset(content["families"]),
            max_years=content["max_jaren"],
            age_limit=content["leeftijdsgrens"],
            needs_assessment=content["beoordeling_nodig"],
            needs_informing=content["informeren_nodig"],
            valid_from=validity.since,
            valid_until=validity.until,
            verification=content["verificatie"],
            allowances=tuple(Allowance.from_content(row) for row in content["wie"]),
        )

    @property
    def validity(self) -> Validity:
        """The days on which the purpose holds."""
        return Validity(since=self.valid_from, until=self.valid_until)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrgClass:
    """A class of organisations."""

    id: str
    name_nl: str

    @classmethod
    def from_content(cls, content: Content) -> Self:
        """Read one row of ``organisaties/v1``."""
        return cls(id=content["id"], name_nl=content["naam"])
