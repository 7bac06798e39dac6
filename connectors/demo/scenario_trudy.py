"""*Trudy* (70), as data: an adult is looked up with her own yes, for whom she named, as long as she wants it."""

import datetime
import json
from typing import Any

from connectors.demo.acts import Act, Printed, Scene, Word
from connectors.demo.cast import HUISARTS, WIJKTEAM, Partner
from connectors.demo.households import TRUDY, Resident

PURPOSE, GROUND = "volwassene", "TOEST"
_WHO = "mevrouw T."
_SOCIAL, _DOCTOR = "maatschappelijk werker", "huisarts"


def _yes(partner: Partner, to: Partner) -> Word:
    """Return the statement in which Trudy says yes to this partner, about showing it to or hearing of another."""

    def file(scene: Scene) -> object:
        stated = {
            "purpose": PURPOSE,
            "team": partner.team,
            "categories": ["betrokkenheid"],
            "parties": [to.oin],
            "age": "from23",
            "age_ends_on": None,
            "unable": False,
            "contested": False,
            "answers": [
                {
                    "who": _WHO,
                    "capacity": "person",
                    "answer": "given",
                    "proof": {"kind": "paper", "reference": "map 12"},
                    "until": (scene.today() + datetime.timedelta(days=200)).isoformat(),
                }
            ],
            "confirmation": "given",
            "review_on": None,
        }
        return scene.file(partner, "toestemming-trudy.json", json.dumps(stated))

    return file


def _case(partner: Partner, person: Resident) -> Word:
    """Return the file in which a partner has her number, with what registering needs besides."""

    def file(scene: Scene) -> object:
        today = scene.today()
        case: dict[str, Any] = {
            "bsn": person.person.number,
            "caseRef": f"{partner.slug}/{person.slug}",
            "team": partner.team,
            "endsOn": (today + datetime.timedelta(days=150)).isoformat(),
            "assessment": {"on": today.isoformat(), "by": partner.worker},
            "informing": {"informed": True},
        }
        return scene.file(partner, f"{person.slug}.json", json.dumps(case))

    return file


def _taken_back(scene: Scene) -> object:
    stated = {"who": _WHO, "capacity": "person", "parties": [], "by": "phone"}
    return scene.file(WIJKTEAM, "ingetrokken-trudy.json", json.dumps(stated))


def _look(partner: Partner) -> tuple[str | Word, ...]:
    return ("--purpose", PURPOSE, "--ground", GROUND, "--team", partner.team, "--families", "nlbsn")


def _only_the_doctor(printed: Printed, _: Scene) -> bool:
    return [match["holder"]["oin"] for match in printed["results"][0]["matches"]] == [HUISARTS.oin]


STEPS = (
    Act(
        actor=HUISARTS,
        role=_DOCTOR,
        action="consent record",
        purpose=PURPOSE,
        story="Trudy is zeventig. Haar huisarts mag het wijkteam laten zien dat hij betrokken is.",
        outcome="done",
        words=(_yes(HUISARTS, WIJKTEAM), "--case", _case(HUISARTS, TRUDY)),
    ),
    Act(
        actor=HUISARTS,
        role=_DOCTOR,
        action="register",
        purpose=PURPOSE,
        story="De huisarts legt met die toestemming vast dat hij betrokken is.",
        outcome="nothing",
        words=("--source", "case", _case(HUISARTS, TRUDY), *_look(HUISARTS)),
    ),
    Act(
        actor=WIJKTEAM,
        role=_SOCIAL,
        action="check",
        purpose=PURPOSE,
        story="Het wijkteam wil zonder toestemming van Trudy kijken wie betrokken is. Dat mag niet.",
        outcome="refused",
        words=("--case", _case(WIJKTEAM, TRUDY), *_look(WIJKTEAM)),
    ),
    Act(
        actor=WIJKTEAM,
        role=_SOCIAL,
        action="consent record",
        purpose=PURPOSE,
        story="Trudy zegt ja, op papier. Een tweede medewerker kijkt mee en tekent.",
        outcome="done",
        words=(
            _yes(WIJKTEAM, HUISARTS),
            "--case",
            _case(WIJKTEAM, TRUDY),
            "--approver",
            WIJKTEAM.workers[1].local_id,
        ),
        keeps={"trudy": lambda printed: str(printed["consents"][0]["consentId"])},
    ),
    Act(
        actor=WIJKTEAM,
        role=_SOCIAL,
        action="check",
        purpose=PURPOSE,
        story="Nu ziet het wijkteam de huisarts, en verder niemand.",
        outcome="shown",
        words=("--case", _case(WIJKTEAM, TRUDY), *_look(WIJKTEAM)),
        holds={"the huisarts alone is shown": _only_the_doctor},
    ),
    Act(
        actor=WIJKTEAM,
        role=_SOCIAL,
        action="consent withdraw",
        purpose=PURPOSE,
        story="Trudy belt: zij trekt haar ja in.",
        outcome="done",
        words=(lambda scene: scene.kept["trudy"], _taken_back),
    ),
    Act(
        actor=WIJKTEAM,
        role=_SOCIAL,
        action="check",
        purpose=PURPOSE,
        story="Vanaf dat moment kijkt niemand meer.",
        outcome="refused",
        words=("--case", _case(WIJKTEAM, TRUDY), *_look(WIJKTEAM)),
    ),
)  # fmt: skip - one option of a command after the other
