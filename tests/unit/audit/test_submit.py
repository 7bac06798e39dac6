"""The log's side of witnessing, over real HTTP on loopback: every outcome is a value, and only a good line counts."""

import contextlib
import hashlib
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import httpx
import pytest
import uvicorn
from fastapi import FastAPI, Response

from audit.merkle import consistency_proof, root_at
from audit.note import Algorithm, NoteSigningKey, compose_note, parse_note, verify_note
from audit.serve import create_witness_app
from audit.submit import Cosigned, NotCosigned, Witnessed, WitnessFailure, ask_witness, ask_witnessed
from audit.witness import MAX_REQUEST_BYTES, Witness, WitnessStore
from tests.unit.audit.log_simulator import NOW, LogInMemory, witness_key
from tests.unit.audit.test_witness import growth

KEY = witness_key()


@contextlib.contextmanager
def served(app: FastAPI) -> Iterator[str]:
    """Serve an app on a free loopback port in a thread."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        while not server.started:
            time.sleep(0.01)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


@contextlib.contextmanager
def silent() -> Iterator[str]:
    """Hold an address at which connections are taken and nothing is ever answered."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.fixture
def log() -> LogInMemory:
    """A log signed at 3 and 9."""
    return LogInMemory().grow(3).grow(9)


@pytest.fixture
def witness(tmp_path: Path, log: LogInMemory) -> Witness:
    """A witness that knows nothing yet."""
    return Witness(key=KEY, logs=[log.key.verifier], store=WitnessStore(tmp_path / "w.sqlite"))


async def submit(
    url: str, log: LogInMemory, *, size: int = 9, old: int = 0, deadline_s: float = 120.0
) -> Cosigned | NotCosigned:
    """Ask a witness at this address to cosign the log at a size."""

    async def proof_from(old_size: int) -> Sequence[bytes]:
        return consistency_proof(log, old_size=old_size, new_size=size)

    async with httpx.AsyncClient(timeout=120) as client:
        return await ask_witness(
            client, url=url, witness=KEY.verifier, note=log.notes[size], old_size=old, proof_from=proof_from,
            deadline_s=deadline_s,
        )  # fmt: skip


def scripted(status: int, content: bytes) -> FastAPI:
    """A witness that gives everybody the same answer."""
    app = FastAPI()

    @app.post("/add-checkpoint")
    async def add_checkpoint() -> Response:
        return Response(content, status_code=status)

    return app


async def test_a_round_trip(witness: Witness, log: LogInMemory) -> None:
    """A cosignature that was asked for over HTTP holds, and the witness then serves the cosigned checkpoint."""
    with served(create_witness_app(witness, clock=lambda: NOW + 0.5)) as url:
        first = await submit(url, log, size=3)
        assert isinstance(first, Cosigned)
        second = await submit(url + "/", log, old=3)
        assert isinstance(second, Cosigned)
        assert second.time == NOW
        note = parse_note((log.notes[9] + second.line).encode())
        assert len(verify_note(note, [KEY.verifier, log.key.verifier])) == 2


async def test_a_witness_that_is_elsewhere_is_followed(witness: Witness, log: LogInMemory) -> None:
    """409 states the size the witness is at, from which it is asked again."""
    witness.add_checkpoint(growth(log, 0, 3), now=NOW)
    with served(create_witness_app(witness)) as url:
        assert isinstance(await submit(url, log), Cosigned)


async def test_a_witness_that_saw_more_than_we_have(witness: Witness, log: LogInMemory) -> None:
    """A witness ahead of the log means a rollback or a fork, and is told apart from every other failure."""
    witness.add_checkpoint(growth(log, 0, 9), now=NOW)
    with served(create_witness_app(witness)) as url:
        assert await submit(url, log, size=3) == NotCosigned(failure=WitnessFailure.AHEAD, status=409)


@pytest.mark.parametrize(
    ("status", "content", "failure"),
    [
        (403, b"no\n", WitnessFailure.REFUSED),
        (500, b"", WitnessFailure.REFUSED),
        (409, b"0\n", WitnessFailure.REFUSED),
        (409, b"soon\n", WitnessFailure.BAD_ANSWER),
        (409, b"9" * 5000 + b"\n", WitnessFailure.BAD_ANSWER),
        (200, b"", WitnessFailure.BAD_ANSWER),
        (200, b"\xff", WitnessFailure.BAD_ANSWER),
        (200, b"x" * 20_000, WitnessFailure.BAD_ANSWER),
        (200, KEY.sign("another text\n", time=NOW).encode(), WitnessFailure.BAD_ANSWER),
        (200, witness_key("stranger").sign("x\n", time=NOW).encode(), WitnessFailure.BAD_ANSWER),
    ],
)
async def test_answers_that_are_no_cosignature(
    log: LogInMemory, status: int, content: bytes, failure: WitnessFailure
) -> None:
    """Whatever a witness answers, only its own good line over our text counts."""
    with served(scripted(status, content)) as url:
        assert await submit(url, log) == NotCosigned(failure=failure, status=status)


async def test_foreign_lines_in_an_answer_are_left_out(log: LogInMemory) -> None:
    """Only the line of the witness that was asked is kept."""
    text = log.notes[9].split("\n\n")[0] + "\n"
    mine = KEY.sign(text, time=NOW)
    answer = witness_key("stranger").sign(text, time=NOW) + mine
    with served(scripted(200, answer.encode())) as url:
        assert await submit(url, log) == Cosigned(line=mine, time=NOW)


