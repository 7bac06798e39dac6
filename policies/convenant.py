"""Convenants, their parties and clauses, as frozen values.

The documents are Dutch; each ``from_content`` reads one mapping that already follows ``convenant/v1``.
"""

from dataclasses import dataclass
from datetime import date
from typing import Literal, Self

from policies.catalogue import Content, Validity, Words
from policies.document import Document, FieldPath
from policies.facts import Json
from policies.vocabulary import WILDCARD

EVERYTHING: Words = (WILDCARD,)
BY_MELDCODE = "meldcode"
"""Approval as the organisation's own meldcode has it (architecture D11)."""


_OF_REGION = "regio"
"""How a party takes part that belongs to the region itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """An organisation that joined a convenant, and perhaps left it again.

    `of_region` says that it takes part as one of that region, and not from elsewhere by the national connection.
    """

    oin: str
    name: str
    org_class: str
    membership: Validity
    of_region: bool

    @classmethod
    def from_content(cls, content: Content) -> Self:
        """Read one row of ``partijen``."""
        membership = Validity.from_content({"van": content["toegetreden_op"], "tot": content["uitgetreden_op"]})
        return cls(
            oin=content["oin"], name=content["naam"], org_class=content["klasse"], membership=membership,
            of_region=content["via"] == _OF_REGION,
        )  # fmt: skip


ORDINARY = "gewoon"
"""The class of data that is neither special (AVG 9), criminal (AVG 10) nor the BSN."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DataClass:
    """What the AVG and professional secrecy make of a data category."""

    avg_class: str
    secret: bool

    @classmethod
    def from_content(cls, content: Content) -> Self:
        """Read one row of ``gegevenscategorieen``."""
        return cls(avg_class=content["avg_klasse"], secret=content["beroepsgeheim"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Duty:
    """An obligation as a clause states it.

    Attributes:
        phase: ``vooraf`` (unmet means nothing is disclosed) or ``achteraf`` (becomes a task).
        term: ISO 8601 duration for ``achteraf``, or None.
        working_days: the term counts working days.
        deferrable_on: grounds on which it may be put off.
        only_with: the dossiers with which it comes; empty for any.
    """

    id: str
    phase: Literal["vooraf", "achteraf"]
    term: str | None
    working_days: bool
    deferrable_on: Words
    only_with: Words = ()

    @classmethod
    def from_content(cls, content: Content) -> Self:
        """Read one row of ``verplichtingen``."""
        return cls(
            id=content["id"],
            phase=content["fase"],
            term=content.get("termijn"),
            working_days=content.get("werkdagen", False),
            deferrable_on=tuple(content.get("uitstelgronden", ())),
            only_with=tuple(content.get("alleen_bij", ())),
        )

    def comes_with(self, dossier: str) -> bool:
        """Whether it is a duty with this dossier."""
        return not self.only_with or dossier in self.only_with

    def record(self) -> dict[str, Json]:
        """The duty as a plain mapping."""
        return {
            "id": self.id,
            "phase": self.phase,
            "term": self.term,
            "working_days": self.working_days,
            "deferrable_on": list(self.deferrable_on),
            "only_with": list(self.only_with),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Clause:
    """One ``afspraak``: what it allows or forbids, to whom, on which grounds; text and article beside it.

    Attributes:
        rid: ``document@version/clause``, the name of this rule everywhere.
        source: title of the text that is quoted or cited.
        path: where it stands in its document, for errors.
        purpose: purpose id, or ``*`` in the statutory bundle.
        reason: reason code of a prohibition, None for an allowance.
        redundant: defence in depth; leaving it out changes no decision.
        passage: id of the quoted passage its quote stands in, or None.
        holding: the other side: whose signals are shown, who is called, or who is told.
        approval: ``meldcode`` where the organisation's own meldcode says whether a second person approves.
    """

    rid: str
    path: FieldPath
    article: str
    quote: str | None
    passage: str | None
    source: str
    motivation: str
    allows: bool
    reason: str | None
    redundant: bool
    acts: Words
    asking: Words
    holding: Words
    purpose: str
    categories: Words
    level_min: int
    level_max: int
    grounds: Words
    roles: Words
    standings: Words
    proofs: Words
    approval: str
    bsn_right: str
    holder_mode: str | None
    match_kinds: Words
    registered_for: Words
    registered_on: Words
    shielding: str | None
    consents: Words
    dossiers: Words
    ages: Words
    since: date | None
    until: date | None
    obligations: tuple[Duty, ...]

    @classmethod
    def from_content(cls, content: Content, *, document: str, path: FieldPath) -> Self:
        """Read one row of ``afspraken``; what it leaves out gets the narrowest reading its effect allows."""
        allows = content["effect"] == "toestaan"
        return cls(
            rid=f"{document}/{content['id']}",
            path=path,
            article=content["artikel"],
            quote=content["brontekst"],
            passage=content.get("citaat"),
            source=content["bron"] if "bron" in content else content["artikel"],
            motivation=content["motivering"],
            allows=allows,
            reason=content.get("reden"),
            redundant=content.get("vangnet", False),
            acts=tuple(content["handelingen"]),
            asking=tuple(content["vragend"]),
            holding=tuple(content.get("houdend") or content.get("ontvangend") or EVERYTHING),
            purpose=content["doel"],
            categories=tuple(content["categorieen"]),
            level_min=content["niveau"]["min"],
            level_max=content["niveau"]["max"],
            grounds=tuple(content["grondslagen"]),
            roles=tuple(content.get("rollen", ("worker",) if allows else EVERYTHING)),
            standings=tuple(content.get("bewijs", EVERYTHING)),
            proofs=tuple(
                content.get(
                    "bewijsstuk", ("none",) if "statutory_reference" in content.get("bewijs", ()) else EVERYTHING
                )
            ),
            approval=content.get("akkoord", WILDCARD),
            bsn_right=content.get("bsn_recht", WILDCARD),
            holder_mode=content.get("houderwijze"),
            match_kinds=tuple(content.get("soorten_match", EVERYTHING)),
            registered_for=tuple(content.get("geregistreerd_voor") or ((content["doel"],) if allows else EVERYTHING)),
            registered_on=tuple(content.get("geregistreerd_op") or (content["grondslagen"] if allows else EVERYTHING)),
            shielding=content.get("afscherming"),
            consents=tuple(content.get("toestemming", EVERYTHING)),
            dossiers=tuple(content.get("dossier", EVERYTHING)),
            ages=tuple(content.get("leeftijden", EVERYTHING)),
            since=_day(content.get("van")),
            until=_day(content.get("tot")),
            obligations=tuple(Duty.from_content(duty) for duty in content.get("verplichtingen", ())),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Motivation:
    """Why there is this document, or no agreement: our sentence, and the passage it rests on."""

    text_nl: str
    quote: str
    passage: str
    source: str

    @classmethod
    def from_content(cls, content: Content | None) -> Self | None:
        """Read ``motivering``, or nothing."""
        if content is None:
            return None
        return cls(
            text_nl=content["tekst"], quote=content["brontekst"], passage=content["citaat"], source=content["bron"]
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Convenant:
    """A document of rules: a convenant, a region without one, or the statutory bundle.

    Attributes:
        label: ``id@version``.
        parties: None when every organisation is party (test documents only).
        region: the region it speaks for, or None.
        purposes: purposes it carries, each with ``convenant``, ``geen_convenant`` or ``wet``.
        connected: it states a connection to the national index, simulated or not.
    """

    document: Document
    label: str
    kind: Literal["convenant", "geen_convenant", "lex"]
    title: str
    region: str | None
    is_test: bool
    builds_on: Words
    validity: Validity
    parties: tuple[Party, ...] | None
    purposes: dict[str, str]
    categories: Words
    data_classes: dict[str, DataClass]
    connected: bool
    motivation: Motivation | None
    clauses: tuple[Clause, ...]

    @classmethod
    def from_document(cls, document: Document) -> Self:
        """Read a document that follows ``convenant/v1``."""
        content: Content = document.content
        label = f"{content['id']}@{content['versie']}"
        parties = content["partijen"]
        return cls(
            document=document,
            label=label,
            kind=content["soort"],
            title=content["titel"],
            region=content.get("regio"),
            is_test=content.get("test", False),
            builds_on=tuple(content["steunt_op"]),
            validity=Validity.from_content(content["geldigheid"]),
            parties=None if parties == "alle" else tuple(Party.from_content(party) for party in parties),
            purposes={purpose["id"]: purpose["soort"] for purpose in content["doelen"]},
            categories=tuple(category["id"] for category in content["gegevenscategorieen"]),
            data_classes={one["id"]: DataClass.from_content(one) for one in content["gegevenscategorieen"]},
            connected="landelijke_aansluiting" in content,
            motivation=Motivation.from_content(content.get("motivering")),
            clauses=tuple(
                Clause.from_content(clause, document=label, path=("afspraken", number))
                for number, clause in enumerate(content["afspraken"])
            ),
        )

    def is_party(self, *, oin: str, org_class: str, day: date) -> bool:
        """Whether this organisation, in this class, was party on that day."""
        return self.parties is None or bool(self._rows(oin, org_class, day))

    def is_of_region(self, *, oin: str, org_class: str, day: date) -> bool:
        """Whether this organisation was party on that day as one of the region itself."""
        return self.parties is None or any(row.of_region for row in self._rows(oin, org_class, day))

    def _rows(self, oin: str, org_class: str, day: date) -> list[Party]:
        rows = (row for row in self.parties or () if (row.oin, row.org_class) == (oin, org_class))
        return [row for row in rows if row.membership.holds(day)]


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
