"""`sluis-connect request`, `answer` and `tell`: what a worker types, reads, and may get wrong."""

import datetime
import json
from typing import Any

import pytest

from audit.verify import Receipt, verify_receipt
from broker.protocol.problems import render
from connectors import letter_input
from connectors.stated_proof import StatedProof
from tests.simulators.asking import household
from tests.simulators.enrolled import VEILIG_THUIS, WIJKTEAM
from tests.simulators.requesting import HUISARTS
from tests.simulators.served_desks import MELDING_DAY, Desks

NUMBER = "VT-2026-00017"
TO = ("--team", "team-1", "--to", WIJKTEAM, "--to-team", "team-1", "--category", "hulp")
ASKED = ("request", "send", "--purpose", "vt-melding", "--ground", "WMO-5.1.6", *TO)
ANSWERED = ("--category", "hulp", "--ground", "WMO-5.2.6")


def proven(desks: Desks) -> tuple[object, ...]:
    """Return the options that state a melding."""
    return ("--proof", f"melding:{MELDING_DAY}", "--proof-number", desks.file(VEILIG_THUIS, "number", NUMBER + "\n"))


def about(desks: Desks) -> tuple[object, ...]:
    """Return the option that says what is asked, and about whom."""
    return ("--text", desks.file(VEILIG_THUIS, "about.txt", "Welke hulp is er voor wie het gaat?"))


async def sent(desks: Desks, text: str = "Welke hulp is er?") -> str:
    """Return the id of a question of Veilig Thuis."""
    question = desks.file(VEILIG_THUIS, "question.txt", text)
    told = await desks.tells(VEILIG_THUIS, *ASKED, "--text", question, *proven(desks))
    (result,) = told["results"]
    assert result["outcome"] == "sent"
    return str(result["requests"][0]["requestId"])


async def test_a_question_is_sent_read_answered_and_listed(desks: Desks) -> None:
    """Both sides read their own part as text, with the state in the list; the number of the melding never leaves."""
    request = await sent(desks)
    read = (await desks.run(WIJKTEAM, "request", "read", request)).output
    assert "Welke hulp is er?" in read
    assert "van Veilig Thuis Gelderland-Midden  hulp" in read
    text = desks.file(WIJKTEAM, "answer.txt", "Sinds maart.")
    answered = (await desks.run(WIJKTEAM, "answer", request, "--kind", "all", *ANSWERED, "--text", text)).output
    assert answered.startswith("Je antwoord is verstuurd.")
    assert "Bewijs nagekeken" in answered
    assert "Sinds maart." in (await desks.run(VEILIG_THUIS, "request", "read", request)).output
    await desks.run(VEILIG_THUIS, "request", "withdraw", request)
    before = desks.world.leaves
    assert "Sinds maart." in (await desks.run(VEILIG_THUIS, "request", "read", request, "--kept")).output
    (kept,) = (await desks.tells(VEILIG_THUIS, "request", "read", request, "--kept"))["kept"]
    assert (kept["sender"], kept["letter"]["text"]) == ("Wijkteam Arnhem", "Sinds maart.")
    assert desks.world.leaves == before
    assert "aan Wijkteam Arnhem  hulp  beantwoord" in (await desks.run(VEILIG_THUIS, "request", "list")).output
    assert "Gelderland-Midden  hulp  beantwoord" in (await desks.run(WIJKTEAM, "request", "list")).output
    stored = [file.read_bytes() for file in (desks.world.folder / "broker").rglob("*") if file.is_file()]
    assert not any(canary.encode() in content for content in stored for canary in (NUMBER, "Sinds maart."))


