"""*Suzan*, as data: after a police report Veilig Thuis looks, asks a holder to call, and asks for information.

The wijkteam is seen at once; the school decides itself whether it calls, and nobody reads what it decided.
"""

import json
from collections.abc import Mapping
from typing import Any

from connectors.demo.acts import Act, Printed, Scene
from connectors.demo.cast import SCHOOL, VEILIG_THUIS, WIJKTEAM
from connectors.demo.households import SUZAN
from connectors.demo.scenario_mieke import Step

MELDING, GROUND, ANSWERING = "vt-melding", "WMO-5.1.6", "WMO-5.2.6"
NUMBER = "VT-PROEF-0451"
QUESTION = "Welke hulp krijgt het gezin Grevelingk van jullie, en sinds wanneer?"
ANSWER = "Sinds het voorjaar komt onze collega elke week bij Suzan thuis langs."
CONTENT = (QUESTION, ANSWER)
"""What only the two organisations may read."""
_TRIAGE = "medewerker triage"


def _proof_file(scene: Scene) -> object:
    proof = {"kind": "melding", "reference": NUMBER, "since": scene.today().isoformat()}
    return scene.file(VEILIG_THUIS, "melding.json", json.dumps(proof))


def _of_request(printed: Printed) -> Mapping[str, Any]:
    request: Mapping[str, Any] = printed["results"][0]["requests"][0]
    return request


STEPS: tuple[Step | Act, ...] = (
    Step(
        actor=WIJKTEAM,
        role="maatschappelijk werker",
        action="register",
        household=SUZAN,
        approved=True,
        story="Suzan is dertien. Haar broer is gewelddadig. Het wijkteam helpt het gezin en geeft een signaal af.",
        outcome="nothing",
    ),
    Step(
        actor=SCHOOL,
        role="intern begeleider",
        action="register",
        household=SUZAN,
        story="De school geeft ook een signaal af.",
        outcome="shown",
        sees=(WIJKTEAM,),
    ),
    Act(
        actor=VEILIG_THUIS,
        role=_TRIAGE,
        action="check",
        purpose=MELDING,
        story="De politie meldt bij Veilig Thuis. Met die melding kijkt Veilig Thuis wie betrokken is.",
        outcome="shown",
        words=(
            "--case",
            lambda scene: scene.case(VEILIG_THUIS, SUZAN),
            "--purpose",
            MELDING,
            "--ground",
            GROUND,
            "--team",
            VEILIG_THUIS.team,
            "--proof",
            _proof_file,
        ),
        holds={
            "the wijkteam is shown, and the school is not": lambda printed, _: (
                [match["holder"]["oin"] for match in printed["results"][0]["matches"]] == [WIJKTEAM.oin]
            )
        },
    ),
    Act(
        actor=VEILIG_THUIS,
        role=_TRIAGE,
        action="oproep",
        purpose=MELDING,
        story="Wie niet meteen te zien is, vraagt Veilig Thuis om te bellen. Het leest altijd hetzelfde.",
        outcome="sent",
        words=(
            "--case",
            lambda scene: scene.case(VEILIG_THUIS, SUZAN),
            "--purpose",
            MELDING,
            "--ground",
            GROUND,
            "--team",
            VEILIG_THUIS.team,
            "--proof",
            _proof_file,
        ),
    ),
    Act(
        actor=SCHOOL,
        role="intern begeleider",
        action="oproepen list",
        purpose=MELDING,
        story="De school leest wie iets wil vragen over een kind bij wie zij betrokken is.",
        outcome="shown",
        keeps={"ring": lambda printed: str(printed["rings"][0]["ringId"])},
        holds={"Veilig Thuis asks": lambda printed, _: VEILIG_THUIS.name in printed["rings"][0]["received_nl"]},
    ),
    Act(
        actor=SCHOOL,
        role="intern begeleider",
        action="oproepen accept",
        purpose=MELDING,
        story="Zij wil bellen en krijgt het nummer. Veilig Thuis ziet niet wat zij koos.",
        outcome="done",
        words=(lambda scene: scene.kept["ring"],),
        holds={
            "the number of who asks is shown": lambda printed, _: (
                printed["caller"]["contact"]["phone"] == VEILIG_THUIS.card["phone"]
            )
        },
    ),
    Act(
        actor=VEILIG_THUIS,
        role=_TRIAGE,
        action="request send",
        purpose=MELDING,
        story="Veilig Thuis vraagt het wijkteam om informatie. Alleen het wijkteam kan de vraag lezen.",
        outcome="sent",
        words=(
            "--purpose",
            MELDING,
            "--ground",
            GROUND,
            "--team",
            VEILIG_THUIS.team,
            "--to",
            WIJKTEAM.oin,
            "--to-team",
            WIJKTEAM.team,
            "--category",
            "hulp",
            "--text",
            lambda scene: scene.file(VEILIG_THUIS, "vraag.txt", QUESTION),
            "--proof",
            lambda scene: f"melding:{scene.today().isoformat()}",
            "--proof-number",
            lambda scene: scene.file(VEILIG_THUIS, "melding.txt", NUMBER),
        ),
        keeps={"request": lambda printed: str(_of_request(printed)["requestId"])},
    ),
    Act(
        actor=WIJKTEAM,
        role="maatschappelijk werker",
        action="request read",
        purpose=MELDING,
        story="Het wijkteam opent de vraag met de eigen sleutel.",
        outcome="shown",
        words=(lambda scene: scene.kept["request"],),
        holds={"the question is what was asked": lambda printed, _: printed["letter"]["text"] == QUESTION},
    ),
    Act(
        actor=WIJKTEAM,
        role="maatschappelijk werker",
        action="answer",
        purpose=MELDING,
        story="Het wijkteam mag antwoorden, en doet dat. De makelaar ziet alleen een verzegelde envelop.",
        outcome="sent",
        words=(
            lambda scene: scene.kept["request"],
            "--kind",
            "all",
            "--category",
            "hulp",
            "--ground",
            ANSWERING,
            "--text",
            lambda scene: scene.file(WIJKTEAM, "antwoord.txt", ANSWER),
        ),
    ),
    Act(
        actor=VEILIG_THUIS,
        role=_TRIAGE,
        action="request read",
        purpose=MELDING,
        story="Alleen Veilig Thuis kan het antwoord lezen.",
        outcome="shown",
        words=(lambda scene: scene.kept["request"],),
        holds={"the answer is what was answered": lambda printed, _: printed["letter"]["text"] == ANSWER},
    ),
)  # fmt: skip - one option of a command after the other
