"""The confirmation for the resident: what he said yes to, with whom, and how to take it back by telephone (B1, "u")."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from jinja2 import Environment, StrictUndefined

from broker.protocol.consent_messages import ConsentShown
from broker.protocol.days_nl import day_nl
from connectors.errors import CaseError

CATEGORIES: Mapping[str, str] = {
    "betrokkenheid": "dat wij u helpen",
    "hulp": "welke hulp u krijgt, en sinds wanneer",
    "veiligheid": "zorgen over de veiligheid thuis",
    "schoolgang": "hoe het gaat met naar school gaan",
    "gezondheid": "gegevens over uw gezondheid",
    "terugkoppeling": "welke stappen Veilig Thuis zette",
    "strafrecht": "gegevens van politie of rechter",
}

FEWEST_DIGITS = 5
"""A number of a municipality is `14 026`."""
_TEXT = """Bevestiging van uw toestemming

U hebt ja gezegd. {{ organisation }} mag dit delen:
{%- for category in categories %}
- {{ category }}
{%- endfor %}

Alleen met:
{%- for party in parties %}
- {{ party }}
{%- endfor %}
{% if until %}
Uw ja geldt tot en met {{ until }}.
{% endif %}
U mag nee zeggen. Nee zeggen verandert niets aan uw recht op hulp.
U kunt uw ja altijd intrekken. Bel {{ phone }}. Noem dit nummer: {{ number }}.
Vanaf dat moment delen wij niets meer. Wat al gedeeld is, kunnen wij niet terughalen.

Is er gevaar? Dan mogen wij soms toch iets delen. Wij vertellen u dat, als dat veilig kan.
"""
_HTML = """<!doctype html>
<html lang="nl">
<head>
<meta charset="utf-8">
<title>Bevestiging</title>
<style>body { font: 1.25rem/1.6 sans-serif; max-width: 40rem; margin: 2rem auto; padding: 0 1rem; }</style>
</head>
<body>
<h1>Bevestiging van uw toestemming</h1>
<p>U hebt ja gezegd. {{ organisation }} mag dit delen:</p>
<ul>{% for category in categories %}<li>{{ category }}</li>{% endfor %}</ul>
<p>Alleen met:</p>
<ul>{% for party in parties %}<li>{{ party }}</li>{% endfor %}</ul>
{% if until %}<p>Uw ja geldt tot en met {{ until }}.</p>{% endif %}
<p>U mag nee zeggen. Nee zeggen verandert niets aan uw recht op hulp.</p>
<p><strong>U kunt uw ja altijd intrekken.</strong> Bel {{ phone }}. Noem dit nummer: {{ number }}.
Vanaf dat moment delen wij niets meer. Wat al gedeeld is, kunnen wij niet terughalen.</p>
<p>Is er gevaar? Dan mogen wij soms toch iets delen. Wij vertellen u dat, als dat veilig kan.</p>
</body>
</html>
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation:
    """One confirmation as text and as a page; no name of the resident stands in it, nor why he gets help."""

    text: str
    html: str


def confirmation(
    consent: ConsentShown, *, organisation: str, names: Mapping[str, str], phone: str
) -> Confirmation:  # fmt: skip
    """Return the confirmation of a record.

    Args:
        organisation: that recorded it.
        names: of the organisations in the register, by OIN; one that has left it stands there by its number.
        phone: on which a yes is taken back.

    Raises:
        CaseError: nobody said yes, so there is nothing to confirm; or it is taken back already; or a letter is not
            safe, because that was noted or because the own organisation shields this person.
    """
    if consent.confirmation == "unsafe":
        raise CaseError("consent", "is not safe to confirm on paper: tell it in another way, or not yet")
    given = [party for party in consent.parties if party.state == "given"]
    if not given:
        raise CaseError("consent", "is not given, so there is nothing to confirm")
    parties = [names.get(party.oin, party.oin) for party in given]
    if sum(sign.isdigit() for sign in phone) < FEWEST_DIGITS:
        raise CaseError("phone", "must be a number that a resident can call")
    days = [party.until for party in given if party.until is not None]
    words: dict[str, str | Sequence[str]] = {
        "organisation": organisation,
        "categories": [CATEGORIES.get(one, one) for one in consent.categories],
        "parties": parties,
        "until": day_nl(min(days)) if days else "",
        "phone": phone,
        "number": consent.consent_id[:8],
    }
    plain = Environment(undefined=StrictUndefined, autoescape=False)  # noqa: S701 - a text, not a page
    page = Environment(undefined=StrictUndefined, autoescape=True)
    return Confirmation(text=plain.from_string(_TEXT).render(words), html=page.from_string(_HTML).render(words))
