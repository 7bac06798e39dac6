"""`sluis-connect bel` over a broker that serves: announce a call, know who calls, note that it was answered."""

import datetime
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from broker.protocol.call_statement import StatedCall
from broker.protocol.phone_messages import PhoneCallShown, PhoneCallsResult
from connectors.answers import Outcome
from connectors.client import SluisClient
from connectors.dates import HERE
from connectors.delivery import Delivery
from connectors.errors import CaseError, ReceiptError, RefusedError
from connectors.phone_commands import chosen
from connectors.phone_lines import UNSTATED, call_lines
from connectors.phoning import OLD_S, About, Phoning
from connectors.stated_proof import StatedProof
from tests.simulators.asking import household
from tests.simulators.enrolled import GI, SCHOOL, VEILIG_THUIS, WIJKTEAM, key
from tests.simulators.served_desks import MELDING_DAY, Desks

NUMBER = "VT-2026-00017"


async def announced(desks: Desks, *more: str) -> dict[str, Any]:
    """Return the call of Veilig Thuis to the school, as the command printed it."""
    proof = {"kind": "melding", "reference": NUMBER, "since": MELDING_DAY, "ends_on": None}
    told = await desks.tells(
        VEILIG_THUIS, "bel", "nu", "--to", SCHOOL, "--to-team", "team-1", "--team", "team-1",
        "--purpose", "vt-melding", "--ground", "WMO-5.1.6", "--category", "veiligheid",
        "--proof", desks.file(VEILIG_THUIS, "proof.json", proof), *more,
    )  # fmt: skip
    (call,) = told["phone_calls"]
    assert isinstance(call, dict)
    return call


async def test_both_sides_read_the_belcode_and_only_the_right_one_tells_who_calls(desks: Desks) -> None:
    """A wrong code ends with 1 and tells nothing; the right one, in two groups of three, tells who and a number."""
    call = await announced(desks)
    code = call["code"]
    listed = (await desks.run(SCHOOL, "bel", "lijst")).output
    until = datetime.datetime.fromtimestamp(call["codeUntil"], HERE)
    assert f"Belcode {code[:3]} {code[3:]}, geldig tot {until:%H:%M}\n" in listed
    assert "Terugbellen" not in listed
    other = f"{(int(code) + 1) % 10**6:06d}"
    refused = await desks.tells_refused(SCHOOL, "bel", "controleer", other)
    assert "Veilig Thuis Gelderland" not in refused
    known = (await desks.run(SCHOOL, "bel", "controleer", f"{code[:3]} {code[3:]}")).output
    assert known.startswith("De belcode klopt.")
    assert "van Veilig Thuis Gelderland-Midden" in known
    assert "Terugbellen: Team 1 Veilig Thuis Gelderland-Midden, 026 000 0000" in known
    again = await desks.tells_refused(SCHOOL, "bel", "controleer", code)
    assert "belcode" in again.lower()


async def test_who_calls_reads_the_number_at_once(desks: Desks) -> None:
    """The card that the called team signed stands under the call, with its after-hours number, and the proof."""
    proof = {"kind": "melding", "reference": NUMBER, "since": MELDING_DAY, "ends_on": None}
    words = ("--to", SCHOOL, "--to-team", "team-1", "--team", "team-1", "--purpose", "vt-melding")
    stated = ("--ground", "WMO-5.1.6", "--category", "veiligheid", "--proof")
    said = (await desks.run(
        VEILIG_THUIS, "bel", "nu", *words, *stated, desks.file(VEILIG_THUIS, "proof.json", proof)
    )).output.replace("\n", " ")  # fmt: skip
    assert "Bel: Team 1 Basisschool De Sluis, 026 000 0000 (ma-vr)" in said
    assert "buiten kantooruren 0800 5550000" in said
    assert "Je vraagt naar veiligheid, tot en met niveau 3 (aard en periode)." in said
    assert "Bewijs nagekeken: logregel" in said
    # Where no team of that name has signed a card, no number is made up.
    async with desks.client(VEILIG_THUIS) as client:
        (call,) = await client.phoning.calls()
        elsewhere = call.model_copy(update={"receiver": call.receiver.model_copy(update={"team": "team-9"})})
        assert await client.phoning.card_of(elsewhere) is None
        assert "Geen getekend nummer bekend" in "".join(call_lines(elsewhere, card=None))
        assert await client.phoning.card_of(call.model_copy(update={"code": None})) is None


