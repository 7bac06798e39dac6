"""A small Sluis on real processes: what one organisation registers another is shown, recorded, witnessed and kept."""

import json
import secrets
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from broker.protocol.families import Family
from broker.protocol.tokens import random_points
from broker.store.address import SqliteFile
from tests.simulators.enrolled import GI, NAMES, SCHOOL, VEILIG_THUIS, WIJKTEAM, Enrolled, worker_id
from tests.simulators.region import BROKER, Region, run, wait_until
from tests.simulators.two_custodians import NAMES as CUSTODIANS
from tests.simulators.wire_partner import WirePartner, padding_of

NEWCOMER = "00000099000000009000"


def _matches(answer: httpx.Response) -> set[tuple[str, str]]:
    assert answer.status_code == 200, answer.text
    return {(match["kind"], match["holder"]["oin"]) for match in answer.json()["result"]["matches"]}


def _problem(answer: httpx.Response) -> str:
    return str(answer.json()["type"]).removeprefix("urn:sluis:problem:")


def _person() -> str:
    """Return somebody whom no other test knows."""
    return secrets.token_hex(8)


def _cosigned(answer: httpx.Response) -> bool:
    return answer.status_code == 200 and answer.json()["receipt"]["uncosignedSince"] is None


def test_two_organisations_find_each_other_by_person_and_by_family(region: Region) -> None:
    """Tokens of two custodians match on the same child and on a brother or sister, and on nobody else."""
    child, sibling, parent = _person(), _person(), _person()
    wijkteam, gi, school = (region.partner(oin) for oin in (WIJKTEAM, GI, SCHOOL))
    assert _matches(wijkteam.register(subject=child, parents=[parent])) == set()
    assert _matches(gi.register(subject=child)) == {("person", WIJKTEAM)}
    assert _matches(school.register(subject=sibling, parents=[parent])) == {("family", WIJKTEAM)}
    assert _matches(wijkteam.check(subject=child, parents=[parent])) == {("person", GI), ("family", SCHOOL)}
    assert _matches(region.partner(VEILIG_THUIS).register(subject=_person())) == set()


def test_a_receipt_is_cosigned_and_verifies_offline(region: Region, tmp_path: Path) -> None:
    """The witness's signature comes within the tick, and the auditor's own command accepts receipt and log."""
    partner = region.partner(WIJKTEAM)
    answers: list[httpx.Response] = []

    def cosigned() -> bool:
        answers.append(partner.register(subject=_person()))
        return _cosigned(answers[-1])

    wait_until(cosigned)
    receipt = tmp_path / "receipt.json"
    receipt.write_text(json.dumps(answers[-1].json()["receipt"]), encoding="utf-8")
    policy = region.path("broker") / "log-policy"
    verified = json.loads(run("sluis-audit", "verify", "--receipt", receipt, "--policy", policy, "--json"))
    assert (verified["holds"], verified["status"], verified["cosignedBy"]) == (True, "cosigned", ["w1"])
    address = region.database.owner
    database = address.path if isinstance(address, SqliteFile) else address.url
    run("sluis-audit", "publish", tmp_path / "log", "--database", database, "--policy", policy)
    report = json.loads(run("sluis-audit", "verify", tmp_path / "log", "--policy", policy, "--json"))
    assert report["holds"]
    assert report["size"] >= len(answers)


