"""A task that follows from an act, as who asks may see it now: by its kind, and by the own signal it is about."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from broker.domain.errors import RoleNotAllowedError
from broker.domain.flags import local
from broker.domain.owed import OWING_ROLES, OwedTask, of_role
from broker.domain.requests import APPROVER, WORKER, Requester
from broker.domain.signals import Signal
from broker.flows.changing_match import in_team
from broker.ports import SignalStore, Stamp
from broker.protocol.messages import TextRef
from broker.protocol.owed_messages import SCHEMA_OWED, OwedResult, ShownOwed
from broker.protocol.roster import Roster

TEXTS: Mapping[str, str] = {
    "informeer_betrokkene": "owed.inform",
    "informeer_patient_later": "owed.inform_patient",
    "herzie_uitstel": "owed.look_again",
    "zoek_gezag_uit": "owed.settle_custody",
    "bevestig_toestemming": "owed.confirm_consent",
    "antwoord_verzoek": "owed.answer",
    "noem_overleg": "owed.name_consultation",
    "overleg_achteraf": "owed.consult_afterwards",
    "verwijzing_nazenden": "owed.send_referral",
    "kijk_maatregel_na": "owed.check_measure",
    "bevestig_afscherming": "owed.confirm_shield",
    "herzie_afscherming": "owed.look_again_shield",
    "beoordeel_uitzondering": "owed.judge_exception",
    "beoordeel_spoed": "owed.judge_acute",
    "signal-ended": "owed.signal_ended",
    "signal-frozen": "owed.signal_frozen",
    "signal-consent-no": "owed.signal_consent_no",
    "review-exception": "owed.review_exception",
    "review-withdrawal": "owed.review_withdrawal",
    "review-named-oneself": "owed.review_named_oneself",
    "fg-erasure-proposed": "owed.fg_erasure_proposed",
    "fg-erased": "owed.fg_erased",
    "disclosed-unwatched": "owed.disclosed_unwatched",
}
"""What is to be done, by kind: a duty of the documents or a task of the broker itself."""
OTHERWISE = "owed.otherwise"
"""For a duty of a region's own document that has no text here: it is shown all the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenOwed:
    """A task that is shown, and what that rests on."""

    owed: OwedTask
    stamps: tuple[Stamp, ...] = ()


def check_owing(requester: Requester) -> None:
    """Hold only for a role that has such tasks. Raises RoleNotAllowedError."""
    if requester.role not in OWING_ROLES:
        raise RoleNotAllowedError


async def seen_owed(
    owed: OwedTask, requester: Requester, *, roster: Roster | None, signals: SignalStore
) -> SeenOwed | None:
    """Return a task of the own organisation as it is seen now, None where to this person it is as if it were not there.

    One about a signal is for who may know of that signal; another is of workers for whose act it follows from, and
    for his team.
    """
    if not of_role(owed.task.kind, requester.role):
        return None
    if owed.task.signal_id is None:
        return SeenOwed(owed=owed) if _is_theirs(owed.task.actor, requester, roster) else None
    own = await signals.own(organisation=requester.organisation, signal_id=owed.task.signal_id)
    if own is None or not _concerns(own.signal, requester, roster):
        return None
    return SeenOwed(owed=owed, stamps=own.stamps)


def _concerns(signal: Signal, requester: Requester, roster: Roster | None) -> bool:
    """Return whether this signal is this person's to see to: his team's, his own, or anybody's for who is no worker."""
    if signal.hidden_from(requester.worker):
        return False
    seen_to = signal.owner == requester.worker or in_team(signal.team, requester, roster)
    return requester.role != WORKER or seen_to


def _is_theirs(actor: str | None, requester: Requester, roster: Roster | None) -> bool:
    """Return whether what follows from this worker's act is this person's to see to.

    Approvers stand in for who is away. Who is in no team by the roster works for all of them. Of who left nobody can
    say which team it was: it is the approvers' then, and everybody's where there is none, for it is never nobody's.
    """
    if requester.role != WORKER or actor is None or actor == requester.worker or roster is None:
        return True
    asks, acted = roster.workers.get(requester.worker), roster.workers.get(actor)
    if asks is None or not asks.teams:
        return True
    if acted is None:
        return not any(APPROVER in one.roles for one in roster.workers.values())
    return not acted.teams or bool(asks.teams & acted.teams)


def owed_document(
    text: str, found: Iterable[OwedTask], *, worker: str, day: date, more_after: str | None = None
) -> dict[str, object]:
    """Return an `owed-tasks/v1` in wire form, as this person reads it on this day."""
    result = OwedResult.model_validate(
        {
            "schema": SCHEMA_OWED,
            "outcome": "done",
            "text": TextRef(id=text, params={}),
            "found": [_shown(one, worker, day) for one in found],
            "more_after": more_after,
        }
    )
    return result.model_dump(mode="json", by_alias=True)


def _shown(owed: OwedTask, worker: str, day: date) -> ShownOwed:
    due_on = owed.task.due_on
    return ShownOwed(
        task_id=owed.id,
        kind=owed.task.kind,
        text=TextRef(id=TEXTS.get(owed.task.kind, OTHERWISE), params={}),
        signal_id=owed.task.signal_id,
        since=local(owed.created_at).date(),
        due_on=due_on,
        state="open" if day < due_on else "vandaag" if day == due_on else "te_laat",
        own_act=owed.is_for_another(worker),
        act=owed.entry,
        by_verdict=owed.by_verdict,
    )
