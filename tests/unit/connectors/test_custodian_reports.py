"""What custodians tell an FG about tickets, with names from the own list, in plain Dutch and without reproach (D2)."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from broker.custodian import findings, followed
from broker.custodian.findings import Finding
from broker.custodian.followed import FOLLOWED_AT, WITNESSED_AT
from connectors.custodian_reports import CustodianReport, fetch_reports, note_looked_into
from connectors.errors import FolderError, NotDoneError, RefusedError
from connectors.exchange import Surroundings
from connectors.workers import add_worker, pairwise_id, sign_roster
from tests.simulators.custodian import BROKER, CUSTODIANS
from tests.simulators.partner_world import PartnerWorld, partner_world
from tests.simulators.watched_partners import ReportingNetwork


@pytest.fixture
def world(tmp_path: Path) -> Iterator[PartnerWorld]:
    """Hold a partner whose FG is on its rosters."""
    with partner_world(tmp_path, ("wijkteam",)) as made:
        folder = made.folders["wijkteam"]
        add_worker(folder, local_id="fatma", name="Fatma", roles=["fg"])
        for custodian in made.network.pair.custodians:
            followed.caught_up(custodian.store, now=made.clock.now, witnessed=True)
            custodian.trust.import_roster(sign_roster(folder, audience=custodian.settings.id).encode())
        yield made


def find(world: PartnerWorld, kind: str, *, worker: str | None = None, ticket: str = "0" * 32, at: int = 0) -> None:
    """Let a custodian have found something about the partner."""
    folder = world.folders["wijkteam"]
    sub = None if worker is None else pairwise_id(folder.pairwise_key, audience=BROKER, local_id=worker)
    finding = Finding(kind=kind, organisation=folder.settings.oin, found_at=world.clock.now, ticket=ticket, worker=sub)
    store = world.network.pair.custodians[at].store
    with store.transaction():
        findings.add(store, finding)


async def reports(
    world: PartnerWorld, *, worker: str = "fatma", down: bool = False, watching: bool = True
) -> list[CustodianReport]:
    """Return what the custodians tell."""
    network = ReportingNetwork(world)
    network.reports_down, network.watching = down, watching
    around = Surroundings(clock=lambda: world.clock.now, transport=network)
    return await fetch_reports(world.folders["wijkteam"], worker=worker, surroundings=around)


async def test_a_ticket_that_did_not_come_back_is_told_with_counts_and_names(world: PartnerWorld) -> None:
    """A crashed computer is no reproach: counts, the worker's name from the own list, and no alarm."""
    for at in range(3):
        find(world, "unspent", worker="anna", ticket=f"{at:032}")
    find(world, "unspent", worker="bram", ticket="f" * 32)
    first, second = await reports(world)
    (told,) = first.told
    assert (told.count, dict(told.workers), first.calm) == (4, {"Anna": 3, "Bram": 1}, True)
    assert "geen verwijt" in told.text_nl
    assert (second.custodian, second.told) == (CUSTODIANS[1], ())


@pytest.mark.parametrize("kind", ["never-issued", "cited-twice", "withheld", "probe-missed", "something-new"])
async def test_what_must_not_happen_is_an_alarm(world: PartnerWorld, kind: str) -> None:
    """Also a kind that this program does not know yet."""
    find(world, kind)
    first, _ = await reports(world)
    assert not first.calm
    assert first.told[0].text_nl.startswith("1 keer")


async def test_a_worker_who_left_is_unknown_and_counted_all_the_same(world: PartnerWorld) -> None:
    """Who is on the own list no more keeps no name here, and is not left out."""
    find(world, "unspent", worker="gone")
    first, _ = await reports(world)
    assert dict(first.told[0].workers) == {"onbekend": 1}


