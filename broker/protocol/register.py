"""The register of organisations: a numbered document that two registrars sign and every party verifies itself (D13)."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Self

from broker.protocol.document_fields import Fields
from broker.protocol.errors import MalformedError
from broker.protocol.signed_document import SignedDocument
from broker.protocol.signing_keys import VerifyKey, b64url, b64url_bytes
from broker.protocol.tickets import FAMILIES

SCHEMA = "register/v1"
REGISTRARS_NEEDED = 2
BUDGET_CLASSES = ("check", "urgent", "register", "import")
ORGANISATION_CLASSES = (
    "wijkteam",
    "veilig_thuis",
    "gi",
    "rvdk",
    "school",
    "leerplicht",
    "jgz",
    "ggz",
    "verslavingszorg",
    "huisarts",
    "seh",
    "politie",
    "vrouwenopvang",
    "woningcorporatie",
    "meldpunt_overlast",
    "zvh",
    "reclassering",
    "gemeente",
)
"""Those of the policy's documents, and a municipality, which coordinates and holds no signal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """A token bucket: at most `capacity` at once, refilled by `per_day` a day."""

    capacity: int
    per_day: int

    @classmethod
    def parse(cls, value: object, path: str) -> Self:
        """Return the bucket in this JSON object. Raises MalformedError; neither size can be unlimited."""
        fields = Fields.of(value, path, exactly={"capacity", "perDay"})
        return cls(
            capacity=fields.number("capacity", most=10_000_000), per_day=fields.number("perDay", most=10_000_000)
        )

    def document(self) -> dict[str, int]:
        """Return the JSON object of this bucket."""
        return {"capacity": self.capacity, "perDay": self.per_day}


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetClass:
    """The sizes of one class of work: persons per worker, points per organisation."""

    worker: Bucket
    organisation: Bucket

    @classmethod
    def parse(cls, value: object, path: str) -> Self:
        """Return the class in this JSON object. Raises MalformedError."""
        fields = Fields.of(value, path, exactly={"worker", "organisation"})
        return cls(
            worker=Bucket.parse(fields.members["worker"], f"{path}.worker"),
            organisation=Bucket.parse(fields.members["organisation"], f"{path}.organisation"),
        )

    def document(self) -> dict[str, Any]:
        """Return the JSON object of this class."""
        return {"worker": self.worker.document(), "organisation": self.organisation.document()}