async def test_not_sharing_is_told_as_a_right(desks: Desks) -> None:
    """A decline says that it is allowed, and why is told to the own side alone; a second answer is refused."""
    request = await sent(desks)
    declined = ("answer", request, "--kind", "declined", "--reason", "professional_secrecy")
    told = (await desks.run(WIJKTEAM, *declined)).output
    assert told.startswith("Vastgelegd: niet gedeeld (dat mag).")
    assert "Volgens de meldcode hoor je te melden bij acute of structurele onveiligheid." in told
    assert "niet gedeeld (dat mag)" in (await desks.run(VEILIG_THUIS, "request", "list")).output
    shown = await desks.tells(VEILIG_THUIS, "request", "read", request)
    assert (shown["signed"], shown["request"]["answer"]["reason"]) == (False, None)
    assert "Niet ondertekend door de ander" in (await desks.run(VEILIG_THUIS, "request", "read", request)).output
    read = await sent(desks)
    await desks.run(WIJKTEAM, "request", "read", read)
    await desks.run(WIJKTEAM, "answer", read, *declined[2:])
    shown = await desks.tells(VEILIG_THUIS, "request", "read", read)
    assert (shown["signed"], shown["letter"]["level"], shown["letter"]["text"]) == (True, 0, "")
    listed = (await desks.tells(WIJKTEAM, "request", "list"))["requests"]
    (own,) = [one for one in listed if one["requestId"] == request]
    assert own["answer"]["reason"] == "professional_secrecy"
    again = await desks.tells(WIJKTEAM, *declined, expect=1)
    assert again["failed"][0]["problem"] == "request-already-answered"


async def test_a_personal_question_goes_to_a_named_colleague(desks: Desks) -> None:
    """At a huisarts nobody reads before somebody is named, then only he; withdrawn, he need not answer."""
    to_doctor = [HUISARTS if word == WIJKTEAM else word for word in ASKED]
    told = await desks.tells(VEILIG_THUIS, *to_doctor, *proven(desks), *about(desks))
    request = told["results"][0]["requests"][0]["requestId"]
    assert "Kies eerst wie van jullie antwoordt." in await desks.tells_refused(HUISARTS, "request", "read", request)
    forwarded = ("request", "forward", request, "--team", "team-1", "--to-worker", "bram")
    assert "deze collega" in (await desks.run(HUISARTS, *forwarded)).output
    assert "voor een collega" in await desks.tells_refused(HUISARTS, "request", "read", request)
    await desks.run(HUISARTS, "request", "read", request, worker="bram")
    taken = await desks.tells(VEILIG_THUIS, "request", "withdraw", request, "--reason", "mistake")
    assert taken["results"][0]["requests"][0]["state"] == "withdrawn"


async def test_a_question_about_a_match_goes_to_its_other_team(desks: Desks) -> None:
    """Whom it is for follows from the match; without one, or another's, nothing is sent."""
    child = household(subject="child")
    for oin in (WIJKTEAM, VEILIG_THUIS):
        assert (await desks.world.register(oin, child)).status_code == 200
    match = str(desks.world.rows("SELECT id FROM matches")[0][0])
    ask = ("request", "send", "--purpose", "vt-melding", "--ground", "WMO-5.1.6", "--category", "hulp", "--match")
    unseen = await desks.run(VEILIG_THUIS, *ask, match, *proven(desks), expect=2)
    assert "must have been shown" in unseen.output
    assert "Wijkteam Arnhem" in (await desks.run(VEILIG_THUIS, "matches", "list")).output
    told = await desks.tells(VEILIG_THUIS, *ask, match, *proven(desks), *about(desks))
    (sent,) = told["results"][0]["requests"]
    assert (sent["receiver"]["oin"], sent["receiver"]["team"], sent["matchId"]) == (WIJKTEAM, "team-1", match)
    assert "van Veilig Thuis" in (await desks.run(WIJKTEAM, "request", "read", sent["requestId"])).output
    said = (await desks.run(VEILIG_THUIS, *ask, match, *proven(desks), *about(desks), "--to", WIJKTEAM)).output
    assert said.startswith(f"Naar: Wijkteam Arnhem ({WIJKTEAM}), team team-1\nJe vraag is verstuurd.")
    low = (await desks.tells(VEILIG_THUIS, *ask, match, *proven(desks), "--level", "2"))["results"][0]["requests"][0]
    await desks.run(WIJKTEAM, "request", "read", low["requestId"])
    for shown in (("--preview",), ()):  # at the level that was asked, whatever that is
        await desks.run(WIJKTEAM, "answer", low["requestId"], "--kind", "all", *ANSWERED, *shown)
    other = await desks.run(VEILIG_THUIS, *ask, match, *proven(desks), "--to", HUISARTS, expect=2)
    assert "must be the other team of this match" in other.output
    before = desks.world.leaves
    unknown = await desks.run(VEILIG_THUIS, *ask, "f" * 32, *proven(desks), expect=2)
    assert "must have been shown" in unknown.output
    nobody = await desks.run(VEILIG_THUIS, *ask[:-1], *proven(desks), expect=2)
    assert "or follow from --match" in nobody.output
    assert desks.world.leaves == before