async def test_many_findings_come_in_pages(world: PartnerWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of them are counted, however many a custodian gives at once."""
    monkeypatch.setattr(findings, "PAGE", 2)
    for at in range(5):
        find(world, "unspent", worker="anna", ticket=f"{at:032}")
    first, _ = await reports(world)
    assert first.told[0].count == 5


@pytest.mark.parametrize(
    ("seen", "witnessed", "watching", "calm"),
    [
        (0, 0, True, True),
        (None, 0, True, False),
        (7200, 0, True, False),
        (0, 0, False, False),
        (0, 90_000, True, False),
    ],
)
async def test_a_custodian_that_does_not_watch_is_not_calm(
    world: PartnerWorld, seen: int | None, witnessed: int, watching: int, calm: int
) -> None:
    """Never, not any more, or confirmed by nobody for a day: each is for somebody to look at now."""
    for custodian in world.network.pair.custodians:
        with custodian.store.transaction():
            custodian.store.set_number(FOLLOWED_AT, 0 if seen is None else world.clock.now - seen)
            custodian.store.set_number(WITNESSED_AT, world.clock.now - witnessed)
    first, _ = await reports(world, watching=bool(watching))
    assert first.calm is bool(calm)


async def test_what_was_looked_into_stays_quiet_and_what_comes_after_it_does_not(world: PartnerWorld) -> None:
    """One finding of long ago hides no new one, and a custodian that was restored begins anew."""
    folder = world.folders["wijkteam"]
    find(world, "cited-twice")
    note_looked_into(folder, await reports(world))
    assert [report.calm for report in await reports(world)] == [True, True]
    find(world, "cited-twice", ticket="1" * 32)
    first, _ = await reports(world)
    assert (first.calm, first.told[0].count, first.told[0].fresh) == (False, 2, 1)
    note_looked_into(folder, [first])
    world.network.pair.custodians[0].store.set_number(findings.STORE_ID, 5)
    assert not (await reports(world))[0].calm
    (folder.path / "custodian-reports.json").write_text("[]")
    with pytest.raises(FolderError, match=r"custodian-reports\.json"):
        await reports(world)


async def test_what_one_custodian_told_only_the_other_stands_out(world: PartnerWorld) -> None:
    """The other one has a copy: who hides a finding from the FG is seen by it."""
    folder, (hiding, other) = world.folders["wijkteam"], world.network.pair.custodians
    find(world, "unspent")
    number = findings.of_organisation(hiding.store, folder.settings.oin, after=0)[0].number
    for at in (number, number + 1):
        document = {"kind": "withheld", "organisation": folder.settings.oin, "foundAt": world.clock.now, "number": at}
        other.store.change(
            "INSERT INTO peer_finding (peer, store, number, document) VALUES (?, ?, ?, ?)",
            hiding.settings.id, findings.store_id(hiding.store), at, json.dumps(document),
        )  # fmt: skip
    first, second = await reports(world)
    assert (first.hidden, second.hidden, first.calm) == ((number + 1,), (), False)


async def test_only_an_fg_asks(world: PartnerWorld) -> None:
    """A worker without the role is stopped here, and one that the custodian does not know as FG there."""
    with pytest.raises(FolderError, match="role fg"):
        await reports(world, worker="anna")
    add_worker(world.folders["wijkteam"], local_id="new", name="New", roles=["fg"])
    with pytest.raises(RefusedError) as refused:
        await reports(world, worker="new")
    assert refused.value.problem.id == "worker-unknown"


async def test_a_custodian_that_does_not_answer_is_no_good_news(world: PartnerWorld) -> None:
    """An outage is told as such, never as nothing found."""
    with pytest.raises(NotDoneError):
        await reports(world, down=True)


@pytest.mark.parametrize("answer", [b"", b"{}", json.dumps({"findings": 1}).encode()])
async def test_an_answer_that_is_no_report_is_an_outage(
    world: PartnerWorld, monkeypatch: pytest.MonkeyPatch, answer: bytes
) -> None:
    """Whatever cannot be read says nothing."""
    monkeypatch.setattr(ReportingNetwork, "_answer", lambda *_: answer)
    with pytest.raises(NotDoneError):
        await reports(world)
