"""Decision rows of the privacyconvenant of Amsterdam-Amstelland, and of the region that has none."""

from dataclasses import replace
from datetime import date

from policies import AskFacts
from tests.unit.policies.arnhem import DAY, SIGNAL_OF_GI, VEILIG_THUIS, WIJKTEAM
from tests.unit.policies.rows import Row
from tests.unit.policies.statutory import LEX, VT_HANDS_OVER

AA = "aa@2026.1.0/"
AA_DOCUMENT = "regio/amsterdam-amstelland/privacyconvenant.yaml"
BUURTTEAM = "00000099000000011000"
AMSTELVEEN = "00000099000000012000"
VT_AMSTERDAM = "00000099000000013000"
GGZ_AMSTERDAM = "00000099000000015000"
CORPORATIE = "00000099000000017000"
POLITIE = "00000099000000019000"
OPVANG = "00000099000000020000"

MEETING = AskFacts(
    day=DAY,
    operation="call",
    organisation=BUURTTEAM,
    org_class="wijkteam",
    role="worker",
    purpose="casusoverleg",
    grounds=("TOEST",),
    standing="consent",
    consent="given",
    consent_by=frozenset({"person"}),
    age="from23",
    approval="none",
    families=frozenset({"nlbsn"}),
)
"""The casusregisseur of the buurtteam calls a casusoverleg, with consent."""

TELL_MEETING = replace(
    MEETING,
    operation="share",
    organisation=GGZ_AMSTERDAM,
    org_class="ggz",
    recipient="wijkteam",
    recipient_organisation=BUURTTEAM,
    category="hulp",
    level=3,
)
NUISANCE = replace(MEETING, purpose="overlast")
ASK_NUISANCE = replace(NUISANCE, operation="request", category="hulp", level=3)
TELL_NUISANCE = replace(TELL_MEETING, purpose="overlast", organisation=CORPORATIE, org_class="woningcorporatie")
POLICE_TELLS = replace(
    TELL_NUISANCE,
    organisation=POLITIE,
    org_class="politie",
    grounds=("WPG-20",),
    standing="statutory_reference",
    proof="wpg_besluit",
    proof_since=DAY,
    proof_ends_on=date(2027, 11, 1),
    consent="unknown",
    consent_by=frozenset(),
    category="veiligheid",
)
VT_TELLS = replace(
    VT_HANDS_OVER,
    organisation=VT_AMSTERDAM,
    recipient_organisation=BUURTTEAM,
    level=4,
    dossier="documented",
)
OF_AMSTELVEEN = replace(
    SIGNAL_OF_GI, holder=AMSTELVEEN, holder_class="wijkteam", purpose="volwassene", ground="TOEST", consent="given"
)
OF_OPVANG = replace(OF_AMSTELVEEN, holder=OPVANG, holder_class="vrouwenopvang")

AMSTERDAM = (
    Row("AA: VT tells the casusregisseur all", VT_TELLS, None, "4", AA + "regisseur-hoort"),
    Row("not without weighing", replace(VT_TELLS, dossier="none"), None, "3", LEX + "vt-draagt-over"),
    Row(
        "Arnhem has only the statute",
        replace(VT_TELLS, organisation=VEILIG_THUIS, recipient_organisation=WIJKTEAM),
        None,
        "3",
        LEX + "vt-draagt-over",
    ),
    Row("one party is no party", replace(VT_TELLS, recipient_organisation=WIJKTEAM), None, "3", LEX + "vt-draagt-over"),
    Row("AA: a casusoverleg is called", MEETING, None, "0", AA + "overleg-oproep"),
    Row(
        "AA: withdrawn consent calls nobody",
        replace(MEETING, consent="withdrawn"),
        None,
        "consent-ended",
        LEX + "toestemming-voorbij",
    ),
    Row("AA: Amstelveen is rung", MEETING, OF_AMSTELVEEN, "0", AA + "overleg-belt"),
    Row("AA: never the vrouwenopvang", MEETING, OF_OPVANG, "holder-never", AA + "niet-opvang"),
    Row("AA: a party of Arnhem is not rung", MEETING, replace(OF_AMSTELVEEN, holder=WIJKTEAM), "not-a-party", None),
    Row("Arnhem has no casusoverleg here", replace(MEETING, organisation=WIJKTEAM), None, "not-a-party", None),
    Row("AA: before the convenant", replace(MEETING, day=date(2025, 12, 31)), None, "not-a-party", None),
    Row("AA: after the convenant", replace(MEETING, day=date(2030, 1, 1)), None, "not-valid-on-this-day", None),
    Row("AA: the ggz tells in the meeting", TELL_MEETING, None, "3", AA + "overleg-vertellen"),
    Row("AA: the ggz has left", replace(TELL_MEETING, day=date(2027, 7, 1)), None, "not-a-party", None),
    Row("AA: nothing medical", replace(TELL_MEETING, category="gezondheid"), None, "category-not-allowed", None),
    Row("AA: the overleg zorg en overlast", NUISANCE, None, "0", AA + "overlast-oproep"),
    Row("AA: Amstelveen is rung for it", NUISANCE, OF_AMSTELVEEN, "0", AA + "overlast-bellen"),
    Row("AA: the zorgcoördinator asks with consent", ASK_NUISANCE, None, "3", AA + "overlast-vragen"),
    Row("AA: the corporatie tells with consent", TELL_NUISANCE, None, "3", AA + "overlast-vertellen"),
    Row("AA: not before it joined", replace(TELL_NUISANCE, day=date(2026, 6, 30)), None, "not-a-party", None),
    Row("AA: the police on a decision", POLICE_TELLS, None, "3", AA + "overlast-politie"),
    Row(
        "AA: not on an old decision",
        replace(POLICE_TELLS, proof_ends_on=date(2026, 11, 21)),
        None,
        "proof-missing",
        None,
    ),
    Row(
        "AA: the police in one case",
        replace(POLICE_TELLS, grounds=("WPG-19",), proof="gezag", proof_ends_on=None, category="strafrecht"),
        None,
        "3",
        AA + "overlast-politie-geval",
    ),
)
