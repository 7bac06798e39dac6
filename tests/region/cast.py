"""The six organisations of `make region`: invented, of classes that may all register, look and be seen (verwijsindex).

Their numbers stand in `policies/documents/test/partijen.yaml`, which loads with `insecure_test_bundle` only.
"""

import hashlib
from collections.abc import Mapping

from connectors.demo.cast import FAMILIES, Partner, Sizes, Worker, contact_card

TEAMS = ("team-a", "team-b", "team-c")
WORKER, APPROVER = "medewerker", "leidinggevende"
_LARGEST = 10_000_000
_BUDGETS: Sizes = {
    "check": (_LARGEST, _LARGEST),
    "urgent": (5, 400),
    "register": (_LARGEST, _LARGEST),
    "import": (_LARGEST, _LARGEST),
}
"""As much as a register can state: what is held here is who matches, and `tests/redlines` hold the budgets."""


def team_of(label: str) -> str:
    """Return the team that works with this person, at whichever organisation."""
    return TEAMS[hashlib.sha256(label.encode()).digest()[8] % len(TEAMS)]


def _organisation(slug: str, name: str, org_class: str, number: int) -> Partner:
    first, *others = (
        contact_card(team, f"{name}, {team}", f"026 555 {number:04}", "maandag tot en met vrijdag") for team in TEAMS
    )
    return Partner(
        slug=slug,
        oin=f"000000990000000{number:02}000",
        name=name,
        org_class=org_class,
        families=FAMILIES,
        team=TEAMS[0],
        card=first,
        other_cards=tuple(others),
        workers=(
            Worker(local_id=WORKER, name=f"Medewerker van {name}", role="worker"),
            Worker(local_id=APPROVER, name=f"Leidinggevende van {name}", role="approver"),
        ),
        budgets=_BUDGETS,
    )


ORGANISATIONS = (
    _organisation("wijkteam-oost", "Wijkteam Oost", "wijkteam", 61),
    _organisation("wijkteam-west", "Wijkteam West", "wijkteam", 62),
    _organisation("gi-noord", "GI Noord", "gi", 63),
    _organisation("gi-zuid", "GI Zuid", "gi", 64),
    _organisation("vt-rivierenland", "Veilig Thuis Rivierenland", "veilig_thuis", 65),
    _organisation("vt-heuvelrug", "Veilig Thuis Heuvelrug", "veilig_thuis", 66),
)
BY_SLUG: Mapping[str, Partner] = {partner.slug: partner for partner in ORGANISATIONS}
BY_OIN: Mapping[str, Partner] = {partner.oin: partner for partner in ORGANISATIONS}
GROUNDS: Mapping[str, str] = {"proefregio": "TEST-PROEFREGIO", "verwijsindex": "JW-7.1.4.1"}
