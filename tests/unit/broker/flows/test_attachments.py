"""Attachments: chunks that only the receiver of the letter that names them gets, and only as he gets that letter."""

import asyncio
import hashlib
from datetime import date
from pathlib import Path

import pytest

from broker.domain.errors import FieldRuleError, NotDoneError, NotFoundError, RefusedError, StaleDecisionError
from broker.domain.letter_chunks import ForgetChunks
from broker.flows.policy import PolicyInForce
from broker.ports import Proposal
from broker.protocol.letter import MAX_LETTER_CHUNKS
from broker.protocol.sealed_chunks import SEALED_BYTES
from broker.store.letter_chunks import name_chunks
from tests.simulators.broker_world import a_world, held_in, log_size
from tests.simulators.databases import DATABASES
from tests.simulators.enrolled import SCHOOL, VEILIG_THUIS, WIJKTEAM
from tests.simulators.proposals import committed
from tests.simulators.requesting import HUISARTS, Desk, problem_of
from tests.unit.broker.flows.test_asking_limits import Away

CHUNK = b"\x01" * SEALED_BYTES
OTHER = b"\x02" * SEALED_BYTES


async def test_an_attachment_travels_with_its_letter(desk: Desk) -> None:
    """Each side fetches what the other's letter names, byte for byte, and every step is one entry."""
    asked = await desk.leave(CHUNK)
    request = await desk.sent(chunks=[asked])
    assert await desk.chunk(request, asked, by=WIJKTEAM) == CHUNK
    told = await desk.leave(OTHER, by=WIJKTEAM)
    await desk.answer(request, desk.reply(request, chunks=[told]))
    assert await desk.chunk(request, told, by=VEILIG_THUIS) == OTHER
    assert await log_size(desk.world) == 6


async def test_nobody_else_gets_a_chunk(desk: Desk) -> None:
    """Its sender, another organisation, and who names one that the letter does not: one answer, as for nothing."""
    asked, loose = await desk.leave(CHUNK), await desk.leave(OTHER)
    request = await desk.sent(chunks=[asked])
    entries = await log_size(desk.world)
    for by, sha256 in ((SCHOOL, asked), (VEILIG_THUIS, asked), (WIJKTEAM, loose), (WIJKTEAM, "0" * 64)):
        with pytest.raises(NotFoundError):
            await desk.chunk(request, sha256, by=by)
    assert await log_size(desk.world) == entries


@pytest.mark.parametrize(
    ("chunk", "sha256", "problem"),
    [
        (CHUNK[:-1], None, "attachment-truncated"),
        (b"", None, "attachment-truncated"),
        (CHUNK, "0" * 64, "attachment-truncated"),
        (CHUNK + b"\x01", None, "attachment-too-large"),
    ],
)
async def test_what_is_not_one_whole_chunk_is_refused_and_recorded(
    desk: Desk, chunk: bytes, sha256: str | None, problem: str
) -> None:
    """A chunk that was cut off, changed or made longer is not kept, and its refusal is an entry."""
    with pytest.raises(RefusedError) as refused:
        await desk.leave(chunk, sha256=sha256)
    assert problem_of(refused.value) == problem
    assert await log_size(desk.world) == 1
    assert held_in(desk.world).rows("SELECT count(*) FROM letter_chunks") == [(0,)]


async def test_another_organisations_chunk_is_an_unknown_chunk(desk: Desk) -> None:
    """A letter or an answer that names what another left is refused exactly as one that names nothing."""
    request, left = await desk.sent(), await desk.leave(CHUNK)
    refusals = []
    for sha256 in (left, "0" * 64):
        with pytest.raises(RefusedError) as refused:
            await desk.answer(request, desk.reply(request, chunks=[sha256]))
        assert problem_of(refused.value) == "attachment-truncated"
        refusals.append(refused.value.document)
    assert refusals[0] == refusals[1]
    with pytest.raises(RefusedError) as refused:
        await desk.sent(chunks=[left, "0" * 64])
    assert problem_of(refused.value) == "attachment-truncated"


async def test_more_than_a_letter_may_have_is_too_large(desk: Desk) -> None:
    """More chunks than 10 MiB in five files can take is told as too large; naming one twice breaks a rule."""
    many = [f"{number:064x}" for number in range(MAX_LETTER_CHUNKS + 1)]
    with pytest.raises(RefusedError) as refused:
        await desk.sent(chunks=many)
    assert problem_of(refused.value) == "attachment-too-large"
    with pytest.raises(FieldRuleError):
        await desk.sent(chunks=many[:1] * 2)
    request = await desk.sent()
    with pytest.raises(FieldRuleError):
        await desk.answer(request, desk.reply(request, kind="oral", chunks=many[:1]))


async def test_what_is_withdrawn_is_gone_at_once(desk: Desk) -> None:
    """Chunks of a question and of its answer are deleted with its withdrawal, but for what another letter names."""
    alone, shared, answered = await desk.leave(CHUNK), await desk.leave(OTHER), await desk.leave(CHUNK, by=WIJKTEAM)
    request, _ = await desk.sent(chunks=[alone, shared]), await desk.sent(chunks=[shared])
    await desk.answer(request, desk.reply(request, chunks=[answered]))
    await desk.withdraw(request)
    left = held_in(desk.world).rows("SELECT organisation, sha256 FROM letter_chunks")
    assert left == [(VEILIG_THUIS, shared)]


