"""The directory of contact cards, as the broker hands it out to everybody who may ask."""

from collections.abc import Mapping
from dataclasses import dataclass

from broker.protocol.directory_messages import Directory, DirectoryEntry
from broker.protocol.messages import Contact
from broker.protocol.register import Organisation
from broker.protocol.roster import ContactCards
from connectors.contacts import UNSIGNED, Contacts, contact_of
from connectors.desk import Desk
from connectors.handed_out import handed_out


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownOrganisation:
    """An active organisation of the own register with its teams: as it signed their cards, or as the broker says."""

    oin: str
    name: str
    org_class: str
    teams: Mapping[str, Contact]
    signed: bool

    def document(self) -> dict[str, object]:
        """Return it as JSON members."""
        teams = [{"team": code, **card.model_dump(mode="json", by_alias=True)} for code, card in self.teams.items()]
        return {
            "oin": self.oin, "name": self.name, "orgClass": self.org_class, "signed": self.signed, "teams": teams,
        }  # fmt: skip

    def lines(self) -> list[str]:
        """Return it as a worker reads it: what she types for it, and how each team is reached."""
        mark = "" if self.signed else f" [{UNSIGNED}]"
        return [f"{self.oin}  {self.name}", *(f"  {code}  {_reached(card)}{mark}" for code, card in self.teams.items())]


async def organisations(desk: Desk, *, role: str) -> list[KnownOrganisation]:
    """Return every active organisation of the own register; the cards that they signed are kept.

    Raises:
        NotDoneError: the directory could not be had.
    """
    listed = await directory(desk, role=role)
    contacts, known = Contacts(desk.book, desk.folder), desk.folder.register.organisations
    contacts.keep(listed)
    return [
        _known(entry, known[entry.oin], signed=contacts.cards_of(entry.oin))
        for entry in listed.organisations
        if entry.oin in known and known[entry.oin].active
    ]


def _known(entry: DirectoryEntry, own: Organisation, *, signed: ContactCards | None) -> KnownOrganisation:
    stated: dict[str, Contact] = {one.team: one for one in entry.teams}
    teams = stated if signed is None else {code: contact_of(card) for code, card in signed.teams.items()}
    return KnownOrganisation(
        oin=own.oin, name=own.name, org_class=own.org_class, teams=teams, signed=signed is not None
    )  # fmt: skip


def _reached(card: Contact) -> str:
    parts = [f"{card.display_name}, {card.phone} ({card.working_days})"]
    parts += [f"buiten kantooruren {card.after_hours_phone}"] if card.after_hours_phone else []
    return "  ".join(parts)


async def directory(desk: Desk, *, role: str = "worker") -> Directory:
    """Return the directory. Raises NotDoneError: it could not be had."""
    return await handed_out(desk, "/v1/organisations", Directory, role=role)
