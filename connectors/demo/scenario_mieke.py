"""*Mieke*, as data: who does what, and what must come of it (`Regiovisie Arnhem/Achterhoek`, 2014, the example family).

Tijmen is the control: the same constellation without a guardian of his own. What the school reads about Mieke must be
what it reads about Tijmen, byte for byte.
"""

from dataclasses import dataclass
from typing import Literal

from connectors.demo.cast import CORPORATIE, GI, SCHOOL, VEILIG_THUIS, WIJKTEAM, Partner
from connectors.demo.households import MIEKE, TIJMEN, Household

PURPOSE, GROUND = "verwijsindex", "JW-7.1.4.1"
Outcome = Literal["shown", "nothing", "refused"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One act of one worker and what it must lead to; `sees` names all organisations that must be shown."""

    actor: Partner
    role: str
    action: Literal["register", "check"]
    household: Household
    story: str
    outcome: Outcome
    sees: tuple[Partner, ...] = ()
    reason: str | None = None
    possible: tuple[str, ...] = ()
    approved: bool = False
    by_address: bool = False
    same_as: str | None = None
    name: str | None = None


STEPS = (
    Step(
        actor=GI,
        role="gezinsvoogd",
        action="register",
        household=MIEKE,
        story="De gezinsvoogd van Mieke werkt in een andere regio en geeft een signaal af.",
        outcome="nothing",
    ),
    Step(
        actor=SCHOOL,
        role="intern begeleider",
        action="register",
        household=MIEKE,
        name="signaal-mieke",
        story="De school maakt zich zorgen om Mieke en geeft een signaal af. De GI ziet zij niet.",
        outcome="nothing",
    ),
    Step(
        actor=WIJKTEAM,
        role="maatschappelijk werker",
        action="register",
        household=MIEKE,
        story="De wijkteammedewerker wil een signaal afgeven, maar haar leidinggevende is nog niet geraadpleegd.",
        outcome="refused",
        reason="approval-required",
        possible=("leidinggevende",),
    ),
    Step(
        actor=WIJKTEAM,
        role="maatschappelijk werker",
        action="register",
        household=MIEKE,
        approved=True,
        story="Na overleg tekent de leidinggevende mee. De wijkteammedewerker geeft het signaal af.",
        outcome="shown",
        sees=(GI, SCHOOL),
    ),
    Step(
        actor=GI,
        role="gezinsvoogd",
        action="check",
        household=MIEKE,
        story="De gezinsvoogd kijkt wie betrokken is.",
        outcome="shown",
        sees=(WIJKTEAM, SCHOOL),
    ),
    Step(
        actor=SCHOOL,
        role="intern begeleider",
        action="check",
        household=MIEKE,
        name="kijken-mieke",
        story="De school kijkt ook wie betrokken is, met haar eigen signaal.",
        outcome="shown",
        sees=(WIJKTEAM,),
    ),
    Step(
        actor=SCHOOL,
        role="intern begeleider",
        action="register",
        household=TIJMEN,
        same_as="signaal-mieke",
        story="Controle: de school geeft een signaal af over Tijmen. Bij hem is geen GI betrokken.",
        outcome="nothing",
    ),
    Step(
        actor=WIJKTEAM,
        role="maatschappelijk werker",
        action="register",
        household=TIJMEN,
        approved=True,
        story="Controle: ook het wijkteam is bij Tijmen betrokken.",
        outcome="shown",
        sees=(SCHOOL,),
    ),
    Step(
        actor=SCHOOL,
        role="intern begeleider",
        action="check",
        household=TIJMEN,
        same_as="kijken-mieke",
        story="Controle: de school kijkt wie bij Tijmen betrokken is.",
        outcome="shown",
        sees=(WIJKTEAM,),
    ),
    Step(
        actor=CORPORATIE,
        role="medewerker leefbaarheid",
        action="check",
        household=MIEKE,
        by_address=True,
        story="De woningcorporatie hoort van overlast en vraagt met het adres wie er betrokken is.",
        outcome="refused",
        reason="not-a-listed-category",
        possible=("Overleg Zorg en Overlast", "0800-2000", "112"),
    ),
    Step(
        actor=VEILIG_THUIS,
        role="medewerker triage",
        action="check",
        household=MIEKE,
        story="Veilig Thuis kijkt zonder eigen signaal. Vrij zoeken mag niemand.",
        outcome="refused",
        reason="no-standing",
        possible=("eerst zelf een signaal",),
    ),
)
