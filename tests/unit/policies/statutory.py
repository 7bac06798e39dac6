"""Decision rows of the statutory bundle: who may do what without any agreement, and who may not."""

from dataclasses import replace
from datetime import date

from policies import AskFacts, HitFacts
from tests.unit.policies.arnhem import DAY, GI, SCHOOL, SIGNAL_OF_GI, VEILIG_THUIS, WIJKTEAM
from tests.unit.policies.rows import Row

LEX = "lex@2026.1.0/"
GGZ = "00000099000000006000"
HUISARTS = "00000099000000007000"
RVDK = "00000099000000008000"
POLITIE = "00000099000000009000"
ZVH = "00000099000000010000"

VT_CHECK = AskFacts(
    day=DAY,
    operation="check",
    organisation=VEILIG_THUIS,
    org_class="veilig_thuis",
    role="worker",
    purpose="vt-melding",
    grounds=("WMO-5.1.6",),
    standing="statutory_reference",
    proof="melding",
    proof_since=DAY,
    approval="none",
    families=frozenset({"nlbsn", "fam"}),
)
"""Veilig Thuis looks after a melding."""

VT_NIGHT = replace(VT_CHECK, proof="melding_volgt")
VT_CALL = replace(VT_CHECK, operation="call")
VT_ASKS_CONTENT = replace(VT_CHECK, operation="request", category="veiligheid", level=4, dossier="documented")

GI_CHECK = replace(
    VT_CHECK,
    organisation=GI,
    org_class="gi",
    purpose="gi-maatregel",
    grounds=("JW-7.3.11-4",),
    proof="maatregel",
    proof_ends_on=date(2027, 5, 1),
)
RVDK_CALL = replace(
    VT_CHECK,
    operation="call",
    organisation=RVDK,
    org_class="rvdk",
    purpose="rvdk-onderzoek",
    grounds=("RVDK",),
    proof="raadsverzoek",
)
HUISVERBOD = replace(
    VT_CHECK, purpose="huisverbod", grounds=("WTH",), proof="huisverbod", proof_ends_on=date(2026, 12, 2)
)
ZVH_CALL = replace(
    VT_CHECK,
    operation="call",
    organisation=ZVH,
    org_class="zvh",
    purpose="casusoverleg",
    grounds=("WGS-ZVH",),
    proof="zvh_besluit",
    proof_ends_on=date(2027, 1, 1),
    families=frozenset({"nlbsn"}),
)
ADULT = AskFacts(
    day=DAY,
    operation="check",
    organisation=WIJKTEAM,
    org_class="wijkteam",
    role="worker",
    purpose="volwassene",
    grounds=("TOEST",),
    standing="consent",
    consent="given",
    consent_by=frozenset({"person"}),
    age="from23",
    approval="none",
    families=frozenset({"nlbsn"}),
)
"""The wijkteam looks with consent of Trudy herself."""
TELLS_OF_TRUDY = replace(
    ADULT,
    operation="share",
    organisation=HUISARTS,
    org_class="huisarts",
    families=frozenset(),
    recipient="wijkteam",
    recipient_organisation=WIJKTEAM,
    category="hulp",
    level=3,
)
TELLS_AFTER_A_MATCH = replace(
    TELLS_OF_TRUDY,
    organisation=WIJKTEAM,
    org_class="wijkteam",
    purpose="afstemmen",
    recipient="school",
    recipient_organisation=SCHOOL,
    age="12to15",
    custody="clear",
    consent_by=frozenset({"guardian", "person"}),
)

TELL_VT = AskFacts(
    day=DAY,
    operation="share",
    organisation=HUISARTS,
    org_class="huisarts",
    role="worker",
    purpose="vt-melding",
    grounds=("WMO-5.2.6",),
    standing="none",
    approval="none",
    families=frozenset(),
    recipient="veilig_thuis",
    recipient_organisation=VEILIG_THUIS,
    category="veiligheid",
    level=3,
    acute_open=False,
)
"""A huisarts tells Veilig Thuis."""

