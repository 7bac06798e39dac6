"""A convenant as a Dutch page a jurist reads: every clause with its ground, its conditions and the rows that test it.

Built from the document itself, so a field this module does not know still stands there, under its own name.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from policies.convenant import Convenant
from policies.errors import RecordError
from policies.ruleset import RuleSet
from policies.vocabulary import NO_GROUND, WILDCARD

Decided = Mapping[str, tuple[str, ...]] | None
"""Rule id to the names of the rows of decision tables that it decides; None where no tables are at hand."""

_PLACED = frozenset(
    {"id", "artikel", "brontekst", "bron", "citaat", "motivering", "effect", "handelingen", "vragend", "houdend"}
    | {"ontvangend", "doel", "categorieen", "niveau", "grondslagen", "verplichtingen", "reden", "vangnet"}
)
"""Fields of a clause that have a place of their own on the page; every other one is a condition."""

_OTHER = ("rechten_betrokkene", "bewaartermijn", "geheimhouding", "beveiliging", "evaluatie", "landelijke_aansluiting")

_ACTS = {
    "register": "een signaal afgeven",
    "check": "kijken wie er betrokken is",
    "see": "zien dat een ander betrokken is",
    "call": "een oproep doen",
    "ring": "via een oproep bereiken",
    "request": "inhoud vragen",
    "share": "vertellen wat men weet",
    "shield": "een signaal afschermen",
}
_LEVELS = {
    0: "niets; de vrager ziet zelf niets",
    1: "dat er anderen betrokken zijn",
    2: "welke organisatie betrokken is en hoe die te bereiken is",
    3: "de aard en de periode van de betrokkenheid",
    4: "de inhoud",
}
_LABELS = {
    "rollen": "Wie bij de organisatie",
    "bewijs": "Bewijs",
    "akkoord": "Akkoord",
    "bsn_recht": "Recht op het burgerservicenummer",
    "houderwijze": "Wat de houder koos",
    "soorten_match": "Soort match",
    "geregistreerd_op": "Signaal afgegeven op grond van",
    "afscherming": "Afscherming",
    "toestemming": "Toestemming",
    "dossier": "Dossier",
    "bewijsstuk": "Bewijsstuk",
    "leeftijden": "Leeftijd",
    "geregistreerd_voor": "Signaal afgegeven voor",
    "van": "Vanaf",
    "tot": "Tot",
    "rechten_betrokkene": "Rechten van de betrokkene",
    "bewaartermijn": "Bewaartermijn",
    "landelijke_aansluiting": "Landelijke aansluiting",
}
_WORDS = {
    "*": "maakt niet uit",
    "worker": "een medewerker",
    "approver": "wie akkoord geeft",
    "own_signal": "een eigen actief signaal",
    "statutory_reference": "een zaaknummer bij een wettelijke taak",
    "consent": "toestemming van de personen zelf",
    "approved": "akkoord van een tweede persoon",
    "none": "geen",
    "simulated": "gesimuleerd",
    "direct": "meteen tonen",
    "oproep": "de houder beslist na een oproep",
    "nooit": "nooit tonen",
    "person": "dezelfde persoon",
    "member": "een gezinslid",
    "family": "een gedeelde ouder",
    "address": "hetzelfde adres",
    "shielded": "afgeschermd",
    "excluded": "deze vrager is uitgesloten",
    "given": "gegeven",
    "documented": "vastgelegd",
    "complete": "volledig",
    "acuut": "acuut",
    "acuut_elders": "acuut, naar een ander dan wie dat mag horen",
    "unknown": "onbekend",
    "refused": "geweigerd",
    "withdrawn": "ingetrokken",
    "expired": "verlopen",
    "meldcode": "akkoord waar de eigen meldcode dat vraagt",
    "under12": "jonger dan 12",
    "12to15": "12 tot en met 15",
    "16to17": "16 en 17",
    "18to22": "18 tot en met 22",
    "from23": "23 en ouder",
    "vertegenwoordiger": "de vertegenwoordiger",
}


def render_page(rules: RuleSet, label: str, decided: Decided) -> str:
    """The whole page of one document. Raises RecordError: the bundle has no such document."""
    return _environment().get_template("pagina.html.j2").render(_view(rules, label, decided)) + "\n"


def render_fragment(rules: RuleSet, label: str, decided: Decided) -> str:
    """The same without a page around it, to stand in another one. Raises RecordError: no such document."""
    return _environment().get_template("afspraken.html.j2").render(_view(rules, label, decided)) + "\n"


def convenant_of(rules: RuleSet, label: str) -> Convenant:
    """The document with this ``id@version``. Raises RecordError: the bundle has none."""
    for convenant in rules.convenants:
        if convenant.label == label:
            return convenant
    raise RecordError("document: must be one of this bundle, as id@version")


def _environment() -> Environment:
    return Environment(loader=PackageLoader("policies"), autoescape=True, undefined=StrictUndefined)


def _view(rules: RuleSet, label: str, decided: Decided) -> dict[str, Any]:
    convenant = convenant_of(rules, label)
    content: dict[str, Any] = convenant.document.content
    parties = content["partijen"]
    return {
        "titel": content["titel"],
        "voorbeeld": content.get("voorbeeld", False),
        "kop": _head(rules, content),
        "doelen": [_purpose(rules, row) for row in content["doelen"]],
        "partijen": [] if parties == "alle" else [_party(rules, row) for row in parties],
        "afspraken": [_clause(rules, label, row, decided) for row in content["afspraken"]],
        "toelichting": content.get("motivering", {}).get("tekst"),
        "overig": [(_label(name), _sentence(content[name])) for name in _OTHER if name in content],
        "onvertaalbaar": content["onvertaalbaar"],
    }


def _head(rules: RuleSet, content: dict[str, Any]) -> list[tuple[str, str]]:
    valid, source = content["geldigheid"], content["bron"]
    return [
        ("Kenmerk", f"{content['id']}, versie {content['versie']}"),
        ("Geldig", f"vanaf {valid['van']}" + (f" tot {valid['tot']}" if valid["tot"] else "")),
        ("Opzeggen", valid["opzegging"] or "niet geregeld"),
        ("Bron", f"{source['titel']} ({source['vindplaats']})"),
        ("Vastgesteld", source["vastgesteld_op"] or "niet vastgesteld"),
        ("Steunt op", ", ".join(content["steunt_op"]) or "geen ander document"),
        ("Regels", f"bundel {rules.sha256[:16]}"),
    ]


def _purpose(rules: RuleSet, row: dict[str, Any]) -> dict[str, str]:
    purpose = rules.purposes[row["id"]]
    return {
        "omschrijving": purpose.description_nl,
        "artikel": purpose.article,
        "verantwoordelijke": row["verantwoordelijke"],
    }


def _party(rules: RuleSet, row: dict[str, Any]) -> dict[str, str]:
    return {
        "naam": row["naam"],
        "klasse": rules.classes[row["klasse"]].name_nl if row["klasse"] in rules.classes else row["klasse"],
        "oin": row["oin"],
        "van": row["toegetreden_op"],
        "tot": row["uitgetreden_op"] or "",
    }


def _clause(rules: RuleSet, label: str, row: dict[str, Any], decided: Decided) -> dict[str, Any]:
    rule = f"{label}/{row['id']}"
    return {
        "id": row["id"],
        "artikel": row["artikel"],
        "zin": _effect(rules, row),
        "motivering": row["motivering"],
        "citaat": row["brontekst"],
        "bron": row.get("bron", row["artikel"]),
        "grondslagen": [_ground(rules, ground) for ground in row["grondslagen"]],
        "voorwaarden": [(_label(name), _value(rules, value)) for name, value in row.items() if name not in _PLACED],
        "plichten": [_duty(duty) for duty in row.get("verplichtingen", ())],
        "toetsen": None if decided is None else list(decided.get(rule, ())),
        "regel": rule,
    }


def _effect(rules: RuleSet, row: dict[str, Any]) -> str:
    """``Een wijkteam mag: kijken wie er betrokken is, voor de verwijsindex. ...``."""
    allows = row["effect"] == "toestaan"
    who = _names(rules, row["vragend"], "Iedere organisatie")
    acts = _list((_ACTS.get(act, act) for act in row["handelingen"]), last="en" if allows else "of")
    purpose = "elk doel" if row["doel"] == WILDCARD else rules.purposes[row["doel"]].short_nl
    others = ("houdend", "Houder") if "houdend" in row else ("ontvangend", "Aan")
    holder = f" {others[1]}: {_names(rules, row[others[0]], 'iedere organisatie')}." if others[0] in row else ""
    level = f" Hoogstens: {_LEVELS[row['niveau']['max']]}." if allows else ""
    return f"{who[0].upper()}{who[1:]} mag {'' if allows else 'niet '}{acts}, voor {purpose}.{holder}{level}"


def _names(rules: RuleSet, classes: list[str], everybody: str) -> str:
    if WILDCARD in classes:
        return everybody
    known = {org_class.id: org_class.name_nl for org_class in rules.classes.values()}
    return _list((known.get(one) or _WORDS.get(one, one) for one in classes), last="of")


def _ground(rules: RuleSet, ground: str) -> str:
    if ground == WILDCARD:
        return "elke grondslag"
    if ground == NO_GROUND:
        return "geen grondslag genoemd"
    row = rules.grounds[ground]
    return f"{ground}: {row.citation}. {row.summary_nl}"


def _duty(duty: dict[str, Any]) -> str:
    name = str(duty["id"]).replace("_", " ")
    term = str(duty.get("termijn", "")).removeprefix("P").removesuffix("D")
    days = "werkdagen" if duty.get("werkdagen") else "dagen"
    when = f"{duty['fase']}, binnen {term} {days}" if term else duty["fase"]
    return f"{name} ({when})"


def _label(name: str) -> str:
    return _LABELS.get(name, name.replace("_", " ").capitalize())


def _value(rules: RuleSet, value: Any) -> str:  # noqa: ANN401 - any value a document can hold
    if isinstance(value, list):
        return _list((_value(rules, one) for one in value), last="of")
    if isinstance(value, dict | bool):
        return _sentence(value)
    return _WORDS.get(value, str(value))


def _sentence(value: Any) -> str:  # noqa: ANN401 - any value a document can hold
    if isinstance(value, dict):
        return " ".join(_sentence(one) for name, one in value.items() if name != "gesimuleerd")
    return ("ja" if value else "nee") if isinstance(value, bool) else str(value)


def _list(words: Iterable[str], *, last: str = "en") -> str:
    *first, final = words
    return f"{', '.join(first)} {last} {final}" if first else final