async def test_the_broker_does_not_choose_to_whom_a_letter_goes(desks: Desks) -> None:
    """A match whose other team is another than a worker was shown is told no more, and nothing is sealed for it."""
    child = household(subject="child")
    for oin in (WIJKTEAM, VEILIG_THUIS):
        assert (await desks.world.register(oin, child)).status_code == 200
    match = str(desks.world.rows("SELECT id FROM matches")[0][0])
    await desks.run(VEILIG_THUIS, "matches", "open", match)
    with desks.folder(VEILIG_THUIS).casebook() as book, book.transaction() as database:
        database.execute("UPDATE shown_match SET holder = ? WHERE id = ?", (HUISARTS, match))
    ask = ("request", "send", "--purpose", "vt-melding", "--ground", "WMO-5.1.6", "--category", "hulp")
    refused = await desks.tells_refused(VEILIG_THUIS, *ask, "--match", match, *proven(desks))
    assert "Wijkteam" not in refused
    assert "Het bewijs bij dit antwoord klopt niet." in refused
    await desks.run(VEILIG_THUIS, "matches", "list", expect=1)
    assert desks.world.rows("SELECT count(*) FROM information_requests") == [(0,)]


async def test_what_only_the_broker_says_is_marked(desks: Desks) -> None:
    """That the other side withdrew, or did not share a question it never opened, is the broker's word, and shown so."""
    marked = "[dit weet je alleen van Sluis]"
    declined, taken, read = await sent(desks), await sent(desks), await sent(desks)
    await desks.run(WIJKTEAM, "answer", declined, "--kind", "declined", "--reason", "not_needed")
    await desks.run(VEILIG_THUIS, "request", "withdraw", taken)
    await desks.run(WIJKTEAM, "request", "read", read)
    await desks.run(WIJKTEAM, "answer", read, "--kind", "declined", "--reason", "not_needed")
    await desks.run(VEILIG_THUIS, "request", "read", read)
    lines = {oin: (await desks.run(oin, "request", "list")).output.splitlines() for oin in (VEILIG_THUIS, WIJKTEAM)}
    shown = {(oin, line[:32]): marked in line for oin, found in lines.items() for line in found}
    assert {request for (oin, request), is_marked in shown.items() if oin == VEILIG_THUIS and is_marked} == {declined}
    assert {request for (oin, request), is_marked in shown.items() if oin == WIJKTEAM and is_marked} == {taken}


async def test_telling_unasked_reaches_the_receiver(desks: Desks) -> None:
    """A huisarts tells Veilig Thuis on the statutory right, and it is read there as it was written."""
    text = desks.file(HUISARTS, "worry.txt", "Ik maak mij zorgen.")
    told = await desks.tells(
        HUISARTS, "tell", "--purpose", "vt-melding", "--ground", "WMO-5.2.6", "--team", "team-1", "--to", VEILIG_THUIS,
        "--to-team", "team-1", "--category", "veiligheid", "--text", text,
    )  # fmt: skip
    request = told["results"][0]["requests"][0]["requestId"]
    assert "Ik maak mij zorgen." in (await desks.run(VEILIG_THUIS, "request", "read", request)).output


