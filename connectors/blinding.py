"""Identifiers become a batch of points: blinded here, hidden behind padding or counted exactly (D1, D2).

The blinding factors never leave this organisation. A prepared batch can be put away sealed and taken up again, so that
what was charged once is asked for again and not charged twice.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import ValidationError

from broker.protocol.epochs import DescriptorError, EpochDescriptor
from broker.protocol.errors import MalformedError
from broker.protocol.families import Family
from broker.protocol.messages import BATCH_SIZES, EvaluationRequest, FamilyPoints, WireToken
from broker.protocol.ristretto import Point, RandomBytes
from broker.protocol.signing_keys import b64url, b64url_bytes
from broker.protocol.tokens import Blinded, BlindState, Identifier, blind, random_points
from connectors.errors import CaseError, FolderError, case_error
from connectors.exchange import Surroundings
from connectors.folder import PartnerFolder

_FACTOR_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """The real points of one family with what undoes them, and the random points after them."""

    blinds: tuple[Blinded, ...]
    padding: tuple[Point, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """One batch before anybody is asked: the exact body, and what undoes the blinding, which never leaves."""

    request: EvaluationRequest
    batches: Mapping[Family, Batch]
    body: str

    def __repr__(self) -> str:
        """Return the batch id only."""
        return f"Prepared(batch={self.request.batch_id!r}, redacted)"

    @property
    def blinding(self) -> dict[str, list[str]]:
        """The blinding factors by family, base64url: with the body, all that `restored` needs. They are secret."""
        return {
            family.value: [b64url(blinded.state.reveal()) for blinded in batch.blinds]
            for family, batch in self.batches.items()
        }

    @classmethod
    def restored(cls, body: str, blinding: Mapping[str, Sequence[str]]) -> "Prepared":
        """Return the batch that was put away as this body and blinding. Raises FolderError: they are no batch."""
        try:
            request = EvaluationRequest.model_validate_json(body, by_alias=True, by_name=False)
            batches = {Family(asked.family): _restored(asked, blinding[asked.family]) for asked in request.families}
        except (ValueError, LookupError, MalformedError):
            raise FolderError("outbox.sqlite", "has a row that is no command") from None
        return cls(request=request, batches=batches, body=body)


def prepare(
    folder: PartnerFolder,
    identifiers: Sequence[Identifier],
    *,
    surroundings: Surroundings,
    operation: str,
    budget_class: str,
    purpose: str,
    grant: str | None = None,
) -> Prepared:
    """Return the batch of these identifiers, blinded. A grant is exact, so a batch of one has no padding.

    Raises:
        CaseError: none to evaluate, or more of a family than one batch holds.
    """
    by_family = _by_family(identifiers)
    for family in by_family:
        descriptor_of(folder, family)
    # (1) Blind each identifier and hide how many there are behind random points.
    batches = {
        family: _batch(found, surroundings.random, exact=grant is not None) for family, found in by_family.items()
    }
    stated = {
        "batch_id": surroundings.new_id(),
        "operation": operation,
        "budget_class": budget_class,
        "purpose": purpose,
        "epoch": folder.epoch.epoch,
        "grant_id": grant,
        "families": [_family_points(family, batch) for family, batch in batches.items()],
    }
    try:
        request = EvaluationRequest.model_validate(stated)
    except ValidationError as error:
        raise case_error(error) from None
    return Prepared(request=request, batches=batches, body=request.model_dump_json(by_alias=True))


def _by_family(identifiers: Sequence[Identifier]) -> dict[Family, list[Identifier]]:
    by_family: dict[Family, list[Identifier]] = {}
    for identifier in identifiers:
        by_family.setdefault(identifier.family, []).append(identifier)
    if not by_family:
        raise CaseError("household", "must have at least one identifier that this purpose uses")
    return by_family


def _batch(identifiers: Sequence[Identifier], random: RandomBytes, *, exact: bool) -> Batch:
    sizes = range(1, BATCH_SIZES[-1] + 1) if exact else BATCH_SIZES
    size = next((size for size in sizes if len(identifiers) <= size), None)
    if size is None:
        raise CaseError("household", f"must have at most {BATCH_SIZES[-1]} identifiers of a kind")
    return Batch(
        blinds=tuple(blind(identifier, random) for identifier in identifiers),
        padding=random_points(size - len(identifiers), random),
    )


def _restored(asked: FamilyPoints, factors: Sequence[str]) -> Batch:
    family, points = Family(asked.family), [Point(token.value) for token in asked.points]
    states = [BlindState(b64url_bytes(factor, field="blinding", length=_FACTOR_BYTES)) for factor in factors]
    real = zip(points[: asked.real], states, strict=True)
    return Batch(
        blinds=tuple(Blinded(family=family, point=point, state=state) for point, state in real),
        padding=tuple(points[asked.real :]),
    )


def _family_points(family: Family, batch: Batch) -> FamilyPoints:
    points = [WireToken(point) for point in (*(blinded.point for blinded in batch.blinds), *batch.padding)]
    return FamilyPoints(family=family.value, real=len(batch.blinds), points=points)


def descriptor_of(folder: PartnerFolder, family: Family) -> EpochDescriptor:
    """Return the key descriptor of a family in the epoch in use. Raises CaseError: there is none."""
    try:
        return folder.epoch.descriptor(family)
    except DescriptorError:
        raise CaseError("family", "has no key in this epoch") from None
