"""Rosters: who works at an organisation, as one audience knows them, signed by the organisation itself (D2, D13)."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Self

from broker.protocol.document_fields import Fields
from broker.protocol.errors import MalformedError, SignatureError
from broker.protocol.register import Organisation
from broker.protocol.signed_document import SignedDocument

SCHEMA = "roster/v1"
CARDS_SCHEMA = "contact-cards/v1"
_CARDS = "cards"
_MELDCODE = "meldcodeApproval"
_MEMBERS = {"schema", "oin", "audience", "number", "workers", "teams"}
ROLES = ("worker", "approver", "privacyfunctionaris", "fg", "matchcoordinator")


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """One worker: the pairwise id at this audience, what he may do, and (for a custodian) his id at the broker.

    `teams` are opaque codes, for the broker only: nobody reviews an act of a team of his own.
    """

    sub: str
    roles: frozenset[str]
    broker_sub: str | None
    teams: frozenset[str] = frozenset()

    def document(self) -> dict[str, Any]:
        """Return the JSON object of this worker; one without teams has no such member."""
        stated = {"sub": self.sub, "roles": sorted(self.roles), "brokerSub": self.broker_sub}
        return {**stated, "teams": sorted(self.teams)} if self.teams else stated


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactCard:
    """How a team is reached. A match always reaches a team, never only a person (D6)."""

    code: str
    display_name: str
    phone: str
    working_days: str
    after_hours_phone: str | None
    stand_in: str | None

    def document(self) -> dict[str, Any]:
        """Return the JSON object of this card."""
        return {
            "code": self.code,
            "displayName": self.display_name,
            "phone": self.phone,
            "workingDays": self.working_days,
            "afterHoursPhone": self.after_hours_phone,
            "standIn": self.stand_in,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Roster:
    """A verified roster of one organisation for one audience.

    `meldcode_approval` says, to the broker, whether the organisation's own meldcode asks a second person to approve an
    exception; it does where the roster is silent (D11). `cards` are its contact cards as the organisation signed them
    for everybody who may call: whoever passes them on cannot change a number.
    """

    oin: str
    audience: str
    number: int
    workers: Mapping[str, Worker]
    teams: Mapping[str, ContactCard]
    meldcode_approval: bool = True
    cards: str | None = None

    @classmethod
    def read(cls, text: bytes | str, *, audience: str, organisation: Organisation) -> Self:
        """Return the roster in `text`, if this organisation signed it for this audience.

        Raises:
            MalformedError: a field breaks its rule, more workers than the cap, a worker twice (here or at the broker).
            SignatureError: no key of the organisation signed it.
        """
        signed = SignedDocument.parse(text, schema=SCHEMA)
        _require_own_signature(signed, organisation)
        stated = {_MELDCODE, _CARDS} & set(signed.document)
        fields = Fields.of(signed.document, SCHEMA, exactly=_MEMBERS | stated)
        if fields.oin("oin") != organisation.oin:
            raise MalformedError(f"{SCHEMA}.oin", "is another organisation's")
        if fields.word("audience") != audience:
            raise MalformedError(f"{SCHEMA}.audience", "is another party")
        workers = [_worker(item, at) for at, item in enumerate(fields.items("workers"))]
        teams = [_card(item, at) for at, item in enumerate(fields.items("teams"))]
        if len(workers) > organisation.worker_cap:
            raise MalformedError(f"{SCHEMA}.workers", "are more than the register's worker cap")
        by_sub = {worker.sub: worker for worker in workers}
        by_code = {card.code: card for card in teams}
        if len(by_sub) != len(workers) or len(by_code) != len(teams):
            raise MalformedError(SCHEMA, "names a worker or a team twice")
        at_broker = [worker.broker_sub for worker in workers if worker.broker_sub is not None]
        if len(set(at_broker)) != len(at_broker):
            raise MalformedError(f"{SCHEMA}.workers.brokerSub", "is that of two workers")
        return cls(
            oin=organisation.oin,
            audience=audience,
            number=fields.number("number", least=1),
            workers=MappingProxyType(by_sub),
            teams=MappingProxyType(by_code),
            meldcode_approval=fields.flag(_MELDCODE) if _MELDCODE in stated else True,
            cards=_signed_cards(fields.members[_CARDS], by_code, organisation) if _CARDS in stated else None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactCards:
    """The verified contact cards of one organisation, by team; a higher number replaces a lower."""

    oin: str
    number: int
    teams: Mapping[str, ContactCard]

    @classmethod
    def read(cls, text: bytes | str, *, organisation: Organisation) -> Self:
        """Return the cards in `text`, if this organisation signed them.

        Raises:
            MalformedError: a field breaks its rule, or they are another organisation's. SignatureError.
        """
        signed = SignedDocument.parse(text, schema=CARDS_SCHEMA)
        _require_own_signature(signed, organisation)
        fields = Fields.of(signed.document, CARDS_SCHEMA, exactly={"schema", "oin", "number", "teams"})
        if fields.oin("oin") != organisation.oin:
            raise MalformedError(f"{CARDS_SCHEMA}.oin", "is another organisation's")
        teams = [_card(item, at) for at, item in enumerate(fields.items("teams"))]
        by_code = {card.code: card for card in teams}
        if len(by_code) != len(teams):
            raise MalformedError(CARDS_SCHEMA, "names a team twice")
        return cls(oin=organisation.oin, number=fields.number("number", least=1), teams=MappingProxyType(by_code))


def cards_document(*, oin: str, number: int, teams: list[ContactCard]) -> SignedDocument:
    """Return the unsigned contact cards of an organisation."""
    listed = [card.document() for card in teams]
    return SignedDocument(
        document={"schema": CARDS_SCHEMA, "oin": oin, "number": number, "teams": listed}, signatures=()
    )  # fmt: skip


def roster_document(
    *,
    oin: str,
    audience: str,
    number: int,
    workers: list[Worker],
    teams: list[ContactCard],
    meldcode_approval: bool = True,
    cards: SignedDocument | None = None,
) -> SignedDocument:
    """Return the unsigned roster of an organisation for one audience; it says of approval only that none is asked.

    Args:
        cards: the same teams' cards, signed by themselves, for whoever may call.
    """
    document = {
        "schema": SCHEMA,
        "oin": oin,
        "audience": audience,
        "number": number,
        "workers": [worker.document() for worker in workers],
        "teams": [card.document() for card in teams],
        **({} if meldcode_approval else {_MELDCODE: False}),
        **({} if cards is None else {_CARDS: cards.encode().decode()}),
    }
    return SignedDocument(document=document, signatures=())


def _require_own_signature(signed: SignedDocument, organisation: Organisation) -> None:
    """Hold if any one of the organisation's keys signed; a key that is being replaced counts too."""
    for key in organisation.signing_keys.values():
        try:
            signed.require({organisation.oin: key}, at_least=1)
        except SignatureError:
            continue
        return
    raise SignatureError