async def test_steps_are_told_as_codes(desks: Desks) -> None:
    """Veilig Thuis tells a reporter which steps it took, at level 2, in codes and without a text."""
    told = await desks.tells(
        VEILIG_THUIS, "tell", "--purpose", "vt-melding", "--ground", "WMO-4.1.1-2-G", "--team", "team-1",
        "--to", HUISARTS, "--to-team", "team-1", "--category", "terugkoppeling", "--level", "2",
        "--step", "onderzoek", *proven(desks),
    )  # fmt: skip
    request = told["results"][0]["requests"][0]["requestId"]
    shown = await desks.tells(HUISARTS, "request", "read", request)
    assert (shown["letter"]["text"], shown["letter"]["steps"]) == ("", ["onderzoek"])


async def test_what_the_other_will_read_is_shown_before_it_goes(desks: Desks) -> None:
    """A preview of a question says who alone can read it and shows all of it; it sends nothing and fetches nothing."""
    question = desks.file(VEILIG_THUIS, "question.txt", "Welke hulp is er?\nEn sinds wanneer?")
    asked = (*ASKED, "--text", question, "--attach", question, *proven(desks), "--preview")
    before = desks.world.leaves
    read = (await desks.run(VEILIG_THUIS, *asked)).output
    assert read.splitlines() == [
        "Alleen Wijkteam Arnhem kan je vraag lezen. Wij niet.",
        "Dit leest de ander:",
        "| vt-melding (WMO-5.1.6), van team team-1 aan team team-1",
        "| hulp",
        "| Welke hulp is er?",
        "| En sinds wanneer?",
        "| bijlage: question.txt (35 bytes)",
        render("letter.about_whom", {}),
        "Er is nog niets verstuurd. Klopt het? Geef dan dezelfde opdracht zonder --preview.",
    ]
    shown = await desks.tells(VEILIG_THUIS, *asked)
    assert shown["preview"]["reads"][2] == "Welke hulp is er?\nEn sinds wanneer?"
    elsewhere = [WIJKTEAM[:-1] + "1" if word == WIJKTEAM else word for word in asked]
    assert "organisation of the register" in (await desks.run(VEILIG_THUIS, *elsewhere, expect=2)).output
    question.write_text("x" * 501, encoding="utf-8")
    assert "at most 500" in (await desks.run(VEILIG_THUIS, *asked, expect=2)).output
    assert desks.world.leaves == before
    assert (await desks.tells(WIJKTEAM, "request", "list"))["requests"] == []


async def test_an_answer_and_what_is_told_are_shown_with_whom_they_go_to(desks: Desks) -> None:
    """A preview of what is shared says that it cannot be taken back; not sharing shows nothing of the reason."""
    request = await sent(desks)
    preview = ("answer", request, "--preview", "--kind")
    unread = await desks.run(WIJKTEAM, *preview, "all", *ANSWERED, expect=2)
    assert "request: must be read first" in unread.output
    await desks.run(WIJKTEAM, "request", "read", request)
    before = desks.world.leaves
    text = desks.file(WIJKTEAM, "answer.txt", "Sinds maart.")
    read = (await desks.run(WIJKTEAM, *preview, "all", *ANSWERED, "--text", text)).output
    shares = "Je deelt dit met: Veilig Thuis Gelderland-Midden. Daarna kun je het niet terughalen."
    assert read.splitlines()[:5] == [
        shares, "Dit leest de ander:", "| vt-melding: antwoord", "| hulp", "| Sinds maart.",
    ]  # fmt: skip
    assert "| vt-melding: mondeling beantwoord" in (await desks.run(WIJKTEAM, *preview, "oral", *ANSWERED)).output
    refuses = (await desks.run(WIJKTEAM, *preview, "declined", "--reason", "professional_secrecy")).output
    assert "leest alleen dat je dit niet deelt" in refuses
    assert "professional_secrecy" not in refuses
    tells = ("--purpose", "vt-melding", "--ground", "WMO-5.2.6", "--team", "team-1", "--to-team", "team-1")
    told = ("tell", *tells, "--to", VEILIG_THUIS, "--category", "veiligheid", "--text", text, "--preview")
    assert (await desks.run(WIJKTEAM, *told)).output.startswith(shares)
    assert desks.world.leaves == before


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--proof", "melding:2026-11-16"), "proof-number"),
        (("--proof", "melding:yesterday", "--proof-number", "NUMBER"), "proof: must be KIND:YYYY-MM-DD"),
        (("--proof", "melding:2026-11-16:x", "--proof-number", "NUMBER"), "proof: must be KIND:YYYY-MM-DD"),
        (("--proof", "melding:2026-11-16", "--proof-number", "nowhere"), "proof-number: cannot be read"),
        (("--term", "5"), "term: must be today, 3 or 10"),
        (("--text", "nowhere"), "text"),
        (("--text", "EMPTY"), "text: must say about whom it is"),
        (("--level", "7"), "level"),
        (("--level", "2"), "level: must be 3 or more"),
    ],
)
async def test_bad_input_ends_with_2_and_never_leaves(desks: Desks, words: tuple[str, ...], said: str) -> None:
    """A proof without its number, a day that is none, a term that does not exist, a file that is not there: exit 2."""
    number = desks.file(VEILIG_THUIS, "number", NUMBER)
    before = desks.world.leaves
    files = {"NUMBER": number, "EMPTY": desks.file(VEILIG_THUIS, "empty", " \n")}
    typed: list[Any] = [files.get(word, word) for word in words]
    refused = await desks.run(VEILIG_THUIS, *ASKED, *typed, expect=2)
    assert said in refused.output
    assert NUMBER not in refused.output
    assert desks.world.leaves == before


