"""Consent as a worker records it, over a served broker: names stay at the desk, and a yes is taken back at once."""

import json
from pathlib import Path
from typing import Any

import pytest

from broker.protocol.consent_messages import ConsentShown
from broker.protocol.problems import render
from connectors.consent_letter import confirmation
from connectors.consents import read_statement
from connectors.errors import CaseError, RefusedError, SourceError
from connectors.workers import pairwise_id
from tests.simulators.asking import household
from tests.simulators.enrolled import SCHOOL, WIJKTEAM
from tests.simulators.requesting import HUISARTS
from tests.simulators.served_desks import Desks

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "connector.md").read_text("utf-8")
WHO, PAPER = "canary-mevrouw T.", "canary-map 12"
YES = {
    "who": WHO, "capacity": "person", "answer": "given", "proof": {"kind": "paper", "reference": PAPER},
    "until": "2027-05-01",
}  # fmt: skip
NO = {"who": WHO, "capacity": "person", "answer": "refused"}


def statement(*answers: dict[str, Any], **changed: Any) -> dict[str, Any]:  # noqa: ANN401 - members of a statement
    """Return what a worker writes down about a grown-up who says yes."""
    stated = {
        "purpose": "volwassene", "team": "team-1", "categories": ["betrokkenheid"], "parties": [HUISARTS],
        "age": "from23", "age_ends_on": None, "unable": False, "contested": False, "answers": list(answers or (YES,)),
        "confirmation": "given", "review_on": None,
    }  # fmt: skip
    return {**stated, **changed}


async def test_the_list_says_who_was_not_asked_and_why(desks: Desks) -> None:
    """One line per person, in words, without a name."""
    await recorded(desks, {**NO, "answer": "not_asked", "reason": "danger"})
    listed = (await desks.run(WIJKTEAM, "consent", "list")).output
    assert "de persoon zelf: niet gevraagd, want vragen is gevaarlijk" in listed
    assert WHO not in listed


async def recorded(desks: Desks, *answers: dict[str, Any], **changed: Any) -> dict[str, Any]:  # noqa: ANN401 - members of a statement
    """Return the record that the command printed."""
    file = desks.file(WIJKTEAM, "consent.json", statement(*answers, **changed))
    (shown,) = (await desks.tells(WIJKTEAM, "consent", "record", file))["consents"]
    assert isinstance(shown, dict)
    return shown


def states(shown: dict[str, Any]) -> list[str]:
    """Return how a record stands towards each organisation."""
    return [party["state"] for party in shown["parties"]]


async def test_the_documented_statement_is_recorded(desks: Desks) -> None:
    """The example on the page for developers is one that the command takes."""
    stated = json.loads(PAGE.split("## Consent")[1].split("```json")[1].split("```")[0])
    file = desks.file(WIJKTEAM, "documented.json", stated)
    told = await desks.tells(WIJKTEAM, "consent", "record", file, "--approver", "carla")
    assert states(told["consents"][0]) == ["given"]


async def test_a_yes_is_recorded_answered_taken_back_and_listed(desks: Desks) -> None:
    """Each step prints its own sentence and how it stands then; the list says how it stands today."""
    record = await recorded(desks)
    assert states(record) == ["given"]
    file = desks.file(WIJKTEAM, "answer.json", {"answers": [NO]})
    told = await desks.tells(WIJKTEAM, "consent", "answer", record["consentId"], file)
    assert (states(told["consents"][0]), told["text_nl"][:10]) == (["refused"], "Het antwoo")
    again = desks.file(WIJKTEAM, "again.json", {"answers": [YES]})
    await desks.run(WIJKTEAM, "consent", "answer", record["consentId"], again)
    back = desks.file(WIJKTEAM, "back.json", {"who": WHO, "capacity": "person", "parties": [], "by": "phone"})
    withdrawn = (await desks.run(WIJKTEAM, "consent", "withdraw", record["consentId"], back)).output
    assert withdrawn.startswith("Ingetrokken om ")
    listed = (await desks.run(WIJKTEAM, "consent", "list")).output
    assert f"{record['consentId']}  volwassene  betrokkenheid\n  Huisartsenpraktijk: ingetrokken" in listed


async def test_names_and_papers_stay_at_the_desk(desks: Desks) -> None:
    """Who answered and where the paper lies are an HMAC at the broker: its folder holds neither."""
    await recorded(desks, {**YES, "proof": {"kind": "spoken", "spoken_with": "bram", "reference": PAPER}})
    stored = [file.read_bytes() for file in (desks.world.folder / "broker").rglob("*") if file.is_file()]
    assert stored
    assert not any(canary.encode() in content for content in stored for canary in (WHO, PAPER))


