"""What the demonstration prints, in Dutch: who did what, what was decided by which rule, and the verified receipt."""

from collections.abc import Callable, Iterator

from connectors.demo.acts import Acted, Advice
from connectors.demo.outside_checks import PublishedLog, ScanResult
from connectors.demo.play import Played, rules_of
from connectors.demo.real_input import Found, RealInput

Tell = Callable[[str], None]

_ACTIONS = {"register": "geeft een signaal af", "check": "kijkt wie betrokken is"}
_ACTS = {
    "check": "kijkt wie betrokken is",
    "inbox": "haalt berichten op",
    "matches list": "kijkt met wie contact nodig is",
    "matches state": "legt vast hoe ver zij is",
    "matches casusregisseur": "legt vast wie de casusregisseur is",
    "coordinated": "kijkt of er contact is",
    "consent record": "legt toestemming vast",
    "consent withdraw": "legt vast dat de toestemming is ingetrokken",
    "register": "legt betrokkenheid vast",
    "oproep": "verstuurt een oproep",
    "oproepen list": "leest de oproepen",
    "oproepen accept": "kiest: ik bel",
    "request send": "vraagt om informatie",
    "request read": "opent een brief",
    "answer": "antwoordt",
}
_OUTCOMES = {
    "shown": "er is iets te tonen", "nothing": "niets te tonen", "refused": "geweigerd", "sent": "verstuurd",
    "done": "vastgelegd",
}  # fmt: skip
_KINDS = {
    "person": "dezelfde persoon",
    "member": "iemand uit het huishouden",
    "family": "een ander kind uit het gezin",
    "address": "iemand op hetzelfde adres",
}


def of_step(played: Played) -> Iterator[str]:
    """Yield the lines about one step."""
    step, decision = played.step, played.entry.decision
    yield f"{played.number:>2}. {step.actor.name}, {step.role}, {_ACTIONS[step.action]}: {_OUTCOMES[step.outcome]}"
    yield f"    {step.story}"
    for match in played.matches:
        contact = match["holder"]["contact"]
        yield f"    - {match['holder']['name']}, {contact['displayName']}, {contact['phone']}"
    if step.outcome == "refused":
        yield f"    {played.text_nl}"
        yield from (f"    - Dit kan wel: {text}" for text in played.possible)
    verdict = "mag" if decision.get("outcome") == "permit" else "mag niet"
    rules = ", ".join(rules_of(decision)) or "geen regel staat het toe"
    ground = f" ({decision['ground']})" if decision.get("ground") else ""
    yield f"    {verdict}: {rules}{ground}; bewijs nagekeken: logregel {played.entry.index}, {played.entry.cosigned_nl}"
    if step.same_as is not None:
        yield f"    hetzelfde antwoord als bij Mieke, byte voor byte; op de lijn {played.answered_bytes} bytes"


def of_act(acted: Acted) -> Iterator[str]:
    """Yield the lines about one act."""
    act, decision = acted.act, acted.entry.decision
    yield f"{acted.number:>2}. {act.actor.name}, {act.role}, {_ACTS[act.action]}: {_OUTCOMES[act.outcome]}"
    yield f"    {act.story}"
    yield f"    {acted.text_nl}"
    rules = f"{', '.join(rules_of(decision))} ({decision['ground']}); " if decision.get("ground") else ""
    yield f"    {rules}bewijs nagekeken: logregel {acted.entry.index}, {acted.entry.cosigned_nl}"


def of_advice(advice: Advice, asked: int) -> Iterator[str]:
    """Yield the lines about asking for advice."""
    yield f" -. {advice.actor.name}, {advice.role}, vraagt advies: dat is {asked} keer deze maand"
    yield f"    {advice.story}"
    yield "    Geen regel in het logboek, geen signaal, geen bericht: er ging niets de organisatie uit"


def of_real_input(given: RealInput, found: Found) -> Iterator[str]:
    """Yield the lines about the real file."""
    what = "een gemaakt bestand" if given.generated else "het opgegeven bestand"
    yield f"Echte invoer: de eerste {len(given.holders)} personen uit {what}, in GBA-V-formaat"
    yield "    Doel proefregio, uit de testbundel (insecure_test_bundle): geen wet, geen afspraak"
    yield f"    {found.registered} signalen afgegeven, {found.checked} keer gekeken, {found.rejected} rijen afgewezen"
    counts = ", ".join(f"{count} {_KINDS[kind]}" for kind, count in found.kinds.items())
    yield f"    Gevonden: {counts}; gelijk aan de telling in klare tekst"


def of_outside_checks(log: PublishedLog, receipts: int, scan: ScanResult) -> Iterator[str]:
    """Yield the lines about what an outsider checked."""
    yield "Van buiten nagekeken"
    yield f"    Logboek: {log.size} regels, meegetekend door {len(log.cosigned_by)}; wortel {log.root[:16]}…"
    yield f"    {receipts} bewijzen van alle partners opnieuw nagekeken"
    yield (
        f"    Zoeken naar lekken: {scan.services.files} bestanden, {scan.services.size / 1_000_000:.0f} MB, "
        f"{scan.patterns} patronen: {scan.services.hits} gevonden"
    )
    yield f"    Tegenproef bij de partners: {scan.partners.found} van {scan.values} gegevens gevonden"
    if scan.dropped:
        yield f"    {scan.dropped} patronen weggelaten: die stonden er al voordat iemand iets vroeg"
    for place, count in scan.services.places.items():
        yield f"    LEK: {place}: {count}"
