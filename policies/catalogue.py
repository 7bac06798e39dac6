"""The tables every convenant builds on: purposes, proofs and organisation classes, as frozen values.

The documents are Dutch; each ``from_content`` reads one mapping that already follows its JSON Schema.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Literal, Self

from policies.vocabulary import WILDCARD
from policies.workdays import working_day_after

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

    @property
    def is_empty(self) -> bool:
        """Whether no day lies in it."""
        return self.until is not None and self.until <= self.since

    def holds(self, day: date) -> bool:
        """Whether the day lies in it."""
        return self.since <= day and (self.until is None or day < self.until)


@dataclass(frozen=True, slots=True, kw_only=True)
class AfterEnd:
    """What happens to live signals once their ground or purpose has ended.

    Attributes:
        act: ``bevriezen`` (kept, shown to nobody), ``wissen`` or ``omzetten`` (kept when based on ``onto`` in time).
        onto: the ground a signal may be based on instead, with ``omzetten`` only.
        days: after how many days what was not based on another ground is deleted.
        text_nl: the one message partners get.
    """

    act: Literal["bevriezen", "wissen", "omzetten"]
    onto: str | None
    days: int
    text_nl: str

    @classmethod
    def from_content(cls, content: Content | None) -> Self | None:
        """Read ``na_einde``, or nothing."""
        if content is None:
            return None
        return cls(act=content["wat"], onto=content.get("op"), days=content["dagen"], text_nl=content["bericht"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A purpose or ground that has ended: the first day on which it holds no more, and what then happens."""

    on: date
    after: AfterEnd

    @property
    def gone_on(self) -> date:
        """The day from which signals that rested on it are kept no longer."""
        return self.on + timedelta(days=self.after.days)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What can stand behind a statutory reference.

    Attributes:
        ends: it counts only with a last day of its own.
        max_days: how many days after its first day it can last at most.
        working_days: those are working days.
    """

    id: str
    name_nl: str
    ends: bool
    max_days: int
    working_days: bool

    @classmethod
    def from_content(cls, content: Content) -> Self:
        """Read one row of ``bewijzen/v1``."""
        return cls(
            id=content["id"],
            name_nl=content["naam"],
            ends=content["einddatum"],
            max_days=content["ten_hoogste"],
            working_days=content.get("werkdagen", False),
        )

    def holds(self, *, day: date, since: date | None, ends_on: date | None) -> bool:
        """Whether it counts on this day: from its first day up to and including its last.

        A last day further off than it can last is none of this proof, so that nothing is rolled on for ever.

        Raises:
            CalendarError: it counts working days, in a year of which the public holidays are not known.
        """
        if since is None or since > day or (ends_on is None and self.ends):
            return False
        longest = self._longest(since)
        return day <= (ends_on or longest) <= longest

    def _longest(self, since: date) -> date:
        """The last day on which it can still hold."""
        if self.working_days:
            return working_day_after(since, self.max_days)
        return since + timedelta(days=self.max_days)


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """One row of a purpose's fence: these classes may do this, on this proof and ground, up to this level.

    Attributes:
        approval: only once a second person approved.
    """

    classes: Words
    operations: Words
    standings: Words
    proofs: Words
    grounds: Words
    level: int
    approval: bool = False

    @classmethod
    def from_content(cls, content: Content) -> Self:
        """Read one row of ``wie``."""
        return cls(
            classes=tuple(content["klassen"]),
            operations=tuple(content["handelingen"]),
            standings=tuple(content["bewijs"]),
            proofs=tuple(content.get("bewijsstuk", ("none",))),
            grounds=tuple(content["grondslagen"]),
            level=content["uitkomst"],
            approval="akkoord" in content,
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
        per_region: every region must say whether it has an agreement for it.
        after_end: what happens to its live signals once it has ended, or None when it stores none.
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
    per_region: bool
    after_end: AfterEnd | None
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
            per_region=content.get("per_regio", False),
            after_end=AfterEnd.from_content(content.get("na_einde")),
            allowances=tuple(Allowance.from_content(row) for row in content["wie"]),
        )

    @property
    def validity(self) -> Validity:
        """The days on which the purpose holds."""
        return Validity(since=self.valid_from, until=self.valid_until)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrgClass:
    """A class of organisations.

    Attributes:
        decides_personally: bound by medical secrecy, so that no system decides for its professionals.
        secrecy: which law keeps what its professionals know, as a citation.
        secret_address: that it is involved is itself a danger to know.
        callers: who may ring it; ``*`` for anyone a clause names.
        acute: may be told in acute danger, before anything was documented.
    """

    id: str
    name_nl: str
    decides_personally: bool
    secrecy: str
    secret_address: bool
    callers: Words
    acute: bool

    @property
    def shown_on_consent(self) -> bool:
        """Whether it is shown only when the person agreed to that."""
        return self.decides_personally or self.secret_address

    def rung_by(self, callers: Words) -> bool:
        """Whether all of these may ring it."""
        return WILDCARD in self.callers or set(callers) <= set(self.callers)

    @classmethod
    def from_content(cls, content: Content) -> Self:
        """Read one row of ``organisaties/v1``."""
        return cls(
            id=content["id"],
            name_nl=content["naam"],
            decides_personally=content.get("beslist_zelf", False),
            secrecy=content["geheim"],
            secret_address=content.get("geheim_adres", False),
            callers=tuple(content.get("oproep_door", (WILDCARD,))),
            acute=content.get("acuut", False),
        )
