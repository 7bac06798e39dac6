"""What was opened stays readable here, and what is sealed does not outlive the key that opens it."""

import json

import pytest

from broker.protocol.request_messages import RequestResult
from connectors.letters import Letters
from connectors.receipts import verify_stored
from tests.simulators.enrolled import VEILIG_THUIS, WIJKTEAM
from tests.simulators.served_desks import Desks
from tests.unit.connectors.test_letters import QUESTION, REPLY, ask


async def test_a_letter_that_an_earlier_version_kept_is_read_and_answered(desks: Desks) -> None:
    """It does not say for which purpose it came: that is no other letter, and its answer goes out for the right one."""
    request = await ask(desks)
    async with desks.client(WIJKTEAM) as holder:
        letters = Letters(holder.desk)
        opened = (await letters.fetch(request)).opened
        assert opened is not None
        old = {"sender": opened.sender, "letter": dict(opened.letter.document())}
        sealed = holder.desk.folder.outbox_key.seal(json.dumps(old).encode())
        with holder.desk.book.transaction() as database:
            database.execute("UPDATE letter_opened SET sealed = ?", (sealed,))
        assert [one.letter.text for one in letters.kept(request)] == [QUESTION.text]
        assert (await letters.fetch(request)).opened == opened
        await letters.answer(request, REPLY)
    async with desks.client(VEILIG_THUIS) as asker:
        told = (await Letters(asker.desk).fetch(request)).opened
        assert told is not None
        assert (told.letter.text, told.purpose) == (REPLY.text, QUESTION.purpose)


async def test_no_receipt_keeps_a_sealed_letter(desks: Desks, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of an answer with a box its receipt keeps the hash: it verifies anew, and a key stolen later opens nothing."""
    boxes = []
    read = Letters._read

    async def seen(letters: Letters, path: str) -> object:
        outcome, details = await read(letters, path)
        boxes.append(details.box)
        return outcome, details

    monkeypatch.setattr(Letters, "_read", seen)
    request = await ask(desks)
    async with desks.client(WIJKTEAM) as holder:
        fetched = await Letters(holder.desk).fetch(request)
        assert isinstance(fetched.outcome.details, RequestResult)
        assert boxes[0]
        folder = holder.desk.folder
        path = folder.receipts / f"{fetched.outcome.receipts[0].index}.json"
        assert all(boxes[0] not in one.read_text() for one in folder.receipts.iterdir())
        assert verify_stored(path, policy=folder.log_policy) == fetched.outcome.receipts[0]
        assert json.loads(path.read_text())["answer"] is None
