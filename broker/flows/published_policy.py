"""What everybody may know of the policy in force: documents, words, what would be decided, what changed. No data.

Nothing here reads a store. What is asked is hypothetical, so it is no entry of the log; the log's own entries hold the
decisions that were made.
"""

from collections.abc import Mapping
from typing import Any

from broker.domain.errors import NotFoundError
from broker.flows.policy import PolicyInForce
from broker.protocol.errors import MalformedError
from broker.protocol.policy_messages import AccessEvaluation
from policies import Bundle, Permit, Refusal
from policies.catalogue import Allowance
from policies.diff import compare
from policies.errors import FactsError, RecordError
from policies.question import read_question
from policies.render import convenant_of, render_fragment

_DIFFS_KEPT = 16


def convenant_document(policy: PolicyInForce, document: str, version: str) -> dict[str, Any]:
    """Return a document of the bundle in force as it was written, with its grounds and tests. Raises NotFoundError."""
    try:
        convenant = convenant_of(policy.bundle, f"{document}@{version}")
    except RecordError:
        raise NotFoundError from None
    tested = policy.tested()
    used = sorted({ground for clause in convenant.clauses for ground in clause.grounds} & policy.bundle.grounds.keys())
    rows = {clause.rid: list((tested or {}).get(clause.rid, ())) for clause in convenant.clauses}
    return {
        "bundleSha256": policy.bundle.sha256,
        "document": dict(convenant.document.content),
        "grounds": {one: _cited(policy.bundle, one) for one in used},
        "tests": None if tested is None else rows,
    }


def convenant_fragment(policy: PolicyInForce, document: str, version: str) -> str:
    """Return the same as a piece of a Dutch page. Raises NotFoundError."""
    try:
        return render_fragment(policy.bundle, f"{document}@{version}", policy.tested())
    except RecordError:
        raise NotFoundError from None


def vocabulary_document(policy: PolicyInForce) -> dict[str, Any]:
    """Return every word of facts and rules, the Dutch names of classes, purposes and grounds, and every term."""
    bundle = policy.bundle
    return {
        "bundleSha256": bundle.sha256,
        "columns": {column: sorted(words) for column, words in bundle.vocabulary.items()},
        "classes": {one.id: one.name_nl for one in bundle.classes.values()},
        "purposes": {one.id: one.description_nl for one in bundle.purposes.values()},
        "grounds": {one: _cited(bundle, one) for one in bundle.grounds},
        "categories": _categories(bundle),
        "proofs": {one.id: one.name_nl for one in bundle.proofs.values()},
        "allowed": [_allowed(purpose.id, row) for purpose in bundle.purposes.values() for row in purpose.allowances],
        "documents": [one.label for one in bundle.convenants],
        "terms": bundle.follow_up.record(),
    }


def _categories(bundle: Bundle) -> dict[str, str]:
    """Return what every category of data is, in the words of the first document that names it."""
    found: dict[str, str] = {}
    for one in bundle.convenants:
        content: Mapping[str, Any] = one.document.content
        for row in content.get("gegevenscategorieen", ()):
            found.setdefault(str(row["id"]), str(row["omschrijving"]))
    return found


def _allowed(purpose: str, row: Allowance) -> dict[str, Any]:
    return {
        "purpose": purpose,
        "classes": list(row.classes),
        "operations": list(row.operations),
        "standings": list(row.standings),
        "proofs": list(row.proofs),
        "grounds": list(row.grounds),
        "level": row.level,
        "approval": row.approval,
    }


def decided_if(policy: PolicyInForce, facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return the decision on these facts with its Dutch text. Raises MalformedError: they are not facts."""
    decision = _decision(policy, facts)
    possible = decision.possible if isinstance(decision, Refusal) else ()
    return {
        "decision": decision.record(),
        "text": decision.text.nl,
        "possible": [{"textId": one.id, "text": one.nl} for one in possible],
    }


def evaluated(policy: PolicyInForce, question: AccessEvaluation) -> dict[str, Any]:
    """Return the answer of an AuthZEN decision point. Raises MalformedError: its facts are not facts."""
    decision = _decision(policy, _facts(question))
    return {
        "decision": isinstance(decision, Permit),
        "context": {"record": decision.record(), "reason_user": {"nl": decision.text.nl}},
    }


def difference(policy: PolicyInForce, earlier: str) -> Mapping[str, Any]:
    """Return `diff/v1` of an earlier bundle and the one in force. Raises NotFoundError: it is not known here."""
    if earlier not in policy.diffs:
        known = {**policy.earlier, policy.bundle.sha256: policy.bundle}
        if earlier not in known:
            raise NotFoundError
        if len(policy.diffs) >= _DIFFS_KEPT:
            policy.diffs.clear()
        policy.diffs[earlier] = compare(known[earlier], policy.bundle).document()
    return policy.diffs[earlier]


def _cited(bundle: Bundle, ground: str) -> str:
    row = bundle.grounds[ground]
    return f"{row.citation}. {row.summary_nl}"


def _decision(policy: PolicyInForce, facts: Mapping[str, Any]) -> Permit | Refusal:
    point = policy.decision_point
    try:
        ask, hit = read_question(dict(facts))
        return point.may_ask(ask) if hit is None else point.may_see(ask, hit)
    except FactsError as error:
        where, _, rule = str(error).partition(": ")
        raise MalformedError(where, rule) from None


def _facts(question: AccessEvaluation) -> dict[str, Any]:
    """Return the facts of `decision/v1` in an AuthZEN question, each from one place only."""
    subject, resource = question.subject, question.resource
    facts: dict[str, Any] = {"organisation": subject.id, "operation": question.action.name}
    parts = [subject.properties, question.action.properties, question.context]
    if resource.type == "purpose":
        parts += [{"purpose": resource.id}, resource.properties]
    else:
        parts.append({"hit": resource.properties})
    for part in parts:
        if set(part) & set(facts):
            raise MalformedError("context", "must state no fact twice")
        facts.update(part)
    return facts
