"""Whom a custodian serves: the register it verified itself, the organisations it enrolled itself, their rosters.

What is stored is verified again at every load, under the registrars of the configuration and the register in force, so
that a key which left the register no longer vouches for a roster.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from broker.custodian.errors import ImportRefusedError, RefusedError, StoreError
from broker.custodian.store import Store
from broker.protocol.errors import MalformedError, ProtocolError
from broker.protocol.register import BudgetClass, Organisation, Register
from broker.protocol.roster import SCHEMA as ROSTER_SCHEMA
from broker.protocol.roster import Roster
from broker.protocol.signed_document import SignedDocument
from broker.protocol.signing_keys import VerifyKey

_REVISION = "trust_revision"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """The register in force, and the rosters of the enrolled organisations that hold under it."""

    register: Register | None
    enrolled: frozenset[str]
    rosters: Mapping[str, Roster]

    def organisation(self, oin: str) -> Organisation:
        """Return an organisation of the register. Raises RefusedError: organisation-unknown."""
        return self._holding(oin).organisations[oin]

    def signing_key(self, oin: str, kid: str) -> VerifyKey | None:
        """Return the key the register holds under this kid. Raises RefusedError: organisation-unknown."""
        return self._holding(oin).signing_key(oin, kid)

    def sizes(self, oin: str, budget_class: str) -> BudgetClass:
        """Return the budgets of an organisation. Raises RefusedError: organisation-unknown."""
        return self._holding(oin).budget(oin, budget_class)

    def _holding(self, oin: str) -> Register:
        if self.register is None or oin not in self.register.organisations:
            raise RefusedError("organisation-unknown")
        return self.register


class TrustStore:
    """The trust in a store: read anew whenever any process has changed it, changed only by documents that verify."""

    def __init__(self, store: Store, *, audience: str, registrars: Mapping[str, VerifyKey]) -> None:
        self._store = store
        self._audience = audience
        self._registrars = registrars
        self._read: tuple[int, Trust] | None = None

    def current(self) -> Trust:
        """Return the trust as it is now. Raises StoreError: not readable, or the register in it does not verify."""
        revision = self._store.number(_REVISION) or 0
        if self._read is None or self._read[0] != revision:
            self._read = (revision, self._load())
        return self._read[1]

    def import_register(self, text: bytes, *, now: int) -> Register:
        """Return the register that is in force from now on.

        Raises:
            MalformedError, SignatureError: it does not hold. ImportRefusedError: its number is not higher.
        """
        register = Register.read(text, registrars=self._registrars)
        with self._store.transaction():
            ((latest,),) = self._store.rows("SELECT max(number) FROM register")
            if latest is not None and register.number <= latest:
                raise ImportRefusedError("the number is not higher than that of the register in force")
            self._store.change(
                "INSERT INTO register (number, document, imported_at) VALUES (?, ?, ?)", register.number, text, now
            )
            self._changed()
        return register

    def enrol(self, oin: str, text: bytes, *, now: int) -> Roster:
        """Return the first roster of an organisation that this custodian serves from now on.

        Raises:
            MalformedError, SignatureError: the roster does not hold.
            ImportRefusedError: another organisation's roster, not in the register, or enrolled already.
        """
        roster = self._roster(text)
        if roster.oin != oin:
            raise ImportRefusedError("the roster is another organisation's")
        with self._store.transaction():
            added = self._store.change(
                "INSERT INTO enrolment (oin, enrolled_at) VALUES (?, ?) ON CONFLICT (oin) DO NOTHING", oin, now
            )
            if added != 1:
                raise ImportRefusedError("the organisation is enrolled already; import its roster")
            self._put(roster, text)
        return roster

    def import_roster(self, text: bytes) -> Roster:
        """Return the roster that an enrolled organisation has from now on.

        After a restore this may be the very roster that was restored: importing it again says that it still holds.

        Raises:
            MalformedError, SignatureError: it does not hold.
            ImportRefusedError: its number is not higher, or the organisation is not enrolled.
        """
        roster = self._roster(text)
        with self._store.transaction():
            found = self._store.rows("SELECT number, unconfirmed, document FROM roster WHERE oin = ?", roster.oin)
            if not found:
                raise ImportRefusedError("the organisation is not enrolled; org enrol is an act of its own")
            number, unconfirmed, document = found[0]
            confirmed = unconfirmed and _signed_bytes(text) == _signed_bytes(document)
            if roster.number <= number and not confirmed:
                raise ImportRefusedError("the number is not higher than that of the roster in force")
            self._put(roster, text)
        return roster

    def restore_enrolment(self, oin: str, *, enrolled_at: int, number: int | None, document: bytes | None) -> None:
        """The organisation is enrolled as it was in a backup, inside the caller's transaction.

        Its roster is a floor for the next one's number only: who left since would be on it, so nobody on it is
        served until it, or a newer one, is imported.
        """
        self._store.change("INSERT INTO enrolment (oin, enrolled_at) VALUES (?, ?)", oin, enrolled_at)
        if document is not None:
            self._store.change(
                "INSERT INTO roster (oin, number, document, unconfirmed) VALUES (?, ?, ?, 1)", oin, number, document
            )

    def _load(self) -> Trust:
        found = self._store.rows("SELECT document FROM register ORDER BY number DESC LIMIT 1")
        enrolled = frozenset(row[0] for row in self._store.rows("SELECT oin FROM enrolment"))
        try:
            register = Register.read(found[0][0], registrars=self._registrars) if found else None
        except ProtocolError:
            raise StoreError("the stored register does not verify") from None
        trust = Trust(register=register, enrolled=enrolled, rosters={})
        stored = self._store.rows("SELECT oin, document FROM roster WHERE NOT unconfirmed")
        rosters = {oin: roster for oin, document in stored if (roster := self._stored_roster(trust, oin, document))}
        return Trust(register=register, enrolled=enrolled, rosters=MappingProxyType(rosters))

    def _stored_roster(self, trust: Trust, oin: str, document: bytes) -> Roster | None:
        """Return a roster that still holds; else that organisation has no workers until it signs anew."""
        try:
            return Roster.read(document, audience=self._audience, organisation=trust.organisation(oin))
        except (ProtocolError, RefusedError):
            return None

    def _roster(self, text: bytes) -> Roster:
        """Return a roster under the register in force, in which every worker is known by his id at the broker."""
        claimed = SignedDocument.parse(text, schema=ROSTER_SCHEMA).document.get("oin")
        try:
            organisation = self.current().organisation(claimed if isinstance(claimed, str) else "")
        except RefusedError:
            raise ImportRefusedError("the organisation is not in the register in force") from None
        roster = Roster.read(text, audience=self._audience, organisation=organisation)
        if any("worker" in worker.roles and worker.broker_sub is None for worker in roster.workers.values()):
            raise MalformedError(f"{ROSTER_SCHEMA}.workers.brokerSub", "is missing for a worker")
        return roster

    def _put(self, roster: Roster, text: bytes) -> None:
        self._store.change(
            "INSERT INTO roster (oin, number, document) VALUES (?, ?, ?)"
            " ON CONFLICT (oin) DO UPDATE SET number = excluded.number, document = excluded.document, unconfirmed = 0",
            roster.oin,
            roster.number,
            text,
        )
        self._changed()

    def _changed(self) -> None:
        self._store.set_number(_REVISION, (self._store.number(_REVISION) or 0) + 1)


def _signed_bytes(text: bytes) -> bytes:
    return SignedDocument.parse(text, schema=ROSTER_SCHEMA).signed_bytes()
