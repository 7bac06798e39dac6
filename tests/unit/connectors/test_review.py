"""A reviewer at work over the real broker: what he reads is verified, kept, named from the own list, and reported."""

import asyncio
import csv
import functools
import io
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from audit.cli import app as audit_app
from audit.sample_check import check_sample, read_stated
from broker.protocol.review_messages import FigureShown, NoteShown
from connectors.cli import command_line
from connectors.errors import CaseError, FolderError, NotDoneError, ReceiptError, RefusedError
from connectors.outbox import Outbox
from connectors.receipts import verify_stored
from connectors.review_client import ReviewClient
from connectors.review_report import as_csv, as_html, monthly_report
from connectors.workers import pairwise_id
from tests.simulators.asking import BROKER, household
from tests.simulators.enrolled import GI, worker_id
from tests.simulators.reviewing_partner import ReviewingPartner, reviewing_partner
from tests.simulators.served_world import make_template

CHILD = household(subject="child")
DAY = 86_400


@pytest.fixture(autouse=True)
def reviewed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let acts of today be erased: how long they may still be reviewed has a test of its own."""
    monkeypatch.setattr("broker.flows.erasable_entries.REVIEWED_S", 0)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A broker's folder, ready to serve."""
    return make_template(tmp_path_factory.mktemp("template") / "world")


@pytest.fixture
async def partner(template: Path, tmp_path: Path) -> AsyncIterator[ReviewingPartner]:
    """A reviewing partner of this test's own, and one act of a worker at night."""
    async with reviewing_partner(template, tmp_path) as running:
        yield running


async def test_what_a_reviewer_reads_is_verified_and_kept(partner: ReviewingPartner) -> None:
    """Each answer comes with a receipt about this very request, kept where it can be verified again."""
    async with partner.client("petra") as client:
        first = await client.acts()
        second = await client.acts(worker=client.id_of("petra"), kind="read")
    (act,) = second.result.acts or []
    assert (act.type, client.names()[str(act.worker)]) == ("review_acts", "Petra Jansen")
    assert first.entry.kind == "read"
    assert verify_stored(first.path, policy=partner.folder.log_policy) == first.entry
    assert "logboek" in first.text_nl


async def test_a_verdict_goes_to_the_log_and_comes_back(partner: ReviewingPartner) -> None:
    """A verdict is given, shown and re-judged; the FG gives none, and who is in the team gives none."""
    async with partner.client("anna") as worker:
        await worker.own()
    async with partner.client("petra") as client:
        (act,) = [one for one in (await client.acts(kind="read")).result.acts or [] if one.type == "show_own_acts"]
        given = await client.verdict(act.index, "in_order", reason="work_explains")
        (told,) = (await client.stated("verdicts")).result.notes or []
        assert given.entry.kind == "review"
    async with partner.client("frank") as supervisor:
        await supervisor.rejudge(told.index, agrees=True)
        with pytest.raises(RefusedError) as refused:
            await supervisor.verdict(act.index, "asked", reason="no_case")
        assert refused.value.problem.id == "role-not-allowed"
    async with partner.client("toon", role="privacyfunctionaris") as colleague:
        with pytest.raises(RefusedError) as refused:
            await colleague.verdict(act.index, "asked", reason="no_case")
    assert refused.value.receipt is not None
    assert "team" in refused.value.text_nl


async def test_wrong_input_never_leaves(partner: ReviewingPartner, tmp_path: Path) -> None:
    """A word, role, id or folder that cannot be is named here, before anything is sent."""
    with pytest.raises(FolderError):
        partner.client("petra", role="fg")
    async with partner.client("petra") as client:
        with pytest.raises(CaseError):
            await client.verdict(1, "guilty", reason="other")
        with pytest.raises(CaseError):
            await client.household("../signals")
        with pytest.raises(FolderError):
            client.id_of("nobody")
        with pytest.raises(FolderError):
            await client.check_log(tmp_path)