def test_fifty_racing_identical_posts_have_one_effect(region: Region) -> None:
    """One idempotency key is one entry, over real sockets too."""
    partner = region.partner(WIJKTEAM)
    body = partner.registration(subject=_person())
    before = region.asked_leaves()
    with ThreadPoolExecutor(max_workers=50) as many:
        answers = list(many.map(lambda _: partner.post("/v1/signals", body), range(50)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({json.dumps(answer.json()["result"]) for answer in answers}) == 1
    assert region.asked_leaves() == before + 1


def test_a_replayed_token_is_refused_by_everybody(region: Region) -> None:
    """The same request token works once at the broker, and once at a custodian."""
    partner = region.partner(WIJKTEAM)
    jti = secrets.token_hex(16)
    body = partner.registration(subject=_person())
    answers = [partner.post("/v1/signals", body, jti=jti) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 401]
    assert _problem(answers[1]) == "request-token-replayed"


def test_an_organisation_only_the_broker_knows_gets_nothing_of_the_custodians(region: Region, tmp_path: Path) -> None:
    """A register the broker took and the custodians did not gives no token: 403 at both."""
    enrolled = Enrolled(number=region.next_number(), names={**NAMES, NEWCOMER: ("Newcomer", "wijkteam")})
    region.publish_register(enrolled, tmp_path / "register.json")
    run("sluis-broker", "register", "import", region.path("broker"), tmp_path / "register.json")
    (tmp_path / "roster.json").write_bytes(enrolled.roster_document(NEWCOMER).encode())
    run("sluis-broker", "roster", "import", region.path("broker"), tmp_path / "roster.json")
    newcomer = region.partner(NEWCOMER)
    assert newcomer.get("/v1/organisations").status_code == 200
    padding = {Family.NLBSN: random_points(padding_of(0), secrets.token_bytes)}
    body = json.dumps(newcomer.evaluation("register", {Family.NLBSN: []}, padding)).encode()
    for custodian in CUSTODIANS:
        answer = newcomer.ask(custodian, region.urls[custodian], "POST", "/v1/evaluations", body)
        assert answer.status_code == 403
        assert _problem(answer) == "organisation-unknown"


def test_without_a_witness_the_broker_answers_and_with_it_cosigns_again(region: Region) -> None:
    """Killing the witness costs cosignatures only; once it is back, new receipts are cosigned."""
    partner = region.partner(GI)
    region.services["witness"].stop(signal.SIGKILL)
    try:
        answer = partner.register(subject=_person())
        assert answer.status_code == 200
        assert answer.json()["receipt"]["uncosignedSince"] is not None
    finally:
        region.services["witness"].start()
    wait_until(lambda: _cosigned(partner.register(subject=_person())))


def test_a_killed_broker_has_everything_it_acknowledged(region: Region) -> None:
    """After SIGKILL and a start, an acknowledged signal is found, its answer is given again, its token stays used."""
    person, jti = _person(), secrets.token_hex(16)
    partner = region.partner(WIJKTEAM)
    body = partner.registration(subject=person)
    first = partner.post("/v1/signals", body, jti=jti)
    assert first.status_code == 200
    region.services["broker"].stop(signal.SIGKILL)
    region.services["broker"].start()
    assert _problem(partner.post("/v1/signals", body, jti=jti)) == "request-token-replayed"
    assert partner.post("/v1/signals", body).json()["result"] == first.json()["result"]
    assert _matches(region.partner(GI).register(subject=person)) == {("person", WIJKTEAM)}


@pytest.fixture
def suspended(region: Region, tmp_path: Path) -> Iterator[WirePartner]:
    """Veilig Thuis, suspended at the broker by its registrars while the broker runs; reinstated afterwards."""
    files = tmp_path / "suspended.json", tmp_path / "reinstated.json"
    for file, oins in zip(files, (frozenset({VEILIG_THUIS}), frozenset[str]()), strict=True):
        region.publish_register(Enrolled(number=region.next_number(), suspended=oins), file)
    run("sluis-broker", "register", "import", region.path("broker"), files[0])
    yield region.partner(VEILIG_THUIS)
    run("sluis-broker", "register", "import", region.path("broker"), files[1])


def test_a_suspension_counts_while_the_broker_runs(suspended: WirePartner) -> None:
    """Another process imports the register; within seconds nothing of the organisation is accepted."""
    wait_until(lambda: suspended.get("/v1/organisations").status_code == 403)
    assert _problem(suspended.get("/v1/signals")) == "organisation-suspended"


def test_no_log_line_names_anybody(region: Region) -> None:
    """What the broker writes about its work holds no organisation, worker, token or id of a request."""
    partner = region.partner(WIJKTEAM)
    body = partner.registration(subject=_person())
    answer = partner.post("/v1/signals", body)
    # It writes its line after the answer has left.
    wait_until(lambda: '"route":"/v1/signals"' in (region.folder / "broker.log").read_text(encoding="utf-8"))
    written = (region.folder / "broker.log").read_text(encoding="utf-8")
    secret = [
        WIJKTEAM,
        worker_id(WIJKTEAM, "worker"),
        body["idempotencyKey"],
        body["household"]["subject"],
        answer.json()["result"]["signalId"],
        *body["tickets"],
        BROKER + "/log ",
        "eyJ",
    ]
    assert [one for one in secret if one in written] == []


def test_a_check_without_standing_is_refused_openly(region: Region) -> None:
    """A worker without a signal on the household is refused openly, with tickets that are good."""
    answer = region.partner(SCHOOL).check(subject=_person())
    assert (answer.status_code, _problem(answer)) == (403, "refused")
    assert answer.json()["receipt"]["leaf"].startswith("auditleaf/v1\n")
