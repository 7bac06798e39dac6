"""A command reaches the broker once: kept sealed until its receipt is verified, then forgotten (D2, red line 13)."""

import datetime
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial

from broker.protocol.messages import SIGNALS_PER_PAGE
from connectors.answering import Answers, Asked, not_done_after, problem_in
from connectors.answers import Outcome, merged, stated_here
from connectors.blinding import Prepared
from connectors.casebook import Casebook, OwnSignal
from connectors.conclusions import Conclusion, concluded, conclusion_of
from connectors.contacts import Contacts
from connectors.errors import EndedElsewhereError, NotDoneError, ReceiptError, RefusedError
from connectors.evaluation import batch_of, reissue
from connectors.exchange import Exchange, Reply
from connectors.final_problems import KEYS_CHANGED, NEVER_SENT, OF_A_GRANT
from connectors.folder import PartnerFolder
from connectors.handing_over import LEFT, REUSED, Hand, by_colleague, not_by_colleague, standing
from connectors.household import with_tokens
from connectors.key_pins import KeyPins
from connectors.look_later import LookLater, sealed_note
from connectors.newer_epoch import complete
from connectors.outbox import Command, Outbox, kept_waiting

CONSENT = "consent"
"""The kind of a command that states what somebody answered, or that he took his yes back."""
_RENEWABLE = frozenset({"ticket-expired"})
_SIGNALS = "/v1/signals"
_UNKNOWN_KEY = "not-found"
_OF_OLD_TICKETS = frozenset({"ticket-foreign", "ticket-expired"})
_STATES = {"withdraw": "withdrawn"}