TELL_GI = replace(
    TELL_VT,
    purpose="gi-maatregel",
    grounds=("JW-7.3.11-4",),
    standing="statutory_reference",
    proof="maatregel",
    proof_since=DAY,
    proof_ends_on=date(2027, 5, 1),
    recipient="gi",
    recipient_organisation=GI,
)
TELL_RVDK = replace(
    TELL_VT,
    purpose="rvdk-onderzoek",
    grounds=("RVDK",),
    standing="statutory_reference",
    proof="raadsverzoek",
    proof_since=DAY,
    recipient="rvdk",
    recipient_organisation=RVDK,
)
TELL_POLICE = replace(
    TELL_VT,
    organisation=GGZ,
    org_class="ggz",
    purpose="nood",
    grounds=("CVP",),
    dossier="complete",
    meldcode_approval=False,
    recipient="politie",
    recipient_organisation=POLITIE,
)
"""A ggz worker tells the police: conflict of duties, because no statute says he may."""

TELL_REPRESENTATIVE = replace(
    TELL_VT,
    organisation=GGZ,
    org_class="ggz",
    purpose="patient",
    grounds=("BW-7:448-TE",),
    dossier="complete",
    recipient="vertegenwoordiger",
    recipient_organisation=None,
    category="gezondheid",
)
POLICE_TELLS = replace(TELL_VT, organisation=POLITIE, org_class="politie", grounds=("WPG-18",), category="strafrecht")
VT_HANDS_OVER = replace(
    TELL_VT,
    organisation=VEILIG_THUIS,
    org_class="veilig_thuis",
    grounds=("WMO-4.1.1-2",),
    standing="statutory_reference",
    proof="melding",
    proof_since=DAY,
    recipient="wijkteam",
    recipient_organisation=WIJKTEAM,
    category="hulp",
)
SHIELD = replace(
    VT_CHECK, operation="shield", purpose="veiligheid", grounds=("WETTAAK",), standing="own_signal", proof="none"
)
RIGHTS = replace(
    VT_CHECK,
    organisation=WIJKTEAM,
    org_class="wijkteam",
    purpose="rechten",
    grounds=("WETTAAK",),
    proof="mandaat",
    families=frozenset({"nlbsn"}),
)

OF_WIJKTEAM = replace(SIGNAL_OF_GI, holder=WIJKTEAM, holder_class="wijkteam")
OF_CONSENT = replace(OF_WIJKTEAM, ground="TOEST")
OF_SCHOOL = replace(SIGNAL_OF_GI, holder=SCHOOL, holder_class="school")
OF_GGZ = replace(SIGNAL_OF_GI, holder=GGZ, holder_class="ggz", purpose="volwassene", ground="TOEST")
TRUDY = HitFacts(
    holder=HUISARTS,
    holder_class="huisarts",
    kind="person",
    purpose="volwassene",
    ground="TOEST",
    shielded=False,
    excluded=False,
    consent="given",
)

