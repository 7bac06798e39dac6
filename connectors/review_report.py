"""The monthly report of the review, two pages in Dutch: as HTML to read and print, and as CSV to count on with.

A CSV cell never begins with what a spreadsheet would carry out.
"""

import csv
import datetime
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from jinja2 import Environment, select_autoescape

from broker.protocol.review_messages import FigureShown, NoteShown
from connectors.dates import MONTHS_NL

_NETHERLANDS = ZoneInfo("Europe/Amsterdam")
_TRIGGERS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001 - the full-width forms count too
FIGURES_NL = {
    "looks.own": "Vragen per 100 actieve signalen, jouw organisatie",
    "shown": "Vragen waarbij er iets te tonen was",
    "refused": "Vragen die zijn geweigerd",
    "contact": "Vragen waarna contact volgde",
    "signals": "Actieve signalen",
    "informed": "Gezinnen die het weten",
    "deferred": "Gezinnen die het nog niet weten",
    "deferred_overdue": "Gezinnen die het nog niet weten, na de dag waarop dit opnieuw bekeken zou worden",
    "departed": "Signalen van medewerkers die niet meer op de lijst staan",
    "exceptions": "Uitzonderingen",
    "exceptions_unconsulted": "Uitzonderingen zonder overleg met een collega",
    "answered": "Informatieverzoeken: beantwoord",
    "not_shared": "Informatieverzoeken: niet gedeeld (dat mag)",
    "expired": "Informatieverzoeken: verlopen",
    "rights_in_term": "Verzoeken van inwoners, binnen de termijn afgehandeld",
    "flags": "Handelingen die opvielen",
    "flags_late": "Handelingen die opvielen en niet binnen vijf dagen zijn beoordeeld",
}
PAGES = (
    ("Vragen en signalen", ("looks", "shown", "refused", "contact", "signals", "informed", "deferred", "departed")),
    ("Uitzonderingen, verzoeken en toezicht", ("exceptions", "answered", "not_shared", "expired", "rights", "flags")),
)
_STATES_NL = {"under_ten": "minder dan 10, of niet te tonen", "not_recorded": "wordt nog niet vastgelegd"}
_CLASSES_NL = {
    "wijkteam": "wijkteams",
    "veilig_thuis": "Veilig Thuis",
    "gi": "gecertificeerde instellingen",
    "school": "scholen",
    "jgz": "jeugdgezondheidszorg",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the report."""

    id: str
    name: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What the report of a month says; `checks` are lines about who verified the log, and when."""

    organisation: str
    month: str
    rows: tuple[Row, ...]
    checks: tuple[str, ...]

    @property
    def month_nl(self) -> str:
        """The month in words."""
        return f"{MONTHS_NL[int(self.month[5:]) - 1]} {self.month[:4]}"

    def page(self, number: int) -> tuple[str, list[Row]]:
        """Return the title and the lines of a page, from 0."""
        title, kinds = PAGES[number]
        return title, [row for row in self.rows if row.id.startswith(kinds)]


def monthly_report(
    *,
    organisation: str,
    month: str,
    figures: Iterable[FigureShown],
    checks: Sequence[NoteShown],
    names: Mapping[str, str],
) -> Report:
    """Return the report. `names` gives the own workers' names by the ids that the broker knows them by."""
    rows = tuple(Row(id=one.id, name=_name(one.id), value=_value(one)) for one in figures)
    lines = tuple(_check_line(one, names) for one in checks)
    return Report(organisation=organisation, month=month, rows=rows, checks=lines)


def _name(figure: str) -> str:
    kind, _, rest = figure.partition(".")
    if figure in FIGURES_NL:
        return FIGURES_NL[figure]
    if kind == "looks":
        return f"Vragen per 100 actieve signalen in de regio, {_CLASSES_NL.get(rest, rest)}"
    return f"{FIGURES_NL.get(kind, kind)}: {rest}"


def _value(figure: FigureShown) -> str:
    if figure.count is None:
        return _STATES_NL[figure.state]
    if figure.id.startswith("looks") and figure.of:
        return f"{100 * figure.count / figure.of:.0f}"
    if figure.of:
        return f"{figure.count} van {figure.of} ({100 * figure.count / figure.of:.0f} %)"
    return str(figure.count)


def _check_line(note: NoteShown, names: Mapping[str, str]) -> str:
    when = datetime.datetime.fromtimestamp(note.at, datetime.UTC).astimezone(_NETHERLANDS)
    held = "het klopte" if note.body.get("holds") else "het klopte NIET"
    return f"{when:%d-%m-%Y %H:%M}, {names.get(note.by, note.by)}, tot en met regel {note.body.get('size')}: {held}"


def as_csv(report: Report) -> str:
    """Return the report as CSV (RFC 4180), one figure a line."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(["maand", "onderdeel", "omschrijving", "waarde"])
    for row in report.rows:
        writer.writerow([_cell(text) for text in (report.month, row.id, row.name, row.value)])
    for line in report.checks:
        writer.writerow([_cell(text) for text in (report.month, "log_check", "Logboek nagekeken", line)])
    return out.getvalue()


def _cell(text: str) -> str:
    """Return a cell that no spreadsheet carries out."""
    return "'" + text if text.startswith(_TRIGGERS) else text


def as_html(report: Report) -> str:
    """Return the report as a page of HTML that prints on two sheets and runs nothing."""
    environment = Environment(autoescape=select_autoescape(default=True, default_for_string=True))
    pages = [report.page(number) for number in range(len(PAGES))]
    return environment.from_string(_PAGE).render(report=report, pages=pages)


_PAGE = """<!doctype html>
<html lang="nl">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Maandverslag {{ report.month_nl }} - {{ report.organisation }}</title>
<style>
@page { size: A4; margin: 2cm }
body { font: 11pt/1.5 sans-serif; max-width: 42em; margin: 0 auto; color: #111 }
section + section { break-before: page }
table { border-collapse: collapse; width: 100% }
caption { text-align: left; font-weight: bold; margin: .5em 0 }
th, td { text-align: left; padding: .25em .5em; border-bottom: 1px solid #767676; vertical-align: top }
</style>
</head>
<body>
<h1>Maandverslag Sluis, {{ report.month_nl }}</h1>
<p>{{ report.organisation }}. Aantallen onder de tien staan er niet in, zodat het verslag niets zegt over één gezin of
één medewerker.</p>
{% for title, rows in pages %}<section>
<h2>{{ title }}</h2>
<table>
<caption>{{ title }}, {{ report.month_nl }}</caption>
<thead><tr><th scope="col">Onderdeel</th><th scope="col">Waarde</th></tr></thead>
<tbody>
{% for row in rows %}<tr><th scope="row">{{ row.name }}</th><td>{{ row.value }}</td></tr>
{% endfor %}</tbody>
</table>
{% if loop.last %}<h2>Logboek nagekeken</h2>
{% if report.checks %}<ul>
{% for line in report.checks %}<li>{{ line }}</li>
{% endfor %}</ul>
{% else %}<p>Deze maand heeft nog niemand vastgelegd dat het logboek is nagekeken.</p>
{% endif %}{% endif %}</section>
{% endfor %}</body>
</html>
"""