def _signed_cards(value: object, teams: Mapping[str, ContactCard], organisation: Organisation) -> str:
    """Return the organisation's own signed cards, which say the same as the roster. Raises MalformedError."""
    if not isinstance(value, str):
        raise MalformedError(f"{SCHEMA}.{_CARDS}", "is not a signed document as text")
    if ContactCards.read(value, organisation=organisation).teams != teams:
        raise MalformedError(f"{SCHEMA}.{_CARDS}", "says something else than the teams")
    return value


def _worker(value: object, at: int) -> Worker:
    members = {"sub", "roles", "brokerSub"}
    stated = {"teams"} if isinstance(value, dict) and "teams" in value else set()
    fields = Fields.of(value, f"workers[{at}]", exactly=members | stated)
    return Worker(
        sub=fields.word("sub"),
        roles=frozenset(fields.words("roles", ROLES)),
        broker_sub=fields.word("brokerSub") if fields.optional("brokerSub") else None,
        teams=frozenset(fields.words("teams")) if stated else frozenset(),
    )


def _card(value: object, at: int) -> ContactCard:
    fields = Fields.of(
        value,
        f"teams[{at}]",
        exactly={"code", "displayName", "phone", "workingDays", "afterHoursPhone", "standIn"},
    )
    return ContactCard(
        code=fields.word("code"),
        display_name=fields.text("displayName", at_most=80),
        phone=fields.text("phone", at_most=20),
        working_days=fields.text("workingDays", at_most=80),
        after_hours_phone=fields.text("afterHoursPhone", at_most=20) if fields.optional("afterHoursPhone") else None,
        stand_in=fields.text("standIn", at_most=80) if fields.optional("standIn") else None,
    )
