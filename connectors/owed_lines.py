"""What is still to be done, as its worker reads it: after which act, about which own case, and what to type then."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from broker.protocol.days_nl import day_nl
from broker.protocol.owed_messages import OwedResult, ShownOwed
from broker.protocol.problems import render
from connectors.answers import Outcome
from connectors.desk import Desk

WHEN_NL = {"open": "", "vandaag": "VANDAAG, ", "te_laat": "TE LAAT, "}
"""What stands before the last day."""
ABOUT_NL: Mapping[str, str] = {
    "exceptionId": "uitzondering",
    "consentId": "toestemming",
    "requestId": "brief",
    "callId": "oproep",
    "signalId": "signaal",
}
"""What an answer names that a worker finds again, by its member."""
NAME_CONSULTATION = "noem_overleg"
FOR_ANOTHER = "een ander moet dit afronden: jij was erbij betrokken"


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What the own folder knows of a task: references of own cases, and what its act made, each by its member."""

    cases: tuple[str, ...] = ()
    made: tuple[tuple[str, str], ...] = ()

    def words(self) -> Iterator[str]:
        """Yield what is said of it on the screen."""
        yield from (f"jullie zaak {case}" for case in self.cases)
        yield from (f"{ABOUT_NL[member]} {value}" for member, value in self.made)


def owed_in(outcome: Outcome) -> list[ShownOwed]:
    """Return the tasks in an answer."""
    return outcome.details.found if isinstance(outcome.details, OwedResult) else []


def about_of(desk: Desk, outcome: Outcome) -> dict[str, About]:
    """Return, by the id of each task in an answer, what the casebook and the kept proofs know of its act."""
    return {one.task_id: _about(desk, one) for one in owed_in(outcome)}


def _about(desk: Desk, one: ShownOwed) -> About:
    named = list(dict.fromkeys(_named(_kept_answer(desk, one.act))))
    made = [(member, value) for member, value in named if member in ABOUT_NL and value != one.signal_id]
    signals = [value for member, value in named if member == "signalId"]
    signals += [] if one.signal_id is None else [one.signal_id]
    macs = {value for member, value in named if member == "caseRef"}
    own = {signal.case_ref for signal in desk.book.signals() if signal.case_ref is not None} if macs else set()
    mac = desk.folder.case_ref_key.mac
    cases = {case for case in own if mac(b"case\x00" + case.encode()).hex() in macs}
    return About(cases=tuple(sorted(cases.union(desk.book.case_refs(signals)))), made=tuple(made))


def _kept_answer(desk: Desk, act: int | None) -> object:
    """Return the answer that was kept with the proof of this act, None where another folder has it."""
    path = desk.folder.receipts / f"{act}.json"
    try:
        kept = json.loads(path.read_bytes())
    except (OSError, ValueError):
        # It only says more of a line that is shown in any case: `receipt verify` tells what is wrong with a proof.
        return None
    return kept.get("answer") if isinstance(kept, dict) else None


def _named(value: object) -> Iterator[tuple[str, str]]:
    """Yield every id and own reference that an answer names, with its member."""
    if isinstance(value, dict):
        for member, inner in value.items():
            if isinstance(inner, str) and (member in ABOUT_NL or member == "caseRef"):
                yield member, inner
            else:
                yield from _named(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _named(inner)


def owed_documents(found: Sequence[ShownOwed], about: Mapping[str, About]) -> list[dict[str, Any]]:
    """Return tasks as JSON shows them, each with the own cases it is about."""
    return [
        {**one.model_dump(mode="json", by_alias=True), "cases": list(about.get(one.task_id, About()).cases)}
        for one in found
    ]


def line_of(one: ShownOwed, about: About) -> str:
    """Return one task as a line: by when, what, since which day, about what, after which act, and whether it is his."""
    signal = () if one.signal_id is None else (f"signaal {one.signal_id}",)
    act = () if one.act is None else (f"na regel {one.act} van het logboek",)
    for_another = (FOR_ANOTHER,) if one.own_act else ()
    what, when = render(one.text.id, one.text.params), f"{WHEN_NL[one.state]}uiterlijk {day_nl(one.due_on)}"
    since = f"sinds {day_nl(one.since)}"
    return "  ".join([one.task_id, when, what, since, *about.words(), *signal, *act, *for_another])


def next_of(one: ShownOwed, about: About, *, role: str) -> str:
    """Return what to type when it is done, or who ends it."""
    if one.by_verdict:
        if role == "privacyfunctionaris" and not one.own_act:
            return f"Oordeel geven: sluis-connect review verdict {one.act} OORDEEL --reason REDEN"
        return "Een privacyfunctionaris rondt dit af, met een oordeel."
    if one.own_act:
        return "Vraag een collega om dit af te ronden."
    exceptions = [value for member, value in about.made if member == "exceptionId"]
    if one.kind == NAME_CONSULTATION and exceptions:
        return f"Aanvullen: sluis-connect exception complete {exceptions[0]} BESTAND"
    in_role = "" if role == "worker" else f" --role {role}"
    return f"Gedaan? sluis-connect tasks owed-done {one.task_id}{in_role}"
