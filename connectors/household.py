"""Which identifiers of a case a request uses, and where their tokens go in the message (D4)."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from broker.protocol.families import Family
from broker.protocol.identifiers import addr, fam, nlbsn
from broker.protocol.signing_keys import b64url
from broker.protocol.tokens import Identifier, PersonToken
from broker.protocol.wire_types import MAX_MEMBERS, TOKEN_BYTES, WireToken
from connectors.cases import Case
from connectors.errors import CaseError

Exclusion = Callable[[Case], Case]
"""Takes an address that is on the registrars' list out of a case: it never becomes a token (D4)."""

_MARK = WireToken(bytes(TOKEN_BYTES))


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The part of a case that one request is about: only what its families allow."""

    case: Case

    @property
    def identifiers(self) -> list[Identifier]:
        """The identifiers in the order `placed` expects their tokens."""
        return list(self._identifiers())

    def _identifiers(self) -> Iterator[Identifier]:
        if self.case.subject is not None:
            yield nlbsn(self.case.subject)
        yield from (nlbsn(member) for member in self.case.members)
        yield from (fam(parent.bsn) for parent in self.case.parents)
        if self.case.address is not None and (identifier := addr(self.case.address)) is not None:
            yield identifier

    def placed(self, tokens: Mapping[Family, Sequence[PersonToken]]) -> dict[str, Any]:
        """Return the members of a household message with each token in its place."""
        persons = [WireToken(token.reveal()) for token in tokens.get(Family.NLBSN, ())]
        parents = [WireToken(token.reveal()) for token in tokens.get(Family.FAM, ())]
        address = [WireToken(token.reveal()) for token in tokens.get(Family.ADDR, ())]
        subject = persons.pop(0) if self.case.subject is not None else None
        return {
            "subject": subject,
            "members": persons,
            "parents": [
                {"token": token, "source": parent.source}
                for token, parent in zip(parents, self.case.parents, strict=True)
            ],
            "address": address[0] if address else None,
        }


def without_tokens(asked: Asked) -> dict[str, Any]:
    """Return the household of a registration with a mark in the place of each token, which `with_tokens` fills."""
    address = any(identifier.family is Family.ADDR for identifier in asked.identifiers)
    return {
        "subject": _MARK,
        "parents": [{"token": _MARK, "source": parent.source} for parent in asked.case.parents],
        "address": _MARK if address else None,
    }


def with_tokens(household: Mapping[str, Any], tokens: Mapping[Family, Sequence[PersonToken]]) -> dict[str, Any]:
    """Return a household of a registration in wire form with each token in its place."""
    parents = zip(household["parents"], tokens.get(Family.FAM, ()), strict=True)
    address = tokens.get(Family.ADDR, ())
    return {
        "subject": b64url(tokens[Family.NLBSN][0].reveal()),
        "parents": [{**parent, "token": b64url(token.reveal())} for parent, token in parents],
        "address": b64url(address[0].reveal()) if address else None,
    }


def to_register(case: Case, families: Collection[str], *, exclusion: Exclusion) -> Asked:
    """Return what a signal about this case stores: subject, parents, address.

    Raises:
        CaseError: no subject. FolderError: it has an address, and there is no list of excluded ones.
    """
    if case.subject is None:
        raise CaseError("subject", "must not be empty")
    return Asked(case=exclusion(_within(replace(case, members=()), families)))


def to_check(case: Case, families: Collection[str], *, exclusion: Exclusion) -> list[Asked]:
    """Return the questions about this household: one, or more where it has more members than one message carries.

    Raises:
        FolderError: it has an address, and there is no list of excluded ones.
    """
    whole = exclusion(_within(case, families))
    groups = [whole.members[start : start + MAX_MEMBERS] for start in range(0, len(whole.members), MAX_MEMBERS)]
    first = Asked(case=replace(whole, members=groups[0] if groups else ()))
    # The subject goes along each time: an own signal about it is what gives standing.
    others = [replace(whole, members=group, parents=(), address=None) for group in groups[1:]]
    return [first, *(Asked(case=other) for other in others)]


def _within(case: Case, families: Collection[str]) -> Case:
    """Return the case without what these families do not cover."""
    persons = Family.NLBSN in families
    return replace(
        case,
        subject=case.subject if persons else None,
        members=case.members if persons else (),
        parents=case.parents if Family.FAM in families else (),
        address=case.address if Family.ADDR in families else None,
    )
