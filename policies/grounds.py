"""The table of grounds: what may open something, what only frames it, and what happens when one ends."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Self

from policies.catalogue import AfterEnd, Content, Validity, Words


@dataclass(frozen=True, slots=True, kw_only=True)
class AgeRule:
    """Who consents and who is informed for a person of one age band."""

    consent_by: frozenset[str]
    inform: Words

    @classmethod
    def from_content(cls, content: Content) -> Self:
        """Read one row of ``leeftijden``."""
        return cls(consent_by=frozenset(content["toestemming_van"]), inform=tuple(content["informeren"]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Deferral:
    """A ground on which informing may be put off: with which dossier and approval, looked at again after how long."""

    dossiers: Words
    approval: bool
    review_term: str

    @classmethod
    def from_content(cls, content: Content | None) -> Self | None:
        """Read ``uitstel``, or nothing."""
        if content is None:
            return None
        return cls(
            dossiers=tuple(content["dossier"]), approval=content["akkoord"], review_term=content["opnieuw_kijken"]
        )


USABLE_KINDS = frozenset({"wet", "toestemming", "uitzondering", "therapeutisch", "test"})
"""Kinds of ground a clause may allow on; ``ingang`` only routes, ``kader`` is law that opens nothing by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """A statutory ground, consent, an exception, law that opens nothing, or a test's stand-in.

    Attributes:
        kind: ``therapeutisch`` withholds from the patient and opens only towards a representative; ``ingang`` is the
            name people look for, which routes to the right ground; ``kader`` opens nothing.
        verification: how surely its text is known, marks as in ``lex/gronden.yaml``.
        needs_connection: usable only where the document states ``landelijke_aansluiting``.
        in_force: false for a law that is no law yet.
        only_to: classes (or ``vertegenwoordiger``) that may receive on it; empty for any.
        only_by: classes that may tell on it; empty for any.
        data_classes: special data it opens, ``art9``, ``art10`` or ``bsn``; ordinary data always.
        must_document: what the partner keeps in its own file.
        ages: age band to who consents and who is informed; empty where age makes no difference.
        after_end: what then happens to signals that rest on it, or None when none can.
        deferral: when informing may be put off on it, or None.
    """

    id: str
    kind: Literal["wet", "toestemming", "uitzondering", "therapeutisch", "ingang", "kader", "test"]
    citation: str
    summary_nl: str
    short_nl: str
    validity: Validity
    verification: str
    needs_connection: bool
    in_force: bool
    only_to: Words
    only_by: Words
    data_classes: Words
    must_document: Words
    ages: Mapping[str, AgeRule]
    after_end: AfterEnd | None
    deferral: Deferral | None

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
            in_force=content.get("in_werking", True),
            only_to=tuple(content.get("alleen_aan", ())),
            only_by=tuple(content.get("alleen_door", ())),
            data_classes=tuple(content.get("gegevensklassen", ())),
            must_document=tuple(content.get("vastleggen", ())),
            ages={row["leeftijd"]: AgeRule.from_content(row) for row in content.get("leeftijden", ())},
            after_end=AfterEnd.from_content(content.get("na_einde")),
            deferral=Deferral.from_content(content.get("uitstel")),
        )

    @property
    def usable(self) -> bool:
        """Whether a clause may allow on it at all."""
        return self.kind in USABLE_KINDS and self.in_force

    def consenters(self, age: str) -> frozenset[str]:
        """Who must consent for a person of this age; everybody the ground names when the age is unknown."""
        if age in self.ages:
            return self.ages[age].consent_by
        return frozenset().union(*(rule.consent_by for rule in self.ages.values()))

    def informed(self, age: str) -> Words:
        """Who is informed about a person of this age; empty when that is not known."""
        return self.ages[age].inform if age in self.ages else ()