async def test_the_confirmation_says_with_whom_and_how_to_take_it_back(desks: Desks) -> None:
    """Written in B1 with the telephone number and a number to name, and without the resident's name; a no has none."""
    record = await recorded(desks)
    out = desks.path / "letters"
    words = ("--phone", "026 111 2222", "--out", out)
    nowhere = await desks.run(
        WIJKTEAM, "consent", "letter", record["consentId"], "--phone", "112", *words[2:], expect=2
    )
    assert "phone: must be a number that a resident can call" in nowhere.output
    assert not out.exists()
    printed = (await desks.run(WIJKTEAM, "consent", "letter", record["consentId"], *words)).output
    for said in ("Wijkteam Arnhem mag dit delen", "- Huisartsenpraktijk", "tot en met 1 mei 2027", "Bel 026 111 2222."):
        assert said in printed
    page = (out / f"bevestiging-{record['consentId'][:8]}.html").read_text(encoding="utf-8")
    assert record["consentId"][:8] in page
    assert WHO not in page + printed
    assert "<script" not in page
    refused = await recorded(desks, NO)
    assert (
        "is not given"
        in (await desks.run(WIJKTEAM, "consent", "letter", refused["consentId"], *words, expect=2)).output
    )
    nobody = await desks.run(WIJKTEAM, "consent", "letter", "f" * 32, *words, expect=2)
    assert "is none of this organisation" in nobody.output


def test_the_letter_names_who_has_left_the_register_by_number() -> None:
    """An organisation that is in the register no more is still one the resident said yes to."""
    shown = ConsentShown.model_validate(
        {
            "consentId": "a" * 32, "purpose": "volwassene", "team": "team-1", "categories": ["hulp"],
            "parties": [
                {"oin": HUISARTS, "state": "given", "until": None, "inRecord": "given", "noIn": None},
                    {"oin": SCHOOL, "state": "refused", "until": None, "inRecord": "given", "noIn": "b" * 32},
            ],
            "persons": [], "approved": False, "confirmation": "to_send", "reviewOn": None,
            "recordedOn": "2026-11-22", "caseRef": None,
        }
    )  # fmt: skip
    letter = confirmation(shown, organisation="Wijkteam <Arnhem>", names={}, phone="026 111 2222")
    assert f"- {HUISARTS}" in letter.text
    assert SCHOOL not in letter.text
    assert "tot en met" not in letter.text
    assert "Wijkteam &lt;Arnhem&gt;" in letter.html


async def test_a_yes_is_taken_back_by_the_number_on_the_letter(desks: Desks) -> None:
    """However the name is typed, by the person as the list shows him, or as the only one who answered."""
    record = await recorded(desks)
    for said in ({"who": WHO.upper() + " "}, {"line": None}, {}):
        line = {"line": record["persons"][0]["who"][:8]} if "line" in said else said
        back = desks.file(WIJKTEAM, "back.json", {**line, "capacity": "person", "by": "phone"})
        told = await desks.tells(WIJKTEAM, "consent", "withdraw", record["consentId"][:8], back)
        assert states(told["consents"][0]) == ["withdrawn"]
    back = desks.file(WIJKTEAM, "back.json", {"capacity": "person", "by": "phone"})
    for wrong in ({"line": "f" * 64, "capacity": "person"}, {"capacity": "mentor"}, {"line": "", "capacity": "person"}):
        file = desks.file(WIJKTEAM, "wrong.json", {**wrong, "by": "phone"})
        failed = await desks.run(WIJKTEAM, "consent", "withdraw", record["consentId"], file, expect=2)
        assert "line: does not name exactly one person" in failed.output
    for number in (record["consentId"][:7], "f" * 8):
        failed = await desks.run(WIJKTEAM, "consent", "withdraw", number, back, expect=2)
        assert "is not the number of exactly one own record" in failed.output


async def test_no_letter_where_it_is_not_safe(desks: Desks) -> None:
    """Noted as unsafe, or about somebody whom this very worker shields: no letter, and the day to look again."""
    out = ("--phone", "026 111 2222", "--out", desks.path / "letters")
    file = desks.file(WIJKTEAM, "unsafe.json", statement(confirmation="unsafe", review_on="2026-12-20"))
    told = await desks.tells(WIJKTEAM, "consent", "record", file)
    assert "niet veilig" in told["text_nl"]
    assert "20 december 2026" in told["text_nl"]
    answer = await desks.world.register(WIJKTEAM, household(subject="trudy"))
    signal = answer.json()["result"]["signalId"]
    shielded = desks.file(WIJKTEAM, "safe.json", statement())
    about = (await desks.tells(WIJKTEAM, "consent", "record", shielded, "--signal", signal))["consents"][0]
    folder = desks.folder(WIJKTEAM)
    anna = pairwise_id(folder.pairwise_key, audience=folder.settings.broker.id, local_id="anna")
    desks.world.write("UPDATE signals SET shielded = 1, owner = ?", anna)
    for consent_id in (told["consents"][0]["consentId"], about["consentId"]):
        failed = await desks.run(WIJKTEAM, "consent", "letter", consent_id, *out, expect=2)
        assert "is not safe to confirm on paper" in failed.output
    assert not (desks.path / "letters").exists()