async def test_an_answer_without_a_receipt_that_holds_is_not_shown(
    partner: ReviewingPartner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A receipt that was changed, or an outage, is never an answer."""
    async with partner.client("petra") as client:
        real = client._exchange.send

        async def altered(*args: object, **options: object) -> object:
            reply = await real(*args, **options)  # type: ignore[arg-type]  # passed on as it came
            body = json.loads(reply.body)
            body["result"]["moreAfter"] = 7
            return type(reply)(status=reply.status, body=json.dumps(body).encode(), jti=reply.jti)

        monkeypatch.setattr(client._exchange, "send", altered)
        with pytest.raises(ReceiptError):
            await client.acts()

        async def broken(*args: object, **options: object) -> object:
            reply = await real(*args, **options)  # type: ignore[arg-type]  # passed on as it came
            return type(reply)(status=200, body=b"{}", jti=reply.jti)

        monkeypatch.setattr(client._exchange, "send", broken)
        with pytest.raises(NotDoneError):
            await client.acts()


class _LosesAnswers(httpx.AsyncBaseTransport):
    """Carries requests to the broker, and loses its answers to what a reviewer states, as long as it is told to."""

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self.inner, self.loses, self.keys = inner, True, list[str]()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await self.inner.handle_async_request(request)
        if request.method == "POST":
            self.keys.append(json.loads(request.content)["idempotencyKey"])
            if self.loses:
                raise httpx.ReadError("lost")
        return answer


@pytest.mark.parametrize("reaches", [True, False], ids=["answer lost", "request lost"])
async def test_a_statement_whose_answer_was_lost_is_sent_again_under_its_key(
    partner: ReviewingPartner, monkeypatch: pytest.MonkeyPatch, *, reaches: bool
) -> None:
    """A verdict waits in the outbox until its receipt holds; resumed, it stands once, under the key it had."""
    async with partner.client("anna") as worker:
        act = (await worker.own()).entry.index
    lossy = _LosesAnswers(partner.surroundings.transport or httpx.AsyncHTTPTransport())
    surroundings = replace(partner.surroundings, transport=lossy)
    monkeypatch.setattr(
        "connectors.review_telling.ReviewClient", functools.partial(ReviewClient, surroundings=surroundings)
    )
    dead = replace(surroundings, transport=httpx.MockTransport(_unreachable))

    async def resumed(code: int, *options: str) -> str:
        words = ["review", "resume", "--org", str(partner.folder.path), "--worker", "petra", *options]
        done = await asyncio.to_thread(CliRunner().invoke, command_line(["review"]), words)
        assert done.exit_code == code, done.output
        return done.stdout

    async with ReviewClient(
        partner.folder, worker="petra", surroundings=surroundings if reaches else dead
    ) as client:  # fmt: skip
        with pytest.raises(NotDoneError) as lost:
            await client.verdict(act, "in_order", reason="other")
        assert lost.value.resumable
    if not reaches:
        assert "outbox" in await resumed(1)
    lossy.loses = False
    assert "vastgelegd" in await resumed(0)
    assert json.loads(await resumed(0, "--json")) == {"resumed": [], "failed": []}
    assert len(set(lossy.keys)) == 1
    async with partner.client("petra") as client:
        (note,) = (await client.stated("verdicts")).result.notes or []
    assert (note.about, note.body["verdict"]) == (str(act), "in_order")


def _unreachable(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("down", request=request)


async def test_a_refused_statement_waits_for_nothing(partner: ReviewingPartner) -> None:
    """A refusal with its receipt, an act that is not there, and a role that may not, each end the statement."""
    async with partner.client("toon", role="privacyfunctionaris") as client:
        with pytest.raises(RefusedError):
            await client.verdict(1, "in_order", reason="other")
        with pytest.raises(RefusedError):
            await client.verdict(10_000, "in_order", reason="other")
    async with partner.client("frank") as client:
        with pytest.raises(RefusedError):
            await client.verdict(1, "in_order", reason="other")
        assert (await client.resume()).unfinished == ()
    with Outbox(partner.folder.outbox_path, partner.folder.outbox_key) as outbox:
        assert outbox.waiting() == []


async def test_a_sample_is_drawn_again_from_files_alone(partner: ReviewingPartner, tmp_path: Path) -> None:
    """The published log, the own policy and two receipts say whether the log itself picked the sample."""
    world = partner.world
    month = datetime.fromtimestamp(world.clock.now(), UTC).strftime("%Y-%m")
    for number in range(8):
        assert (await world.register(GI, household(subject=f"child {number}"))).status_code == 200
    world.clock.move(40 * DAY)
    async with partner.client("petra") as client:
        closed = await client.sample(month)
        world.clock.move(DAY)
        await client.acts()
        drawn = await client.sample(month)
        await client.check_log(partner.published(tmp_path / "log"))
    assert drawn.result.sample is not None
    assert len(drawn.result.sample.drawn) >= 5
    policy = partner.folder.log_policy
    stated = [read_stated(one.path.read_bytes(), policy) for one in (closed, drawn)]
    report = check_sample(tmp_path / "log", policy, closed=stated[0], drawn=stated[1])
    assert (report.holds, report.problems, report.cosigned_by) == (True, (), ("w1",))
    files = ["--closed", str(closed.path), "--drawn", str(drawn.path)]
    command = ["sample", str(tmp_path / "log"), "--policy", str(partner.folder.path / "log-policy"), *files]
    for extra in ([], ["--json"]):
        done = await asyncio.to_thread(CliRunner().invoke, audit_app, [*command, *extra])
        assert done.exit_code == 0, done.output
        if extra:
            assert json.loads(done.stdout)["drawn"] == drawn.result.sample.drawn


async def test_a_log_that_does_not_hold_is_noted_as_such_and_alarms(
    partner: ReviewingPartner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A missing entry is no wrong folder: that it did not hold is noted; where nothing is signed there is no note."""
    monkeypatch.setattr(
        "connectors.review_telling.ReviewClient", functools.partial(ReviewClient, surroundings=partner.surroundings)
    )
    await partner.world.register(GI, CHILD)
    directory = partner.published(tmp_path / "log")
    arguments = ["review", "log-check", str(directory), "--org", str(partner.folder.path), "--worker", "frank"]
    next(path for path in (directory / "tile" / "entries").rglob("*") if path.is_file()).unlink()
    done = await asyncio.to_thread(CliRunner().invoke, command_line(["review"]), arguments)
    assert (done.exit_code, "klopt NIET" in done.stderr) == (1, True), done.output
    (directory / "checkpoint").write_text("nothing\n")
    done = await asyncio.to_thread(CliRunner().invoke, command_line(["review"]), arguments)
    assert (done.exit_code, "ondertekend" in done.stderr) == (2, True), done.output
    rows = partner.world.rows("SELECT body FROM review_notes WHERE kind = 'log_check'")
    assert [json.loads(body)["holds"] for (body,) in rows] == [False]


async def test_the_commands_tell_in_dutch_and_in_json(
    partner: ReviewingPartner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every command of a reviewer asks the broker, names workers from the own list, and writes what it was asked to."""
    world = partner.world
    month = datetime.fromtimestamp(world.clock.now(), UTC).strftime("%Y-%m")
    monkeypatch.setattr(
        "connectors.review_telling.ReviewClient", functools.partial(ReviewClient, surroundings=partner.surroundings)
    )

    async def run(*words: str, who: str = "petra", code: int = 0) -> str:
        arguments = ["review", *words, "--org", str(partner.folder.path), "--worker", who]
        done = await asyncio.to_thread(CliRunner().invoke, command_line(["review"]), arguments)
        assert done.exit_code == code, done.output
        return done.stdout

    signal_id = (await world.register(GI, CHILD)).json()["result"]["signalId"]
    await run("own", who="anna")
    listed = json.loads(await run("acts", "--json"))
    mine = next(one for one in listed["result"]["acts"] if one["type"] == "show_own_acts")
    assert listed["names"][mine["worker"]] == "Anna de Vries"
    assert "Anna de Vries" in await run("acts", "--of", "anna", "--since", "2026-01-01", "--use", "search")
    assert worker_id(GI, "worker") in await run("queue")
    assert "signaal afgegeven" in await run("household", signal_id)
    assert "vastgelegd" in await run("verdict", str(mine["index"]), "asked", "--reason", "no_case")
    assert "vraag gesteld" in await run("own", who="anna")
    assert "no_case" in await run("notes", "verdicts")
    refused = await run("verdict", str(mine["index"]), "asked", "--reason", "no_case", who="toon", code=1)
    assert "eigen team" in refused
    assert json.loads(
        await run("verdict", str(mine["index"]), "in_order", "--reason", "other", "--json", who="toon", code=1)
    )["failed"][0]["outcome"] == "refused"  # fmt: skip
    assert "repeats: 5" in await run("thresholds")
    await run("threshold", "repeats", "6", "--reason", "work_changed")
    assert "repeats: 6 (van 3 tot 20), veranderd op" in await run("thresholds")
    verdict_index = json.loads(await run("notes", "verdicts", "--json"))["result"]["notes"][0]["index"]
    await run("rejudge", str(verdict_index), "--disagrees", who="frank")
    assert "Frank Bakker" in await run("accounts")
    await run("log-check", str(partner.published(tmp_path / "log")), who="frank")
    html, table = tmp_path / "report.html", tmp_path / "report.csv"
    assert "minder dan 10" in await run("report", month, "--html", str(html), "--csv", str(table))
    assert "Frank Bakker" in html.read_text(encoding="utf-8")
    assert "Logboek nagekeken" in table.read_text(encoding="utf-8")
    await run("report", month, "--pdf", str(tmp_path / "report.pdf"))
    assert (tmp_path / "report.pdf").read_bytes().startswith(b"%PDF-")
    world.clock.move(40 * DAY)
    assert "nog niet getrokken" in await run("sample", month)
    assert pairwise_id(partner.folder.pairwise_key, audience=BROKER, local_id="anna") == mine["worker"]


async def test_erasures_are_told_with_the_names_of_both_people(
    partner: ReviewingPartner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The FG reads what was proposed and what was erased, by whom, from which entries; in Dutch and in JSON."""
    monkeypatch.setattr(
        "connectors.review_telling.ReviewClient", functools.partial(ReviewClient, surroundings=partner.surroundings)
    )
    await partner.world.register(GI, CHILD)
    erasure_id = "ab" * 16
    body: dict[str, object] = {"controller": GI, "caseRef": None, "ground": "AVG-17.1.d", "decisionRef": "a" * 64}
    body["ranges"] = [{"first": 1, "last": 1, "groups": ["actor"]}]
    paths = {"petra": "/v1/erasures", "toon": f"/v1/erasures/{erasure_id}/confirmation"}

    async def listed(*options: str) -> str:
        words = ["review", "erasures", "--org", str(partner.folder.path), "--worker", "frank", *options]
        done = await asyncio.to_thread(CliRunner().invoke, command_line(["review"]), words)
        assert done.exit_code == 0, done.output
        return done.stdout.replace("\n", " ")

    told = []
    for number, (worker, path) in enumerate(paths.items()):
        async with partner.client(worker, role="privacyfunctionaris") as client:
            raw = json.dumps(body | {"idempotencyKey": erasure_id if number == 0 else "cd" * 16}).encode()
            broker = partner.folder.settings.broker
            reply = await client._exchange.send(
                broker, path, method="POST", body=raw, worker=worker, role="privacyfunctionaris"
            )  # fmt: skip
            assert reply.status == 200, reply.body
        told.append(await listed())
    assert "wacht op een tweede" in told[0]
    assert "voorgesteld door Petra Jansen" in told[0]
    assert "bevestigd door Toon Smit" in told[1]
    assert "regels 1 (actor)" in told[1]
    (one,) = json.loads(await listed("--json"))["result"]["erasures"]
    assert (one["state"], one["id"]) == ("erased", erasure_id)


def _figures() -> list[FigureShown]:
    return [
        FigureShown(id="looks.own", count=30, of=20, state="shown"),
        FigureShown(id="looks.gi", count=10, of=40, state="shown"),
        FigureShown(id="informed", count=15, of=30, state="shown"),
        FigureShown(id="signals", count=30, of=None, state="shown"),
        FigureShown(id="exceptions.acuut", count=None, of=None, state="under_ten"),
        FigureShown(id="contact", count=None, of=None, state="not_recorded"),
    ]


def test_a_report_is_two_pages_that_run_nothing() -> None:
    """The report says each figure in words, escapes every name, and has two sections with tables that have headers."""
    check = NoteShown(
        index=3, at=1_795_345_200, by="w", kind="log_check", about="9", body={"size": 9, "holds": False}
    )  # fmt: skip
    report = monthly_report(
        organisation="<b>GI</b>", month="2026-11", figures=_figures(), checks=[check], names={"w": "=Frank"}
    )
    page = as_html(report)
    assert page.count("<section>") == 2
    assert "<b>GI" not in page
    assert "&lt;b&gt;GI" in page
    assert "november 2026" in page
    for text in ("150", "25", "15 van 30 (50 %)", "minder dan 10", "wordt nog niet vastgelegd", "het klopte NIET"):
        assert text in page
    assert "<script" not in page
    rows = list(csv.reader(io.StringIO(as_csv(report))))
    assert rows[1] == ["2026-11", "looks.own", "Vragen per 100 actieve signalen, jouw organisatie", "150"]
    assert len(rows) == 1 + len(_figures()) + 1


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@x", "\tx", "\rx", "\uff1d1"])
def test_no_cell_is_carried_out(name: str) -> None:
    """A cell that a spreadsheet would carry out becomes a text; the rest of it stays as it is."""
    figure = FigureShown(id=name, count=10, of=None, state="shown")
    report = monthly_report(organisation="o", month="2026-11", figures=[figure], checks=[], names={})
    cells = [cell for row in csv.reader(io.StringIO(as_csv(report), newline="")) for cell in row]
    assert f"'{name}" in cells
    assert name not in cells


def test_a_month_without_a_log_check_says_so() -> None:
    """That nobody verified the log is said, and not left out."""
    report = monthly_report(organisation="o", month="2026-01", figures=[], checks=[], names={})
    assert "nog niemand" in as_html(report)
