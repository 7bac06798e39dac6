"""The night card: whom to call outside office hours, on paper for when no screen is at hand. No household is on it."""

import datetime
import html
from dataclasses import dataclass

from audit.export.pdf import Document, Section, Table, set_pdf
from broker.protocol.directory_messages import DirectoryEntry
from broker.protocol.roster import ContactCards
from connectors.contacts import UNSIGNED, Contacts, contact_of
from connectors.dates import day_of
from connectors.desk import Desk
from connectors.directory import directory

TITLE = "Nachtkaart"
COLUMNS = ("Organisatie", "Team", "Buiten kantooruren", "Overdag", "Waarnemer")
DANGER = "Is er nu gevaar? Bel 112. Veilig Thuis is dag en nacht bereikbaar: 0800-2000."
_NONE = "-"


@dataclass(frozen=True, slots=True, kw_only=True)
class NightCard:
    """The teams with how they are reached, those first that answer outside office hours; `on` is when it was made."""

    organisation: str
    on: datetime.date
    rows: tuple[tuple[str, ...], ...]

    def text(self) -> str:
        """Return the card as plain text."""
        lines = [f"{TITLE} {self.organisation}, {self.on:%d-%m-%Y}", DANGER, ""]
        return "\n".join([*lines, *("  ".join(row) for row in (COLUMNS, *self.rows))]) + "\n"

    def html(self) -> str:
        """Return the card as one page to print, in which nothing is fetched from elsewhere."""
        head = "".join(f'<th scope="col">{html.escape(name)}</th>' for name in COLUMNS)
        rows = ["<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in self.rows]
        title = html.escape(f"{TITLE} {self.organisation}, {self.on:%d-%m-%Y}")
        style = (
            "body{font:12pt sans-serif;margin:2cm}table{border-collapse:collapse}td,th{border:1px solid;padding:4pt}"
        )
        return (
            f'<!doctype html>\n<html lang="nl"><head><meta charset="utf-8"><title>{TITLE}</title><style>{style}</style>'
            f"</head><body><h1>{title}</h1><p><strong>{DANGER}</strong></p><table><thead><tr>{head}</tr></thead><tbody>"
            + "\n".join(rows)
            + "</tbody></table></body></html>\n"
        )

    def pdf(self, *, made_at: int) -> bytes:
        """Return the card as a tagged PDF. Raises RendererError: Typst is not installed."""
        table = Table(columns=COLUMNS, widths=(3, 3, 2, 2, 2), rows=self.rows)
        document = Document(
            title=TITLE,
            author=self.organisation,
            reference=f"{TITLE} {self.organisation}",
            facts=(("Organisatie", self.organisation), ("Gemaakt op", f"{self.on:%d-%m-%Y}")),
            sections=(Section(heading="Wie bel je?", paragraphs=(DANGER,), table=table),),
            landscape=True,
        )
        return set_pdf(document, made_at=made_at)


async def night_card(desk: Desk) -> NightCard:
    """Return the card of every team in the directory of an organisation that the own register knows as active.

    Raises:
        NotDoneError: the directory could not be had; no half card is made.
    """
    folder = desk.folder
    listed = await directory(desk)
    contacts = Contacts(desk.book, folder)
    contacts.keep(listed)
    known = folder.register.organisations
    rows = [
        row
        for one in listed.organisations
        if one.oin in known and known[one.oin].active
        for row in _rows(one, name=known[one.oin].name, signed=contacts.cards_of(one.oin))
    ]
    ordered = tuple(sorted(rows, key=lambda row: (row[2] == _NONE, row)))
    return NightCard(organisation=folder.settings.name, on=day_of(desk.surroundings.now()), rows=ordered)


def _rows(entry: DirectoryEntry, *, name: str, signed: ContactCards | None) -> list[tuple[str, ...]]:
    """Return a row for each team: as the organisation signed it, else as the broker states it, which is said."""
    teams = entry.teams if signed is None else [contact_of(card) for card in signed.teams.values()]
    mark = f" [{UNSIGNED}]" if signed is None else ""
    return [
        (name, one.display_name + mark, one.after_hours_phone or _NONE, one.phone, one.stand_in or _NONE)
        for one in teams
    ]  # fmt: skip
