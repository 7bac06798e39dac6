import datetime
import json
import re
from dataclasses import replace
from typing import Any

import pytest

from broker.protocol.problems import problem
from connectors.cases import Assessment, Case, Informing
from connectors.conclusions import Resumed
from connectors.dates import PartialDate
from connectors.errors import CaseError, CaseMismatchError, FolderError, NotDoneError, RefusedError
from tests.simulators.gba_v import official_number
from tests.simulators.partner_world import PartnerWorld
from tests.unit.connectors.cases_by_hand import ASKED, BROTHER, CHILD, TEAM, brother, child, mother, neighbour


async def test_each_kind_of_match_is_found(world: PartnerWorld) -> None:
    """The child's household meets the same child, a member, a half brother and a neighbour, each by its own kind."""
    for made, kind in ((child(), "person"), (mother(), "member"), (brother(), "family"), (neighbour(), "address")):
        async with world.client("gi") as gi:
            registered = await gi.register(made, **ASKED)
        async with world.client("wijkteam") as wijkteam:
            seen = await wijkteam.check(child(), **ASKED)
        assert seen.outcome == "shown"
        assert [match.kind for match in seen.matches] == [kind]
        async with world.client("gi") as gi:
            await gi.withdraw(registered.signal_id or "", reason="mistake")


async def test_registering_is_asking(world: PartnerWorld) -> None:
    """Who registers a signal reads at once who else is involved, with organisation and contact."""
    async with world.client("gi") as gi, world.client("wijkteam") as wijkteam:
        first = await gi.register(child(), **ASKED)
        second = await wijkteam.register(child(), **ASKED)
    assert (first.outcome, first.matches) == ("done", ())
    assert [(match.kind, match.holder.name) for match in second.matches] == [("person", "gi")]
    assert second.matches[0].holder.contact is not None
    assert second.receipts[0].status == "cosigned"


async def test_nothing_to_show_says_that_it_says_nothing(world: PartnerWorld) -> None:
    """A check that was carried out without a hit reads as such, and not as safety."""
    async with world.client("gi") as gi:
        seen = await gi.check(child(), **ASKED)
    assert seen.outcome == "nothing"
    assert "Dat zegt niet of het gezin veilig is" in seen.text_nl


async def test_a_large_household_is_asked_about_in_several_messages(world: PartnerWorld) -> None:
    """Thirteen members are two messages, and a match with the thirteenth is shown."""
    bsn = type(CHILD).parse
    members = tuple(bsn(official_number(place)) for place in range(400, 413))
    async with world.client("gi") as gi:
        await gi.register(Case(row="1", subject=members[12], case_ref="zaak-13"), **ASKED)
    async with world.client("wijkteam") as wijkteam:
        seen = await wijkteam.check(Case(row="1", subject=CHILD, members=members), **ASKED)
    assert [match.kind for match in seen.matches] == ["member"]
    assert len(seen.receipts) == 2


async def test_renew_and_withdraw_change_the_own_books(world: PartnerWorld) -> None:
    """A renewed signal has its new end, a withdrawn one is no longer active, at the broker and at home."""
    until = datetime.date(2027, 3, 1)
    async with world.client("gi") as gi:
        signal_id = (await gi.register(child(), **ASKED)).signal_id or ""
        await gi.renew(signal_id, ends_on=until)
        assert [(signal.state, signal.ends_on) for signal in (await gi.list_signals()).signals] == [("active", until)]
        assert gi.has_active_signal(child(), purpose="proefregio", team=TEAM)
        await gi.withdraw(signal_id, reason="no_longer_needed")
        assert not gi.has_active_signal(child(), purpose="proefregio", team=TEAM)
        assert [signal.state for signal in (await gi.list_signals()).signals] == ["withdrawn"]


async def test_the_message_holds_what_the_case_says_and_no_more(world: PartnerWorld) -> None:
    """Terms go along in closed fields: quarter, assessment by a pairwise id, informing; never a date of birth."""
    case = Case(
        row="1",
        subject=CHILD,
        birth_date=PartialDate.parse("20140517", field="birth_date"),
        assessment=Assessment(on=datetime.date(2026, 11, 20), by="anna"),
        informing=Informing(informed=False, reason="danger_to_child", review_on=datetime.date(2027, 1, 1)),
    )
    async with world.client("gi", approver="carla") as gi:
        await gi.register(case, purpose="verwijsindex", grounds=["JW-7.1.4.1"], team=TEAM)
    body = json.loads(world.broker.bodies[-1])
    assert body["ageQuarter"] == "2037-04-01"
    assert body["assessment"]["by"] not in {"anna", ""}
    assert body["informing"] == {"state": "deferred", "reason": "danger_to_child", "reviewOn": "2027-01-01"}
    assert body["caseRef"] is None
    assert body["household"]["address"] is None
    # as a word: random hex and base64 hold any four characters now and then
    assert re.search(rb"(?<![0-9A-Za-z])2014", world.broker.bodies[-1]) is None


async def test_the_quarter_goes_only_where_the_purpose_is_bound_to_age(world: PartnerWorld) -> None:
    """A purpose without an age rule learns nothing about age."""
    async with world.client("gi") as gi:
        await gi.register(child(), **ASKED)
    assert json.loads(world.broker.bodies[-1])["ageQuarter"] is None


