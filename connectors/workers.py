"""Workers: one pairwise id per audience, so that no two parties can compare whom they saw (D13)."""

import base64
from collections.abc import Sequence

from broker.protocol.document_fields import Fields
from broker.protocol.errors import MalformedError
from broker.protocol.request_signing import is_word
from broker.protocol.roster import ROLES, ContactCard, Worker, cards_document, roster_document
from broker.protocol.signed_document import SignedDocument
from connectors.errors import FolderError
from connectors.folder import PartnerFolder
from connectors.sealing import SecretKey

WORKER = "worker"
_LENGTH = 26  # base32 characters: 130 bits
_CARD = {"code", "displayName", "phone", "workingDays", "afterHoursPhone", "standIn"}


def pairwise_id(key: SecretKey, *, audience: str, local_id: str) -> str:
    """Return a worker's id at one audience: base32 of HMAC-SHA256(key, audience ‖ 0x00 ‖ local id), 26 characters."""
    mac = key.mac(audience.encode() + b"\x00" + local_id.encode())
    return base64.b32encode(mac).decode("ascii").lower()[:_LENGTH]


def add_worker(
    folder: PartnerFolder, *, local_id: str, name: str, roles: Sequence[str], teams: Sequence[str] = ()
) -> None:
    """The worker stands in the folder's own list. Raises FolderError: an id, role or team that cannot be."""
    if not is_word(local_id):
        raise FolderError("local id", "must be a short name without blanks")
    if not roles or not set(roles) <= set(ROLES):
        raise FolderError("role", "must be one of " + ", ".join(ROLES))
    if not all(is_word(team) for team in teams):
        raise FolderError("team", "must be a short name without blanks")
    with folder.casebook() as book:
        book.put_worker(local_id, name, " ".join(sorted(set(roles))), sorted(set(teams)))


def remove_worker(folder: PartnerFolder, *, local_id: str) -> None:
    """The worker has no role any more and stands in no roster that is signed from now on; his name stays for reports.

    Raises:
        FolderError: nobody has this local id, or he has left already.
    """
    with folder.casebook() as book:
        named = {known: (name, roles) for known, name, roles in book.workers()}
        if not named.get(local_id, ("", ""))[1]:
            raise FolderError("worker", "is not in this folder, or has left")
        book.put_worker(local_id, named[local_id][0], "")


def roles_of(folder: PartnerFolder, local_id: str) -> frozenset[str]:
    """Return the roles of a worker. Raises FolderError: nobody has this local id."""
    with folder.casebook() as book:
        for known, _, roles in book.workers():
            if known == local_id:
                return frozenset(roles.split())
    raise FolderError("worker", "is not in this folder: add the worker first")


def role_for(folder: PartnerFolder, local_id: str, wanted: str | None, *, among: Sequence[str]) -> str:
    """Return in which role a worker does what people of these roles do: the one that was typed, or the one he has.

    Who is a worker too works as one, where nothing else was typed.

    Raises:
        FolderError: nobody has this local id, he has none of these roles, or more of them than one.
    """
    if wanted is not None:
        return wanted
    own = [role for role in among if role in roles_of(folder, local_id)]
    if WORKER in own:
        return WORKER
    if len(own) == 1:
        return own[0]
    if own:
        raise FolderError("role", f"must be given, as --role: one of {', '.join(own)}")
    raise FolderError("worker", f"has none of the roles {', '.join(among)}")


def sign_roster(folder: PartnerFolder, *, audience: str, teams: Sequence[ContactCard] = ()) -> SignedDocument:
    """Return the roster for one audience, signed by this organisation, with a number that rises.

    A custodian's roster carries each worker's id at the broker, so that a ticket's worker comes from the roster; the
    broker's carries the teams' contact cards, who is in which team (nobody reviews his own team), and whether the
    organisation's meldcode asks approval of an exception, as `partner.toml` has it.
    """
    settings, key = folder.settings, folder.pairwise_key
    at_broker = audience == settings.broker.id
    with folder.casebook() as book:
        known, teams_of = book.workers(), book.teams()
        number = book.next_roster_number(audience)
    workers = [
        Worker(
            sub=pairwise_id(key, audience=audience, local_id=local_id),
            roles=frozenset(roles.split()),
            broker_sub=None if at_broker else pairwise_id(key, audience=settings.broker.id, local_id=local_id),
            teams=teams_of.get(local_id, frozenset()) if at_broker else frozenset(),
        )
        for local_id, _, roles in known
        if roles
    ]
    shown = list(teams) if at_broker else []
    # By themselves, so that who calls can hold a number against the organisation's own signature.
    cards = cards_document(oin=settings.oin, number=number, teams=shown).with_signature(
        settings.oin, folder.signing_key
    )  # fmt: skip
    document = roster_document(
        oin=settings.oin, audience=audience, number=number, workers=workers, teams=shown,
        meldcode_approval=settings.meldcode_approval or not at_broker, cards=cards if shown else None,
    )  # fmt: skip
    return document.with_signature(settings.oin, folder.signing_key)


def read_teams(value: object) -> list[ContactCard]:
    """Return the contact cards in a JSON list. Raises FolderError: a card breaks a rule of the roster."""
    if not isinstance(value, list):
        raise FolderError("teams", "is not a JSON list of contact cards")
    try:
        return [_card(item, at) for at, item in enumerate(value)]
    except MalformedError as error:
        raise FolderError("teams", f"{error.field} {error.rule}") from None


def _card(item: object, at: int) -> ContactCard:
    fields = Fields.of(item, f"teams[{at}]", exactly=_CARD)
    return ContactCard(
        code=fields.word("code"),
        display_name=fields.text("displayName", at_most=80),
        phone=fields.text("phone", at_most=20),
        working_days=fields.text("workingDays", at_most=80),
        after_hours_phone=fields.text("afterHoursPhone", at_most=20) if fields.optional("afterHoursPhone") else None,
        stand_in=fields.text("standIn", at_most=80) if fields.optional("standIn") else None,
    )