class Delivery:
    """Sends commands and reads; the only place where a command of the outbox is forgotten."""

    def __init__(self, folder: PartnerFolder, exchange: Exchange, outbox: Outbox, book: Casebook) -> None:
        self._folder = folder
        self._exchange = exchange
        self._outbox = outbox
        self._book = book
        self._later = LookLater(book, folder.outbox_key)
        self._answers = Answers(folder)
        self._contacts = Contacts(book, folder)
        self._pins = KeyPins(book)

    async def send(self, *parts: Command) -> Outcome:
        """Return the outcome of a new command, or of the parts of one question.

        Raises:
            RefusedError: the broker refused; the command is forgotten.
            NotDoneError: nobody knows; the command waits in the outbox, but for what makes sense at this moment alone.
            ReceiptError: the answer is not shown; the command waits in the outbox.
        """
        # (0) What rests on a consent leaves after all that was said of one here, and waits with it.
        if any(command.body.get("consentId") is not None for command in parts):
            await self._consents_first(Hand(worker=parts[0].worker, approver=None))
        # (1) Durable and sealed before a byte of it leaves, all parts or none.
        self._outbox.put(*parts, now=self._exchange.surroundings.now())
        try:
            return await self._finish(parts, self._post)
        except NotDoneError as error:
            if not parts[0].of_now or isinstance(error, ReceiptError):
                raise
            self._outbox.delete(*(command.key for command in parts))
            raise NotDoneError(error.problem_id, party=error.party, problem=error.problem) from None

    async def resume(self, parts: Sequence[Command], hand: Hand) -> Outcome:
        """Return the outcome of a waiting command with all its parts; an imported row goes on in this hand.

        Raises as `send`.
        """
        return await self._finish(parts, partial(self._again, hand=hand))

    async def list_own(self, *, worker: str) -> Outcome:
        """Return all own signals, page after page. Raises RefusedError, NotDoneError, ReceiptError."""
        pages = [await self.read(_SIGNALS, worker=worker)]
        while len(pages[-1].signals) >= SIGNALS_PER_PAGE:
            last = pages[-1].signals[-1].signal_id
            pages.append(await self.read(f"{_SIGNALS}?after={last}", worker=worker))
            # A page that does not go on from the last would be read for ever, or hide what it skipped.
            if any(signal.signal_id <= last for signal in pages[-1].signals):
                raise ReceiptError("pages that follow each other")
        signals = tuple(signal for page in pages for signal in page.signals)
        return replace(pages[0], signals=signals, receipts=tuple(one for page in pages for one in page.receipts))

    async def read(self, path: str, *, worker: str, kind: str = "read", role: str = "worker") -> Outcome:
        """Return what is listed; `kind` is that of its entry. Raises RefusedError, NotDoneError, ReceiptError."""
        broker = self._folder.settings.broker
        reply = await self._exchange.send(broker, path, method="GET", body=b"", worker=worker, role=role)
        command = Command(
            key="", kind=kind, effect="read", path=path, worker=worker, approver=None, body={}, tickets=(),
            evaluation="", local={},
        )  # fmt: skip
        return self._contacts.told(self._answers.outcome(command, reply, Asked.READ))

    async def _consents_first(self, hand: Hand) -> None:
        """Every consent that waits was recorded. Raises as `send`: one was refused, which is told here, or waits on."""
        for waiting in (parts for parts in self._outbox.waiting() if parts[0].kind == CONSENT):
            with suppress(EndedElsewhereError):
                await self.resume(waiting, hand)

    async def _finish(self, parts: Sequence[Command], carry: Callable[[Command], Awaitable[Outcome]]) -> Outcome:
        """Return what all parts say together; until each of them has ended, nothing of any is told (red line 14)."""
        # (5) A question of which a part is missing is never answered.
        if [command.part for command in parts] != list(range(1, parts[0].parts + 1)):
            raise NotDoneError("not-done", key=parts[0].key)
        # (6) Every part comes to its end; the first that does not stops the rest, and all of them wait.
        with kept_waiting(parts[0].key):
            ended = [await self._ended(command, carry) for command in parts]
            refused = next((conclusion for conclusion in ended if isinstance(conclusion, RefusedError)), None)
            # Names and numbers are those that organisations answer for themselves.
            told = refused or self._contacts.told(merged([one for one in ended if isinstance(one, Outcome)]))
            # (7) A household of the look-later list has been looked at, as an entry of the log says: an unrecorded
            # refusal leaves it on the list. (8) Only now are the parts forgotten, together.
            look = parts[0].local.get("look")
            recorded = isinstance(told, Outcome) or told.receipt is not None
            if look is not None and parts[0].effect == "check" and recorded:
                self._later.conclude(look, parts[0].local.get("row") or "", told)
            self._outbox.delete(*(command.key for command in parts))
        if isinstance(told, RefusedError):
            raise told
        return told

    async def _ended(self, command: Command, carry: Callable[[Command], Awaitable[Outcome]]) -> Conclusion:
        """Return how a part ended, earlier or now. Raises NotDoneError, ReceiptError: it waits."""
        if command.conclusion is not None:
            return conclusion_of(command.conclusion)
        ended: Conclusion
        try:
            ended = await carry(command)
        except RefusedError as refusal:
            ended = refusal
        else:
            # (4) The effect is in the own books before the command is forgotten.
            self._note(command, ended)
        if command.parts > 1:
            self._outbox.change(concluded(command, ended))
        return ended

    async def _again(self, command: Command, *, hand: Hand) -> Outcome:
        """Return the outcome of a waiting command: asked for by its key, else sent again."""
        # (0) Without tokens it never left for the broker.
        if command.blinding is not None:
            return await self._post(hand.takes(command))
        # (1) Was it carried out after all?
        reply = await self._ask(command, f"/v1/answers/{command.key}", method="GET", body=b"")
        problem, taken = problem_in(reply), hand.takes_over(command)
        if problem is None or not (problem.id == _UNKNOWN_KEY or (taken and problem.id in LEFT)):
            return self._answers.outcome(command, reply, Asked.STORED)
        # (2) It was not, or who began it is gone: the same command again, with tickets of the batch that was charged
        # already. In another name it counts once all the same: the key is the organisation's.
        return await (self._taken_over(command, hand) if taken else self._post_renewed(command))

    async def _post_renewed(self, command: Command) -> Outcome:
        return await self._post(await self._renewed(command))

    async def _taken_over(self, command: Command, hand: Hand) -> Outcome:
        over: RefusedError | None = None
        taken = hand.takes(command)
        try:
            tickets = await self._reissued(taken)
        except RefusedError as refusal:
            if not (refusal.by_all and refusal.problem.id in OF_A_GRANT):
                raise not_done_after(refusal, key=command.key) from None
            # Nobody issues tickets under this grant any more. With those of somebody else the broker carries nothing
            # out, and says whether he was answered.
            over, tickets = refusal, command.tickets
        taken = replace(taken, tickets=tickets)
        self._outbox.change(taken)
        try:
            return await self._post(taken)
        except RefusedError as refusal:
            foreign = over is not None and refusal.problem.id in _OF_OLD_TICKETS and refusal.receipt is None
            raise (over if over is not None and foreign else refusal) from None

    async def _post(self, command: Command) -> Outcome:
        # (1a) A letter goes out under keys that still hold; else it is over, for the box cannot be sealed anew.
        if not self._pins.still_open_to(command.local, self._folder.register.organisations):
            raise RefusedError(stated_here(KEYS_CHANGED), party=self._folder.settings.broker.id)
        # (2) One request; (3) its answer, once its receipt holds, decides what becomes of the command.
        command = await self._completed(command)
        reply = await self._ask(command, command.path, method="POST", body=command.wire_body())
        problem = problem_in(reply)
        if problem is not None and problem.id in _RENEWABLE and command.renewable:
            command = await self._renewed(command)
            reply = await self._ask(command, command.path, method="POST", body=command.wire_body())
        if problem is not None and problem.id == REUSED and command.grant is not None:
            return await self._done_before(command)
        return self._answers.outcome(command, reply, Asked.POST)

    async def _done_before(self, command: Command) -> Outcome:
        """Return that a colleague registered this row, as the organisation's own list shows it.

        Raises:
            RefusedError: he asked, and no signal stands. NotDoneError: the list cannot be had, and the row waits on.
        """
        if not self._outbox.holds(command.key):
            raise EndedElsewhereError
        try:
            listed = await self.list_own(worker=command.worker)
        except RefusedError as refusal:
            raise not_done_after(refusal, key=command.key) from None
        except NotDoneError as error:
            raise NotDoneError(error.problem_id, party=error.party, key=command.key) from None
        known = {signal.signal_id for signal in self._book.signals()}
        signal_id = standing(listed.signals, command, known=known)
        if signal_id is None:
            raise not_by_colleague(broker=self._folder.settings.broker.id)
        return by_colleague(command, listed, signal_id)

    async def _ask(self, command: Command, path: str, *, method: str, body: bytes) -> Reply:
        try:
            return await self._exchange.send(
                self._folder.settings.broker, path, method=method, body=body, worker=command.worker,
                approver=command.approver if method == "POST" else None, role=command.role,
                trace=batch_of(command.evaluation),
            )  # fmt: skip
        except NotDoneError as error:
            raise NotDoneError(error.problem_id, party=error.party, key=command.key) from None

    async def _completed(self, command: Command) -> Command:
        """Return the command with its tokens and tickets, which is what waits from now on.

        Raises:
            RefusedError: no custodian evaluates it and none charged it: it is over, and the broker never had it.
            NotDoneError: it waits on, and its batch will be asked again as it was.
        """
        if command.blinding is None:
            return command
        prepared = Prepared.restored(command.evaluation, command.blinding)
        if prepared.request.epoch != self._folder.epoch.epoch:
            raise RefusedError(stated_here("epoch-unknown"), party=self._folder.settings.broker.id)
        try:
            evaluated = await complete(self._exchange, self._folder, prepared, worker=command.worker)
        except RefusedError as refusal:
            if refusal.by_all and refusal.problem.id in NEVER_SENT:
                raise
            raise not_done_after(refusal, key=command.key) from None
        except NotDoneError as error:
            raise NotDoneError(error.problem_id, party=error.party, key=command.key) from None
        body = {**command.body, "household": with_tokens(command.body["household"], evaluated.tokens)}
        completed = replace(command, body=body, tickets=evaluated.tickets, blinding=None)
        self._outbox.change(completed)
        return completed

    async def _renewed(self, command: Command) -> Command:
        """Return the command with fresh tickets, which is what waits from now on. Raises NotDoneError: it waits on."""
        if not command.renewable:
            return command
        try:
            renewed = replace(command, tickets=await self._reissued(command))
        except RefusedError as refusal:
            # A custodian cannot know what the broker did with this command.
            raise not_done_after(refusal, key=command.key) from None
        self._outbox.change(renewed)
        return renewed

    async def _reissued(self, command: Command) -> tuple[str, ...]:
        try:
            return await reissue(self._exchange, self._folder, command.evaluation, worker=command.worker)
        except NotDoneError as error:
            raise NotDoneError(error.problem_id, party=error.party, key=command.key) from None

    def _note(self, command: Command, outcome: Outcome) -> None:
        case_ref, person_mac = command.local.get("case_ref"), command.local.get("person_mac")
        note = command.local.get("look")
        if command.effect == "register" and outcome.signal_id is not None:
            self._book.put_signal(
                OwnSignal(
                    signal_id=outcome.signal_id,
                    case_ref=case_ref,
                    purpose=command.body["purpose"],
                    team=command.body["team"],
                    ends_on=datetime.date.fromisoformat(command.body["endsOn"]),
                    state="active",
                    receipt=next((entry.index for entry in outcome.receipts if entry.kind == command.kind), None),
                ),
                person_mac=None if person_mac is None else bytes.fromhex(person_mac),
                look_later=None if note is None else sealed_note(note, self._folder.outbox_key),
            )
        signal_id = command.local.get("signal_id")
        if signal_id is not None:
            ends_on = command.body.get("endsOn")
            self._book.change_signal(
                signal_id,
                state=_STATES.get(command.effect),
                ends_on=None if ends_on is None else datetime.date.fromisoformat(ends_on),
            )
