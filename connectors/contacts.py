"""Who it is that one calls: names of the own register, and numbers that the organisation itself has signed.

The broker copies contact cards into its answers, and whoever runs it could put another number there. So every
organisation signs its cards, this folder keeps the newest of each, and what the broker says gives way to them. A card
that no organisation signed is still shown, and marked.
"""

from contextlib import suppress
from dataclasses import replace

from broker.protocol.call_messages import Ring, RingsResult
from broker.protocol.directory_messages import Directory
from broker.protocol.errors import ProtocolError
from broker.protocol.match_messages import CoordinatedResult, MatchesResult
from broker.protocol.messages import Contact, Holder, Match
from broker.protocol.phone_messages import PhoneCallShown, PhoneCallsResult
from broker.protocol.register import Register
from broker.protocol.roster import ContactCard, ContactCards
from connectors.answers import Outcome
from connectors.casebook import Casebook
from connectors.folder import PartnerFolder

_SCHEMA = """CREATE TABLE IF NOT EXISTS contact_cards (
  oin TEXT PRIMARY KEY, number INTEGER NOT NULL, document TEXT NOT NULL
) STRICT, WITHOUT ROWID"""
_FETCHED = (
    "CREATE TABLE IF NOT EXISTS contact_fetch (one INTEGER PRIMARY KEY CHECK (one = 1), at INTEGER NOT NULL) STRICT"
)
UNSIGNED = "niet door de organisatie zelf getekend: kijk het nummer na"


class UnsignedContact(Contact):
    """A contact card as the broker states it, which the organisation has not signed as far as is known here."""


def is_unsigned(match: Match) -> bool:
    """Return whether the number of a match is the broker's word."""
    return isinstance(match.holder.contact, UnsignedContact)


def unsigned(match: Match) -> Match:
    """Return the match with its number as the broker's word."""
    contact = match.holder.contact
    if contact is None:
        return match
    marked = UnsignedContact(**contact.model_dump())
    return match.model_copy(update={"holder": match.holder.model_copy(update={"contact": marked})})


class Contacts:
    """The signed cards in an open casebook."""

    def __init__(self, book: Casebook, folder: PartnerFolder) -> None:
        """Keep them in this casebook; believe what organisations of the folder's register signed."""
        self._book = book
        self._folder = folder
        with book.transaction() as database:
            database.execute(_SCHEMA)
            database.execute(_FETCHED)

    def keep(self, directory: Directory, *, at: float | None = None) -> None:
        """The newest cards of every organisation are kept; what does not verify, or is older, changes nothing.

        `at` is when the directory was had (unix seconds), and is kept with it.
        """
        if at is not None:
            with self._book.transaction() as database:
                database.execute("INSERT OR REPLACE INTO contact_fetch VALUES (1, ?)", (int(at),))
        register = self._folder.register
        for entry in directory.organisations:
            organisation = register.organisations.get(entry.oin)
            if organisation is None or entry.cards is None:
                continue
            with suppress(ProtocolError):
                cards = ContactCards.read(entry.cards, organisation=organisation)
                with self._book.transaction() as database:
                    database.execute(
                        "INSERT INTO contact_cards VALUES (?, ?, ?) ON CONFLICT (oin) DO UPDATE "
                        "SET number = excluded.number, document = excluded.document WHERE excluded.number > number",
                        (entry.oin, cards.number, entry.cards),
                    )

    def cards_of(self, oin: str) -> ContactCards | None:
        """Return the newest cards that an organisation signed, with a key that it has now; None: there are none."""
        organisation = self._folder.register.organisations.get(oin)
        with self._book.transaction() as database:
            row = database.execute("SELECT document FROM contact_cards WHERE oin = ?", (oin,)).fetchone()
        if row is None or organisation is None:
            return None
        try:
            return ContactCards.read(row[0], organisation=organisation)
        except ProtocolError:
            return None

    def fetched_at(self) -> int | None:
        """Return when the directory was last had (unix seconds); None: that was not kept."""
        with self._book.transaction() as database:
            row = database.execute("SELECT at FROM contact_fetch").fetchone()
        return None if row is None else int(row[0])

    def told(self, outcome: Outcome) -> Outcome:
        """Return the outcome with the register's names, and with cards that are signed or marked as not signed."""
        matches = tuple(self._match(match) for match in outcome.matches)
        details = outcome.details
        if isinstance(details, MatchesResult):
            found = [one.model_copy(update={"involved": self._match(one.involved)}) for one in details.found]
            details = details.model_copy(update={"found": found})
        elif isinstance(details, RingsResult):
            details = details.model_copy(update={"rings": [self._ring(ring) for ring in details.rings]})
        elif isinstance(details, PhoneCallsResult):
            details = details.model_copy(update={"phone_calls": [self._call(call) for call in details.phone_calls]})
        elif isinstance(details, CoordinatedResult):
            details = self._coordinated(details)
        return replace(outcome, matches=matches, details=details)

    def _match(self, match: Match) -> Match:
        holder: Holder = match.holder
        contact = self._contact(holder.contact, oin=holder.oin, team=holder.team)
        known = holder.model_copy(update={"name": self._name(holder.oin), "contact": contact})
        return match.model_copy(update={"holder": known})

    def _ring(self, ring: Ring) -> Ring:
        caller = ring.caller
        contact = self._contact(caller.contact, oin=caller.oin, team=None)
        known = caller.model_copy(update={"name": self._name(caller.oin), "contact": contact})
        return ring.model_copy(update={"caller": known})

    def _call(self, call: PhoneCallShown) -> PhoneCallShown:
        contact = self._contact(call.contact, oin=call.caller.oin, team=call.caller.team)
        return call.model_copy(update={"contact": contact})

    def _coordinated(self, details: CoordinatedResult) -> CoordinatedResult:
        found = []
        for match in details.found:
            sides = [side.model_copy(update={"name": self._name(side.organisation)}) for side in match.sides]
            found.append(match.model_copy(update={"sides": sides}))
        return details.model_copy(update={"found": found})

    def _contact(self, stated: Contact | None, *, oin: str, team: str | None) -> Contact | None:
        """Return the organisation's own card for a team, or for the one that was stated where no team is named.

        What the broker states instead is not shown once the organisation has signed its cards.
        """
        if stated is None:
            return None
        cards = self.cards_of(oin)
        if cards is None:
            return UnsignedContact(**stated.model_dump())
        signed = [contact_of(card) for code, card in cards.teams.items() if team in (None, code)]
        if team is not None:
            return signed[0] if signed else None
        return stated if stated in signed else None

    def _name(self, oin: str) -> str:
        return name_of(oin, self._folder.register)


def contact_of(card: ContactCard) -> Contact:
    """Return a card as answers have it."""
    return Contact(
        display_name=card.display_name, phone=card.phone, working_days=card.working_days,
        after_hours_phone=card.after_hours_phone, stand_in=card.stand_in,
    )  # fmt: skip


def name_of(oin: str, register: Register) -> str:
    """Return the name that the own register has of an organisation; its number where it has none."""
    organisation = register.organisations.get(oin)
    return f"onbekende organisatie {oin}" if organisation is None else organisation.name


def contact_line(contact: Contact) -> str:
    """Return whom to call in one line, which says where nobody signed the number."""
    line = f"{contact.display_name}, {contact.phone} ({contact.working_days})"
    return f"{line} [{UNSIGNED}]" if isinstance(contact, UnsignedContact) else line