async def test_the_usual_end_is_a_year_and_never_after_the_quarter(world: PartnerWorld) -> None:
    """Without a stated end a signal ends after a year, or at the quarter in which the youth turns 23."""
    nearly = Case(row="1", subject=CHILD, birth_date=PartialDate.parse("20040228", field="birth_date"))
    async with world.client("gi") as gi:
        await gi.register(nearly, purpose="verwijsindex", grounds=["G"], team=TEAM)
        await gi.register(brother(), **ASKED)
        await gi.register(mother(), ends_on=datetime.date(2026, 12, 24), **ASKED)
    ends = [json.loads(body)["endsOn"] for body in world.broker.bodies]
    assert ends == ["2027-01-01", "2027-11-18", "2026-12-24"]


async def test_a_wrong_number_for_a_known_case_is_stopped_here(world: PartnerWorld) -> None:
    """A valid number of somebody else under the same case reference never leaves the organisation."""
    async with world.client("gi") as gi:
        await gi.register(child(), **ASKED)
        sent = len(world.network.sent)
        wrong = Case(row="1", subject=BROTHER, case_ref="zaak-1")
        for act in (gi.check, gi.register):
            with pytest.raises(CaseMismatchError):
                await act(wrong, **ASKED)
    assert len(world.network.sent) == sent


@pytest.mark.parametrize(
    ("case", "options", "field"),
    [
        (Case(row="1", subject=None), {}, "subject"),
        (Case(row="1", subject=CHILD), {"team": None}, "team"),
        (Case(row="1", subject=CHILD), {"families": ["dmk"]}, "household"),
    ],
)
async def test_a_case_that_cannot_be_asked_about_is_refused_here(
    world: PartnerWorld, case: Case, options: dict[str, Any], field: str
) -> None:
    """What is missing in a case is named before the broker hears of it."""
    async with world.client("gi") as gi:
        act = gi.check if field == "household" else gi.register
        asked: dict[str, Any] = {**ASKED, **options}
        with pytest.raises(CaseError) as caught:
            await act(case, **asked)
    assert caught.value.field == field
    assert world.broker.bodies == []


async def test_only_a_known_worker_works(world: PartnerWorld) -> None:
    """A client opens for a worker of the folder only; an approver alone is none."""
    for local_id in ("carla", "zoe"):
        with pytest.raises(FolderError):
            world.client("gi", worker=local_id)


async def test_a_refusal_is_open_and_comes_with_its_receipt(world: PartnerWorld) -> None:
    """What may not be asked is told with reason and receipt; the outbox keeps nothing of it."""
    world.broker.refuse = problem("refused")
    async with world.client("gi") as gi:
        with pytest.raises(RefusedError) as caught:
            await gi.check(child(), **ASKED)
        assert caught.value.receipt is not None
        assert caught.value.receipt.outcome == "refused"
        assert await gi.resume() == Resumed(outcomes=(), unfinished=())


async def test_a_recorded_failure_is_not_done_and_can_be_tried_again(world: PartnerWorld) -> None:
    """A failure in the broker's decision is shown as not done, with its entry, and the same command ends well later."""
    world.broker.fail = True
    async with world.client("gi") as gi:
        with pytest.raises(NotDoneError) as caught:
            await gi.register(child(), **ASKED)
        assert caught.value.receipt is not None
        assert caught.value.resumable
        assert [outcome.outcome for outcome in (await gi.resume()).outcomes] == ["done"]
    assert len(world.broker.signals) == 1


async def test_an_uncosigned_receipt_says_so(world: PartnerWorld) -> None:
    """Without the witness the answer is shown, marked as uncosigned since when."""
    world.broker.cosign = False
    async with world.client("gi") as gi:
        seen = await gi.check(child(), **ASKED)
    assert seen.receipts[0].status == "uncosigned"
    assert seen.receipts[0].cosigned_nl.startswith("niet meegetekend sinds 2026-11-18")


async def test_danger_takes_from_the_reserve(world: PartnerWorld) -> None:
    """An urgent check is charged to the urgent class at both custodians."""
    async with world.client("gi", urgent=True) as gi:
        await gi.check(child(), **ASKED)
    classes = [json.loads(sent.partition(b"\n\n")[2])["budgetClass"] for host, sent in world.network.sent[:2]]
    assert classes == ["urgent", "urgent"]


async def test_the_broker_gets_a_quarter_and_never_a_birth_date(world: PartnerWorld) -> None:
    """Of two youths born in one quarter the same day is sent, and in nothing that leaves stands a birth date."""
    world.folders["gi"].settings.age_bound.append("proefregio")
    births = ("20040706", "20040929")
    async with world.client("gi") as gi:
        for made, birth in zip((child(), brother()), births, strict=True):
            await gi.register(replace(made, birth_date=PartialDate.parse(birth, field="birth_date")), **ASKED)
    sent = [json.loads(body) for body in world.broker.bodies]
    assert [body["ageQuarter"] for body in sent] == ["2027-07-01"] * 2
    assert all(body["endsOn"] <= "2027-07-01" for body in sent)
    left = b"".join(message for _, message in world.network.sent)
    for year, month, day in ((birth[:4], birth[4:6], birth[6:]) for birth in births):
        for form in (f"{year}{month}{day}", f"{year}-{month}-{day}", f"{day}-{month}-{year}"):
            assert form.encode() not in left


async def test_a_signal_past_its_last_day_bars_no_new_one(world: PartnerWorld) -> None:
    """On its last day a case's own signal stands, the day after it does not, whether the broker told so or not."""
    today = datetime.datetime.fromtimestamp(world.clock.now, datetime.UTC).date()
    async with world.client("gi") as gi:
        await gi.register(child(), ends_on=today, **ASKED)
        assert gi.has_active_signal(child(), purpose="proefregio", team=TEAM)
        world.clock.pass_seconds(86_400)
        assert not gi.has_active_signal(child(), purpose="proefregio", team=TEAM)
