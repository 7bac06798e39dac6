"""Households as the broker sees them, token indexes only, and how they match (D4).

Four kinds of match, each computed by itself; the own organisation never counts:

    person    the subject of the request is the subject of the signal
    member    another member of the household of a check is the subject of the signal
    family    a shared parent (family `fam`, so never that parent's own subject token), another subject
    address   the same address, another subject; whether a crowd makes it mute is judged afterwards (`disclosures`)
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from broker.domain.signals import Signal
from broker.protocol.redacted import Redacted

STATED = "stated"
"""The source of a relation that somebody only stated: it gives no standing and discloses nothing."""


class TokenIndex(Redacted):
    """The 32-byte HMAC under which the broker finds a token; never printed."""

    __slots__ = ()


class SealedToken(Redacted):
    """A token sealed to the offline public key, for re-keying only; nothing online opens it."""

    __slots__ = ()


class TokenRole(StrEnum):
    """What a stored token is to its signal."""

    SUBJECT = "subject"
    PARENT = "parent"
    ADDRESS = "address"


class MatchKind(StrEnum):
    """How a signal matches a household, the strongest first."""

    PERSON = "person"
    MEMBER = "member"
    FAMILY = "family"
    ADDRESS = "address"


STRENGTH: Mapping[MatchKind, int] = {kind: place for place, kind in enumerate(MatchKind)}
"""0 for the strongest kind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredToken:
    """One token of a signal as it is stored: its index and the sealed token itself."""

    index: TokenIndex
    family: str
    role: TokenRole
    source: str | None
    sealed: SealedToken


@dataclass(frozen=True, slots=True, kw_only=True)
class Parent:
    """The index of a parent's token and where the relation comes from: `brp`, `own` or `stated`."""

    index: TokenIndex
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Household:
    """The household of a request as indexes; `members` are never stored."""

    subject: TokenIndex | None
    parents: tuple[Parent, ...] = ()
    members: tuple[TokenIndex, ...] = ()
    address: TokenIndex | None = None

    def indexes(self) -> frozenset[TokenIndex]:
        """Return every index there is to look up; each is looked up whatever the outcome."""
        single = [index for index in (self.subject, self.address) if index is not None]
        return frozenset([*single, *self.members, *(parent.index for parent in self.parents)])

    def related_parents(self) -> frozenset[TokenIndex]:
        """Return the parents whose relation rests on a register or a case system."""
        return frozenset(parent.index for parent in self.parents if parent.source != STATED)


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundToken:
    """One stored token that a look-up found, with its signal and that signal's subject."""

    index: TokenIndex
    role: TokenRole
    source: str | None
    subject: TokenIndex
    signal: Signal


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """One kind of match of one signal with a household; whether it may be seen is not decided yet."""

    kind: MatchKind
    signal: Signal


def find_hits(household: Household, found: Iterable[FoundToken], *, asker: str, day: date) -> tuple[Hit, ...]:
    """Return every kind in which another organisation's active signal matches, strongest first, each once.

    Args:
        household: what was asked.
        found: every stored token with one of its indexes, the asker's own included.
        asker: OIN of the asking organisation, which never counts.
        day: the calendar day of the decision.
    """
    active = [token for token in found if token.signal.active_on(day)]
    hits = {
        (kind, token.signal.id): Hit(kind=kind, signal=token.signal)
        for token in active
        if token.signal.organisation != asker and (kind := _kind(household, token)) is not None
    }
    return tuple(hits[key] for key in sorted(hits, key=lambda key: (STRENGTH[key[0]], key[1])))


def gives_standing(
    household: Household, found: Iterable[FoundToken], *, kinds: Collection[str], day: date
) -> frozenset[str]:
    """Return the ids of the asker's own active signals that are on this household.

    Only a signal on the subject counts, or one on another child of a parent that a register or case system knows. That
    somebody belongs to the household is merely said of a member, and who could say so would find anybody: a relation
    that is stated gives no standing (D4). Neither does an address: a flat is no household.

    Args:
        household: what was asked.
        found: stored tokens of the asker's own signals for the asked purpose.
        kinds: the match kinds that the purpose uses; another one shows nothing and gives nothing.
        day: the calendar day of the decision.
    """
    give = {MatchKind.PERSON, MatchKind.FAMILY} & {MatchKind(kind) for kind in kinds}
    return frozenset(
        token.signal.id for token in found if token.signal.active_on(day) and _kind(household, token) in give
    )


def _kind(household: Household, token: FoundToken) -> MatchKind | None:
    if token.role is TokenRole.SUBJECT:
        if token.index == household.subject:
            return MatchKind.PERSON
        return MatchKind.MEMBER if token.index in household.members else None
    if token.subject == household.subject:
        return None
    if token.role is TokenRole.PARENT:
        related = token.source != STATED and token.index in household.related_parents()
        return MatchKind.FAMILY if related else None
    return MatchKind.ADDRESS if token.index == household.address else None
