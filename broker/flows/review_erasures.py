"""List what of the own organisation's entries was proposed to be erased, and what was: the FG oversees both (D12)."""

from collections.abc import Sequence

from broker.domain.erasures import Erasure, ErasureState
from broker.domain.requests import Requester
from broker.domain.review import REVIEWERS
from broker.flows.act import Act
from broker.flows.outcome import Answered
from broker.flows.policy import Policies
from broker.flows.reviewing import Told, check_role, record_review, told
from broker.log_ports import ErasureReader
from broker.ports import AnswerStore, Clock, Log, RegisterReader, SignalStore
from broker.protocol.erasure_messages import ERASURES_PER_PAGE, ErasureShown
from broker.protocol.register import Register

LAPSED = "lapsed"
"""Proposed, and not confirmed in time: nothing was erased."""


async def review_erasures(
    *, after: int | None, use: str, requester: Requester, policies: Policies, clock: Clock,
    registers: RegisterReader, signals: SignalStore, erasures: ErasureReader, answers: AnswerStore, log: Log,
) -> Answered:  # fmt: skip
    """Erasures of the own organisation are read, oldest first, and that is recorded; outcome `done`.

    Args:
        after: only those proposed after this unix second.

    Raises:
        RoleNotAllowedError: neither privacyfunctionaris nor FG.
        NotDoneError: it failed; with the receipt of its entry.
    """
    act = Act.reading("review_erasures", requester)
    # (1) Who.
    check_role(requester, REVIEWERS)

    async def tell(_: Register) -> Told:
        # (2) What this organisation's people proposed and decided.
        known = await erasures.erasures(organisation=requester.organisation)
        rest = [one for one in known if after is None or one.proposed_at > after]
        page = page_of(rest)
        more = page[-1].proposed_at if len(page) < len(rest) else None
        subject = {"erasures": True, "use": use, "after": after, "found": len(page)}
        shown = [erasure_shown(one, now=clock.now()) for one in page]
        return told("review.erasures", subject=subject, erasures=shown, more_after=more)

    # (3) Reading is an entry too.
    return await record_review(
        tell, act=act, policies=policies, clock=clock, registers=registers, signals=signals, answers=answers, log=log
    )


def page_of(erasures: Sequence[Erasure]) -> list[Erasure]:
    """Return the first ones, with all that were proposed in the same second as the last: none falls between pages."""
    first = list(erasures[:ERASURES_PER_PAGE])
    return first + [one for one in erasures[ERASURES_PER_PAGE:] if one.proposed_at == first[-1].proposed_at]


def erasure_shown(erasure: Erasure, *, now: int) -> ErasureShown:
    """Return an erasure as it is shown."""
    open_still = erasure.state is not ErasureState.PROPOSED or erasure.awaits_decision(now)
    return ErasureShown.model_validate(
        {
            "id": erasure.id,
            "state": erasure.state.value if open_still else LAPSED,
            "controller": erasure.controller,
            "ground": erasure.ground,
            "decision_ref": erasure.decision_ref,
            "ranges": [{"first": one.first, "last": one.last, "groups": list(one.groups)} for one in erasure.ranges],
            "proposed_by": erasure.proposed_by,
            "proposed_at": erasure.proposed_at,
            "decided_by": erasure.decided_by,
            "entry": erasure.entry_index,
        }
    )
