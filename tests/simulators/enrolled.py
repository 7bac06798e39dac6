"""Organisations, workers and custodians with keys from fixed seeds, as a register and rosters know them."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from broker.protocol.register import Bucket, BudgetClass, Organisation, Register
from broker.protocol.request_signing import APPROVAL_TYP, REQUEST_TYP, Sender, Target, sign_request
from broker.protocol.roster import ContactCard, Roster, Worker, cards_document, roster_document
from broker.protocol.sealed_letter import OpeningKey
from broker.protocol.signed_document import SignedDocument
from broker.protocol.signing_keys import SigningKey, VerifyKey, b64url

WIJKTEAM = "00000099000000001000"
GI = "00000099000000002000"
VEILIG_THUIS = "00000099000000003000"
SCHOOL = "00000099000000004000"
WOONCORPORATIE = "00000099000000005000"
GEMEENTE = "00000099000000006000"
GEMEENTE_NOORD_HOLLAND = "00000099000000010000"
"""Of the region whose document names the GI: its own municipality's coordinator."""

NAMES = {
    WIJKTEAM: ("Wijkteam Arnhem", "wijkteam"),
    GI: ("GI Noord-Holland", "gi"),
    VEILIG_THUIS: ("Veilig Thuis Gelderland-Midden", "veilig_thuis"),
    SCHOOL: ("Basisschool De Sluis", "school"),
    WOONCORPORATIE: ("Woningcorporatie", "woningcorporatie"),
}

_BUDGET = BudgetClass(worker=Bucket(capacity=50, per_day=50), organisation=Bucket(capacity=5000, per_day=5000))


def key(name: str) -> SigningKey:
    """Return the signing key that this name always has in tests."""
    return SigningKey.from_seed(hashlib.sha256(b"sluis test key " + name.encode()).digest())


def opening_key(oin: str) -> OpeningKey:
    """Return the private key that letters to this organisation open with in tests."""
    return OpeningKey(hashlib.sha256(b"sluis test sealing key " + oin.encode()).digest())


def sealing_kid(public: bytes) -> str:
    """Return the name of a public sealing key."""
    return b64url(hashlib.sha256(public).digest())


def registrars() -> dict[str, VerifyKey]:
    """Return the pins of the two registrars."""
    keys = [key(f"registrar {number}").public for number in (1, 2)]
    return {public.kid: public for public in keys}


def worker_id(oin: str, role: str) -> str:
    """Return the pairwise id of an organisation's worker in this role."""
    return f"{role}-{oin[-4:]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolled:
    """A register document and the rosters of one broker; `changed` gives the next number."""

    audience: str = "broker.demo.sluis.test"
    number: int = 1
    suspended: frozenset[str] = frozenset()
    names: Mapping[str, tuple[str, str]] = field(default_factory=lambda: NAMES)
    parents: Mapping[str, str] = field(default_factory=dict)
    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The names of an organisation's signing keys, where they are not the one it always has; the last one signs."""

    without: frozenset[str] = frozenset()
    """Roles of which no organisation has somebody of its own."""
    others: Mapping[str, tuple[Worker, ...]] = field(default_factory=dict)
    """Workers of an organisation besides those that each has."""
    meldcode_approval: bool = True
    teams: tuple[str, ...] = ("team-1",)
    """Codes of the teams that each organisation has."""
    phone: str = "026 000 0000"
    """Where every team is reached."""

    def key_names(self, oin: str) -> tuple[str, ...]:
        """Return the names of an organisation's signing keys."""
        return self.keys.get(oin, (oin,))

    def organisation(self, oin: str) -> Organisation:
        """Return one organisation as the register states it."""
        name, org_class = self.names[oin]
        return Organisation(
            oin=oin,
            name=name,
            org_class=org_class,
            status="suspended" if oin in self.suspended else "active",
            parent_org=self.parents.get(oin),
            signing_keys={public.kid: public for name in self.key_names(oin) for public in [key(name).public]},
            sealing_keys={sealing_kid(public): public for public in [opening_key(oin).public]},
            families=frozenset({"addr"} if org_class == "woningcorporatie" else {"nlbsn", "fam", "addr"}),
            simulated_bsn_right=org_class == "school",
            worker_cap=50,
            budgets=None,
        )

    def register_document(self) -> SignedDocument:
        """Return the register, signed by both registrars."""
        document = SignedDocument(
            document={
                "schema": "register/v1",
                "number": self.number,
                "organisations": [self.organisation(oin).document() for oin in self.names],
                "budgetClasses": {name: _BUDGET.document() for name in ("check", "urgent", "register", "import")},
            },
            signatures=(),
        )
        for number in (1, 2):
            signing = key(f"registrar {number}")
            document = document.with_signature(signing.public.kid, signing)
        return document

    def register(self) -> Register:
        """Return the verified register."""
        return Register.read(self.register_document().encode(), registrars=registrars())

    def roster_document(self, oin: str, *, without: frozenset[str] = frozenset(), number: int = 1) -> SignedDocument:
        """Return an organisation's roster: one worker, one of each other role, `others`, and the teams."""
        workers = [
            Worker(sub=worker_id(oin, role), roles=frozenset({role}), broker_sub=None)
            for role in ("worker", "approver", "fg", "privacyfunctionaris")
            if role not in without | self.without
        ]
        workers += self.others.get(oin, ())
        cards = [
            ContactCard(
                code=code,
                display_name=f"{code.replace('-', ' ').capitalize()} {self.names[oin][0]}",
                phone=self.phone,
                working_days="ma-vr",
                after_hours_phone="0800 5550000",
                stand_in="Waarneemteam",
            )
            for code in self.teams
        ]
        own = key(self.key_names(oin)[-1])
        document = roster_document(
            oin=oin, audience=self.audience, number=number, workers=workers, teams=cards,
            meldcode_approval=self.meldcode_approval,
            cards=cards_document(oin=oin, number=number, teams=cards).with_signature(oin, own),
        )  # fmt: skip
        return document.with_signature(oin, own)

    def roster(self, oin: str) -> Roster:
        """Return the verified roster of an organisation."""
        return Roster.read(
            self.roster_document(oin).encode(), audience=self.audience, organisation=self.organisation(oin)
        )

    def rosters(self) -> dict[str, Roster]:
        """Return the verified rosters of all organisations."""
        return {oin: self.roster(oin) for oin in self.names}


def request_token(
    oin: str,
    *,
    target: Target,
    body: bytes,
    jti: str,
    now: int,
    role: str = "worker",
    approval: bool = False,
    key_name: str = "",
    worker: str = "",
    parent_org: str | None = None,
) -> str:
    """Return the token of an organisation's worker in this role over one request."""
    return sign_request(
        key(key_name or oin),
        sender=Sender(organisation=oin, worker=worker or worker_id(oin, role), role=role, parent_org=parent_org),
        target=target,
        body=body,
        jti=jti,
        now=now,
        typ=APPROVAL_TYP if approval else REQUEST_TYP,
    )