async def test_who_is_called_reads_why_and_what_became_of_it(desks: Desks) -> None:
    """Purpose, ground and what is asked, typed in two threes; the lists of both sides say what was recorded since."""
    code = (await announced(desks))["code"]
    known = (await desks.run(SCHOOL, "bel", "controleer", code[:3], code[3:])).output.replace("\n", " ")
    assert "Doel vt-melding, grondslag WMO-5.1.6. De beller vraagt naar veiligheid" in known
    assert "Geantwoord? sluis-connect bel mondeling --call" in known
    assert "buiten kantooruren 0800 5550000" in known
    assert "logregel" in (await desks.run(SCHOOL, "bel", "mondeling", "--ground", "WMO-5.2.6")).output
    for oin in (SCHOOL, VEILIG_THUIS):
        listed = (await desks.run(oin, "bel", "lijst")).output.replace("\n", " ")
        assert "belcode gecontroleerd 22-11-2026" in listed
        assert "mondeling beantwoord 22-11-2026" in listed
        assert "Geantwoord?" not in listed


async def test_a_call_about_a_match_goes_to_its_other_team(desks: Desks) -> None:
    """Both teams follow from the match, as those of a letter do; another receiver beside it is refused here."""
    for oin in (WIJKTEAM, VEILIG_THUIS):
        assert (await desks.world.register(oin, household(subject="child"))).status_code == 200
    await desks.run(VEILIG_THUIS, "inbox", "--fetch-only")
    ((match,),) = desks.world.rows("SELECT id FROM matches")
    proof = {"kind": "melding", "reference": NUMBER, "since": MELDING_DAY, "ends_on": None}
    words = (
        "bel", "nu", "--match", match, "--purpose", "vt-melding", "--ground", "WMO-5.1.6", "--category", "hulp",
        "--proof", desks.file(VEILIG_THUIS, "proof.json", proof),
    )  # fmt: skip
    unseen = (await desks.run(VEILIG_THUIS, *words, expect=2)).output
    assert "match: must have been shown" in unseen
    await desks.run(VEILIG_THUIS, "matches", "list")
    (call,) = (await desks.tells(VEILIG_THUIS, *words))["phone_calls"]
    assert (call["receiver"]["oin"], call["receiver"]["team"], call["caller"]["team"]) == (WIJKTEAM, "team-1", "team-1")
    other = (await desks.run(VEILIG_THUIS, *words, "--to", SCHOOL, expect=2)).output
    assert "to: must be the other team of this match" in other


async def test_an_oral_answer_is_noted_without_a_word_of_it(desks: Desks) -> None:
    """The verified call is chosen by itself and noted once; noted again it is refused, and nothing is left to note."""
    first, second = await announced(desks), await announced(desks)
    await desks.run(SCHOOL, "bel", "controleer", second["code"])
    words = ("bel", "mondeling", "--ground", "WMO-5.2.6")
    noted = (await desks.tells(SCHOOL, *words))["phone_calls"][0]
    assert (noted["callId"], noted["oral"]["categories"]) == (second["callId"], ["veiligheid"])
    assert "al vastgelegd" in await desks.tells_refused(SCHOOL, *words, "--call", second["callId"])
    other = (await desks.tells(SCHOOL, *words, "--level", "2"))["phone_calls"][0]
    assert (other["callId"], other["oral"]["level"]) == (first["callId"], 2)
    nothing = await desks.run(SCHOOL, *words, expect=2)
    assert "call: is no call to the own organisation that waits for an answer" in nothing.output
    made = (await desks.tells(VEILIG_THUIS, "bel", "lijst"))["phone_calls"]
    assert {call["oral"]["grounds"][0] for call in made} == {"WMO-5.2.6"}


