"""Why, in plain Dutch: reason codes, texts, what is possible instead, and the rule with its source."""

from collections.abc import Mapping
from dataclasses import dataclass

from policies.facts import AskFacts, Json
from policies.reasons import ASK_COLUMNS, ASK_REASONS, ERROR, SEE_COLUMNS, SEE_REASONS, UNKNOWN_WORD
from policies.ruleset import RuleSet
from policies.verdict import Permit, Question, Refusal, Text
from policies.vocabulary import NOT_APPLICABLE
from policies.walk import Walk

TEXT_IDS = frozenset(
    {"vraag.mag", "zien.mag", "zien.oproep"}
    | {f"vraag.{reason}" for reason in ASK_REASONS}
    | {f"zien.{reason}" for reason in SEE_REASONS}
)
"""Every sentence a decision can need; a bundle without one of them does not load."""

_PREFIX: Mapping[Question, str] = {"may_ask": "vraag", "may_see": "zien"}


_ASKER_PLACES = frozenset({"begin", "daad", "klasse", "doel"})
_PERMITS = frozenset({"mag", "oproep"})
_WITHOUT_PLACES = frozenset({ERROR, UNKNOWN_WORD})
"""Reasons whose facts may be missing, so that their sentences must stand by themselves."""


def allowed_places(text_id: str) -> frozenset[str]:
    """The places a sentence may have: the holder never in an open refusal, the ground only in a permit."""
    question, _, reason = text_id.partition(".")
    if reason in _WITHOUT_PLACES:
        return frozenset()
    holder = frozenset({"houder"}) if question == _PREFIX["may_see"] else frozenset()
    ground = frozenset({"grondslag"}) if reason in _PERMITS else frozenset()
    return _ASKER_PLACES | holder | ground


def default_reason(question: Question, failed: tuple[str, ...] | None) -> str:
    """The reason of a default deny, from the columns the nearest rule failed in; None when no rule is near."""
    if failed is None:
        return "class-not-in-purpose" if question == "may_ask" else "holder-not-in-purpose"
    columns = ASK_COLUMNS if question == "may_ask" else SEE_COLUMNS
    otherwise = "class-not-in-purpose" if question == "may_ask" else "not-agreed"
    return next((reason for column, reason in columns.items() if column in failed), otherwise)


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    """What a refusal is explained from: the question, how it was walked, and its facts."""

    question: Question
    walk: Walk
    facts: AskFacts


def reason_of(rules: RuleSet, why: Why) -> str:
    """The reason code: of the prohibition that decided, else of the column in which the nearest rule failed."""
    if why.walk.forbidding:
        return rules.clauses[why.walk.forbidding[0]].reason or ERROR
    failed = why.walk.near_miss.failed if why.walk.near_miss else None
    if why.question == "may_ask":
        return _reason_to_asker(rules, why.facts, failed)
    return default_reason(why.question, failed)


def _reason_to_asker(rules: RuleSet, facts: AskFacts, failed: tuple[str, ...] | None) -> str:
    """The reason as the asker is told it, which the nearest rule alone does not always know."""
    kinds = {rules.grounds[ground].kind for ground in facts.grounds}
    if kinds == {"ingang"}:
        return "way-in"
    missed = set(failed or ())
    is_party = rules.is_party(purpose=facts.purpose, oin=facts.organisation, org_class=facts.org_class, day=facts.day)
    special = {
        "recipient-not-allowed": facts.operation == "share" and (failed is None or ("party" in missed and is_party)),
        "acute-open": facts.dossier == "acuut" and facts.acute_open and "exc" in missed,
        "not-your-signal": facts.operation == "shield" and "standing" in missed,
        "proof-missing": missed >= {"standing", "proof"},
        "consent-missing": missed >= {"standing", "consent"},
    }
    named = next((reason for reason, holds in special.items() if holds), None)
    return default_reason("may_ask", failed) if named is None or _comes_first(missed) else named


def _comes_first(missed: set[str]) -> bool:
    """Whether the asker could not ask in any case, whatever else is missing."""
    return bool(missed & {"role", "families", "right", "day", "ground", "cat"})


def permit_text(rules: RuleSet, question: Question, facts: Mapping[str, Json], ground: str) -> Text:
    """The sentence of a permit."""
    called = question == "may_see" and facts.get("operation") == "call"
    text_id = "zien.oproep" if called else f"{_PREFIX[question]}.mag"
    return rules.texts.render(text_id, {**_words(facts), "grondslag": ground})


def refusal_text(rules: RuleSet, question: Question, facts: Mapping[str, Json], reason: str) -> Text:
    """The sentence of a refusal; about the asker only where the question is ``may_ask``."""
    return rules.texts.render(f"{_PREFIX[question]}.{reason}", _words(facts))


def possible_texts(rules: RuleSet, facts: Mapping[str, Json], reason: str) -> tuple[Text, ...]:
    """What the refused asker can do instead, in the order of the routes, each once."""
    asked = {name: str(facts.get(name, NOT_APPLICABLE)) for name in ("purpose", "org_class", "recipient")}
    spoken = (route for route in rules.routes if route.speaks(**asked, reason=reason))
    text_ids = dict.fromkeys(text_id for route in spoken for text_id in route.texts)
    return tuple(rules.texts.render(text_id, _words(facts)) for text_id in text_ids)


def explain(rules: RuleSet, decision: Permit | Refusal) -> str:
    """The decision as a worker reads it, with the deciding rule, its article and the text that motivates it."""
    parts = [decision.text.nl]
    if isinstance(decision, Refusal) and decision.possible:
        parts += ["Dit kan wel:", *(f"- {text.nl}" for text in decision.possible)]
    if decision.rule is not None:
        clause = rules.clauses[decision.rule]
        parts.append(f"Regel: {clause.rid} ({clause.article}). {clause.motivation}")
        if clause.quote is not None:
            parts.append(f"Bron: “{clause.quote}” ({clause.source})")
    return "\n".join(parts)


def _words(facts: Mapping[str, Json]) -> dict[str, str]:
    """The vocabulary word behind each place of a sentence."""
    words = {
        "begin": facts.get("operation"),
        "daad": facts.get("operation"),
        "klasse": facts.get("org_class"),
        "doel": facts.get("purpose"),
    }
    hit = facts.get("hit")
    if isinstance(hit, dict):
        words["houder"] = hit.get("holder_class")
    return {place: word for place, word in words.items() if isinstance(word, str)}
