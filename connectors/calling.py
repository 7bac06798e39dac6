"""The oproep as a worker uses it: send one, read what asks the own teams, and decide. `client.calling` has it.

Whoever sends one reads that it was sent, and nothing else, ever: who is involved and may call does so himself.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from broker.protocol.call_messages import CALLS_PER_PAGE, AnswerRing, CallsResult, OwnCall, Ring, RingsResult
from broker.protocol.request_signing import is_id
from connectors.answers import Outcome, VerifiedEntry
from connectors.cases import Case
from connectors.composing import Asking
from connectors.contacts import Contacts
from connectors.desk import Desk
from connectors.directory import directory
from connectors.errors import CaseError, ConnectorError, ReceiptError
from connectors.household import to_check
from connectors.stated_proof import StatedProof

_CALLS, _RINGS = "/v1/calls", "/v1/calls/rings"


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnRing:
    """An oproep at the own organisation, with the reference of the own case where the casebook has it."""

    ring: Ring
    case_ref: str | None


@dataclass(frozen=True, slots=True)
class Calling:
    """The oproep of one worker's client; `receipts` are the proofs of what was decided with it, the newest last."""

    desk: Desk
    receipts: list[VerifiedEntry] = field(default_factory=list)

    async def call(
        self,
        case: Case,
        *,
        purpose: str,
        grounds: Sequence[str],
        team: str | None = None,
        families: Sequence[str] | None = None,
        proof: StatedProof | None = None,
    ) -> Outcome:
        """Return that everybody who may be asked was asked whether he wants to call: outcome `sent`.

        Args:
            proof: of a task in law, for who has no signal of his own on this household.

        Raises:
            CaseError, RefusedError, NotDoneError: it was not sent.
        """
        desk = self.desk
        desk.check_same_person(case)
        used = desk.folder.settings.families_of(purpose) if families is None else families
        asking = Asking(purpose=purpose, grounds=grounds, team=team, proof=proof)
        questions = to_check(case, used, exclusion=desk.folder.without_excluded)
        evaluated = [await desk.evaluated(asked, "oproep", purpose) for asked in questions]
        group, parts = desk.surroundings.new_id(), []
        for place, (household, body, tickets) in enumerate(evaluated, start=1):
            command = replace(desk.composer.call(case, household, asking), evaluation=body, tickets=tickets)
            parts.append(replace(command, group=group, part=place, parts=len(evaluated)))
        return await desk.delivery.send(*parts)

    async def sent(self) -> tuple[OwnCall, ...]:
        """Return the oproepen of the own organisation. Raises RefusedError, NotDoneError, ReceiptError."""
        listed: list[OwnCall] = []
        page = await self._calls("")
        while page:
            listed += page
            page = await self._calls(page[-1].call_id) if len(page) >= CALLS_PER_PAGE else []
        return tuple(sorted(listed, key=lambda call: (call.asked_until, call.call_id)))

    def case_of(self, call: OwnCall) -> str | None:
        """Return the reference of the own case that an oproep was sent about, where the casebook has it."""
        mac = self.desk.folder.case_ref_key.mac
        known = {one.case_ref for one in self.desk.book.signals() if one.case_ref is not None}
        return next((one for one in sorted(known) if mac(b"case\x00" + one.encode()).hex() == call.case_ref), None)

    async def rings(self) -> tuple[OwnRing, ...]:
        """Return what asks the own teams to call. Raises RefusedError, NotDoneError, ReceiptError."""
        listed: list[Ring] = []
        page = await self._rings("")
        while page:
            listed += page
            page = await self._rings(page[-1].ring_id) if len(page) >= CALLS_PER_PAGE else []
        return tuple(self._known(ring) for ring in sorted(listed, key=lambda ring: (ring.asked_until, ring.ring_id)))

    async def accept(self, ring_id: str) -> OwnRing:
        """Return the ring with the caller's contact card: somebody of the own team will call. Raises as `decline`."""
        return await self._decide(ring_id, "accept", team=None)

    async def decline(self, ring_id: str) -> OwnRing:
        """Return the ring once it is noted that nobody of the own team will call, which is a right.

        Raises:
            CaseError: the id is none. RefusedError: it was decided before, is over, or is none of ours. NotDoneError.
        """
        return await self._decide(ring_id, "decline", team=None)

    async def forward(self, ring_id: str, *, team: str) -> OwnRing:
        """Return the ring once another team of the own organisation is asked. Raises as `decline`."""
        return await self._decide(ring_id, "forward", team=team)

    async def _decide(self, ring_id: str, choice: str, *, team: str | None) -> OwnRing:
        if not is_id(ring_id):
            raise CaseError("ring", "must be 32 lower-case hex characters")
        # Whose card is newer than the ones kept here would be shown as nobody's; the same whatever is decided, so that
        # whoever watches the line sees no choice.
        with suppress(ConnectorError):
            Contacts(self.desk.book, self.desk.folder).keep(await directory(self.desk))
        command = self.desk.composer.statement(
            AnswerRing,
            {"answer": choice, "team": team},
            kind="inbox",
            path=f"{_RINGS}/{ring_id}/answers",
            local={},
        )
        outcome = await self.desk.delivery.send(command)
        self.receipts.extend(outcome.receipts)
        if not isinstance(outcome.details, RingsResult) or len(outcome.details.rings) != 1:
            raise ReceiptError("one ring")
        return self._known(outcome.details.rings[0])

    async def _calls(self, after: str) -> list[OwnCall]:
        outcome = await self._page(_CALLS, after, kind="read")
        if not isinstance(outcome.details, CallsResult):
            raise ReceiptError("a list of calls")
        if any(call.call_id <= after for call in outcome.details.calls):
            raise ReceiptError("pages that follow each other")
        return outcome.details.calls

    async def _rings(self, after: str) -> list[Ring]:
        outcome = await self._page(_RINGS, after, kind="inbox")
        if not isinstance(outcome.details, RingsResult):
            raise ReceiptError("a list of rings")
        if any(ring.ring_id <= after for ring in outcome.details.rings):
            raise ReceiptError("pages that follow each other")
        return outcome.details.rings

    async def _page(self, path: str, after: str, *, kind: str) -> Outcome:
        query = f"?after={after}" if after else ""
        return await self.desk.delivery.read(path + query, worker=self.desk.composer.worker, kind=kind)

    def _known(self, ring: Ring) -> OwnRing:
        known = next((one for one in self.desk.book.signals() if one.signal_id == ring.signal_id), None)
        return OwnRing(ring=ring, case_ref=None if known is None else known.case_ref)