async def test_a_log_key_is_no_witness(log: LogInMemory) -> None:
    """A line without a time is no cosignature, though the key signed it."""
    with served(scripted(200, log.notes[9].split("\n\n")[1].encode())) as url:
        async with httpx.AsyncClient(timeout=120) as client:

            async def proof_from(_: int) -> Sequence[bytes]:
                return ()

            answer = await ask_witness(
                client, url=url, witness=log.key.verifier, note=log.notes[9], old_size=0, proof_from=proof_from,
                deadline_s=120.0,
            )  # fmt: skip
    assert answer == NotCosigned(failure=WitnessFailure.BAD_ANSWER, status=200)


async def test_nobody_answers(log: LogInMemory) -> None:
    """A port on which nobody listens and an address that is none are failures, not exceptions."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # held, so that nobody else begins to listen there
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        assert await submit(url, log) == NotCosigned(failure=WitnessFailure.UNREACHABLE)
    assert await submit("http://[", log) == NotCosigned(failure=WitnessFailure.UNREACHABLE)


async def test_an_answer_after_the_deadline(log: LogInMemory) -> None:
    """The tick does not wait longer than its deadline."""
    with silent() as url:
        assert await submit(url, log, deadline_s=0.1) == NotCosigned(failure=WitnessFailure.TIMEOUT)


async def test_the_witness_routes(witness: Witness, log: LogInMemory) -> None:
    """Liveness, the monitoring checkpoint, the cap on the body, and no page that describes the service."""
    witness.add_checkpoint(growth(log, 0, 3), now=NOW)
    origin = "3f6b4a5c"
    with served(create_witness_app(witness)) as url:
        async with httpx.AsyncClient(base_url=url, timeout=120) as client:
            assert (await client.get("/health/live")).text == "ok\n"
            assert (await client.get(f"/{origin}/checkpoint")).status_code == 404
            known = await client.get(f"/{hashlib.sha256(log.key.verifier.name.encode()).hexdigest()}/checkpoint")
            assert known.text.startswith(log.notes[3])
            conflict = await client.post("/add-checkpoint", content=growth(log, 0, 9))
            assert (conflict.text, conflict.headers["content-type"]) == ("3\n", "text/x.tlog.size")
            flood = await client.post("/add-checkpoint", content=b"x" * (MAX_REQUEST_BYTES + 1))
            assert flood.status_code == 413
            for page in ("/docs", "/redoc", "/openapi.json"):
                assert (await client.get(page)).status_code == 404


async def shown(app: FastAPI, log: LogInMemory) -> Witnessed | None:
    """Return what is believed of the checkpoint that this witness shows of the log."""
    with served(app) as url:
        async with httpx.AsyncClient(timeout=120) as client:
            return await ask_witnessed(client, url=url + "/", log=log.key.verifier, deadline_s=120.0)


async def test_what_a_witness_keeps_is_read_from_it(witness: Witness, log: LogInMemory) -> None:
    """A witness that is ahead shows the checkpoint it cosigned, which our own key signed: that is the proof."""
    witness.add_checkpoint(growth(log, 0, 9), now=NOW)
    witnessed = await shown(create_witness_app(witness), log)
    assert witnessed is not None
    assert (witnessed.head.size, witnessed.head.root) == (9, root_at(log, 9))
    assert witnessed.note.startswith(log.notes[9])


@pytest.mark.parametrize("lie", ["nothing", "no note", "unsigned", "of another log", "other text"])
async def test_a_witness_proves_nothing_without_the_logs_own_signature(log: LogInMemory, lie: str) -> None:
    """So a witness, or who poses as one, stops no log by what it says: nothing of this is believed."""
    other = LogInMemory(NoteSigningKey.generate("other.example/log", Algorithm.ED25519)).grow(9)
    text = log.notes[9].split("\n\n")[0] + "\n"
    foreign = other.notes[9].split("\n\n")[0] + "\n"
    answers = {
        "no note": "nine",
        "unsigned": compose_note(text, [KEY.sign(text, time=NOW)]),
        "of another log": other.notes[9],
        "other text": compose_note(foreign, [log.key.sign(foreign)]),
    }
    app = FastAPI()

    @app.get("/{origin}/checkpoint")
    async def checkpoint(origin: str) -> Response:
        del origin
        return Response(answers.get(lie, ""), status_code=200 if lie in answers else 404)

    assert await shown(app, log) is None


async def test_a_witness_that_shows_nothing_in_time_proves_nothing(log: LogInMemory) -> None:
    """Nobody waits longer than the deadline for what a witness holds."""
    with silent() as url:
        async with httpx.AsyncClient(timeout=120) as client:
            assert await ask_witnessed(client, url=url + "/", log=log.key.verifier, deadline_s=0.1) is None


@pytest.mark.parametrize(
    ("failure", "status", "otherwise"),
    [
        (WitnessFailure.AHEAD, 409, True),
        (WitnessFailure.REFUSED, 422, True),
        (WitnessFailure.REFUSED, 403, False),
        (WitnessFailure.TIMEOUT, None, False),
    ],
)
def test_which_refusals_ask_for_proof(failure: WitnessFailure, status: int | None, *, otherwise: bool) -> None:
    """Only a witness that saw more, or another tree, is asked what it holds."""
    assert NotCosigned(failure=failure, status=status).says_otherwise is otherwise
