"""Who plays: seven partners with their workers, as the region of the demonstration knows them. All are invented.

The numbers are those of the example agreement in `policies/documents`; the school's right to use the citizen service
number and the connection to the national index are simulated, and marked so in the register and the agreement.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

BROKER = "broker.demo.sluis.test"
CUSTODIANS = ("custodian-a.demo.sluis.test", "custodian-b.demo.sluis.test")
WITNESS = "witness.demo.sluis.test"
FAMILIES = ("nlbsn", "fam", "addr")
REAL_INPUT_PURPOSE = "proefregio"

Sizes = Mapping[str, tuple[int, int]]
"""Per budget class the persons of a worker and the points of the organisation, both at once and a day."""
_ORDINARY: Sizes = {"check": (40, 4_000), "urgent": (5, 400), "register": (40, 4_000), "import": (1, 100)}
# Raised for the real file, so that one worker may ask about fifty households in a minute.
_RAISED: Sizes = {"check": (2_000, 40_000), "urgent": (5, 400), "register": (400, 10_000), "import": (1, 100)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """Somebody who works at a partner. The name stays in the partner's folder."""

    local_id: str
    name: str
    role: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Partner:
    """One organisation: what the register says of it, how its team is reached, and who works there."""

    slug: str
    oin: str
    name: str
    org_class: str
    families: tuple[str, ...]
    team: str
    card: Mapping[str, str | None]
    workers: tuple[Worker, ...]
    simulated_bsn_right: bool = False
    budgets: Sizes | None = None
    other_cards: tuple[Mapping[str, str | None], ...] = ()

    @property
    def worker(self) -> str:
        """The local id of who asks here."""
        return self.workers[0].local_id


def contact_card(
    code: str, name: str, phone: str, days: str, *, after_hours: str | None = None
) -> Mapping[str, str | None]:
    """Return how a team is reached."""
    return MappingProxyType(
        {
            "code": code,
            "displayName": name,
            "phone": phone,
            "workingDays": days,
            "afterHoursPhone": after_hours,
            "standIn": None,
        }
    )


WIJKTEAM = Partner(
    slug="wijkteam-arnhem",
    oin="00000099000000001000",
    name="Wijkteam Arnhem",
    org_class="wijkteam",
    families=FAMILIES,
    team="jeugdteam-presikhaaf",
    card=contact_card("jeugdteam-presikhaaf", "Jeugdteam Presikhaaf", "026 555 0101", "maandag tot en met vrijdag"),
    workers=(
        Worker(local_id="maatschappelijk-werker", name="Annelotte Wiersinga-Prak", role="worker"),
        Worker(local_id="leidinggevende", name="Gerbrand Oosterwolda", role="approver"),
    ),
    budgets=_RAISED,
)
GI = Partner(
    slug="gi-noord-holland",
    oin="00000099000000002000",
    name="GI Noord-Holland",
    org_class="gi",
    families=FAMILIES,
    team="jeugdbescherming-alkmaar",
    card=contact_card(
        "jeugdbescherming-alkmaar",
        "Jeugdbescherming Alkmaar",
        "072 555 0202",
        "maandag tot en met vrijdag",
        after_hours="072 555 0203",
    ),
    workers=(Worker(local_id="gezinsvoogd", name="Philippien Steringa-Bosch", role="worker"),),
    budgets=_RAISED,
)
VEILIG_THUIS = Partner(
    slug="veilig-thuis-gelderland-midden",
    oin="00000099000000003000",
    name="Veilig Thuis Gelderland-Midden",
    org_class="veilig_thuis",
    families=("nlbsn", "fam"),
    team="triage",
    card=contact_card("triage", "Team triage", "026 555 0303", "alle dagen", after_hours="0800 2000"),
    workers=(Worker(local_id="medewerker-triage", name="Machteld Roosenburgh", role="worker"),),
)
SCHOOL = Partner(
    slug="basisschool-arnhem",
    oin="00000099000000004000",
    name="Basisschool in Arnhem",
    org_class="school",
    families=("nlbsn", "fam"),
    team="zorgteam",
    card=contact_card("zorgteam", "Zorgteam", "026 555 0404", "maandag, dinsdag en donderdag"),
    workers=(
        Worker(local_id="intern-begeleider", name="Hadewych Mulderije", role="worker"),
        Worker(local_id="leerkracht", name="Roswitha Klaverweide", role="worker"),
    ),
    simulated_bsn_right=True,
)
CORPORATIE = Partner(
    slug="woningcorporatie-arnhem",
    oin="00000099000000005000",
    name="Woningcorporatie in Arnhem",
    org_class="woningcorporatie",
    families=("addr",),
    team="leefbaarheid",
    card=contact_card("leefbaarheid", "Team leefbaarheid", "026 555 0505", "maandag tot en met vrijdag"),
    workers=(Worker(local_id="medewerker-leefbaarheid", name="Lubbert Dijkslagter", role="worker"),),
)
HUISARTS = Partner(
    slug="huisarts-arnhem",
    oin="00000099000000007000",
    name="Huisartsenpraktijk in Arnhem",
    org_class="huisarts",
    families=("nlbsn",),
    team="praktijk",
    card=contact_card("praktijk", "Praktijk", "026 555 0606", "maandag tot en met vrijdag", after_hours="026 555 0607"),
    workers=(Worker(local_id="huisarts", name="Evert-Jan Hoogstraaten", role="worker"),),
)
GEMEENTE = Partner(
    slug="gemeente-arnhem",
    oin="00000099000000006000",
    name="Gemeente Arnhem",
    org_class="gemeente",
    families=("nlbsn",),
    team="matchcoordinatie",
    card=contact_card("matchcoordinatie", "Matchcoördinatie", "026 555 0707", "maandag tot en met vrijdag"),
    workers=(Worker(local_id="matchcoordinator", name="Wendelmoet Brandsma", role="matchcoordinator"),),
)
PARTNERS = (WIJKTEAM, GI, VEILIG_THUIS, SCHOOL, CORPORATIE, HUISARTS, GEMEENTE)


def organisation_line(partner: Partner, own_part: Mapping[str, Any]) -> dict[str, Any]:
    """Return the partner's line of the register, from what its own folder says of it (names and public keys)."""
    return {
        "oin": partner.oin,
        "name": partner.name,
        "orgClass": partner.org_class,
        "status": "active",
        "parentOrg": None,
        "signingKeys": own_part["signingKeys"],
        "sealingKeys": own_part["sealingKeys"],
        "families": list(partner.families),
        "simulatedBsnRight": partner.simulated_bsn_right,
        "workerCap": 25,
        "budgets": None if partner.budgets is None else _budgets(partner.budgets),
    }


def register_content(lines: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what the registrars sign: the organisations and the sizes of the budgets."""
    return {"number": 1, "organisations": lines, "budgetClasses": _budgets(_ORDINARY)}


def _budgets(sizes: Sizes) -> dict[str, Any]:
    return {
        name: {
            "worker": {"capacity": persons, "perDay": persons},
            "organisation": {"capacity": points, "perDay": points},
        }
        for name, (persons, points) in sizes.items()
    }
