"""Fetch a chunk of an attachment: by whom its letter is for, and only while that letter itself would be handed out."""

from broker.consent_ports import ConsentReader
from broker.domain.errors import NotFoundError
from broker.domain.requests import Requester
from broker.exception_ports import ExceptionReader
from broker.flows.act import Act
from broker.flows.holding import still_holds
from broker.flows.letters import TRUNCATED, WITHHELD
from broker.flows.outcome import Answered, Effects, Outcome
from broker.flows.policy import Policies
from broker.flows.request_of import OnRequest, act_on_request
from broker.flows.unwatched import stopped
from broker.match_ports import MatchReader
from broker.ports import AnswerStore, Clock, Log, RegisterReader, RosterReader, SignalStore
from broker.request_ports import ChunkReader, RequestReader


async def fetch_chunk(
    *, requester: Requester, request_id: str, sha256: str, policies: Policies, clock: Clock,
    registers: RegisterReader, rosters: RosterReader, signals: SignalStore, matches: MatchReader,
    consents: ConsentReader, exceptions: ExceptionReader, requests: RequestReader, chunks: ChunkReader,
    answers: AnswerStore, log: Log,
) -> Answered:  # fmt: skip
    """A chunk that a letter for this side names is handed out; outcome `done`.

    Raises:
        NotFoundError: this organisation is no side of it, its letter names no such chunk, or there is none at all.
        RefusedError: withheld, of another team, for a colleague by name, or the chunk is gone; with the receipt of its
            entry.
        NotDoneError and others of `broker.domain.errors`: see there.
    """
    act = Act.reading("fetch_chunk", requester)

    async def decide(on: OnRequest) -> Outcome:
        request, reply = on.request, on.request.reply
        # (1) Only what the letter for this side names; whose it is follows from the letter.
        sender = request.sender if on.received else request.receiver
        named = request.chunks if on.received else () if reply is None else reply.chunks
        if sha256 not in named:
            raise NotFoundError
        # (2) As for the letter: by the worker it is for, while the log is watched, while everything holds.
        hindered = (on.received and request.not_for(requester.worker)) or on.of_another_team(
            await rosters.roster(requester.organisation)
        )
        if hindered:
            return on.refuse(hindered)
        if log.disclosures_stopped():
            return stopped(act, bundle=on.policy.sha256)
        on, holds = await still_holds(
            on, clock=clock, signals=signals, matches=matches, consents=consents, exceptions=exceptions
        )  # fmt: skip
        if not holds:
            return on.refuse(WITHHELD)
        # (3) It is gone: that is said, and never that there is nothing.
        chunk = await chunks.chunk(organisation=sender, sha256=sha256)
        if chunk is None:
            return on.refuse(TRUNCATED)
        return on.done(
            request, Effects(relies_on=on.relies_on), text="letter.chunk", chunk=chunk, fetched="chunk", sha256=sha256
        )  # fmt: skip

    # (4) Recorded, and only then it leaves.
    return await act_on_request(
        decide, act=act, request_id=request_id, receiver_only=None, policies=policies, clock=clock,
        registers=registers, signals=signals, matches=matches, requests=requests, answers=answers, log=log,
    )  # fmt: skip
