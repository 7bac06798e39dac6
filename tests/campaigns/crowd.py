"""Who takes part in a campaign: organisations with several workers, and budgets that show every single charge."""

from pathlib import Path

from broker.protocol.register import Bucket, BudgetClass
from broker.protocol.roster import Worker, roster_document
from broker.protocol.signed_document import SignedDocument
from broker.settings import FILE_NAME
from tests.simulators.enrolled import GI, SCHOOL, VEILIG_THUIS, WIJKTEAM, Enrolled, key, worker_id
from tests.simulators.region import Region, run
from tests.simulators.two_custodians import NAMES as CUSTODIANS

ORGANISATIONS = (WIJKTEAM, GI, VEILIG_THUIS, SCHOOL)
HOLDERS = 2
"""How many of them register one person, so that two others are left who find them."""
WORKERS = 2
CAPACITY = 5_000_000
_BUCKET = Bucket(capacity=CAPACITY, per_day=0)
"""A bucket that is never filled again: what is left tells what was ever charged."""


def workers(oin: str) -> list[str]:
    """Return the ids of an organisation's workers, at the broker and at both custodians."""
    return [f"{worker_id(oin, 'worker')}-{number}" for number in range(WORKERS)]


class Crowd(Enrolled):
    """The enrolled organisations with these workers and budgets."""

    def register_document(self) -> SignedDocument:
        """Return the register, signed by both registrars."""
        budget = BudgetClass(worker=_BUCKET, organisation=_BUCKET).document()
        document = dict(super().register_document().document)
        document["budgetClasses"] = dict.fromkeys(document["budgetClasses"], budget)
        signed = SignedDocument(document=document, signatures=())
        for number in (1, 2):
            signing = key(f"registrar {number}")
            signed = signed.with_signature(signing.public.kid, signing)
        return signed


def enrol_workers(region: Region) -> None:
    """Every party has a newer roster with the workers of the campaign."""
    for oin in ORGANISATIONS:
        teams = [dict(card) for card in region.enrolled.roster_document(oin).document["teams"]]
        for party in (*CUSTODIANS, "broker"):
            at_broker = party == "broker"
            people = [
                Worker(sub=sub, roles=frozenset({"worker"}), broker_sub=None if at_broker else sub)
                for sub in workers(oin)
            ]
            audience = region.enrolled.audience if at_broker else party
            document = roster_document(oin=oin, audience=audience, number=2, workers=people, teams=[])
            if at_broker:
                document = SignedDocument(document={**document.document, "teams": teams}, signatures=())
            file = region.folder / f"{party}-{oin}-2.json"
            file.write_bytes(document.with_signature(oin, key(oin)).encode())
            run("sluis-broker" if at_broker else "sluis-custodian", "roster", "import", region.path(party), file)


def quicken(broker: Path, tick_ms: int) -> None:
    """The broker of this folder gathers requests for so many milliseconds only."""
    file = broker / FILE_NAME
    lines = [line for line in file.read_text(encoding="utf-8").splitlines() if not line.startswith("tick_ms")]
    file.write_text("\n".join([f"tick_ms = {tick_ms}", *lines, ""]), encoding="utf-8")
