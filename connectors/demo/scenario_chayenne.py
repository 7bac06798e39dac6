"""*Chayenne*, as data: advice leaves a counter and nothing else; a consent that comes later names its one recipient."""

import datetime
import json

from connectors.demo.acts import Act, Advice, Scene
from connectors.demo.cast import HUISARTS, SCHOOL

PURPOSE = "afstemmen"
_MOTHER = "moeder van C."


def _statement(scene: Scene) -> object:
    stated = {
        "purpose": PURPOSE,
        "team": SCHOOL.team,
        "categories": ["schoolgang"],
        "parties": [HUISARTS.oin],
        "age": "under12",
        "age_ends_on": datetime.date(scene.today().year + 2, 1, 1).isoformat(),
        "unable": False,
        "contested": False,
        "guardians": 1,
        "answers": [
            {
                "who": _MOTHER,
                "capacity": "guardian",
                "answer": "given",
                "custody": "gezagsregister",
                "custody_ref": "uittreksel gezagsregister, moeder alleen",
                "proof": {"kind": "spoken", "spoken_with": SCHOOL.workers[1].local_id},
                "until": (scene.today() + datetime.timedelta(days=90)).isoformat(),
            }
        ],
        "confirmation": "given",
        "review_on": None,
    }
    return scene.file(SCHOOL, "toestemming-moeder.json", json.dumps(stated))


def _taken_back(scene: Scene) -> object:
    stated = {"who": _MOTHER, "capacity": "guardian", "parties": [], "by": "phone"}
    return scene.file(SCHOOL, "ingetrokken-moeder.json", json.dumps(stated))


STEPS: tuple[Act | Advice, ...] = (
    Advice(
        actor=SCHOOL,
        role="intern begeleider",
        story="De intern begeleider vraagt Veilig Thuis om advies over Chayenne. Daarvoor vult zij niets over haar in.",
    ),
    Act(
        actor=SCHOOL,
        role="intern begeleider",
        action="consent record",
        purpose=PURPOSE,
        story="Later vindt de moeder van Chayenne het goed dat de school met de huisarts praat, over school.",
        outcome="done",
        words=(_statement,),
        keeps={"consent": lambda printed: str(printed["consents"][0]["consentId"])},
        holds={
            "the huisarts is named, and nobody else": lambda printed, _: (
                [(one["oin"], one["state"]) for one in printed["consents"][0]["parties"]] == [(HUISARTS.oin, "given")]
            )
        },
    ),
    Act(
        actor=SCHOOL,
        role="intern begeleider",
        action="consent withdraw",
        purpose=PURPOSE,
        story="Zij belt dat zij het niet meer wil. Dat werkt meteen.",
        outcome="done",
        words=(lambda scene: scene.kept["consent"], _taken_back),
        holds={
            "nothing of it counts any more": lambda printed, _: (
                [one["state"] for one in printed["consents"][0]["parties"]] == ["withdrawn"]
            )
        },
    ),
)
