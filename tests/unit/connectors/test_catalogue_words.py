"""The sentences of the screens (4c of the design, in the words of its page on wording) are there, and are said."""

import pytest

from broker.protocol.problems import render
from broker.protocol.review_messages import ActShown, FlagShown
from connectors.caseload_report import told_nl
from connectors.review_telling import act_lines
from tests.simulators.enrolled import VEILIG_THUIS
from tests.simulators.served_desks import Desks

SCREENS = {
    "screen.check": "Kijken wie betrokken is",
    "screen.purpose": "Waarvoor heb je dit nodig?",
    "screen.ground": "Waarom mag dit?",
    "screen.signal_review": "Kijk je signaal na",
    "screen.unsaved": "Je tekst staat nog hier.",
    "screen.shield": "Alleen Veilig Thuis Gelderland-Midden ziet het.",
    "screen.not_informed": "Waarom weet het gezin dit nog niet?",
    "screen.question": "Wat wil je weten?",
    "screen.consent_choice": "Kies ja, nee of niet gevraagd.",
    "screen.consent_custody": "Vul in wie het gezag heeft.",
    "screen.consent_resident": "Nee zeggen verandert niets aan uw recht op hulp.",
    "screen.consulted": "Niemand bereikbaar? Overleg met Veilig Thuis: 0800-2000.",
    "bsn.elfproef": "Kijk de cijfers na.",
    "check.nothing": "**Dat zegt niet of het gezin veilig is.**",
    "letter.only_reader": "kan je vraag lezen. Wij niet.",
    "letter.preview": "Dit leest de ander:",
    "letter.shares": "Daarna kun je het niet terughalen.",
    "consent.withdrawn": "Wat al gedeeld is, kunnen wij niet terughalen.",
    "exception.invoked": "binnen 1 werkdag",
    "exception.acute": "Bel 112.",
    "review.own_team": "Dit is van je eigen team. Een ander moet dit bekijken.",
    "review.damaged": "Sluit dit niet af.",
}


@pytest.mark.parametrize("text_id", sorted(SCREENS))
def test_a_sentence_of_the_screens_stands_in_the_catalogue(text_id: str) -> None:
    """Every screen finds its words in one place, and none says `controleren`, which sounds like fraud control."""
    text = render(text_id, {"region": "Gelderland-Midden", "name": "Wijkteam", "time": "14:02"})
    assert SCREENS[text_id] in text
    assert "controle" not in text.lower()


async def test_a_number_that_is_none_is_told_in_words(desks: Desks) -> None:
    """Who mistypes a citizen service number reads to look at its digits, and the number is not repeated."""
    case = desks.file(VEILIG_THUIS, "case.json", {"bsn": "999990018", "caseRef": "zaak-1"})
    look = ("check", "--case", case, "--purpose", "vt-melding", "--ground", "WMO-5.1.6", "--team", "team-1")
    told = " ".join((await desks.run(VEILIG_THUIS, *look, expect=3)).output.split())
    assert "Dit nummer kan geen burgerservicenummer zijn. Kijk de cijfers na." in told
    assert "99999" not in told
    assert told_nl("must be a day") == "must be a day"


def test_a_proof_that_does_not_hold_says_what_to_do() -> None:
    """A reviewer does not close such an act: he calls who runs the log, and somebody who watches it."""
    act = ActShown.model_construct(
        index=3, at=1_795_345_200, worker=None, type=None, kind="answer", purpose=None, outcome=None, verdict=None,
        own=False, flags=[FlagShown.model_construct(kind="damaged", due_on="2026-11-30")],
    )  # fmt: skip
    line, warning = act_lines(act, {})
    assert line.startswith("3  2026-11-22 12:00  gewist  antwoord  -  gewist  bewijs klopt niet")
    assert warning == "Het bewijs klopt niet. Sluit dit niet af. Bel de beheerder en een meekijkende organisatie."
    fine = act.model_copy(update={"flags": []})
    assert len(act_lines(fine, {})) == 1
