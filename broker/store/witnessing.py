"""Asking the witnesses of the log policy over HTTP."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

import httpx

from audit.checkpoint import Checkpoint
from audit.note import VerifierKey, parse_note
from audit.policy_file import Policy
from audit.submit import Cosigned, ask_witness
from broker.store.log_writer import Cosignature
from broker.store.quorum import quorum_met

START_DEADLINE_S = 2.0
"""Seconds witnesses have at start, where nobody waits for an answer yet."""

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