async def test_what_is_no_code_no_call_and_no_proof_never_leaves(desks: Desks) -> None:
    """A code that is not six digits, an id that is none and a proof that is no file end with 2; the log stays."""
    desks.folder(SCHOOL)
    before = desks.world.leaves
    short = (await desks.run(SCHOOL, "bel", "controleer", "12345", expect=2)).output
    assert "code: is not six digits" in short
    assert "12345" not in short
    words = ("--to", SCHOOL, "--to-team", "team-1", "--team", "team-1", "--purpose", "vt-melding")
    asked = ("bel", "nu", *words, "--ground", "WMO-5.1.6", "--category", "hulp")
    await desks.run(VEILIG_THUIS, *asked, "--proof", desks.path / "nowhere.json", expect=2)
    async with desks.client(SCHOOL) as client:
        with pytest.raises(CaseError):
            await client.phoning.note("../signals", About(categories=["hulp"], grounds=["WMO-5.2.6"]))
    assert desks.world.leaves == before


async def test_a_call_without_a_melding_is_refused_with_what_is_possible(desks: Desks) -> None:
    """Veilig Thuis without a melding gets no belcode but the reason, and the refusal is an entry of its own."""
    before = desks.world.leaves
    words = ("--to", SCHOOL, "--to-team", "team-1", "--team", "team-1", "--purpose", "vt-melding")
    refused = await desks.tells_refused(
        VEILIG_THUIS, "bel", "nu", *words, "--ground", "WMO-5.1.6", "--category", "hulp"
    )
    assert "Dit kan wel:" in refused
    assert "Bewijs nagekeken: logregel" in refused
    assert desks.world.leaves == before + 1
    assert (await desks.tells(VEILIG_THUIS, "bel", "lijst"))["phone_calls"] == []


async def test_the_number_of_a_melding_stays_at_the_desk(desks: Desks) -> None:
    """The broker gets an HMAC of it: its folder holds the number nowhere."""
    await announced(desks)
    stored = [file.read_bytes() for file in (desks.world.folder / "broker").rglob("*") if file.is_file()]
    assert stored
    assert not any(NUMBER.encode() in content for content in stored)


class Vouching:
    """The way to a broker whose operator changes what is told of calls, and signs it: every receipt holds."""

    def __init__(self, delivery: Delivery, change: Callable[[PhoneCallShown], PhoneCallShown]) -> None:
        self._delivery = delivery
        self._change = change

    async def read(self, path: str, *, worker: str) -> Outcome:
        """Return what was read, changed."""
        return self._changed(await self._delivery.read(path, worker=worker))

    async def send(self, *parts: Any) -> Outcome:  # noqa: ANN401 - as `Delivery.send`
        """Return what became of a command, changed."""
        return self._changed(await self._delivery.send(*parts))

    def _changed(self, outcome: Outcome) -> Outcome:
        assert isinstance(outcome.details, PhoneCallsResult)
        calls = [self._change(call) for call in outcome.details.phone_calls]
        return replace(outcome, details=outcome.details.model_copy(update={"phone_calls": calls}))


def told_by(client: SluisClient, change: Callable[[PhoneCallShown], PhoneCallShown]) -> Phoning:
    """Return the phone calls of a client to whom the operator tells this instead."""
    desk = client.phoning.desk
    delivery: Any = Vouching(desk.delivery, change)
    return Phoning(replace(desk, delivery=delivery))


def _nobodys(call: PhoneCallShown) -> PhoneCallShown:
    return call.model_copy(update={"statement": None})