_VEILIG_THUIS = (
    Row("VT looks after a melding", VT_CHECK, None, "2", LEX + "vt-kijkt"),
    Row("VT looks at night", VT_NIGHT, None, "2", LEX + "vt-kijkt-nacht"),
    Row(
        "a night lasts one working day",
        replace(VT_NIGHT, proof_since=date(2026, 11, 19)),
        None,
        "proof-missing",
        None,
    ),
    Row("a night without first day", replace(VT_NIGHT, proof_since=None), None, "proof-missing", None),
    Row("VT without reference", replace(VT_CHECK, standing="none", proof="none"), None, "proof-missing", None),
    Row("VT with another's proof", replace(VT_CHECK, proof="mandaat"), None, "proof-missing", None),
    Row("a wijkteam is no VT", replace(VT_CHECK, org_class="wijkteam"), None, "class-not-in-purpose", None),
    Row("VT sees the gezinsvoogd", VT_CHECK, SIGNAL_OF_GI, "2", LEX + "vt-ziet"),
    Row("VT sees no school in a check", VT_CHECK, OF_SCHOOL, "holder-not-in-purpose", None),
    Row("VT sees no signal of an adult", VT_CHECK, replace(OF_WIJKTEAM, purpose="volwassene"), "other-purpose", None),
    Row("VT sees no shielded signal", VT_CHECK, replace(SIGNAL_OF_GI, shielded=True), "shielded", LEX + "afgeschermd"),
    Row("VT sends an oproep", VT_CALL, None, "0", LEX + "vt-kijkt"),
    Row("the oproep rings the school", VT_CALL, OF_SCHOOL, "0", LEX + "vt-belt"),
    Row("the oproep rings the ggz", VT_CALL, OF_GGZ, "0", LEX + "vt-belt"),
    Row("the oproep rings nothing shielded", VT_CALL, replace(OF_GGZ, shielded=True), "shielded", LEX + "afgeschermd"),
    Row("VT asks for content", VT_ASKS_CONTENT, None, "4", LEX + "vt-vraagt"),
    Row("VT without weighing gets no content", replace(VT_ASKS_CONTENT, dossier="none"), None, "3", LEX + "vt-vraagt"),
    Row("VT hands over to the wijkteam", VT_HANDS_OVER, None, "3", LEX + "vt-draagt-over"),
    Row(
        "nothing is handed over without a melding", replace(VT_HANDS_OVER, proof="mandaat"), None, "proof-missing", None
    ),
    Row(
        "at night VT tells the police",
        replace(VT_HANDS_OVER, proof="melding_volgt", recipient="politie", category="veiligheid"),
        None,
        "3",
        LEX + "vt-licht-in-nacht",
    ),
    Row(
        "who reported hears what was done",
        replace(VT_HANDS_OVER, grounds=("WMO-4.1.1-2-G",), recipient="school", category="terugkoppeling"),
        None,
        "2",
        LEX + "vt-koppelt-terug",
    ),
    Row("a signal on consent is not shown on a statute", VT_CHECK, OF_CONSENT, "other-basis", None),
    Row("its holder is rung", VT_CALL, OF_CONSENT, "0", LEX + "vt-belt"),
    Row("the police tell VT", POLICE_TELLS, None, "3", LEX + "politie-aan-vt"),
)
_GI_RVDK_HUISVERBOD = (
    Row("GI looks on a measure", GI_CHECK, None, "2", LEX + "gi-kijkt"),
    Row("GI after the measure", replace(GI_CHECK, proof_ends_on=date(2026, 11, 21)), None, "proof-missing", None),
    Row("GI on the last day of the measure", replace(GI_CHECK, proof_ends_on=DAY), None, "2", LEX + "gi-kijkt"),
    Row("GI without end of the measure", replace(GI_CHECK, proof_ends_on=None), None, "proof-missing", None),
    Row("GI sees the school", GI_CHECK, OF_SCHOOL, "2", LEX + "gi-ziet"),
    Row("GI never sees the ggz", GI_CHECK, OF_GGZ, "holder-not-in-purpose", None),
    Row("GI rings the ggz", replace(GI_CHECK, operation="call"), OF_GGZ, "0", LEX + "gi-belt"),
    Row(
        "GI asks for school data",
        replace(GI_CHECK, operation="request", category="schoolgang", level=3),
        None,
        "3",
        LEX + "gi-vraagt",
    ),
    Row("anybody tells the GI", TELL_GI, None, "3", LEX + "vertellen-aan-gi"),
    Row("not without a measure", replace(TELL_GI, standing="none", proof="none"), None, "proof-missing", None),
    Row(
        "the police tell the GI",
        replace(TELL_GI, organisation=POLITIE, org_class="politie", grounds=("WPG-18",), category="strafrecht"),
        None,
        "3",
        LEX + "politie-aan-gi",
    ),
    Row("RvdK sends an oproep", RVDK_CALL, None, "0", LEX + "rvdk-roept"),
    Row("RvdK rings the wijkteam", RVDK_CALL, OF_WIJKTEAM, "0", LEX + "rvdk-belt"),
    Row("RvdK sees nothing by itself", replace(RVDK_CALL, operation="check"), None, "class-not-in-purpose", None),
    Row(
        "RvdK asks for content",
        replace(RVDK_CALL, operation="request", category="hulp", level=3),
        None,
        "3",
        LEX + "rvdk-vraagt",
    ),
    Row("anybody tells the RvdK who asks", TELL_RVDK, None, "3", LEX + "vertellen-aan-rvdk"),
    Row(
        "the police tell the RvdK",
        replace(TELL_RVDK, organisation=POLITIE, org_class="politie", grounds=("WPG-18",), category="strafrecht"),
        None,
        "3",
        LEX + "politie-aan-rvdk",
    ),
    Row("VT looks during a huisverbod", HUISVERBOD, None, "2", LEX + "huisverbod-kijkt"),
    Row("28 days at most", replace(HUISVERBOD, proof_ends_on=date(2026, 12, 21)), None, "proof-missing", None),
    Row(
        "28 days is still an order",
        replace(HUISVERBOD, proof_ends_on=date(2026, 12, 20)),
        None,
        "2",
        LEX + "huisverbod-kijkt",
    ),
    Row("huisverbod: VT sees the wijkteam", HUISVERBOD, OF_WIJKTEAM, "2", LEX + "huisverbod-ziet"),
    Row(
        "huisverbod: VT rings the school",
        replace(HUISVERBOD, operation="call"),
        OF_SCHOOL,
        "0",
        LEX + "huisverbod-belt",
    ),
    Row("the ZVH calls its participants", ZVH_CALL, None, "0", LEX + "zvh-roept"),
    Row("the ZVH rings the wijkteam", ZVH_CALL, OF_WIJKTEAM, "0", LEX + "zvh-belt"),
    Row("the ZVH rings no school", ZVH_CALL, OF_SCHOOL, "holder-not-in-purpose", None),
)
_CONSENT = (
    Row(
        "registered with consent",
        replace(ADULT, operation="register", standing="none"),
        None,
        "2",
        LEX + "volwassene-signaal",
    ),
    Row("looks with consent", ADULT, None, "2", LEX + "volwassene-kijken"),
    Row(
        "the general practitioner tells of his patient with her consent",
        TELLS_OF_TRUDY,
        None,
        "3",
        LEX + "volwassene-vertelt",
    ),
    Row("tells nothing of her without it", replace(TELLS_OF_TRUDY, consent="unknown"), None, "consent-missing", None),
    Row("tells after a match with consent", TELLS_AFTER_A_MATCH, None, "3", LEX + "afstemmen-vertelt"),
    Row(
        "a match alone tells nothing",
        replace(TELLS_AFTER_A_MATCH, consent="unknown", standing="own_signal"),
        None,
        "consent-missing",
        None,
    ),
    Row(
        "no child, with consent either",
        replace(ADULT, age="12to15", consent_by=frozenset({"person", "guardian"}), custody="clear"),
        None,
        "too-young",
        LEX + "te-jong",
    ),
    Row(
        "nor who might be one",
        replace(ADULT, age="unknown", consent_by=frozenset({"person", "guardian"}), custody="clear"),
        None,
        "too-young",
        LEX + "leeftijd-onbekend",
    ),
    Row("nobody was asked yet", replace(ADULT, age="unknown", consent="unknown"), None, "consent-missing", None),
    Row("consent not asked", replace(ADULT, consent="unknown"), None, "consent-missing", None),
    Row("consent of somebody else", replace(ADULT, consent_by=frozenset({"guardian"})), None, "consent-missing", None),
    Row("consent withdrawn", replace(ADULT, consent="withdrawn"), None, "consent-ended", LEX + "toestemming-voorbij"),
    Row("consent refused", replace(ADULT, consent="refused"), None, "consent-ended", LEX + "toestemming-voorbij"),
    Row("consent expired", replace(ADULT, consent="expired"), None, "consent-ended", LEX + "toestemming-voorbij"),
    Row("sees who also has consent", ADULT, TRUDY, "2", LEX + "volwassene-ziet"),
    Row("not who lost it", ADULT, replace(TRUDY, consent="withdrawn"), "consent-missing", None),
    Row("not the gezinsvoogd", ADULT, replace(SIGNAL_OF_GI, consent="given"), "holder-not-in-purpose", None),
    Row("no relative with it", ADULT, replace(TRUDY, kind="member"), "kind-not-in-purpose", None),
)
_EXCEPTIONS = (
    Row("a huisarts tells VT", TELL_VT, None, "3", LEX + "meldrecht"),
    Row("withdrawn consent blocks no statute", replace(TELL_VT, consent="withdrawn"), None, "3", LEX + "meldrecht"),
    Row("content after weighing", replace(TELL_VT, level=4, dossier="documented"), None, "4", LEX + "meldrecht"),
    Row("acute: VT at once", replace(TELL_VT, dossier="acuut", level=4), None, "4", LEX + "meldrecht"),
    Row(
        "acute: no content on health unweighed",
        replace(TELL_VT, dossier="acuut", level=4, category="gezondheid"),
        None,
        "3",
        LEX + "meldrecht",
    ),
    Row("the police on their own law", replace(TELL_VT, org_class="politie"), None, "ground-not-allowed", None),
    Row("acute: not to the GI", replace(TELL_GI, dossier="acuut"), None, "acute-elsewhere", LEX + "acuut-elders"),
    Row(
        "the right of VT is not the wijkteam's",
        replace(TELL_VT, recipient="wijkteam", recipient_organisation=WIJKTEAM),
        None,
        "recipient-not-allowed",
        None,
    ),
    Row("a way in is no ground", replace(TELL_VT, grounds=("BW-7:448",)), None, "way-in", None),
    Row(
        "conflict of duties to VT",
        replace(TELL_VT, grounds=("CVP",), dossier="complete"),
        None,
        "ground-not-allowed",
        None,
    ),
    Row("conflict of duties to the police", TELL_POLICE, None, "3", LEX + "conflict-van-plichten"),
    Row("six answers are not enough", replace(TELL_POLICE, dossier="documented"), None, "dossier-incomplete", None),
    Row(
        "where the meldcode asks approval",
        replace(TELL_POLICE, meldcode_approval=True),
        None,
        "approval-required",
        None,
    ),
    Row(
        "approved by the meldcode",
        replace(TELL_POLICE, meldcode_approval=True, approval="approved"),
        None,
        "3",
        LEX + "conflict-van-plichten",
    ),
    Row(
        "acute: the police at once",
        replace(TELL_POLICE, dossier="acuut", meldcode_approval=True),
        None,
        "3",
        LEX + "spoed-politie",
    ),
    Row("one acute at a time", replace(TELL_POLICE, dossier="acuut", acute_open=True), None, "acute-open", None),
    Row(
        "a life in danger",
        replace(TELL_POLICE, grounds=("VITAAL",), recipient="seh", category="gezondheid"),
        None,
        "3",
        LEX + "levensgevaar",
    ),
    Row("the representative hears it", TELL_REPRESENTATIVE, None, "3", LEX + "vertegenwoordiger-patient"),
    Row("not without all five", replace(TELL_REPRESENTATIVE, dossier="documented"), None, "dossier-incomplete", None),
    Row("TE opens nothing else", replace(TELL_POLICE, grounds=("BW-7:448-TE",)), None, "ground-not-allowed", None),
    Row(
        "the same for a youth",
        replace(TELL_REPRESENTATIVE, organisation=GI, org_class="gi", grounds=("JW-7.3.2-3",)),
        None,
        "3",
        LEX + "vertegenwoordiger-jeugdige",
    ),
    Row("content without weighing stops at level 3", replace(TELL_VT, level=4), None, "3", LEX + "meldrecht"),
    Row(
        "police data are not the huisarts's",
        replace(TELL_VT, category="strafrecht"),
        None,
        "category-not-allowed",
        None,
    ),
)
_OTHER = (
    Row("VT shields", SHIELD, None, "0", LEX + "afschermen"),
    Row(
        "a wijkteam shields for now",
        replace(SHIELD, organisation=WIJKTEAM, org_class="wijkteam"),
        None,
        "0",
        LEX + "afschermen-voorlopig",
    ),
    Row("nobody shields another's", replace(SHIELD, standing="none"), None, "not-your-signal", None),
    Row("the rights desk may search", RIGHTS, None, "0", LEX + "inzage-zoeken"),
    Row("and sees nothing", RIGHTS, SIGNAL_OF_GI, "shows-nothing", None),
    Row("not without mandate", replace(RIGHTS, standing="none", proof="none"), None, "proof-missing", None),
)
STATUTORY = (*_VEILIG_THUIS, *_GI_RVDK_HUISVERBOD, *_CONSENT, *_EXCEPTIONS, *_OTHER)
