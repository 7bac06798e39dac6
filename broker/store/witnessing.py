"""Asking the witnesses of the log policy over HTTP."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Protocol

import httpx

from audit.checkpoint import Checkpoint
from audit.database import Connection
from audit.errors import AuditError, ForkError
from audit.note import VerifierKey, parse_note
from audit.policy_file import Policy
from audit.submit import Cosigned, Witnessed, ask_witness, ask_witnessed
from broker.domain.errors import NotRecordedError
from broker.store.cosigning import Cosignature, Cosigning
from broker.store.quorum import check_witnessed, quorum_met

START_DEADLINE_S = 2.0
"""Seconds witnesses have at start, where nobody waits for an answer yet."""

AGAIN_S = 20.0
"""Seconds between two times that witnesses are asked about a log that lacks its quorum."""

_log = logging.getLogger("sluis.witness")


class TreeProofs(Protocol):
    """What a witness must be told of the log: from where on it goes, and that it only grew."""

    async def consistency(self, old_size: int, new_size: int) -> tuple[bytes, ...]:
        """Return the consistency proof between two sizes."""

    async def cosigned_size(self, witness: str) -> int:
        """Return the largest size that the witness with this vkey has cosigned, 0 for none."""

    async def beside(self, work: Callable[[Connection], None]) -> None:
        """This was done on the log's database between two ticks; the log stops for good where it is a ForkError.

        Raises:
            NotRecordedError: it was not done; its cause is what `work` raised.
        """


class HttpWitnesses:
    """`Witnesses` of a policy file; one without an address is never asked, and counts in the quorum all the same.

    A witness that says it saw more than we show, or another tree, is asked for what it holds. Only a checkpoint that
    our own key signed is proof; so no witness can stop the log by a lie, and none that is right is passed over.
    """

    def __init__(self, *, client: httpx.AsyncClient, policy: Policy, proofs: TreeProofs) -> None:
        """Ask with this client; the caller closes it."""
        self._client = client
        self._policy = policy
        self._proofs = proofs
        self._heard = False

    @property
    def heard(self) -> bool:
        """Whether enough of them have cosigned what this process showed them."""
        return self._heard

    async def ask(self, note: str, *, deadline_s: float) -> tuple[Cosignature, ...]:
        """Return the cosignatures over this checkpoint that came in time. See `Witnesses.ask`."""
        size = Checkpoint.parse(parse_note(note.encode()).text).head.size
        asked = [
            self._ask_one(party.key, party.url, note, size, deadline_s)
            for party in self._policy.witnesses.values()
            if party.url is not None
        ]
        answers = await asyncio.gather(*asked)
        for answer in answers:
            if isinstance(answer, Witnessed):
                await self._hold_against(answer)
        cosignatures = tuple(answer for answer in answers if isinstance(answer, Cosignature))
        self._heard = self._heard or self.quorum_met(cosignatures)
        return cosignatures

    def quorum_met(self, cosignatures: Sequence[Cosignature]) -> bool:
        """Return whether these are enough for the policy."""
        return quorum_met(self._policy, [cosignature.witness for cosignature in cosignatures])

    async def _ask_one(
        self, witness: VerifierKey, url: str, note: str, size: int, deadline_s: float
    ) -> Cosignature | Witnessed | None:
        """Return its cosignature, or what it holds where it says that this is not the newest tree."""
        vkey = witness.encode()
        try:
            answer = await ask_witness(
                self._client,
                url=url,
                witness=witness,
                note=note,
                old_size=await self._proofs.cosigned_size(vkey),
                proof_from=self._proof_to(size),
                deadline_s=deadline_s,
            )
            if isinstance(answer, Cosigned):
                return Cosignature(witness=vkey, line=answer.line)
            _log.warning("no cosignature: %s", answer.failure)
            if not answer.says_otherwise:
                return None
            return await ask_witnessed(self._client, url=url, log=self._policy.log.key, deadline_s=deadline_s)
        except Exception as error:  # noqa: BLE001 - a witness never takes the log down
            _log.error("asking a witness failed: %s", type(error).__name__)
            return None

    async def _hold_against(self, witnessed: Witnessed) -> None:
        """What the witness holds is in this log; a tick may have gone on meanwhile. Raises ForkError: it is not."""
        try:
            await self._proofs.beside(lambda connection: check_witnessed(connection, witnessed.head))
        except NotRecordedError as error:
            if isinstance(error.__cause__, ForkError):
                _log.critical("the log has stopped; a witness holds %s", json.dumps(witnessed.note))
                raise error.__cause__ from None
            _log.error("what a witness holds was not compared: %s", type(error).__name__)

    def _proof_to(self, size: int) -> Callable[[int], Awaitable[Sequence[bytes]]]:
        async def proof_from(old_size: int) -> tuple[bytes, ...]:
            return await self._proofs.consistency(old_size, size)

        return proof_from


class Head(TreeProofs, Protocol):
    """A log whose newest checkpoint can be shown, and which keeps what witnesses say."""

    async def newest_note(self) -> str:
        """Return the newest checkpoint with every cosignature there is."""

    async def store_cosignatures(self, size: int, cosignatures: Sequence[Cosignature]) -> None:
        """These belong to the checkpoint of this size. Raises NotRecordedError."""


async def show_head(log: Head, witnesses: HttpWitnesses) -> None:
    """The witnesses were shown the newest checkpoint before anything is served; one that is away is no hindrance.

    So a broker that starts after an outage of its witnesses is covered again, and the first tick finds them awake.

    Raises:
        ForkError: a witness proves that the log was put back or forked.
    """
    note = await log.newest_note()
    size = Checkpoint.parse(parse_note(note.encode()).text).head.size
    said = await witnesses.ask(note, deadline_s=START_DEADLINE_S)
    new = [one for one in said if await log.cosigned_size(one.witness) < size]
    if new:
        await log.store_cosignatures(size, new)


async def ask_again(log: Head, witnesses: HttpWitnesses, cosigning: Cosigning) -> None:
    """A log that lacks its quorum was shown again; what came in counts at once. A failure is only reported."""
    if cosigning.since is None and witnesses.heard:
        return
    try:
        await show_head(log, witnesses)
        await cosigning.read_again()
    except (NotRecordedError, AuditError) as error:
        _log.error("witnesses were not asked again: %s", type(error).__name__)


@asynccontextmanager
async def asked_again(log: Head, witnesses: HttpWitnesses, cosigning: Cosigning) -> AsyncIterator[None]:
    """Ask again meanwhile, so that a quiet log is covered soon after its witnesses are back."""

    async def at_pace() -> None:
        while True:
            await asyncio.sleep(AGAIN_S)
            await ask_again(log, witnesses, cosigning)

    asking = asyncio.create_task(at_pace(), name="ask-witnesses-again")
    try:
        yield
    finally:
        asking.cancel()
        with suppress(asyncio.CancelledError):
            await asking
