"""Asking for information between organisations, on real processes: scenarios 4, 7 and 9 of the domain page.

Each test reads as Given, When, Then; the texts are those on the screen.
"""

import hashlib
import json
from collections import Counter
from pathlib import Path

import pytest

from broker.protocol.letter import MAX_ATTACHMENT_BYTES
from connectors.errors import RefusedError
from tests.simulators.enrolled import VEILIG_THUIS, WIJKTEAM
from tests.simulators.letter_partners import LetteredRegion, connect, request_in
from tests.simulators.region_desks import RegionDesks
from tests.simulators.requesting import HUISARTS


@pytest.fixture
def region(desks: RegionDesks) -> LetteredRegion:
    """Veilig Thuis, a wijkteam, a huisarts and others, with their own folders, around a broker that serves."""
    return desks.lettered


def test_veilig_thuis_asks_and_the_wijkteam_answers(region: LetteredRegion, tmp_path: Path) -> None:
    """Scenario 4. Given a melding, when Veilig Thuis asks, only the wijkteam reads it, and only VT the answer."""
    question, answer = tmp_path / "vraag.txt", tmp_path / "antwoord.txt"
    number, melding = tmp_path / "nummer.txt", tmp_path / "melding.json"
    stated = {"kind": "melding", "reference": "VT-2026-00017", "since": region.today.isoformat()}
    melding.write_text(json.dumps(stated), encoding="utf-8")
    question.write_text("Welke hulp krijgt het gezin, en sinds wanneer?", encoding="utf-8")
    answer.write_text("Sinds maart elke week thuis, door twee medewerkers.", encoding="utf-8")
    number.write_text("VT-2026-00017", encoding="utf-8")
    # Given: a melding, which from that day on is weighed and looked into by a last day that its own team sees.
    connect(
        region, VEILIG_THUIS, "tasks", "start", "--purpose", "vt-melding", "--ground", "WMO-5.1.6", "--team", "team-1",
        "--proof", melding,
    )  # fmt: skip
    weighing, inquiry = connect(region, VEILIG_THUIS, "tasks", "list", "--proof", melding)["tasks"]
    assert (weighing["kind"], inquiry["kind"], weighing["state"]) == ("weging", "onderzoek", "open")
    # When: Veilig Thuis asks.
    sent = connect(
        region, VEILIG_THUIS, "request", "send", "--purpose", "vt-melding", "--ground", "WMO-5.1.6", "--team",
        "team-1", "--to", WIJKTEAM, "--to-team", "team-1", "--category", "hulp", "--text", question, "--proof",
        f"melding:{region.today}", "--proof-number", number,
    )["results"][0]  # fmt: skip
    assert sent["text_nl"] == "Je vraag is verstuurd. Antwoorden mag, het moet niet."
    request = sent["requests"][0]["requestId"]
    # Then: the wijkteam reads it, and answers.
    read = connect(region, WIJKTEAM, "request", "read", request)
    assert read["letter"]["text"] == question.read_text("utf-8")
    replied = connect(
        region, WIJKTEAM, "answer", request, "--kind", "all", "--category", "hulp", "--ground", "WMO-5.2.6", "--text",
        answer,
    )  # fmt: skip
    assert replied["results"][0]["text_nl"] == "Je antwoord is verstuurd."
    # Then: Veilig Thuis reads the answer, and both see how far it is.
    told = connect(region, VEILIG_THUIS, "request", "read", request)
    assert told["letter"]["text"] == answer.read_text("utf-8")
    (listed,) = [one for one in connect(region, WIJKTEAM, "request", "list")["requests"] if one["requestId"] == request]
    assert (listed["state"], listed["answer"]["delivery"]) == ("answered", "opened")
    # Then: the melding was weighed in time, which Veilig Thuis notes; the wijkteam has no task of it.
    noted = connect(region, VEILIG_THUIS, "tasks", "done", weighing["taskId"])
    assert noted["results"][0]["text_nl"] == "Vastgelegd dat deze taak klaar is."
    assert noted["tasks"][0]["state"] == "gedaan"
    assert connect(region, WIJKTEAM, "tasks", "list")["tasks"] == []


def test_a_huisarts_answers_personally_or_not_at_all(desks: RegionDesks, region: LetteredRegion) -> None:
    """Scenarios 7, 9. Given a question to a huisarts, when nobody is named nobody reads it; who is named decides."""
    # Given: Veilig Thuis asks the practice.
    request = region.ask(HUISARTS)
    # When: a colleague opens it, Then: first somebody is named.
    with pytest.raises(RefusedError) as refused:
        region.work(HUISARTS, lambda letters: letters.fetch(request))
    assert refused.value.text_nl.startswith("Bij jullie beslist de behandelaar zelf, per persoon.")
    region.work(HUISARTS, lambda letters: letters.forward(request, team="team-1", local_id="bram"))
    # Then: only he reads and answers.
    with pytest.raises(RefusedError) as refused:
        region.work(HUISARTS, lambda letters: letters.fetch(request))
    assert refused.value.text_nl == "Deze vraag is voor een collega. Alleen die collega beslist en antwoordt."
    fetched = region.work(HUISARTS, lambda letters: letters.fetch(request), worker="bram")
    assert fetched.opened is not None
    # When: he refuses, citing his professional secrecy. Then: it is allowed, and Veilig Thuis reads just that.
    before = desks.follows()
    declined = region.work(HUISARTS, lambda letters: letters.answer(request, region.reply("declined")), worker="bram")
    assert declined.text_nl.startswith("Vastgelegd: niet gedeeld (dat mag).")
    read = region.work(VEILIG_THUIS, lambda letters: letters.fetch(request))
    assert read.request.state == "declined"
    assert read.opened is not None
    assert (read.opened.label, read.opened.letter.text) == ("answer-declined", "")
    # Then: nothing follows from it, for him or for anybody: Veilig Thuis has its answer, and that is all.
    assert desks.follows() - before == Counter([(VEILIG_THUIS, "answer")])
    # Then: Veilig Thuis may ask again, with a new reason to.
    again = region.ask(HUISARTS)
    region.work(HUISARTS, lambda letters: letters.forward(again, team="team-1", local_id="anna"))
    reply = region.reply("all", text="Ik heb het met haar besproken; zij vindt het goed.")
    region.work(HUISARTS, lambda letters: letters.fetch(again))
    region.work(HUISARTS, lambda letters: letters.answer(again, reply))
    told = region.work(VEILIG_THUIS, lambda letters: letters.fetch(again))
    assert told.opened is not None
    assert told.opened.letter.text == reply.text