def _another_callers(call: PhoneCallShown) -> PhoneCallShown:
    return call.model_copy(update={"caller": call.caller.model_copy(update={"oin": GI})})


def _another_call(call: PhoneCallShown) -> PhoneCallShown:
    return call.model_copy(update={"call_id": "f" * 32})


def _strangers(call: PhoneCallShown) -> PhoneCallShown:
    return call.model_copy(update={"caller": call.caller.model_copy(update={"oin": "00000099000000009999"})})


def _own(call: PhoneCallShown) -> PhoneCallShown:
    return call.model_copy(update={"side": "made"})


@pytest.mark.parametrize("change", [_nobodys, _another_callers, _another_call, _strangers, _own])
async def test_the_broker_alone_vouches_for_no_caller(
    desks: Desks, change: Callable[[PhoneCallShown], PhoneCallShown]
) -> None:
    """Who calls is believed on that organisation's own signature: without it no code, no number, and nobody known."""
    code = (await announced(desks))["code"]
    async with desks.client(SCHOOL) as client:
        (honest,) = await client.phoning.calls()
        assert (honest.code, honest.contact is None) == (code, False)
        (listed,) = await told_by(client, change).calls()
        assert (listed.code, listed.contact, listed.statement) == (None, None, None)
        with pytest.raises(ReceiptError):
            await told_by(client, change).verify(code)


class Serving:
    """The way to a broker whose operator answers every question of calls with one genuine call."""

    def __init__(self, delivery: Delivery, call: PhoneCallShown) -> None:
        self._delivery = delivery
        self._call = call

    async def read(self, path: str, *, worker: str) -> Outcome:
        """Return that call, under the receipt of an own list."""
        outcome = await self._delivery.read(path, worker=worker)
        assert isinstance(outcome.details, PhoneCallsResult)
        return replace(outcome, details=outcome.details.model_copy(update={"phone_calls": [self._call]}))

    async def send(self, *parts: Any) -> Outcome:  # noqa: ANN401 - as `Delivery.send`
        """Return that call for a command too."""
        return await self.read("/v1/phone-calls", worker=parts[0].worker)


def served(client: SluisClient, call: PhoneCallShown) -> Phoning:
    """Return the phone calls of a client to whom the operator tells of this call, whatever is asked."""
    desk = client.phoning.desk
    delivery: Any = Serving(desk.delivery, call)
    return Phoning(replace(desk, delivery=delivery))


async def honest_call(desks: Desks, oin: str) -> PhoneCallShown:
    """Return the one call of an organisation as its broker tells it, statement and all."""
    async with desks.client(oin) as client:
        (call,) = await client.phoning.calls()
    assert call.statement is not None
    return call


@pytest.mark.parametrize("side", ["received", "made"])
async def test_a_call_to_another_organisation_vouches_for_no_voice_here(desks: Desks, side: str) -> None:
    """What Veilig Thuis really stated to the school, served to the GI: no code, no number, and nobody known."""
    await announced(desks)
    call = (await honest_call(desks, SCHOOL)).model_copy(update={"side": side})
    async with desks.client(GI) as client:
        (listed,) = await served(client, call).calls()
        assert (listed.code, listed.contact, listed.statement) == (None, None, None)
        with pytest.raises(ReceiptError):
            await served(client, call).verify("123456")


async def test_an_own_call_vouches_for_nobody_who_calls(desks: Desks) -> None:
    """What the own organisation stated, to another or by mistake to itself, makes no voice known."""
    await announced(desks)
    own = await honest_call(desks, VEILIG_THUIS)
    to_itself = StatedCall(
        call_id=own.call_id, caller_team="team-1", receiver=VEILIG_THUIS, receiver_team="team-1", purpose="vt-melding"
    ).signed(key(VEILIG_THUIS), organisation=VEILIG_THUIS, at=desks.world.clock.now())
    received = own.model_copy(update={"side": "received", "receiver": own.caller, "statement": to_itself})
    async with desks.client(VEILIG_THUIS) as client:
        for call in (own, received):
            with pytest.raises(ReceiptError):
                await served(client, call).verify("123456")


