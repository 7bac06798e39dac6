"""Asking, answering and telling from a worker's desk: the letter is sealed here, and opened here, and nowhere else.

text ──► sealed to the pinned key of the receiver ──► outbox ──► broker ──► receipt verified
fetched ──► receipt verified ──► opened with the pinned key of the sender ──► kept ──► "opened" is told
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from broker.protocol.letter import Letter
from broker.protocol.messages import Command as Message
from broker.protocol.register import Organisation
from broker.protocol.request_messages import (
    REQUESTS_PER_PAGE,
    AnswerRequest,
    ForwardRequest,
    NoteReceipt,
    RequestResult,
    RequestShown,
    SendRequest,
    Tell,
    WithdrawRequest,
    box_bytes,
)
from broker.protocol.request_signing import is_id
from broker.protocol.sealed_letter import ANSWERS, QUESTION, Bound
from connectors.answers import Outcome
from connectors.attachments import File, fetch_files, leave, seal_files
from connectors.bundle_in_force import bound_to_bundle
from connectors.dates import day_of
from connectors.desk import Desk
from connectors.errors import CaseError, KeyChangedError, LetterNotOpenedError, NotDoneError, ReceiptError, RefusedError
from connectors.following import Following, Sides
from connectors.key_pins import KeyPins, PinnedKeys, sealed_box
from connectors.key_rotation import older_sealing_keys
from connectors.mailbox import Mailbox, OpenedLetter
from connectors.outbox import Command
from connectors.questions import Question, Reply, checked, letter_of, within
from connectors.told_requests import one_told, told_of
from connectors.workers import pairwise_id

_ROOT = "/v1/information-requests"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """One request as it stands, and the letter that came with it if there was one."""

    outcome: Outcome
    request: RequestShown
    opened: OpenedLetter | None


class Letters:
    """The letters of one worker's desk."""

    def __init__(self, desk: Desk) -> None:
        """Work at this desk."""
        self._desk = desk
        self._own = desk.folder.settings.oin
        self.pins = KeyPins(desk.book)
        self.mailbox = Mailbox(desk.book, desk.folder.outbox_key)

    async def ask(self, question: Question) -> Outcome:
        """Return once the request waits for its receiver.

        Raises:
            CaseError, KeyChangedError: nothing was sent. RefusedError, NotDoneError: as for every command.
        """
        checked(question, asks=True)
        return await self._send(question, SendRequest, label="request", kind="request", path=_ROOT)

    async def tell(self, question: Question) -> Outcome:
        """Return once what is told waits for its receiver. Raises as `ask`."""
        return await self._send(question, Tell, label="telling", kind="answer", path="/v1/tellings")

    async def answer(self, request_id: str, reply: Reply) -> Outcome:
        """Return once the request has this answer.

        Raises:
            RefusedError: answered before, withdrawn, expired, for a colleague, or not permitted to tell.
            LetterNotOpenedError: the question does not hold, so that nobody knows to whom an answer would go.
            CaseError, KeyChangedError, NotDoneError: as `ask`.
        """
        written, chunks = reply.kind in ("all", "part"), list[str]()
        if self.mailbox.receiver_of(request_id) is not None:
            raise CaseError("request", "must be one that was received: this one is your own")
        checked(reply, asks=False)
        letter = letter_of(reply, (), ())
        question = await self._question(request_id) if written else self._read_here(request_id)
        if question is not None:
            within(reply, question.letter)
        to = self._confirmed_to(question, needed=written)
        if written and to is not None:
            letter, chunks = await self._written(reply, (), to=to)

        async def send(bundle: str) -> Outcome:
            box, local = None, dict[str, str]()
            if question is not None and to is not None:
                local = self.pins.sealed_to(to)
                of = (ANSWERS[reply.kind], request_id, question.purpose)
                box = self._sealed(letter, said=reply, of=of, to=to, bundle=bundle)
            members = {**reply.members(bundle=bundle, box=box), "chunks": chunks}
            return await self._state(request_id, "answers", AnswerRequest, members, kind="answer", local=local)

        return await bound_to_bundle(self._desk, send)

    def _read_here(self, request_id: str) -> OpenedLetter | None:
        # One that was kept before its purpose was is opened anew.
        opened = (one for one in self.mailbox.opened(request_id) if one.label == QUESTION)
        return next((one for one in opened if one.purpose), None)

    def _confirmed_to(self, question: OpenedLetter | None, *, needed: bool) -> Organisation | None:
        """Return to whom an answer is sealed; nobody, where nothing needs to be and something stands in its way."""
        try:
            to = None if question is None else self._organisation(question.sender)
            return to if to is not None and self.pins.trusted(to).sealing else None
        except (CaseError, KeyChangedError):
            # Not sharing is possible whatever else fails: it is then told by the broker alone, without a signature.
            if needed:
                raise
            return None

    async def forward(self, request_id: str, *, team: str, local_id: str | None) -> Outcome:
        """Return once the request is with this team, and with this worker of ours where one is named."""
        folder = self._desk.folder
        audience = folder.settings.broker.id
        worker = local_id and pairwise_id(folder.pairwise_key, audience=audience, local_id=local_id)
        return await self._state(request_id, "forwardings", ForwardRequest, {"team": team, "worker": worker})

    async def withdraw(self, request_id: str, *, reason: str) -> Outcome:
        """Return once the request is taken back; what was fetched cannot be."""
        return await self._state(request_id, "withdrawal", WithdrawRequest, {"reason": reason})

    async def list_own(self) -> tuple[RequestShown, ...]:
        """Return every request of which this organisation is a side, without what is in them."""
        pages = [(await self._read(_ROOT))[1]]
        while len(pages[-1].requests) >= REQUESTS_PER_PAGE:
            last = pages[-1].requests[-1].request_id
            pages.append((await self._read(f"{_ROOT}?after={last}"))[1])
            # A page that does not go on from the last would be read for ever, or hide what it skipped.
            if any(one.request_id <= last for one in pages[-1].requests):
                raise ReceiptError("pages that follow each other")
        return tuple(one for page in pages for one in page.requests)

    async def fetch(self, request_id: str) -> Fetched:
        """Return a request, and what waited in it, opened and kept here; only then is it told that it was opened.

        Whether the broker hears so changes nothing of what was opened.

        Raises:
            RefusedError: it is withheld, or for a colleague. LetterNotOpenedError: it does not hold.
            KeyChangedError, NotDoneError: nothing was opened.
        """
        outcome, details = await self._read(_path(request_id))
        request = one_told(details, request_id)
        if details.box is None or details.of is None:
            return Fetched(outcome=outcome, request=request, opened=None)
        opened = self._open(request, details)
        with suppress(NotDoneError, RefusedError):
            await self._state(request_id, "receipts", NoteReceipt, {"state": "opened"})
        return Fetched(outcome=outcome, request=request, opened=opened)

    def kept(self, request_id: str) -> list[OpenedLetter]:
        """Return what was opened here of a request, also after the broker gives it to nobody any more."""
        return self.mailbox.opened(request_id)

    def opened_here(self, one: RequestShown) -> bool:
        """Return whether an answer to what was sent was opened here, which its sender signed."""
        return one.side == "sent" and any(letter.label != QUESTION for letter in self.kept(one.request_id))

    async def sides(self, match_id: str) -> Sides:
        """Return the two teams of an own match. Raises as `Following.sides`."""
        return await Following(self._desk).sides(match_id)

    async def files(self, fetched: Fetched) -> tuple[File, ...]:
        """Return the attachments of what was fetched, whole. Raises RefusedError, NotDoneError: none of them."""
        if fetched.opened is None:
            return ()
        return await fetch_files(self._desk, _path(fetched.request.request_id), fetched.opened.letter)

    def keys_of(self, oin: str) -> PinnedKeys:
        """Return the keys that the register states of an organisation. Raises CaseError: there is none."""
        return PinnedKeys.of(self._organisation(oin))

    def accept_keys(self, oin: str, *, fingerprint: str) -> None:
        """Letters to and from this organisation go by its present keys. Raises KeyChangedError: not their digits."""
        self.pins.accept(self._organisation(oin), fingerprint=fingerprint)

    async def _question(self, request_id: str) -> OpenedLetter:
        """Return the question as it was opened here: to whom an answer goes is known by that, and by nothing else."""
        fetched = self._read_here(request_id) or (await self.fetch(request_id)).opened
        if fetched is None or fetched.label != QUESTION:
            raise LetterNotOpenedError("asked")
        return fetched

    async def _read(self, path: str) -> tuple[Outcome, RequestResult]:
        outcome = await self._desk.delivery.read(path, worker=self._desk.composer.worker)
        return told_of(outcome, register=self._desk.folder.register)

    def _open(self, request: RequestShown, details: RequestResult) -> OpenedLetter:
        answer = request.answer
        stated = answer if details.of == "answer" and answer is not None else request
        sender = request.receiver.oin if details.of == "answer" else request.sender.oin
        folder = self._desk.folder
        bound = Bound(
            label=ANSWERS[answer.kind] if stated is answer else details.of or "",
            request=request.request_id,
            sender=sender,
            receiver=self._own,
            purpose=request.purpose or "",
            grounds=tuple(stated.grounds),
            categories=tuple(stated.categories),
            level=stated.level,
            bundle=stated.bundle,
            expires_on=stated.expires_on,
        )
        return self.mailbox.open(
            box_bytes(details.box or "") or b"",
            bound=bound,
            keys=self.pins.trusted(self._organisation(sender)),
            own=[folder.sealing_key, *older_sealing_keys(folder.path)],
            today=day_of(self._desk.surroundings.now()),
        )

    async def _send(
        self, question: Question, model: type[SendRequest] | type[Tell], *, label: str, kind: str, path: str
    ) -> Outcome:
        receiver = self._organisation(question.to)
        letter, chunks = await self._written(question, question.steps, to=receiver)

        async def send(bundle: str) -> Outcome:
            key = self._desk.new_own_id()
            box = self._sealed(letter, said=question, of=(label, key, question.purpose), to=receiver, bundle=bundle)
            members = {**question.members(key=key, bundle=bundle, box=box), "chunks": chunks}
            local = self.pins.sealed_to(receiver)
            command = self._desk.composer.statement(model, members, kind=kind, path=path, local=local)
            self.mailbox.note_sent(
                key, receiver=question.to, expires_on=question.expires_on, case_ref=question.case_ref
            )  # fmt: skip
            return await self._delivered(replace(command, key=key), key)

        return await bound_to_bundle(self._desk, send)

    async def _written(
        self, said: Question | Reply, steps: Sequence[str], *, to: Organisation
    ) -> tuple[Letter, list[str]]:
        """Return the letter and what it names of its attachments, which the broker has from now on."""
        self.pins.trusted(to)
        files = seal_files(self._desk, said.files)
        letter = letter_of(said, steps, [one.attachment for one in files])
        await leave(self._desk, files)
        return letter, [chunk for one in files for chunk in one.attachment.chunks]

    async def _state(
        self, request_id: str, act: str, model: type[Message], members: Mapping[str, Any], *, kind: str = "request",
        local: Mapping[str, str] = MappingProxyType({}),
    ) -> Outcome:  # fmt: skip
        path = f"{_path(request_id)}/{act}"
        command = self._desk.composer.statement(model, members, kind=kind, path=path, local=local)
        return await self._delivered(command, request_id)

    async def _delivered(self, command: Command, request_id: str) -> Outcome:
        """Return what became of it, if that is about this very request."""
        outcome, details = told_of(await self._desk.delivery.send(command), register=self._desk.folder.register)
        one_told(details, request_id)
        return outcome

    def _sealed(
        self, letter: Letter, *, said: Question | Reply, of: tuple[str, str, str], to: Organisation, bundle: str
    ) -> str:
        label, request_id, purpose = of
        bound = Bound(
            label=label, request=request_id, sender=self._own, receiver=to.oin, purpose=purpose,
            grounds=tuple(said.grounds), categories=tuple(said.categories), level=said.level, bundle=bundle,
            expires_on=said.expires_on,
        )  # fmt: skip
        return sealed_box(letter, bound=bound, signing=self._desk.folder.signing_key, keys=self.pins.trusted(to))

    def _organisation(self, oin: str) -> Organisation:
        found = self._desk.folder.register.organisations.get(oin)
        if found is None:
            raise CaseError("to", "must be an organisation of the register")
        if not found.active:
            raise CaseError("to", "must be an organisation that is not suspended: nothing goes to it or opens of it")
        return found


def _path(request_id: str) -> str:
    if not is_id(request_id):
        raise CaseError("request", "must be 32 lower-case hex characters")
    return f"{_ROOT}/{request_id}"