async def test_a_refusal_ends_with_1_and_says_what_is_possible(desks: Desks) -> None:
    """Without a melding the question is refused with the reason and with what can be done, as text and as JSON."""
    refused = await desks.tells_refused(VEILIG_THUIS, *ASKED, *about(desks))
    assert "Dit kan wel:" in refused
    told = await desks.tells(VEILIG_THUIS, *ASKED, *about(desks), expect=1)
    assert (told["failed"][0]["outcome"], bool(told["failed"][0]["possible"])) == ("refused", True)
    read = await desks.tells(VEILIG_THUIS, "request", "read", "f" * 32, expect=1)
    assert read["failed"][0]["problem"] == "not-found"
    assert (await desks.tells(VEILIG_THUIS, "request", "list"))["requests"] == []


async def test_what_is_asked_told_and_answered_names_its_case_to_the_own_reviewer_alone(desks: Desks) -> None:
    """The entry holds an HMAC that the organisation can make again of its own reference, and the broker cannot."""
    case = "Z-canary-77"
    told = await desks.tells(VEILIG_THUIS, *ASKED, *proven(desks), *about(desks), "--case-ref", case)
    request = told["results"][0]["requests"][0]["requestId"]
    declined = ("answer", request, "--kind", "declined", "--reason", "not_needed", "--case-ref", case)
    answered = await desks.tells(WIJKTEAM, *declined)
    stated = {}
    for oin, printed in ((VEILIG_THUIS, told), (WIJKTEAM, answered)):
        folder = desks.folder(oin)
        receipt = json.loads((folder.path / printed["results"][0]["receipts"][0]["path"]).read_text())["receipt"]
        meta = verify_receipt(Receipt.from_wire(receipt), folder.log_policy).payloads["meta"]
        assert isinstance(meta["request"], dict)
        stated[oin] = meta["request"]["case_ref"]
        assert stated[oin] == folder.case_ref_key.mac(b"case\x00" + case.encode()).hex()
    assert stated[VEILIG_THUIS] != stated[WIJKTEAM]
    held = [path.read_bytes() for path in (desks.world.folder / "broker").rglob("*") if path.is_file()]
    assert not any(case.encode() in one for one in held)
    with desks.folder(VEILIG_THUIS).casebook() as book, book.transaction() as database:
        assert database.execute("SELECT case_ref FROM letter_sent").fetchall() == [(case,)]


