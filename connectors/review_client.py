"""The SDK of a reviewer: read the own organisation's acts, judge them, sample them, and check the log.

Whatever is returned came with a receipt that holds, which is kept beside those of the workers. Names are joined here,
from the partner's own list: the broker knows none.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlencode

from pydantic import ValidationError

from audit.verify import Report, verify_directory
from broker.protocol import strict_json
from broker.protocol.errors import MalformedError
from broker.protocol.request_signing import is_id
from broker.protocol.review_messages import (
    ChangeThreshold,
    DrawSample,
    GiveVerdict,
    NoteLogCheck,
    RejudgeVerdict,
    ReviewResult,
)
from connectors.answering import problem_in
from connectors.answers import ProblemDocument, VerifiedEntry, rendered
from connectors.conclusions import Resumed
from connectors.delivery import Delivery
from connectors.errors import CaseError, FolderError, NotDoneError, RefusedError, case_error
from connectors.exchange import MAX_ANSWER, Exchange, Reply, Surroundings
from connectors.final_problems import REVIEW
from connectors.folder import PartnerFolder
from connectors.handing_over import Hand
from connectors.outbox import Command, Outbox
from connectors.receipts import (
    ERROR,
    NO_BODY_SHA256,
    REFUSED,
    Expected,
    digest,
    store_receipt,
    verify_answer,
)
from connectors.resuming import resume_all
from connectors.workers import pairwise_id, roles_of

_OK, _SERVER_ERROR = 200, 500
_ROOT = "/v1/review"
UNSIGNED_NL = (
    "bevat geen logboek dat met de sleutel van de broker is ondertekend. Is dit wel wat de broker publiceerde? "
    "Bewaar de map dan, en licht de FG en de toezichthouder in."
)
REVIEWERS = ("privacyfunctionaris", "fg")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reviewed:
    """What a reviewer reads. `path` is the kept receipt: with it `sluis-audit` draws a sample again."""

    result: ReviewResult
    text_nl: str
    entry: VerifiedEntry
    path: Path


def published_log(folder: PartnerFolder, directory: Path) -> Report:
    """Return what the published log in this folder turned out to be, under the partner's own policy.

    Raises:
        FolderError: nothing in it is signed by this log, so there is nothing to note at the broker. Where it is what
            the broker published, that is an alarm by itself.
    """
    report = verify_directory(directory, folder.log_policy)
    if not report.size:
        raise FolderError(directory.name, UNSIGNED_NL)
    return report


class ReviewClient:
    """One reviewer, or one worker about himself, of one organisation; use it as an asynchronous context."""

    def __init__(
        self,
        folder: PartnerFolder | Path,
        *,
        worker: str,
        role: str | None = None,
        surroundings: Surroundings | None = None,
    ) -> None:
        """Open the folder for this person, known by his local id.

        Args:
            worker: local id.
            role: in which role he asks; where none is given, that of a reviewer if he has one, else any of his.

        Raises:
            FolderError: the folder cannot be used, or he does not have that role.
        """
        self.folder = folder if isinstance(folder, PartnerFolder) else PartnerFolder(folder)
        roles = roles_of(self.folder, worker)
        self._role = role or next((one for one in REVIEWERS if one in roles), min(roles))
        if self._role not in roles:
            raise FolderError("role", "is not one of this worker's")
        self._worker = worker
        self._exchange = Exchange(self.folder, surroundings or Surroundings())
        self._book = self.folder.casebook()
        self._outbox = Outbox(self.folder.outbox_path, self.folder.outbox_key)
        self._delivery = Delivery(self.folder, self._exchange, self._outbox, self._book)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        try:
            await self._exchange.aclose()
        finally:
            self._outbox.close()
            self._book.close()

    async def queue(self, **asked: object) -> Reviewed:
        """Return what stands out and waits for a verdict. Raises RefusedError, NotDoneError, ReceiptError."""
        return await self._read("/queue", asked)

    async def acts(self, **asked: object) -> Reviewed:
        """Return the acts of a period; `asked` are `since`, `until`, `after`, `use` and the filters."""
        return await self._read("/acts", asked)

    async def household(self, signal_id: str, **asked: object) -> Reviewed:
        """Return what concerns an own signal. Raises CaseError: the id is none of ours."""
        if not is_id(signal_id):
            raise CaseError("signal", "must be 32 lower-case hex characters")
        return await self._read(f"/households/{signal_id}", asked)

    async def own(self, **asked: object) -> Reviewed:
        """Return what is recorded about oneself."""
        return await self._read("/own-acts", asked)

    async def thresholds(self) -> Reviewed:
        """Return the thresholds by which acts stand out."""
        return await self._read("/thresholds", {})

    async def stated(self, kind: str, **asked: object) -> Reviewed:
        """Return what reviewers stated: verdicts, rejudgements, threshold-changes, samples or log-checks."""
        return await self._read(f"/notes/{kind}", asked)

    async def report(self, month: str, **asked: object) -> Reviewed:
        """Return the figures of a month, `YYYY-MM`."""
        return await self._read(f"/reports/{month}", asked)

    async def accounts(self, **asked: object) -> Reviewed:
        """Return who is on the roster and when he last did anything."""
        return await self._read("/accounts", asked)

    async def erasures(self, **asked: object) -> Reviewed:
        """Return what of the own entries was proposed to be erased, and what was; `after` is a unix second."""
        return await self._read("/erasures", asked)

    async def verdict(self, act: int, verdict: str, *, reason: str) -> Reviewed:
        """Return once this verdict stands beside the act. Raises RefusedError: one's own act, or own team's."""
        return await self._state("/verdicts", GiveVerdict, {"act": act, "verdict": verdict, "reason": reason})

    async def rejudge(self, verdict: int, *, agrees: bool) -> Reviewed:
        """Return once it stands beside the verdict whether the FG agrees."""
        return await self._state("/rejudgements", RejudgeVerdict, {"verdict": verdict, "agrees": agrees})

    async def change_threshold(self, name: str, value: int, *, reason: str) -> Reviewed:
        """Return once the threshold has this value."""
        return await self._state("/thresholds", ChangeThreshold, {"name": name, "value": value, "reason": reason})

    async def sample(self, month: str) -> Reviewed:
        """Return the month closed, or its sample once the next day has a cosigned checkpoint."""
        return await self._state("/samples", DrawSample, {"month": month})

    async def check_log(self, directory: Path) -> Reviewed:
        """Return once it is noted whether the published log in this folder holds under the own policy."""
        return await self.note_log(published_log(self.folder, directory))

    async def note_log(self, report: Report) -> Reviewed:
        """Return once it is noted that this log was verified, and whether it held."""
        members = {"size": report.size, "root": report.root, "holds": report.holds}
        return await self._state("/log-checks", NoteLogCheck, members)

    def names(self) -> Mapping[str, str]:
        """Return the names of the own workers by the ids that the broker knows them by."""
        broker, key = self.folder.settings.broker.id, self.folder.pairwise_key
        with self.folder.casebook() as book:
            return {pairwise_id(key, audience=broker, local_id=one): name for one, name, _ in book.workers()}

    def id_of(self, local_id: str) -> str:
        """Return the id by which the broker knows a worker. Raises FolderError: nobody has this local id."""
        roles_of(self.folder, local_id)
        return pairwise_id(self.folder.pairwise_key, audience=self.folder.settings.broker.id, local_id=local_id)

    async def _read(self, path: str, asked: Mapping[str, object]) -> Reviewed:
        query = urlencode({name: value for name, value in asked.items() if value is not None})
        broker, asking = self.folder.settings.broker, _ROOT + (f"{path}?{query}" if query else path)
        reply = await self._exchange.send(
            broker, asking, method="GET", body=b"", worker=self._worker, role=self._role
        )  # fmt: skip
        return self._reviewed(reply)

    async def resume(self) -> Resumed:
        """Return what became of every reviewer's statement without a receipt; one that fails stops no other."""
        hand = Hand(worker=self._worker, approver=None)
        return await resume_all(self._outbox, self._delivery, hand, effect=REVIEW)

    async def _state(self, path: str, model: type[GiveVerdict] | Any, members: Mapping[str, Any]) -> Reviewed:  # noqa: ANN401 - one of the messages of the review
        key = self._exchange.surroundings.new_id()
        shared = {"idempotency_key": key, "controller": self.folder.settings.oin, "case_ref": None}
        try:
            message = model.model_validate({**shared, **members})
        except ValidationError as error:
            raise case_error(error) from None
        # It waits in the outbox until its receipt holds: after an outage it is sent again under the same key.
        command = Command(
            key=key, kind="review", effect=REVIEW, path=_ROOT + path, worker=self._worker, approver=None,
            body=message.model_dump(mode="json", by_alias=True), tickets=(), evaluation="", local={}, role=self._role,
        )  # fmt: skip
        outcome = await self._delivery.send(command)
        entry = outcome.receipts[0]
        if not isinstance(outcome.details, ReviewResult):
            raise NotDoneError("not-done")
        path_of = self.folder.receipts / f"{entry.index}.json"
        return Reviewed(result=outcome.details, text_nl=outcome.text_nl, entry=entry, path=path_of)

    def _reviewed(self, reply: Reply) -> Reviewed:
        """Return what a verified answer says; its receipt is kept. Raises RefusedError, NotDoneError, ReceiptError."""
        problem = problem_in(reply)
        if problem is not None:
            raise self._problem(problem, reply)
        try:
            members = strict_json.load_object(reply.body, max_bytes=MAX_ANSWER)
            answer, receipt = members["result"], members["receipt"]
            result = ReviewResult.model_validate(answer, by_alias=True, by_name=False)
        except (MalformedError, ValidationError, LookupError):
            raise NotDoneError("not-done") from None
        expected = self._expected(reply, answer=answer, outcome=result.outcome)
        entry = verify_answer(receipt, policy=self.folder.log_policy, expected=expected)
        path = store_receipt(self.folder.receipts, entry, wire=receipt, answer=answer, expected=expected)
        text = rendered(result.text.id, result.text.params, otherwise=result.text.id)
        return Reviewed(result=result, text_nl=text, entry=entry, path=path)

    def _problem(self, problem: ProblemDocument, reply: Reply) -> NotDoneError | RefusedError:
        failed, entry = problem.status >= _SERVER_ERROR, None
        if problem.receipt is not None or problem.id == "refused":
            answer = {name: value for name, value in problem.members.items() if name != "receipt"}
            outcome = ERROR if failed else REFUSED
            expected = self._expected(reply, answer=answer, outcome=outcome)
            entry = verify_answer(problem.receipt, policy=self.folder.log_policy, expected=expected)
            store_receipt(self.folder.receipts, entry, wire=problem.receipt, answer=answer, expected=expected)
        broker = self.folder.settings.broker.id
        if failed:
            return NotDoneError("not-done", party=broker, problem=problem, receipt=entry)
        return RefusedError(problem, party=broker, receipt=entry)

    def _expected(self, reply: Reply, *, answer: Mapping[str, Any], outcome: str) -> Expected:
        settings = self.folder.settings
        return Expected(
            kind="read",
            organisation=settings.oin,
            worker=pairwise_id(self.folder.pairwise_key, audience=settings.broker.id, local_id=self._worker),
            request_sha256=NO_BODY_SHA256,
            shown_sha256=digest(answer),
            outcome=outcome,
            shown=(),
            jti=reply.jti,
            tickets=frozenset(),
        )
