"""Asking witnesses: what they give is counted by the policy, what they do not give never stops the log."""

import logging
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from audit.database import Connection
from audit.errors import AuditError, ForkError
from audit.merkle import Node
from audit.note import Algorithm, NoteSigningKey
from audit.policy_file import Policy, parse_policy
from audit.schema import create_tables
from audit.sqlite import open_database
from audit.stored_log import StoredLogTransaction
from broker.domain.errors import LogUnavailableError, StorageError
from broker.store.log_writer import Cosignature
from broker.store.witnessing import HttpWitnesses, show_head
from tests.unit.audit.log_simulator import LogInMemory, plain_leaf, policy_text

URL = "https://witness.example"
KEY = NoteSigningKey(name="witness.example/w1", algorithm=Algorithm.COSIGNATURE, seed=bytes(32))
LOG = LogInMemory().grow(3)


class Proofs:
    """What the log tells a witness; `fails` makes it fail."""

    def __init__(self, *, fails: bool = False) -> None:
        self.fails = fails

    async def consistency(self, old_size: int, new_size: int) -> tuple[bytes, ...]:
        """Nothing is needed from the empty tree."""
        assert (old_size, new_size) == (0, 3)
        return ()

    async def cosigned_size(self, witness: str) -> int:
        """Nothing was cosigned yet."""
        if self.fails:
            raise OSError
        assert witness == KEY.verifier.encode()
        return 0

    async def beside(self, work: Callable[[Connection], None]) -> None:
        """Its database is away."""
        del work
        raise StorageError


def policy(*, url: bool = True) -> Policy:
    """Return a policy with one witness that is needed."""
    text = policy_text(LOG.key.verifier, KEY.verifier, quorum="w1")
    return parse_policy(text.replace(KEY.verifier.encode(), f"{KEY.verifier.encode()} {URL}") if url else text)


def answering(request: httpx.Request) -> httpx.Response:
    """Cosign whatever checkpoint comes."""
    text = request.content.decode().partition("\n\n")[2].partition("\n\n")[0] + "\n"
    return httpx.Response(200, text=KEY.sign(text, time=5))


def refusing(request: httpx.Request) -> httpx.Response:
    """Refuse."""
    del request
    return httpx.Response(403)


class InMemory(httpx.AsyncBaseTransport):
    """The way to a witness, without a network."""

    def __init__(self, witness: Callable[[httpx.Request], httpx.Response]) -> None:
        self._witness = witness

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Hand the request to the witness."""
        await request.aread()
        return self._witness(request)


async def ask(
    witness: Callable[[httpx.Request], httpx.Response], *, known: Policy | None = None, proofs: Proofs | None = None
) -> tuple[Cosignature, ...]:
    """Ask the witnesses of a policy."""
    async with httpx.AsyncClient(transport=InMemory(witness)) as client:
        witnesses = HttpWitnesses(client=client, policy=known or policy(), proofs=proofs or Proofs())
        cosignatures = await witnesses.ask(LOG.latest_note(), deadline_s=5)
        assert witnesses.quorum_met(cosignatures) is bool(cosignatures)
        return cosignatures


async def test_a_cosignature_comes_back_under_its_vkey() -> None:
    """The line is kept under the witness's key and meets the quorum."""
    (cosignature,) = await ask(answering)
    assert cosignature.witness == KEY.verifier.encode()
    assert cosignature.line.startswith("— witness.example/w1 ")


async def test_a_refusal_is_no_cosignature(caplog: pytest.LogCaptureFixture) -> None:
    """A witness that refuses is noted and not counted."""
    with caplog.at_level(logging.WARNING):
        assert await ask(refusing) == ()
    assert "refused" in caplog.text


async def test_a_failure_of_our_own_is_no_cosignature() -> None:
    """Whatever goes wrong in asking, the log goes on."""
    assert await ask(answering, proofs=Proofs(fails=True)) == ()


async def test_a_witness_without_an_address_is_not_asked() -> None:
    """It still counts in the quorum, so without it the log is uncosigned."""
    assert await ask(answering, known=policy(url=False)) == ()


