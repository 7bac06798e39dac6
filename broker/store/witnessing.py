"""Asking the witnesses of the log policy over HTTP."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Protocol

import httpx

from audit.checkpoint import Checkpoint
from audit.errors import AuditError
from audit.note import VerifierKey, parse_note
from audit.policy_file import Policy
from audit.submit import Cosigned, ask_witness
from broker.domain.errors import NotRecordedError
from broker.store.cosigning import Cosignature, Cosigning
from broker.store.quorum import quorum_met

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


class HttpWitnesses:
    """`Witnesses` of a policy file; one without an address is never asked, and counts in the quorum all the same."""

    def __init__(self, *, client: httpx.AsyncClient, policy: Policy, proofs: TreeProofs) -> None:
        """Ask with this client; the caller closes it."""
        self._client = client
        self._policy = policy
        self._proofs = proofs

    async def ask(self, note: str, *, deadline_s: float) -> tuple[Cosignature, ...]:
        """Return the cosignatures over this checkpoint that came in time; never raises."""
        size = Checkpoint.parse(parse_note(note.encode()).text).head.size
        asked = [
            self._ask_one(party.key, party.url, note, size, deadline_s)
            for party in self._policy.witnesses.values()
            if party.url is not None
        ]
        answers = await asyncio.gather(*asked)
        return tuple(answer for answer in answers if answer is not None)

    def quorum_met(self, cosignatures: Sequence[Cosignature]) -> bool:
        """Return whether these are enough for the policy."""
        return quorum_met(self._policy, [cosignature.witness for cosignature in cosignatures])

    async def _ask_one(
        self, witness: VerifierKey, url: str, note: str, size: int, deadline_s: float
    ) -> Cosignature | None:
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
        except Exception as error:  # noqa: BLE001 - a witness never takes the log down
            _log.error("asking a witness failed: %s", type(error).__name__)
            return None
        if isinstance(answer, Cosigned):
            return Cosignature(witness=vkey, line=answer.line)
        _log.warning("no cosignature: %s", answer.failure)
        return None

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
    """
    note = await log.newest_note()
    size = Checkpoint.parse(parse_note(note.encode()).text).head.size
    said = await witnesses.ask(note, deadline_s=START_DEADLINE_S)
    new = [one for one in said if await log.cosigned_size(one.witness) < size]
    if new:
        await log.store_cosignatures(size, new)


async def ask_again(log: Head, witnesses: HttpWitnesses, cosigning: Cosigning) -> None:
    """A log that lacks its quorum was shown again; what came in counts at once. A failure is only reported."""
    if cosigning.since is None:
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
