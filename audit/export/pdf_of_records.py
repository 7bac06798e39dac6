"""Records as a PDF for people: what was done, by whom, why, and where the proof is. No identity of a household."""

from audit.export.content import Content, instant
from audit.export.csv_file import shown_line
from audit.export.pdf import Document, Section, Table, set_pdf
from audit.export.records import Record
from audit.export.words_nl import DECISIONS, KINDS, OUTCOMES, ROLES, in_dutch

_COLUMNS = (
    ("Nr", 2), ("Tijdstip (UTC)", 6), ("Soort", 6), ("Doel", 7), ("Uitkomst", 7), ("Besluit", 6), ("Getoond", 9),
    ("Medewerker", 9), ("Rol", 5), ("Logboekregel", 4),
)  # fmt: skip
_HOW_TO_CHECK = (
    "Bij dit document horen de bewijzen, in dezelfde map. Iedereen kan daarmee zelf nagaan dat elke regel in het "
    "logboek staat, dat getuigen dat logboek hebben gezien en dat er niets is veranderd: "
    "sluis-audit export verify MAP --policy BESTAND."
)
_WHAT_IT_IS_NOT = (
    "Dit document bewijst wat er wel in het logboek staat. Het bewijst niet dat er verder niets is gebeurd."
)


def to_pdf(content: Content) -> bytes:
    """Return the records as PDF/UA-1. Raises RendererError."""
    return set_pdf(document_of(content), made_at=content.stated.made_at)


def document_of(content: Content) -> Document:
    """Return what the PDF says."""
    stated, head = content.stated, content.checkpoint.head
    maker = content.name_of(stated.worker) or stated.worker
    rows = [_row(number, record, content) for number, record in enumerate(content.records, start=1)]
    return Document(
        title="Uitvoer uit het logboek",
        author=stated.organisation,
        reference=f"{content.checkpoint.origin}, uitvoer van {instant(stated.made_at)}",
        facts=(
            ("Gemaakt op", instant(stated.made_at)),
            ("Gemaakt door", f"{maker}, organisatie {stated.organisation}"),
            ("Reden", stated.reason),
            *((f"Selectie, {name}", value) for name, value in sorted(stated.selection.items())),
            ("Aantal regels", str(len(rows))),
            ("Logboek", f"{content.checkpoint.origin}, {head.size} regels, wortel {head.root.hex()}"),
        ),
        sections=(
            Section(
                heading="Regels",
                table=Table(columns=[name for name, _ in _COLUMNS], widths=[width for _, width in _COLUMNS], rows=rows),
            ),
            Section(heading="Zelf nagaan", paragraphs=(_HOW_TO_CHECK, _WHAT_IT_IS_NOT)),
        ),
        landscape=True,
    )


def _row(number: int, record: Record, content: Content) -> list[str]:
    decision = record.decision or {}
    outcome, rule = (
        value if isinstance(value, str) else None for value in (decision.get(n) for n in ("outcome", "rule"))
    )
    return [
        str(number),
        instant(record.time),
        in_dutch(KINDS, record.kind),
        record.purpose or "",
        in_dutch(OUTCOMES, record.outcome),
        " ".join(filter(None, (in_dutch(DECISIONS, outcome), rule))),
        "; ".join(shown_line(line) for line in record.shown),
        content.name_of(record.worker) or record.worker or ("gewist" if "actor" in record.erased else ""),
        in_dutch(ROLES, record.role),
        str(record.index),
    ]
