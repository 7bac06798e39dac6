"""The documents of one bundle together: test documents apart, and one position a region on each purpose."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TypeVar

from policies.catalogue import Content, Purpose
from policies.convenant import Convenant, Party
from policies.document import Document
from policies.errors import (
    BundleError,
    ClauseError,
    ConflictError,
    EmptyBundleError,
    InsecureBundleError,
    MissingRegionError,
)

TEST_FOLDER = "test"
_KINDS = {"lex": {"wet"}, "geen_convenant": {"geen_convenant"}, "convenant": {"convenant"}}
"""The purposes each kind of document may carry, by their own ``soort``."""

Value = TypeVar("Value")


def unique(kind: str, pairs: Iterable[tuple[str, Value]]) -> dict[str, Value]:
    """The pairs as a mapping.

    Raises:
        ConflictError: one key occurs twice.
    """
    found: dict[str, Value] = {}
    for key, value in pairs:
        if key in found:
            raise ConflictError(f"one {kind} is claimed twice")
        found[key] = value
    return found


def check_convenants(convenants: tuple[Convenant, ...], *, with_tests: bool) -> None:
    """Test documents stand apart, each document is what its kind says, and all it builds on is here.

    Raises:
        InsecureBundleError: a test document outside ``test/``, or everybody as party.
        ClauseError: a document builds on another bundle, or says something else than its kind.
        ConflictError: two documents have one name.
    """
    unique("document", ((convenant.label, convenant) for convenant in convenants))
    labels = {convenant.label for convenant in convenants}
    for convenant in convenants:
        in_test_folder = convenant.document.file.startswith(f"{TEST_FOLDER}/")
        if convenant.is_test and not (with_tests and in_test_folder):
            raise InsecureBundleError("a test document belongs in test/ and needs the insecure switch")
        if convenant.parties is None and not convenant.is_test:
            raise InsecureBundleError("only a test document may have every organisation as party")
        if not set(convenant.builds_on) <= labels - {convenant.label}:
            raise convenant.document.error(ClauseError, ("steunt_op",), "must name other documents of this bundle")
        _check_kind(convenant)


def _check_kind(convenant: Convenant) -> None:
    """A document without agreement agrees nothing, and every other one says something."""
    if (convenant.kind == "geen_convenant") != (not convenant.clauses):
        raise convenant.document.error(
            ClauseError, ("afspraken",), "must be empty in a document of geen_convenant, and only there"
        )
    if not set(convenant.purposes.values()) <= _KINDS[convenant.kind]:
        raise convenant.document.error(ClauseError, ("doelen",), "must be of the kind of their document")
    if (convenant.kind == "lex") != (convenant.region is None):
        raise convenant.document.error(ClauseError, ("regio",), "must be named in every document but the statutory one")


def check_parties(convenants: Iterable[Convenant], classes: Collection[str]) -> None:
    """Every document holds on some day, and every party is of a known class, for some time, once at any time.

    Raises:
        ClauseError: naming the party that is not.
    """
    for convenant in convenants:
        if convenant.validity.is_empty:
            raise convenant.document.error(ClauseError, ("geldigheid", "tot"), "must lie after the first day")
        for number, party in enumerate(convenant.parties or ()):
            for field, rule in _wrong_with(party, (convenant.parties or ())[:number], classes):
                raise convenant.document.error(ClauseError, ("partijen", number, field), rule)


def _wrong_with(party: Party, before: Iterable[Party], classes: Collection[str]) -> Iterator[tuple[str, str]]:
    if party.org_class not in classes:
        yield "klasse", "must be a class that the tables know"
    if party.membership.is_empty:
        yield "uitgetreden_op", "must lie after the day of accession"
    if any(one.oin == party.oin and not one.membership.overlap(party.membership).is_empty for one in before):
        yield "oin", "must be of one party at any time"


def check_regions(convenants: Iterable[Convenant], regions: Collection[str]) -> None:
    """Every region that the bundle is for has a document, and no document speaks for another.

    Raises:
        MissingRegionError: a region has none, so its signals would match nobody without a word.
        ClauseError: a document speaks for a region that is not on the list.
    """
    speaking = [one for one in convenants if one.region is not None and not one.is_test]
    for convenant in speaking:
        if convenant.region not in regions:
            raise convenant.document.error(ClauseError, ("regio",), "must be a region of a document of regios/v1")
    missing = sorted(set(regions) - {one.region for one in speaking if one.region is not None})
    if missing:
        raise MissingRegionError(f"region {missing[0]} is on the list of regions and has no document")


def joined(convenants: tuple[Convenant, ...], listed: Document) -> tuple[Convenant, ...]:
    """The convenants, one of them with the parties of this test document besides its own.

    Raises:
        InsecureBundleError: it stands outside ``test/``.
        ClauseError: it names no convenant that lists its parties.
        ConflictError: an organisation would be party twice.
    """
    if not listed.file.startswith(f"{TEST_FOLDER}/"):
        raise InsecureBundleError("a list of parties beside a convenant belongs in test/: a real one names its own")
    content: Content = listed.content
    found = {convenant.label: convenant for convenant in convenants}
    target = found.get(content["bij"])
    if target is None or target.parties is None:
        raise listed.error(ClauseError, ("bij",), "must name a convenant of this bundle that lists its parties")
    parties = (*target.parties, *(Party.from_content(party) for party in content["partijen"]))
    unique("party", ((party.oin, party) for party in parties))
    found[target.label] = replace(target, parties=parties)
    return tuple(found.values())


def carriers_of(convenants: Iterable[Convenant], purposes: Mapping[str, Purpose]) -> dict[str, tuple[Convenant, ...]]:
    """Every document that carries each purpose: one a region at any time, and each region where each must speak.

    Raises:
        EmptyBundleError: no document carries a purpose.
        BundleError: a purpose that the table has not, or nobody carries.
        ConflictError: two documents of one region carry one purpose in the same time.
        MissingRegionError: a region is silent on a purpose on which each must speak.
    """
    found: dict[str, list[Convenant]] = {}
    for convenant in convenants:
        for purpose in convenant.purposes:
            found.setdefault(purpose, []).append(convenant)
    if not found:
        raise EmptyBundleError("no document carries a purpose: refusing to decide")
    if set(found) != set(purposes):
        raise BundleError("every purpose of the purposes table is carried by a document, and no other purpose is")
    for carrying in found.values():
        _check_one_a_region(carrying)
    regions = {one.region for one in convenants if one.region is not None and not one.is_test}
    for row in purposes.values():
        silent = sorted(regions - {one.region for one in found[row.id] if one.region is not None})
        if row.per_region and silent:
            raise MissingRegionError(f"region {silent[0]} must say whether it has an agreement on {row.id}")
    return {purpose: tuple(carrying) for purpose, carrying in found.items()}


def _check_one_a_region(carrying: list[Convenant]) -> None:
    for number, one in enumerate(carrying):
        for other in carrying[number + 1 :]:
            if one.region == other.region and not one.validity.overlap(other.validity).is_empty:
                raise ConflictError("one purpose is claimed twice in one region")