def test_a_huisarts_tells_veilig_thuis_unasked(region: LetteredRegion) -> None:
    """Given a worry, when a huisarts tells Veilig Thuis on the statutory right, then it is sent, and read there."""
    told = region.question(
        VEILIG_THUIS, grounds=["WMO-5.2.6"], categories=["veiligheid"], proof=None, text="Ik maak mij zorgen."
    )  # fmt: skip
    outcome = region.work(HUISARTS, lambda letters: letters.tell(told))
    assert outcome.text_nl == (
        "Verstuurd. De ontvanger haalt het op met de eigen sleutel. Is er haast? Wacht niet op een antwoord: bel."
    )
    fetched = region.work(VEILIG_THUIS, lambda letters: letters.fetch(request_in(outcome)))
    assert fetched.opened is not None
    assert (fetched.opened.label, fetched.opened.letter.text) == ("telling", "Ik maak mij zorgen.")


def test_a_question_that_was_taken_back_is_answered_no_more(region: LetteredRegion) -> None:
    """Given an answer that was not read yet, when the question is withdrawn, then the answer is never handed out."""
    request = region.ask(WIJKTEAM)
    region.work(WIJKTEAM, lambda letters: letters.fetch(request))
    region.work(WIJKTEAM, lambda letters: letters.answer(request, region.reply(text="Sinds maart.")))
    region.work(VEILIG_THUIS, lambda letters: letters.withdraw(request, reason="no_longer_needed"))
    with pytest.raises(RefusedError) as refused:
        region.work(VEILIG_THUIS, lambda letters: letters.fetch(request))
    assert refused.value.problem.id == "letter-withheld"
    with pytest.raises(RefusedError) as refused:
        region.work(WIJKTEAM, lambda letters: letters.answer(request, region.reply(text="Toch.")))
    assert refused.value.text_nl == "Deze vraag is ingetrokken. Je hoeft niets te doen."


def test_an_attachment_travels_whole_or_not_at_all(region: LetteredRegion, tmp_path: Path) -> None:
    """Given a plan of 3 MiB, when it goes with a question, then only the receiver has it, byte for byte."""
    plan, large, out = tmp_path / "plan.pdf", tmp_path / "film.mp4", tmp_path / "ontvangen"
    number = tmp_path / "nummer.txt"
    plan.write_bytes(hashlib.shake_256(b"plan").digest(3 * 1_048_576))
    large.write_bytes(bytes(MAX_ATTACHMENT_BYTES + 1))
    number.write_text("VT-2026-00018", encoding="utf-8")
    text = tmp_path / "vraag.txt"
    text.write_text("Klopt dit plan voor het gezin?", encoding="utf-8")
    ask = (
        "request", "send", "--purpose", "vt-melding", "--ground", "WMO-5.1.6", "--team", "team-1", "--to", WIJKTEAM,
        "--to-team", "team-1", "--category", "hulp", "--proof", f"melding:{region.proof['since']}", "--proof-number",
        number, "--text", text,
    )  # fmt: skip
    # When: it is too large, Then: nothing leaves, and the screen says why.
    (failed,) = connect(region, VEILIG_THUIS, *ask, "--attach", large, expect=1)["failed"]
    assert failed["text_nl"].startswith("Deze bijlage gaat niet mee: samen mogen bijlagen hoogstens 10 MB zijn.")
    # When: Veilig Thuis sends it along.
    sent = connect(region, VEILIG_THUIS, *ask, "--attach", plan)["results"][0]
    request = sent["requests"][0]["requestId"]
    # Then: the wijkteam reads its name, and saves it; the broker has no byte of it in the clear.
    read = connect(region, WIJKTEAM, "request", "read", request, "--out", out)
    (attached,) = read["letter"]["attachments"]
    assert attached == {
        "name": "plan.pdf", "size": plan.stat().st_size, "sha256": hashlib.sha256(plan.read_bytes()).hexdigest(),
    }  # fmt: skip
    assert [Path(one).read_bytes() for one in read["files"]] == [plan.read_bytes()]
    # When: the wijkteam answers with a file, Then: Veilig Thuis has that one.
    connect(
        region, WIJKTEAM, "answer", request, "--kind", "all", "--category", "hulp", "--ground", "WMO-5.2.6",
        "--attach", number,
    )  # fmt: skip
    told = connect(region, VEILIG_THUIS, "request", "read", request, "--out", out)
    assert [Path(one).read_bytes() for one in told["files"]] == [number.read_bytes()]
