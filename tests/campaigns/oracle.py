"""Whether a region holds all it acknowledged, and nothing twice: asked of it, read beside it, verified from outside."""

import json
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from audit.entry import parse_payload
from audit.key_ring import KeyRing
from audit.policy_file import Policy, parse_policy
from audit.published import published_entries
from audit.receipt import Receipt
from audit.seal import open_group
from audit.signer import LocalSigner
from audit.stored_log import StoredLog
from audit.verify import verify_receipt
from broker.settings import LOG_KEY
from broker.store.address import SqliteFile
from tests.campaigns.acknowledged import NEVER, Acknowledged, Told
from tests.campaigns.crowd import CAPACITY, ORGANISATIONS
from tests.campaigns.load import Load
from tests.campaigns.victims import rows_of
from tests.simulators.region import Region, in_this_process, run
from tests.simulators.two_custodians import NAMES as CUSTODIANS


def everything_is_found(load: Load) -> None:
    """Two organisations that hold nothing on a person ask for everybody on whom something was registered.

    The first registers, which shows who is involved, and checks with the standing that this gave; the second registers.
    What is missing is in the books as lost.
    """
    by_organisation = {oin: [one for one in load.partners if one.oin == oin] for oin in ORGANISATIONS}

    def look(number: int, person: str) -> None:
        strangers = [oin for oin in ORGANISATIONS if oin not in load.books.holders(person)]
        for place, oin in enumerate(strangers[:2]):
            partner = by_organisation[oin][number % len(by_organisation[oin])]
            signal = load.books.begin(oin, person, most=len(ORGANISATIONS))
            assert signal is not None, "two looked for one person at once"
            partner.register(signal)
            if place == 0:
                partner.check(person)

    with ThreadPoolExecutor(max_workers=len(load.partners)) as threads:
        for outcome in [threads.submit(look, *each) for each in enumerate(load.books.persons())]:
            outcome.result()


def rows_are_there(region: Region, books: Acknowledged) -> int:
    """Return how many acknowledged signals stand in the database; one that does not is in the books as lost.

    It may be called while work goes on: only what was acknowledged before it looks is looked for.
    """
    stands = [signal for signal in books.signals if signal.acknowledged < NEVER and signal.withdrawing == NEVER]
    active = {row[0] for row in rows_of(region, "SELECT id FROM signals WHERE state = 'active'")}
    missing = [one for one in stands if one.id not in active and one.withdrawing == NEVER]
    books.lost += [f"a signal of {one.organisation[-5:]} is no row any more" for one in missing]
    return len(stands) - len(missing)


def state_is_exact(region: Region, books: Acknowledged) -> None:
    """Signals and answers are those that were acknowledged, each once; nothing else was done by anybody."""
    rows = region.database.rows("SELECT id, state, ends_on FROM signals")
    wanted = {
        (one.id, "active" if one.stands else "withdrawn", one.ends_on)
        for one in books.signals
        if one.acknowledged < NEVER
    }
    if set(rows) != wanted or len(rows) != len(wanted):
        books.fault(f"signals differ from what was acknowledged: {len(set(rows) ^ wanted)} rows")
    twice = """SELECT count(*) FROM (SELECT s.organisation, s.purpose, s.team, t.idx FROM signals s
        JOIN signal_tokens t ON t.signal_id = s.id WHERE t.role = 'subject' AND s.state = 'active'
        GROUP BY s.organisation, s.purpose, s.team, t.idx HAVING count(*) > 1) AS twice"""
    if region.database.rows(twice) != [(0,)]:
        books.fault("somebody has two active signals of one team for one purpose")


def entries_are_exact(region: Region, books: Acknowledged) -> int:
    """Every request that was told has one entry in the log, and no other request has any; how many entries is returned.

    A request that failed and was recorded so may have more: it was told "not done" each time.
    """
    key = KeyRing.open(region.path("broker") / "payload-keys")
    done: Counter[str] = Counter()
    with region.database.session() as connection:
        log = StoredLog(connection)
        size = log.size()
        for index in range(size):
            row = log.sealed_row(index, "meta")
            assert row is not None, "a payload is missing"
            wrapped = key.unwrap(row.wrapped_key, epoch=row.epoch, index=index, group="meta")
            opening = open_group(group="meta", key=wrapped, nonce=row.nonce, ciphertext=row.ciphertext)
            meta: Any = parse_payload(opening.payload)
            if meta["schema"] == "entry-policy/v1":
                continue  # nobody asked: a policy came into force
            if meta["outcome"] != "error":
                done[meta["request"]["sha256"]] += 1
    told = Counter(one.request_sha256 for one in books.told.values())
    if done != told:
        books.fault(f"entries differ from what was told: {sum(((done - told) + (told - done)).values())}")
    return size


def signer_is_settled(region: Region, books: Acknowledged) -> None:
    """The broker, which has ended, left its signer at the head that the database holds."""
    with region.database.session() as connection:
        head = StoredLog(connection).head()
    with LocalSigner.open(region.path("broker") / "keys" / LOG_KEY) as signer:
        if signer.released != head:
            books.fault("the signer is not at the head of the log")
        signer.settle(head)


def log_is_verified(region: Region, books: Acknowledged, out: Path) -> bool:
    """Return whether the auditor's own commands accept the whole log; every receipt's leaf stands in it."""
    policy_file = region.path("broker") / "log-policy"
    owner = region.database.owner
    database = owner.path if isinstance(owner, SqliteFile) else owner.url
    run("sluis-audit", "publish", out, "--database", database, "--policy", policy_file)
    report = json.loads(run("sluis-audit", "verify", out, "--policy", policy_file, "--json"))
    policy = parse_policy(policy_file.read_text(encoding="utf-8"))
    published = list(published_entries(out, int(report["size"])))
    for told in books.told.values():
        if told.receipt is not None and not _stands(told, policy, published):
            books.lost.append("the entry of a receipt is not in the published log")
    if any(told.receipt is None for told in books.told.values()):
        books.fault("an answer came without a receipt")
    return bool(report["holds"])


def budgets_are_exact(region: Region, books: Acknowledged) -> None:
    """Each custodian has charged what it answered, once, and no start gave anything back."""
    for custodian in CUSTODIANS:
        shown = json.loads(run("sluis-custodian", "budget", "show", region.path(custodian), "--json"))
        spent = {(one["organisation"], one["worker"] or "", one["class"]): CAPACITY - one["left"] for one in shown}
        charged = {key[1:]: points for key, points in books.charged.items() if key[0] == custodian}
        if spent != charged:
            books.fault(f"{custodian[:11]} has not charged exactly what it answered")


def _stands(told: Told, policy: Policy, published: Sequence[bytes]) -> bool:
    receipt = Receipt.from_wire(dict(told.receipt or {}))
    required = ("meta", "actor") if set(receipt.openings) >= {"meta", "actor"} else ("actor",)
    verified = verify_receipt(receipt, policy, require=required)
    return verified.index < len(published) and published[verified.index] == verified.leaf.encode()


def all_checks(load: Load, region: Region, out: Path) -> bool:
    """Return whether the log is verified, everything having been looked at; what is wrong is in the books."""
    everything_is_found(load)
    with in_this_process():
        return _looked_at(load, region, out)


def _looked_at(load: Load, region: Region, out: Path) -> bool:
    broker = region.services["broker"]
    broker.stop()
    signer_is_settled(region, load.books)
    broker.start()
    state_is_exact(region, load.books)
    rows_are_there(region, load.books)
    entries_are_exact(region, load.books)
    budgets_are_exact(region, load.books)
    return log_is_verified(region, load.books, out)
