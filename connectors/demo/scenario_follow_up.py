"""What follows a match: a neutral notice, who to call, that there was contact, and who leads the one plan (*Mieke*)."""

from collections.abc import Mapping
from typing import Any

from connectors.demo.acts import Act, Printed
from connectors.demo.cast import GEMEENTE, GI, WIJKTEAM
from connectors.demo.scenario_mieke import PURPOSE

_GUARDIAN = "gezinsvoogd"


def _with(printed: Printed, oin: str) -> Mapping[str, Any]:
    """Return the match with an organisation."""
    found: list[Mapping[str, Any]] = printed["results"][0]["details"]["found"]
    return next(match for match in found if match["involved"]["holder"]["oin"] == oin)


def _coordinated(printed: Printed, match: str) -> Mapping[str, Any]:
    """Return a match as the matchcoordinator sees it."""
    found: list[Mapping[str, Any]] = printed["results"][0]["details"]["found"]
    return next(one for one in found if one["matchId"] == match)


STEPS = (
    Act(
        actor=GI,
        role=_GUARDIAN,
        action="inbox",
        story="Op een vast tijdstip haalt de GI op wat er klaarligt. In het bericht zelf staat niets over een gezin.",
        outcome="shown",
        holds={
            "a match waits": lambda printed, _: any(notice["kind"] == "match" for notice in printed["notices"]),
            "the notice says nothing of a household": lambda printed, _: all(
                notice.keys() == {"id", "kind", "team", "about", "at"} for notice in printed["notices"]
            ),
        },
    ),
    Act(
        actor=GI,
        role=_GUARDIAN,
        action="matches list",
        purpose=PURPOSE,
        story="De gezinsvoogd ziet met wie zij contact zoekt, en voor wanneer.",
        outcome="shown",
        keeps={"match": lambda printed: str(_with(printed, WIJKTEAM.oin)["matchId"])},
        holds={
            "the card of the wijkteam's team is there": lambda printed, _: (
                _with(printed, WIJKTEAM.oin)["involved"]["holder"]["contact"]["phone"] == WIJKTEAM.card["phone"]
            )
        },
    ),
    Act(
        actor=GI,
        role=_GUARDIAN,
        action="matches state",
        purpose=PURPOSE,
        story="Zij belt het wijkteam, en legt dat vast.",
        outcome="done",
        words=(lambda scene: scene.kept["match"], "contact_gehad"),
    ),
    Act(
        actor=GI,
        role=_GUARDIAN,
        action="matches casusregisseur",
        purpose=PURPOSE,
        story="Een gezin, een plan, een casusregisseur: het wijkteam.",
        outcome="done",
        words=(lambda scene: scene.kept["match"], WIJKTEAM.oin, WIJKTEAM.team),
    ),
    Act(
        actor=GEMEENTE,
        role="matchcoördinator",
        action="coordinated",
        story="De matchcoördinator kijkt alleen of er contact is geweest; om wie het gaat, ziet zij niet.",
        outcome="shown",
        holds={
            "the contact between the two teams is known": lambda printed, scene: _coordinated(
                printed, scene.kept["match"]
            )["contacted"],
            "nothing of a household is told": lambda printed, scene: (
                _coordinated(printed, scene.kept["match"]).keys()
                == {"matchId", "sides", "madeOn", "dueOn", "contacted", "overdue", "casusregisseurs"}
            ),
        },
    ),
)
