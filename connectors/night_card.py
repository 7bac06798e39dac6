"""The night card: whom to call outside office hours, on paper for when no screen is at hand. No household is on it."""

import datetime
import html
from dataclasses import dataclass

from audit.export.pdf import Document, Section, Table, set_pdf
from broker.protocol.directory_messages import Directory, DirectoryEntry
from broker.protocol.messages import Contact
from broker.protocol.roster import ContactCards
from connectors.contacts import UNSIGNED, Contacts, contact_of
from connectors.dates import HERE, day_of
from connectors.desk import Desk
from connectors.directory import directory
from connectors.errors import NotDoneError
from connectors.folder import PartnerFolder

TITLE = "Nachtkaart"
COLUMNS = ("Organisatie", "Team", "Buiten kantooruren", "Overdag", "Waarnemer")
DANGER = "Is er nu gevaar? Bel 112. Veilig Thuis is dag en nacht bereikbaar: 0800-2000."
_NONE = "-"


@dataclass(frozen=True, slots=True, kw_only=True)
class NightCard:
    """The teams with how they are reached, those first that answer outside office hours; `on` is when it was made.

    `warning` says of what day the numbers are, where they could not be had now.
    """

    organisation: str
    on: datetime.date
    rows: tuple[tuple[str, ...], ...]
    warning: str = ""

    def text(self) -> str:
        """Return the card as plain text."""
        warning = [self.warning] if self.warning else []
        lines = [f"{TITLE} {self.organisation}, {self.on:%d-%m-%Y}", DANGER, *warning, ""]
        return "\n".join([*lines, *("  ".join(row) for row in (COLUMNS, *self.rows))]) + "\n"

    def html(self) -> str:
        """Return the card as one page to print, in which nothing is fetched from elsewhere."""
        head = "".join(f'<th scope="col">{html.escape(name)}</th>' for name in COLUMNS)
        rows = ["<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in self.rows]
        title = html.escape(f"{TITLE} {self.organisation}, {self.on:%d-%m-%Y}")
        warning = f"<p>{html.escape(self.warning)}</p>" if self.warning else ""
        style = (
            "body{font:12pt sans-serif;margin:2cm}table{border-collapse:collapse}td,th{border:1px solid;padding:4pt}"
        )
        return (
            f'<!doctype html>\n<html lang="nl"><head><meta charset="utf-8"><title>{TITLE}</title><style>{style}</style>'
            f"</head><body><h1>{title}</h1><p><strong>{DANGER}</strong></p>{warning}<table><thead><tr>{head}</tr></thead><tbody>"
            + "\n".join(rows)
            + "</tbody></table></body></html>\n"
        )

    def pdf(self, *, made_at: int) -> bytes:
        """Return the card as a tagged PDF. Raises RendererError: Typst is not installed."""
        table = Table(columns=COLUMNS, widths=(3, 3, 2, 2, 2), rows=self.rows)
        paragraphs = (DANGER, self.warning) if self.warning else (DANGER,)
        document = Document(
            title=TITLE,
            author=self.organisation,
            reference=f"{TITLE} {self.organisation}",
            facts=(("Organisatie", self.organisation), ("Gemaakt op", f"{self.on:%d-%m-%Y}")),
            sections=(Section(heading="Wie bel je?", paragraphs=paragraphs, table=table),),
            landscape=True,
        )
        return set_pdf(document, made_at=made_at)


async def night_card(desk: Desk) -> NightCard:
    """Return the card of every team of an organisation that the own register knows as active.

    Of the directory; where that cannot be had now, of the signed cards in this folder, which is said on the card.

    Raises:
        NotDoneError: neither could be had; no empty card is made.
    """
    folder = desk.folder
    contacts = Contacts(desk.book, folder)
    warning = ""
    try:
        listed = await directory(desk)
        contacts.keep(listed, at=desk.surroundings.now())
        rows = _listed_rows(listed, folder, contacts)
    except NotDoneError:
        rows, warning = _kept_rows(folder, contacts), _kept_since(contacts)
        if not rows:
            raise
    ordered = tuple(sorted(rows, key=lambda row: (row[2] == _NONE, row)))
    on = day_of(desk.surroundings.now())
    return NightCard(organisation=folder.settings.name, on=on, rows=ordered, warning=warning)


def _listed_rows(listed: Directory, folder: PartnerFolder, contacts: Contacts) -> list[tuple[str, ...]]:
    """Return the rows of every active organisation in the directory."""
    known = folder.register.organisations
    return [
        row
        for one in listed.organisations
        if one.oin in known and known[one.oin].active
        for row in _rows(one, name=known[one.oin].name, signed=contacts.cards_of(one.oin))
    ]


def _kept_rows(folder: PartnerFolder, contacts: Contacts) -> list[tuple[str, ...]]:
    """Return the rows of every active organisation whose own signed cards are in this folder."""
    return [
        _row(organisation.name, contact_of(card))
        for oin, organisation in folder.register.organisations.items()
        if organisation.active and (signed := contacts.cards_of(oin)) is not None
        for card in signed.teams.values()
    ]


def _kept_since(contacts: Contacts) -> str:
    """Return the sentence that says of when the numbers in this folder are."""
    at = contacts.fetched_at()
    when = "eerder (wanneer is niet bekend)"
    if at is not None:
        when = f"op {datetime.datetime.fromtimestamp(at, HERE):%d-%m-%Y om %H:%M}"
    return f"Sluis is nu niet bereikbaar. Deze nummers zijn {when} opgehaald; wie hier niet staat, is niet bekend."


def _rows(entry: DirectoryEntry, *, name: str, signed: ContactCards | None) -> list[tuple[str, ...]]:
    """Return a row for each team: as the organisation signed it, else as the broker states it, which is said."""
    teams = entry.teams if signed is None else [contact_of(card) for card in signed.teams.values()]
    mark = f" [{UNSIGNED}]" if signed is None else ""
    return [_row(name, one, mark) for one in teams]


def _row(name: str, team: Contact, mark: str = "") -> tuple[str, ...]:
    """Return how one team is reached."""
    return (name, team.display_name + mark, team.after_hours_phone or _NONE, team.phone, team.stand_in or _NONE)
