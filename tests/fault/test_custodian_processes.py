"""Two custodians as real processes on loopback, set up by their console script, killed and started again."""

import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest

from broker.custodian.evaluation import PATH
from broker.protocol.epochs import SCHEMA, EpochDocument
from broker.protocol.families import Family
from broker.protocol.messages import EvaluationAnswer
from broker.protocol.signed_document import SignedDocument
from broker.protocol.tokens import Identifier, blind, random_points, verify_and_combine
from tests.simulators.custodian import (
    CUSTODIANS,
    SimulatedPartner,
    authorization,
    batch,
    budget_classes,
    evaluations,
    import_register,
    make_pair,
    public_url,
    register_text,
)
from tests.simulators.region import PATIENCE_S

PARTNER = SimulatedPartner()
COMMAND = [sys.executable, "-c", "from broker.custodian.cli import main; main()"]


@contextmanager
def served(path: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Hold a custodian process running; gives the process and the address it printed."""
    process = subprocess.Popen(
        [*COMMAND, "serve", path], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ}
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("ready http://127.0.0.1:")
        yield process, line.removeprefix("ready ").strip()
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.communicate(timeout=PATIENCE_S)


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, bytes]:
    """Return the folder of both custodians, each with five persons a day, and their epoch document."""
    epoch_text = make_pair(tmp_path, [PARTNER], budgets=budget_classes(worker=5), now=int(time.time()))
    return tmp_path, epoch_text


def post(client: httpx.Client, url: str, custodian: str, body: bytes) -> httpx.Response:
    """Return the answer of a custodian process to a signed request."""
    header = authorization(PARTNER, body, custodian=custodian, now=int(time.time()), url=public_url(custodian) + PATH)
    return client.post(url + PATH, content=body, headers={"Authorization": header})


def test_two_processes_give_one_token(folders: tuple[Path, bytes]) -> None:
    """Answers of two processes that share no file, verified and combined, give equal tokens for equal identifiers."""
    path, epoch_text = folders
    document = EpochDocument.from_mapping(SignedDocument.parse(epoch_text, schema=SCHEMA).document)
    identifier = Identifier(Family.NLBSN, b"nlbsn\x01fixture")
    blinds = [blind(identifier, secrets.token_bytes) for _ in range(2)]
    padding = random_points(6, secrets.token_bytes)
    body = batch(nlbsn=[*(item.point for item in blinds), *padding], real=2)
    answers = {}
    with ExitStack() as stack, httpx.Client(timeout=PATIENCE_S) as client:
        for name in CUSTODIANS:
            _, url = stack.enter_context(served(path / name.partition(".")[0]))
            assert client.get(f"{url}/health/ready").json() == {"status": "ready", "register": 1}
            answers[name] = EvaluationAnswer.model_validate_json(post(client, url, name, body).content)
    descriptor = document.descriptor(Family.NLBSN)
    first, second = verify_and_combine(blinds, evaluations(answers, "nlbsn"), descriptor, padding=padding)
    assert first == second


def test_a_killed_custodian_forgets_neither_budget_nor_request(folders: tuple[Path, bytes]) -> None:
    """After kill -9 and a start, what was charged stays charged and a used request stays used."""
    path, name = folders[0] / "custodian-a", CUSTODIANS[0]
    body = batch()
    header = authorization(PARTNER, body, custodian=name, now=int(time.time()))
    with served(path) as (process, url), httpx.Client(timeout=PATIENCE_S) as client:
        used = client.post(url + PATH, content=body, headers={"Authorization": header})
        statuses = [used.status_code, *(post(client, url, name, batch()).status_code for _ in range(2))]
        process.kill()
    with served(path) as (_, url), httpx.Client(timeout=PATIENCE_S) as client:
        replay = client.post(url + PATH, content=body, headers={"Authorization": header})
        statuses += [post(client, url, name, batch()).status_code for _ in range(3)]
    assert statuses == [200, 200, 200, 200, 200, 429]
    assert (replay.status_code, replay.json()["type"]) == (401, "urn:sluis:problem:request-token-replayed")


def test_a_running_custodian_takes_a_suspension_at_once(folders: tuple[Path, bytes]) -> None:
    """An import by another process holds for the next request, with no restart and with the broker nowhere."""
    path, name = folders[0] / "custodian-a", CUSTODIANS[0]
    with served(path) as (_, url), httpx.Client(timeout=PATIENCE_S) as client:
        assert post(client, url, name, batch()).status_code == 200
        suspended = SimulatedPartner(status="suspended")
        import_register(path, register_text([suspended], number=2), now=int(time.time()))
        refused = post(client, url, name, batch())
    assert (refused.status_code, refused.json()["type"]) == (403, "urn:sluis:problem:organisation-suspended")


def test_nothing_a_process_writes_holds_a_point(folders: tuple[Path, bytes]) -> None:
    """Neither output nor any file of the custodian's folder holds a point that was asked or answered, or the ticket."""
    path, name = folders[0] / "custodian-a", CUSTODIANS[0]
    body = batch()
    process = subprocess.Popen([*COMMAND, "serve", path], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    url = process.stdout.readline().removeprefix("ready ").strip()
    with httpx.Client(timeout=PATIENCE_S) as client:
        answer = EvaluationAnswer.model_validate_json(post(client, url, name, body).content)
    contents = [item.read_bytes() for item in path.rglob("*") if item.is_file()]
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=PATIENCE_S)
    contents += [out.encode(), err.encode()]
    asked = json.loads(body)["families"][0]["points"]
    raw = [token.value for token in answer.families[0].points]
    for secret in [*(point.encode() for point in asked), *raw, answer.ticket.encode()]:
        assert not any(secret in content for content in contents)