class Head(Proofs):
    """A log that starts: its newest checkpoint, how far it is cosigned, and what it was given to keep."""

    def __init__(self, *, cosigned: int) -> None:
        super().__init__()
        self.cosigned = cosigned
        self.kept: list[tuple[int, int]] = []

    async def consistency(self, old_size: int, new_size: int) -> tuple[bytes, ...]:
        """Nothing is needed from here."""
        del old_size, new_size
        return ()

    async def cosigned_size(self, witness: str) -> int:
        """Say how far."""
        del witness
        return self.cosigned

    async def newest_note(self) -> str:
        """Show the newest."""
        return LOG.latest_note()

    async def store_cosignatures(self, size: int, cosignatures: Sequence[Cosignature]) -> None:
        """Keep them."""
        self.kept.append((size, len(cosignatures)))


@pytest.mark.parametrize(
    ("witness", "cosigned", "kept"), [(answering, 0, [(3, 1)]), (answering, 3, []), (refusing, 0, [])]
)
async def test_a_log_that_starts_shows_its_head(
    witness: Callable[[httpx.Request], httpx.Response], cosigned: int, kept: list[tuple[int, int]]
) -> None:
    """Before anything is served the witnesses see the newest checkpoint; what is known is not kept twice."""
    head = Head(cosigned=cosigned)
    async with httpx.AsyncClient(transport=InMemory(witness)) as client:
        await show_head(head, HttpWitnesses(client=client, policy=policy(), proofs=head))
    assert head.kept == kept


class Holding(Head):
    """A log whose database is there, so that it can be held against what a witness keeps."""

    def __init__(self, log: LogInMemory) -> None:
        super().__init__(cosigned=3)
        self.log = log

    async def beside(self, work: Callable[[Connection], None]) -> None:
        """Do it on a copy of the log in a database; what it raises is the cause, as the ledger's."""
        with closing(open_database(Path(":memory:"))) as connection:
            create_tables(connection)
            connection.execute("BEGIN")
            stored = StoredLogTransaction(connection)
            stored.insert_entries(0, self.log.leaves)
            levels = enumerate(self.log.levels)
            stored.insert_nodes(
                [Node(level=level, index=at, hash=value) for level, row in levels for at, value in enumerate(row)]
            )
            try:
                work(connection)
            except AuditError as error:
                raise LogUnavailableError from error


def keeping(note: str, *, status: int = 409) -> Callable[[httpx.Request], httpx.Response]:
    """Return a witness that says it saw more than it is shown, or another tree, and holds this note."""

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, text=note) if request.method == "GET" else httpx.Response(status, text="9\n")

    return answer


def other_tree(size: int) -> LogInMemory:
    """Return a log of the same key with other entries."""
    return LogInMemory(LOG.key).grow(size, lambda index: plain_leaf(index + 100))


@pytest.mark.parametrize(("held", "status"), [(LogInMemory().grow(9), 409), (other_tree(3), 422), (other_tree(2), 422)])
async def test_what_a_witness_proves_stops_the_log(
    held: LogInMemory, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    """More than we have, or another tree of a size that we have, under our own signature: nothing goes on."""
    with pytest.raises(ForkError, match="a witness holds"):
        await ask(keeping(held.latest_note(), status=status), proofs=Holding(LOG))
    assert LOG.key.verifier.name in caplog.text, "the note itself is in the report"


@pytest.mark.parametrize("note", ["lies", LOG.latest_note(), LogInMemory().grow(2).latest_note()])
async def test_what_a_witness_only_claims_stops_nothing(note: str) -> None:
    """What nobody signed, and what is in our own history, is no proof of another."""
    assert await ask(keeping(note), proofs=Holding(LOG)) == ()


async def test_a_tick_that_went_on_meanwhile_is_no_contradiction() -> None:
    """The witness may hold what a later tick showed it: it is held against the log of now, not of the asking."""
    held = LogInMemory().grow(9)
    assert await ask(keeping(held.latest_note()), proofs=Holding(held)) == ()


async def test_a_database_that_is_away_proves_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """What could not be compared is reported and asked again later; the log is not stopped for it."""
    held = LogInMemory().grow(9)
    assert await ask(keeping(held.latest_note()), proofs=Head(cosigned=3)) == ()
    assert "not compared: StorageError" in caplog.text
