"""The night card: whom to call outside office hours, on paper for when no screen is at hand. No household is on it."""

import datetime
import html
from dataclasses import dataclass

from pydantic import ValidationError

from audit.export.pdf import Document, Section, Table, set_pdf
from broker.protocol import strict_json
from broker.protocol.directory_messages import Directory
from broker.protocol.errors import MalformedError
from connectors.desk import Desk
from connectors.errors import NotDoneError
from connectors.exchange import MAX_ANSWER

_OK = 200
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
    reply = await desk.exchange.send(
        folder.settings.broker, "/v1/organisations", method="GET", body=b"", worker=desk.composer.worker
    )
    if reply.status != _OK:
        raise NotDoneError("not-done", party=folder.settings.broker.id)
    try:
        members = strict_json.load_object(reply.body, max_bytes=MAX_ANSWER)
        directory = Directory.model_validate(members, by_alias=True, by_name=False)
    except (MalformedError, ValidationError):
        raise NotDoneError("not-done", party=folder.settings.broker.id) from None
    known = folder.register.organisations
    rows = [
        (known[one.oin].name, team.display_name, team.after_hours_phone or _NONE, team.phone, team.stand_in or _NONE)
        for one in directory.organisations
        if one.oin in known and known[one.oin].active
        for team in one.teams
    ]
    on = datetime.datetime.fromtimestamp(desk.surroundings.now(), datetime.UTC).astimezone().date()
    ordered = tuple(sorted(rows, key=lambda row: (row[2] == _NONE, row)))
    return NightCard(organisation=folder.settings.name, on=on, rows=ordered)