async def test_a_disk_is_not_filled_whatever_names_it(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """An organisation has so many chunks here at most, named or not, also where they come at once."""
    monkeypatch.setattr("broker.store.letter_chunks.MAX_KEPT", 1)
    ends = await asyncio.gather(desk.leave(CHUNK), desk.leave(OTHER), return_exceptions=True)
    (refused,) = [end for end in ends if isinstance(end, RefusedError)]
    assert problem_of(refused) == "attachment-too-large"
    ((left,),) = held_in(desk.world).rows("SELECT sha256 FROM letter_chunks")
    await desk.sent(chunks=[left])
    with pytest.raises(RefusedError):
        await desk.leave(OTHER if left == hashlib.sha256(CHUNK).hexdigest() else CHUNK)
    await desk.leave(CHUNK, by=WIJKTEAM)


async def test_a_disk_is_not_filled_with_what_no_letter_names(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """So many chunks wait for a letter at most; what was left twice waits once, and what is named waits no more."""
    monkeypatch.setattr("broker.store.letter_chunks.MAX_LOOSE", 1)
    left = await desk.leave(CHUNK)
    with pytest.raises(RefusedError) as refused:
        await desk.leave(OTHER)
    assert problem_of(refused.value) == "attachment-too-large"
    await desk.sent(chunks=[left])
    await desk.leave(CHUNK)
    await desk.leave(OTHER)


async def test_a_chunk_is_withheld_as_its_letter_is(desk: Desk) -> None:
    """Taken back, or for a professional by name: then its attachments are not handed out either."""
    left = await desk.leave(CHUNK)
    withdrawn, personal = await desk.sent(chunks=[left]), await desk.sent(HUISARTS, chunks=[left])
    await desk.withdraw(withdrawn)
    for request, by, problem in (
        (withdrawn, WIJKTEAM, "letter-withheld"),
        (personal, HUISARTS, "request-needs-named-worker"),
    ):
        with pytest.raises(RefusedError) as refused:
            await desk.chunk(request, left, by=by)
        assert problem_of(refused.value) == problem


async def test_a_chunk_goes_after_the_last_day_of_its_letter(desk: Desk) -> None:
    """Loose ones go after tomorrow, named ones after the last day of the letter; gone is told as not whole."""
    world, named, loose = desk.world, await desk.leave(CHUNK), await desk.leave(OTHER)
    request = await desk.sent(chunks=[named])
    for days, left in ((1, {named, loose}), (1, {named}), (1, {named}), (1, set())):
        world.clock.move(86_400 * days)
        await world.sweep()
        assert {one for (one,) in held_in(world).rows("SELECT sha256 FROM letter_chunks")} == left
    with pytest.raises(RefusedError) as refused:
        await desk.chunk(request, named, by=WIJKTEAM)
    assert problem_of(refused.value) == "letter-withheld"


async def test_a_chunk_that_is_gone_is_told_and_never_skipped(desk: Desk) -> None:
    """A chunk that the store has lost is a refusal that is recorded; a sweep leaves what has a later day by now."""
    left = await desk.leave(CHUNK)
    request = await desk.sent(chunks=[left])
    old = ForgetChunks(chunks=((VEILIG_THUIS, left, "2026-01-01"),))
    await committed(desk.world.log, Proposal(kind="retention", payloads={}, changes=(old,)))
    assert await desk.chunk(request, left, by=WIJKTEAM) == CHUNK
    held_in(desk.world).write("DELETE FROM letter_chunks")
    with pytest.raises(RefusedError) as refused:
        await desk.chunk(request, left, by=WIJKTEAM)
    assert problem_of(refused.value) == "attachment-truncated"


@pytest.mark.parametrize("store", DATABASES)
async def test_no_chunk_leaves_while_nobody_watches_the_log(store: str, tmp_path: Path, policy: PolicyInForce) -> None:
    """Without witnesses for too long a chunk is not handed out."""
    witnesses = Away()
    async with a_world(store, tmp_path, policy=policy, witnesses=witnesses) as world:
        desk = Desk(world)
        left = await desk.leave(CHUNK)
        request = await desk.sent(chunks=[left])
        witnesses.up = False
        await desk.list(by=WIJKTEAM)
        world.clock.move(3601)
        with pytest.raises(NotDoneError):
            await desk.chunk(request, left, by=WIJKTEAM)


async def test_a_letter_is_never_stored_beside_a_chunk_that_went_meanwhile(desk: Desk) -> None:
    """A chunk that was swept between decision and commit makes the decision stale, and it is taken again."""
    with held_in(desk.world).session() as connection, pytest.raises(StaleDecisionError):
        name_chunks(connection, ["0" * 64], organisation=VEILIG_THUIS, until=date(2026, 12, 1))