def parse_budgets(value: object, path: str) -> Mapping[str, BudgetClass]:
    """Return the four budget classes in this JSON object. Raises MalformedError."""
    fields = Fields.of(value, path, exactly=set(BUDGET_CLASSES))
    return MappingProxyType(
        {name: BudgetClass.parse(fields.members[name], f"{path}.{name}") for name in BUDGET_CLASSES}
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Organisation:
    """One organisation as the registrars state it.

    `families` are the identifier families it may use at the custodians: the key used *is* the authority (D1).
    `simulated_bsn_right` marks a right that exists in a demonstration only.
    """

    oin: str
    name: str
    org_class: str
    status: str
    parent_org: str | None
    signing_keys: Mapping[str, VerifyKey]
    sealing_keys: Mapping[str, bytes]
    families: frozenset[str]
    simulated_bsn_right: bool
    worker_cap: int
    budgets: Mapping[str, BudgetClass] | None

    @property
    def active(self) -> bool:
        """Whether it may act at all."""
        return self.status == "active"

    @classmethod
    def parse(cls, value: object, path: str) -> Self:
        """Return the organisation in this JSON object. Raises MalformedError."""
        fields = Fields.of(
            value,
            path,
            exactly={
                "oin",
                "name",
                "orgClass",
                "status",
                "parentOrg",
                "signingKeys",
                "sealingKeys",
                "families",
                "simulatedBsnRight",
                "workerCap",
                "budgets",
            },
        )
        keys = [VerifyKey.from_jwk(jwk, field=f"{path}.signingKeys") for jwk in fields.items("signingKeys", at_most=8)]
        return cls(
            oin=fields.oin("oin"),
            name=fields.text("name"),
            org_class=fields.choice("orgClass", ORGANISATION_CLASSES),
            status=fields.choice("status", ("active", "suspended")),
            parent_org=fields.oin("parentOrg") if fields.optional("parentOrg") else None,
            signing_keys=MappingProxyType({key.kid: key for key in keys}),
            sealing_keys=MappingProxyType(
                dict(_sealing_key(item, path) for item in fields.items("sealingKeys", at_most=8))
            ),
            families=frozenset(fields.words("families", FAMILIES)),
            simulated_bsn_right=fields.flag("simulatedBsnRight"),
            worker_cap=fields.number("workerCap", least=1, most=100_000),
            budgets=parse_budgets(fields.members["budgets"], f"{path}.budgets") if fields.optional("budgets") else None,
        )

    def document(self) -> dict[str, Any]:
        """Return the JSON object of this organisation."""
        return {
            "oin": self.oin,
            "name": self.name,
            "orgClass": self.org_class,
            "status": self.status,
            "parentOrg": self.parent_org,
            "signingKeys": [key.jwk() for key in self.signing_keys.values()],
            "sealingKeys": [{"kid": kid, "x25519": b64url(key)} for kid, key in self.sealing_keys.items()],
            "families": sorted(self.families),
            "simulatedBsnRight": self.simulated_bsn_right,
            "workerCap": self.worker_cap,
            "budgets": None if self.budgets is None else {name: b.document() for name, b in self.budgets.items()},
        }


def _sealing_key(value: object, path: str) -> tuple[str, bytes]:
    fields = Fields.of(value, f"{path}.sealingKeys", exactly={"kid", "x25519"})
    return fields.word("kid"), b64url_bytes(fields.text("x25519"), field=f"{path}.sealingKeys", length=32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Register:
    """A verified register document."""

    number: int
    organisations: Mapping[str, Organisation]
    budgets: Mapping[str, BudgetClass]
    signed: SignedDocument

    @classmethod
    def read(cls, text: bytes | str, *, registrars: Mapping[str, VerifyKey]) -> Self:
        """Return the register in `text`, verified with two different registrars' signatures.

        Raises:
            MalformedError: a field breaks its rule.
            SignatureError: fewer than two of `registrars` signed it.
        """
        signed = SignedDocument.parse(text, schema=SCHEMA)
        signed.require(registrars, at_least=REGISTRARS_NEEDED)
        return cls.draft(signed)

    @classmethod
    def draft(cls, signed: SignedDocument) -> Self:
        """Return the register as drafted, its signatures not checked; for registrars only. Raises MalformedError."""
        fields = Fields.of(signed.document, SCHEMA, exactly={"schema", "number", "organisations", "budgetClasses"})
        listed = [
            Organisation.parse(item, f"organisations[{position}]")
            for position, item in enumerate(fields.items("organisations"))
        ]
        organisations = {organisation.oin: organisation for organisation in listed}
        if len(organisations) != len(listed):
            raise MalformedError(f"{SCHEMA}.organisations", "names an organisation twice")
        kids = [kid for organisation in listed for kid in organisation.signing_keys]
        if len(set(kids)) != len(kids):
            raise MalformedError(f"{SCHEMA}.organisations", "gives one signing key to two organisations")
        return cls(
            number=fields.number("number", least=1),
            organisations=MappingProxyType(organisations),
            budgets=parse_budgets(fields.members["budgetClasses"], f"{SCHEMA}.budgetClasses"),
            signed=signed,
        )

    def signing_key(self, oin: str, kid: str) -> VerifyKey | None:
        """Return the signing key of an organisation under this kid, or None.

        A suspended organisation keeps its keys, so that the refusal can say why.
        """
        organisation = self.organisations.get(oin)
        return None if organisation is None else organisation.signing_keys.get(kid)

    def budget(self, oin: str, budget_class: str) -> BudgetClass:
        """Return the sizes that hold for this organisation: its own, or the register's."""
        own = self.organisations[oin].budgets
        return (self.budgets if own is None else own)[budget_class]