async def test_stated_custody_promises_no_confirmation(desks: Desks) -> None:
    """A parent who merely says that she has custody: recorded, opens nothing, and the sentence says what to do."""
    parent = {**YES, "capacity": "guardian", "custody": "stated"}
    young = {"age": "under12", "age_ends_on": "2030-01-01", "guardians": 1, "purpose": "afstemmen"}
    file = desks.file(WIJKTEAM, "stated.json", statement(parent, categories=["schoolgang"], parties=[SCHOOL], **young))
    told = await desks.tells(WIJKTEAM, "consent", "record", file)
    assert states(told["consents"][0]) == ["unknown"]
    assert "gezagsregister" in told["text_nl"]
    assert "Geef nu nog geen bevestiging" in told["text_nl"]
    assert desks.world.rows("SELECT kind FROM tasks") == []


async def test_a_record_about_an_own_signal_needs_no_number(desks: Desks) -> None:
    """A signal of one's own says who it is about; another organisation's reads as none."""
    answer = await desks.world.register(WIJKTEAM, household(subject="trudy"))
    signal = answer.json()["result"]["signalId"]
    async with desks.client(WIJKTEAM) as own, desks.client(SCHOOL) as other:
        shown, _ = await own.consents.record(statement(), signal_id=signal)
        assert [party.state for party in shown.parties] == ["given"]
        with pytest.raises(RefusedError) as refused:
            await other.consents.record(statement(), signal_id=signal)
        assert refused.value.problem.id == "not-found"
        with pytest.raises(RefusedError) as refused:
            await other.consents.answer(shown.consent_id, [YES])
        assert refused.value.problem.id == "not-found"


async def test_pages_follow_each_other(desks: Desks, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full page is asked on after its last, so that every record is told once."""
    made = {(await recorded(desks))["consentId"] for _ in range(3)}
    async with desks.client(WIJKTEAM) as client:
        whole = await client.consents.list_own()
        monkeypatch.setattr("connectors.consents.CONSENTS_PER_PAGE", 1)
        assert await client.consents.list_own() == whole
    assert {one.consent_id for one in whole} == made


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"remark": "canary"}, "statement"),
    ({"answers": "yes"}, "answers"),
    ({"answers": ["yes"]}, "answers"),
    ({"answers": [{**YES, "remark": "canary"}]}, "statement"),
    ({"answers": [{**YES, "until": "next year"}]}, "until"),
    ({"answers": [{**YES, "who": " "}]}, "who"),
    ({"answers": [{**YES, "custody_ref": 7}]}, "custody"),
    ({"answers": [{**YES, "proof": {"kind": "paper", "canary": 1}}]}, "statement"),
    ({"review_on": "soon"}, "review_on"),
    ({"age": "young"}, "age"),
]


@pytest.mark.parametrize(("changed", "field"), WRONG)
async def test_a_statement_that_breaks_a_rule_never_leaves(desks: Desks, changed: dict[str, Any], field: str) -> None:
    """The field and its rule are named, never what stands in it; nothing reaches the broker, and the exit code is 2."""
    file = desks.file(WIJKTEAM, "wrong.json", statement(**changed))
    before = desks.world.leaves
    told = await desks.run(WIJKTEAM, "consent", "record", file, expect=2)
    assert told.output.startswith(f"Fout: {field}")
    assert "canary" not in told.output
    assert desks.world.leaves == before


async def test_what_is_no_statement_and_no_id_is_named(desks: Desks) -> None:
    """A file that is no JSON object and an id that is none end before anything is asked."""
    for content in ("{", "[]"):
        with pytest.raises(SourceError):
            read_statement(desks.file(WIJKTEAM, "none.json", content))
    with pytest.raises(SourceError):
        read_statement(desks.path / "nowhere.json")
    async with desks.client(WIJKTEAM) as client:
        with pytest.raises(CaseError, match="32 lower-case hex"):
            await client.consents.withdraw(
                "../consents", {"who": WHO, "capacity": "person", "parties": [], "by": "phone"}
            )


async def test_a_yes_that_cannot_be_given_is_refused_in_dutch(desks: Desks) -> None:
    """A parent without custody cannot say yes: exit 1, the sentence, and no record."""
    parent = {**YES, "capacity": "guardian"}
    young = {"age": "under12", "age_ends_on": "2030-01-01"}
    stated = statement(parent, purpose="casusoverleg", parties=[SCHOOL], categories=["schoolgang"], **young)
    refused = await desks.tells(
        WIJKTEAM, "consent", "record", desks.file(WIJKTEAM, "parent.json", stated), expect=1
    )  # fmt: skip
    assert refused["failed"][0]["problem"] == "consent-without-custody"
    assert (await desks.tells(WIJKTEAM, "consent", "list"))["consents"] == []


async def test_who_records_a_yes_alone_reads_that_a_colleague_is_to_look(desks: Desks) -> None:
    """What one worker recorded shows him nobody, and he is told so; with a colleague, or for a no, it is not said."""
    words = ("consent", "record", desks.file(WIJKTEAM, "alone.json", statement(YES)))
    alone = render("consent.alone", {})
    assert alone in (await desks.run(WIJKTEAM, *words)).output
    assert alone not in (await desks.run(WIJKTEAM, *words, "--approver", "carla")).output
    refused = ("consent", "record", desks.file(WIJKTEAM, "no.json", statement(NO)))
    assert alone not in (await desks.run(WIJKTEAM, *refused)).output