async def test_one_number_has_one_reference_whatever_is_asked_with_it(desks: Desks) -> None:
    """A reviewer finds a look and a question on one melding by the same reference, however its number was given."""
    folder = desks.folder(VEILIG_THUIS)
    number = desks.file(VEILIG_THUIS, "number", NUMBER + "\n")
    asked = letter_input.typed_proof(folder.path, f"melding:{MELDING_DAY}", number)
    looked = StatedProof(kind="melding", reference=NUMBER, since=datetime.date.fromisoformat(str(MELDING_DAY)))
    assert asked == looked.members(folder.case_ref_key.mac)


async def test_what_is_asked_is_shown_and_answered_at_its_own_level(desks: Desks) -> None:
    """What a preview shows can be sent: without a level the one asked; who reads a question sees all that is asked."""
    asks = (*ASKED, *about(desks), *proven(desks), "--case-ref", "Z-1")
    sent_text = (await desks.run(VEILIG_THUIS, *asks)).output
    (line,) = (await desks.run(VEILIG_THUIS, "request", "list")).output.splitlines()
    request = line.split()[0]
    assert f"Nummer: {request}\nLater lezen: sluis-connect request read {request}\n" in sent_text
    assert "aan Wijkteam Arnhem  hulp  verstuurd  t/m " in line
    assert line.endswith("(vt-melding, team team-1, 22 november 2026, zaak Z-1)")
    (arrived,) = (await desks.run(WIJKTEAM, "request", "list")).output.splitlines()
    assert "hulp  binnengekomen  t/m " in arrived
    assert "zaak" not in arrived
    read = (await desks.run(WIJKTEAM, "request", "read", request)).output
    assert "doel: vt-melding  grond: WMO-5.1.6  niveau: 3 (aard en periode)" in read
    assert "aan team: team-1  antwoord tot en met: " in read
    assert f"Antwoorden: sluis-connect answer {request} --kind" in read
    assert "gelezen" in (await desks.run(WIJKTEAM, "request", "list")).output
    text = desks.file(WIJKTEAM, "answer.txt", "Sinds maart.")
    answers = ("answer", request, "--kind", "all", "--text", text)
    for short, said in ((("--category", "hulp"), "ground: must be given"), (ANSWERED[2:], "category: must be given")):
        for preview in ((), ("--preview",)):
            assert said in (await desks.run(WIJKTEAM, *answers, *short, *preview, expect=2)).output
    for preview in (("--preview",), ()):
        await desks.run(WIJKTEAM, *answers, *ANSWERED, *preview)
    assert "Antwoorden:" not in (await desks.run(WIJKTEAM, "request", "read", request)).output


async def test_an_answer_without_a_level_goes_at_the_one_that_is_told(desks: Desks) -> None:
    """Where the question was not read here the list says how much was asked; an own question is not answered."""
    request = await sent(desks)
    noted = await desks.tells(WIJKTEAM, "answer", request, "--kind", "oral", *ANSWERED)
    assert noted["results"][0]["requests"][0]["answer"]["level"] == 3
    unknown = await desks.run(WIJKTEAM, "answer", "f" * 32, "--kind", "oral", *ANSWERED, expect=2)
    assert "request: must be one of your own list" in unknown.output
    own = await desks.run(VEILIG_THUIS, "answer", request, "--kind", "oral", *ANSWERED, expect=2)
    assert "this one is your own" in own.output


async def test_a_decline_shows_no_empty_line(desks: Desks) -> None:
    """What says nothing is shown without a line for it; what was withdrawn says so to who would read it."""
    request, gone = await sent(desks), await sent(desks)
    await desks.run(WIJKTEAM, "request", "read", request)
    await desks.run(WIJKTEAM, "answer", request, "--kind", "declined", "--reason", "not_needed")
    read = (await desks.run(VEILIG_THUIS, "request", "read", request)).output
    assert not any(line.startswith("|") for line in read.splitlines())
    await desks.run(VEILIG_THUIS, "request", "withdraw", gone)
    assert "Deze vraag is ingetrokken." in await desks.tells_refused(WIJKTEAM, "request", "read", gone)
