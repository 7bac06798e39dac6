"""Bringing documents into force, with the stamps that make older decisions stale.

Each call is one transaction over a connection of its own, so a running broker takes the change at its next reading.
What a server undid because of another transaction is done again: a number that is not higher changes nothing.
"""

from collections.abc import Callable, Iterable, Mapping

from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, col, select

from audit.errors import DatabaseError
from broker.domain.errors import DocumentNotNewerError, OrganisationUnknownError, StorageError
from broker.ports import REGISTER, StampKind
from broker.protocol.register import Register
from broker.protocol.roster import Roster
from broker.protocol.signed_document import SignedDocument
from broker.protocol.signing_keys import VerifyKey
from broker.store.address import DatabaseAddress
from broker.store.documents import read_epoch
from broker.store.models import EpochRow, RegisterRow, RosterRow, VersionStampRow
from broker.store.schema import administration

TRIES = 5


def import_register(
    address: DatabaseAddress, text: bytes, *, registrars: Mapping[str, VerifyKey], now: int
) -> Register:  # fmt: skip
    """The register in `text` is in force; what was decided about an organisation whose line changed is stale.

    Raises:
        MalformedError, SignatureError: it is not validly signed by two registrars.
        DocumentNotNewerError: its number is not higher than the one in force.
        StorageError: the database did not take it.
    """
    register = Register.read(text, registrars=registrars)

    def take(session: Session) -> None:
        newest = session.exec(select(RegisterRow).order_by(col(RegisterRow.number).desc()).limit(1)).first()
        if newest is not None and newest.number >= register.number:
            raise DocumentNotNewerError
        old = None if newest is None else Register.draft(SignedDocument.parse(newest.document, schema="register/v1"))
        session.add(RegisterRow(number=register.number, document=text, imported_at=now))
        _bump(session, REGISTER.kind, REGISTER.key)
        for oin in _changed(old, register):
            _bump(session, StampKind.ORGANISATION, oin.encode("ascii"))

    _in_one_transaction(address, take)
    return register


def import_roster(address: DatabaseAddress, text: bytes, *, audience: str, register: Register, now: int) -> Roster:
    """The roster in `text` is in force for its organisation.

    Raises:
        MalformedError, SignatureError: it is not for this audience, or its organisation did not sign it.
        OrganisationUnknownError: no organisation of the register.
        DocumentNotNewerError: its number is not higher than the one in force.
        StorageError: the database did not take it.
    """
    oin = str(SignedDocument.parse(text, schema="roster/v1").document.get("oin"))
    organisation = register.organisations.get(oin)
    if organisation is None:
        raise OrganisationUnknownError
    roster = Roster.read(text, audience=audience, organisation=organisation)

    def take(session: Session) -> None:
        ordered = select(RosterRow).where(col(RosterRow.oin) == oin).order_by(col(RosterRow.number).desc()).limit(1)
        newest = session.exec(ordered).first()
        if newest is not None and newest.number >= roster.number:
            raise DocumentNotNewerError
        session.add(RosterRow(oin=oin, number=roster.number, document=text, imported_at=now))
        _bump(session, StampKind.ORGANISATION, oin.encode("ascii"))

    _in_one_transaction(address, take)
    return roster


def import_epoch(address: DatabaseAddress, text: bytes, *, custodians: Mapping[str, VerifyKey], now: int) -> int:
    """The epoch in `text` is in use; its number is returned. A refresh takes the place of what it refreshes.

    Raises:
        MalformedError, SignatureError: it is not signed by every custodian, or a refresh that changes the key.
        DocumentNotNewerError: its number is not higher than the one in use, nor is it a refresh of that one.
        StorageError: the database did not take it.
    """
    document = read_epoch(text, custodians=custodians)

    def take(session: Session) -> None:
        newest = session.exec(select(EpochRow).order_by(col(EpochRow.epoch).desc()).limit(1)).first()
        if newest is not None and not document.replaces(read_epoch(newest.document, custodians=custodians)):
            raise DocumentNotNewerError
        if newest is not None and newest.epoch == document.epoch:
            newest.document, newest.imported_at = text, now
        else:
            session.add(EpochRow(epoch=document.epoch, document=text, imported_at=now))

    _in_one_transaction(address, take)
    return document.epoch


def _in_one_transaction(address: DatabaseAddress, take: Callable[[Session], None]) -> None:
    """Everything that `take` does is durable, or nothing of it. Raises StorageError, and what `take` raises."""
    for _ in range(TRIES):
        try:
            with administration(address) as connection, Session(connection) as session:
                take(session)
                session.flush()
        except DBAPIError as error:
            # Its text holds the statement with its values, so nothing of it is passed on.
            if not DatabaseError(getattr(error.orig, "sqlstate", None), lost=False).may_succeed_again:
                raise StorageError from None
        except DatabaseError as error:
            raise StorageError from error
        else:
            return
    raise StorageError


def _changed(old: Register | None, new: Register) -> Iterable[str]:
    """Return the organisations whose line is not what it was."""
    before = {} if old is None else {oin: line.document() for oin, line in old.organisations.items()}
    after = {oin: line.document() for oin, line in new.organisations.items()}
    return sorted(oin for oin in before.keys() | after.keys() if before.get(oin) != after.get(oin))


def _bump(session: Session, kind: StampKind, key: bytes) -> None:
    stamp = session.get(VersionStampRow, (kind.value, key))
    if stamp is None:
        session.add(VersionStampRow(kind=kind.value, key=key, version=1))
    else:
        stamp.version += 1