async def test_what_is_told_is_about_the_call_that_was_acted_on(desks: Desks) -> None:
    """Of an announced or a noted call nothing is believed that is told of another one, genuine as that may be."""
    first, second = await announced(desks), await announced(desks)
    about = About(categories=["veiligheid"], grounds=["WMO-5.2.6"])

    def of_the_first(call: PhoneCallShown) -> PhoneCallShown:
        return call.model_copy(update={"call_id": first["callId"]})

    async with desks.client(SCHOOL) as client:
        with pytest.raises(ReceiptError):
            await told_by(client, of_the_first).note(second["callId"], about)
    proof = StatedProof(kind="melding", reference=NUMBER, since=datetime.date.fromisoformat(MELDING_DAY))
    async with desks.client(VEILIG_THUIS) as client:
        with pytest.raises(ReceiptError):
            await told_by(client, of_the_first).start(
                to=SCHOOL, to_team="team-1", team="team-1", purpose="vt-melding",
                about=About(categories=["veiligheid"], grounds=["WMO-5.1.6"], proof=proof),
            )  # fmt: skip


async def test_a_list_says_of_which_calls_only_the_broker_tells(desks: Desks) -> None:
    """Beside a call that its caller did not sign that is said; beside a signed one nothing."""
    await announced(desks)
    assert UNSTATED not in (await desks.run(SCHOOL, "bel", "lijst")).output
    desks.world.write("UPDATE phone_calls SET statement = NULL")
    assert UNSTATED in (await desks.run(SCHOOL, "bel", "lijst")).output


async def test_an_old_statement_vouches_for_nobody(desks: Desks) -> None:
    """A call that was stated long ago proves no voice of today, whatever the broker says of when it was made."""
    code = (await announced(desks))["code"]
    desks.world.clock.move(OLD_S + 61)

    def served_again(call: PhoneCallShown) -> PhoneCallShown:
        return call.model_copy(update={"code": code, "made_at": desks.world.clock.now()})

    async with desks.client(SCHOOL) as client:
        (listed,) = await told_by(client, served_again).calls()
    assert listed.code is None


async def test_a_call_that_rests_on_what_changed_is_listed_as_such(desks: Desks) -> None:
    """It is told without what it was about, says that nothing is to be told any more, and is not chosen to note."""
    call = await announced(desks)
    honest = await honest_call(desks, SCHOOL)
    gone: dict[str, Any] = {
        "purpose": None,
        "grounds": [],
        "categories": [],
        "statement": None,
        "contact": None,
        "code": None,
    }
    withheld = honest.model_copy(update={**gone, "withheld": True})
    async with desks.client(SCHOOL) as client:
        (listed,) = await served(client, withheld).calls()
    assert (listed.call_id, listed.purpose, listed.code) == (call["callId"], None, None)
    assert list(call_lines(listed, card=None))[-1].startswith("Waar dit gesprek op rust, is veranderd.")
    with pytest.raises(CaseError):
        chosen([listed], None)


async def test_only_a_call_that_tells_rests_on_an_exception(desks: Desks) -> None:
    """A call that asks and cites an exception never leaves; what it could rest on is a consent, a signal or a match."""
    about = About(categories=["veiligheid"], grounds=["CVP"], exception_id="1" * 32)
    async with desks.client(VEILIG_THUIS) as client:
        with pytest.raises(CaseError):
            await client.phoning.start(to=SCHOOL, to_team="team-1", team="team-1", purpose="nood", about=about)
        told = replace(about, exception_id=None)
        with pytest.raises(RefusedError):
            await client.phoning.start(
                to=SCHOOL, to_team="team-1", team="team-1", purpose="nood", tells=True, about=told
            )
