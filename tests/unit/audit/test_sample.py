"""The sample that nobody picks: its size, its seed and its order; and files that say otherwise are refused."""

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from audit.checkpoint import Checkpoint
from audit.cli import app
from audit.entry import canonical_json
from audit.errors import AuditError
from audit.log import append
from audit.merkle import TreeHead
from audit.note import NoteSigningKey, compose_note
from audit.policy_file import Policy
from audit.sample import draw, pick, rank, sample_size, seed_of
from audit.sample_check import SampleReport, check_sample, read_stated
from audit.stored_log import StoredLogTransaction
from audit.tiles import publish
from tests.unit.audit.log_simulator import NOW, LogInFolder, policy_text, sealed, witness_key

OIN = "00000099000000002000"
DAY = 86_400
NONE: dict[str, list[int]] = {"verdicts": [], "rejudge": []}
VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "samples.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("population", "drawn"),
    [
        (0, 0),
        (1, 1),
        (4, 4),
        (5, 5),
        (100, 5),
        (166, 5),
        (167, 6),
        (200, 6),
        (201, 7),
        (1333, 40),
        (1334, 40),
        (10**6, 40),
    ],
)
def test_the_size_of_a_sample(population: int, drawn: int) -> None:
    """All under five, else the larger of five and three in a hundred, rounded up, and at most forty."""
    assert sample_size(population) == drawn


@pytest.mark.parametrize("case", VECTORS["cases"], ids=lambda case: case["name"])
def test_the_vectors(case: dict[str, Any]) -> None:
    """Seed, ranks and sample are those that others compute from the published vectors."""
    log = witness_key(case["log"]).verifier
    if "note" in case:
        assert seed_of(case["note"], log).hex() == case["seed"]
    seed = bytes.fromhex(case["seed"])
    assert {str(index): rank(seed, index).hex() for index in map(int, case["ranks"])} == case["ranks"]
    assert list(draw(seed, case["population"], case["flagged"])) == case["drawn"]


def test_verdicts_are_picked_by_the_same_order() -> None:
    """Ten verdicts are judged again, all where there are fewer, by the order that the seed gives."""
    seed = bytes(32)
    ordered = sorted(range(100), key=lambda index: rank(seed, index))
    assert pick(seed, range(100), 10) == tuple(sorted(ordered[:10]))
    assert pick(seed, [3, 1], 10) == (1, 3)


def test_every_entry_is_as_likely_as_any_other() -> None:
    """Over many seeds each of a hundred entries is drawn about equally often (chi-square, far from its tail)."""
    population, rounds = range(1_000, 1_100), 2_000
    counts = dict.fromkeys(population, 0)
    for number in range(rounds):
        for index in draw(hashlib.sha256(str(number).encode()).digest(), population):
            counts[index] += 1
    expected = rounds * 5 / 100
    chi_square = sum((count - expected) ** 2 / expected for count in counts.values())
    assert chi_square < 160  # 99 degrees of freedom: above 160 in fewer than one of 10,000


def test_the_logs_own_signature_is_no_part_of_the_seed() -> None:
    """Whoever signs the log could sign anew until a sample pleases him; a witness's signature he cannot."""
    log, witness = witness_key("log"), witness_key("w")
    text = "log\n5\nAAAA\n"

    def note(*, cosigned: bytes, own: bytes) -> str:
        lines = [log.verifier.signature_line(own), witness.verifier.signature_line(cosigned)]
        return text + "\n" + "".join(lines)

    seeds = {seed_of(note(cosigned=b"c" * 72, own=own), log.verifier) for own in (b"a" * 72, b"b" * 72)}
    assert len(seeds) == 1
    assert seed_of(note(cosigned=b"d" * 72, own=b"a" * 72), log.verifier) not in seeds


@dataclass(slots=True)
class Month:
    """A published log with a closed month and its sample, which a test may tell otherwise before it is logged."""

    log: LogInFolder
    policy: Policy
    folder: Path
    witness: NoteSigningKey

    def entry(self, kind: str, at: int, answer: dict[str, Any] | None = None, *, oin: str = OIN) -> dict[str, Any]:
        """Return a stored receipt of a new entry at this time."""
        told = answer or {}
        meta = {"result_sha256": hashlib.sha256(canonical_json(told)).hexdigest()}
        with self.log.transaction() as transaction:
            appended = self._appended(transaction, kind, at, meta, oin)
        self.log.signer.settle(appended.checkpoint.head)
        self.head = appended
        return {
            "answer": told,
            "receipt": appended.receipt(0, cosignatures=[self.cosigned(appended.note, at)]).to_wire(),
        }

    def _appended(self, transaction: StoredLogTransaction, kind: str, at: int, meta: dict[str, Any], oin: str) -> Any:  # noqa: ANN401 - what `append` gives
        entries = [sealed(kind, meta=meta, actor={"organisation": oin})]
        return append(transaction, entries, at=at, signer=self.log.signer, key_encryption_key=self.log.kek)

    def cosigned(self, note: str, at: int) -> str:
        """Return the witness's line over a note."""
        return self.witness.sign(note.partition("\n\n")[0] + "\n", time=at)

    head: Any = None

    def publish(self) -> None:
        """The whole log is in the folder."""
        with self.log.transaction() as transaction:
            size = self.log.reader.size()
            line = self.cosigned(self.log.reader.latest_note(), NOW + 60 * DAY)
            transaction.insert_cosignature(size, self.witness.verifier.encode(), line)
        publish(self.log.reader, self.folder, policy_text(self.log.verifier, self.witness.verifier, quorum="w1"))


@pytest.fixture
def month(tmp_path: Path) -> Iterator[Month]:
    """A log that one witness watches."""
    (tmp_path / "log").mkdir()
    log, witness = LogInFolder(tmp_path / "log"), witness_key()
    yield Month(log, log.policy(witness.verifier, quorum="w1"), tmp_path / "published", witness)
    log.close()


Change = Callable[[dict[str, Any]], object]


def played(
    month: Month, *, closing: Change = lambda _: None, drawing: Change = lambda _: None, seed_at: int = DAY + 2_000
) -> SampleReport:  # fmt: skip
    """Return what becomes of a month with nine checks and one reading, closed a day later, with these changes."""
    for number in range(9):
        month.entry("check", NOW + number)
    month.entry("read", NOW + 10)
    sample: dict[str, Any] = {
        "schema": "sample/v1", "organisation": OIN, "month": "2026-11", "since": NOW, "until": NOW + 100,
        "population": list(range(9)), "flagged": [3], "seedFrom": NOW + 2 * DAY, "seedUntil": NOW + 9 * DAY,
        "closed": None, "seed": None, "drawn": [], "verdicts": [5, 7], "rejudge": [],
    }  # fmt: skip
    closing(sample)
    closed = month.entry("review", NOW + DAY, {"sample": sample})
    index = month.head.entries[0].index
    month.entry("read", NOW + DAY + seed_at)
    note = month.head.note + month.cosigned(month.head.note, NOW + DAY + seed_at)
    seed = seed_of(note, month.log.verifier)
    picked = list(draw(seed, sample["population"], sample["flagged"]))
    again = list(pick(seed, sample["verdicts"], 10))
    drawn = {**sample, "closed": index, "seed": note, "drawn": picked, "rejudge": again}
    drawing(drawn)
    answer = month.entry("review", NOW + max(3 * DAY, DAY + seed_at), {"sample": drawn})
    month.publish()
    files = [read_stated(json.dumps(one).encode(), month.policy) for one in (closed, answer)]
    (month.folder.parent / "closed.json").write_text(json.dumps(closed), encoding="utf-8")
    (month.folder.parent / "drawn.json").write_text(json.dumps(answer), encoding="utf-8")
    return check_sample(month.folder, month.policy, closed=files[0], drawn=files[1])


def test_a_sample_that_the_log_picked_holds(month: Month) -> None:
    """Everything fits: who cosigned the seed, how late it was, and the same sample drawn again."""
    report = played(month, seed_at=DAY + 60)
    assert (report.holds, report.problems) == (True, ())
    assert (report.organisation, report.month, report.population) == (OIN, "2026-11", 9)
    assert (report.seed_size, report.delay_s, report.cosigned_by) == (12, 60, ("w1",))
    assert 3 in report.drawn
    assert len(report.drawn) in {5, 6}


@pytest.mark.parametrize(
    ("closing", "problem"),
    [
        (lambda one: one["population"].append(9), "closed: the population"),
        (lambda one: one["population"].append(500), "closed: the population"),
        (lambda one: one.update(until=NOW + 5), "closed: the population"),
        (lambda one: one.update(flagged=[10]), "closed: an entry stands out"),
        (lambda one: one.update(seedFrom=NOW + DAY), "closed: the seed"),
        (lambda one: one.update(seedFrom=NOW + 3 * DAY), "closed: the seed"),
        (lambda one: one.update(seedUntil=NOW + 30 * DAY), "closed: the seed"),
        (lambda one: one.update(seedUntil=NOW + 2 * DAY), "closed: the seed"),
    ],
)  # fmt: skip
def test_a_month_that_was_closed_otherwise_is_refused(month: Month, closing: Change, problem: str) -> None:
    """An entry of another kind or time, a flag beside the population, or a day of one's own choice is a problem."""
    report = played(month, closing=closing)
    assert not report.holds
    assert any(one.startswith(problem) for one in report.problems), report.problems


def _other_seed(one: dict[str, Any]) -> None:
    text, _, lines = one["seed"].partition("\n\n")
    one["seed"] = text + "\n\n" + lines.splitlines()[0] + "\n"


def _stranger(one: dict[str, Any]) -> None:
    one["seed"] += witness_key("stranger").sign(one["seed"].partition("\n\n")[0] + "\n", time=NOW)


def _twice(one: dict[str, Any]) -> None:
    one["seed"] += one["seed"].splitlines()[-1] + "\n"


@pytest.mark.parametrize(
    ("drawing", "problem"),
    [
        (lambda one: one.update(drawn=one["drawn"][1:]), "sample: the seed draws other entries"),
        (lambda one: one.update(rejudge=[5]), "sample: the seed draws other entries"),
        (lambda one: one.update(verdicts=[5]), "drawn: is not of the month"),
        (lambda one: one.update(closed=3), "drawn: is not of the month"),
        (lambda one: one.update(population=one["population"][1:]), "drawn: is not of the month"),
        (lambda one: one.update(month="2026-10"), "drawn: is not of the month"),
        (lambda one: one.update(seed="nothing"), "seed: no checkpoint"),
        (_other_seed, "seed: it needs the cosignatures"),
        (_stranger, "seed: it needs the cosignatures"),
        (_twice, "seed: it needs the cosignatures"),
    ],
)
def test_a_sample_that_was_drawn_otherwise_is_refused(month: Month, drawing: Change, problem: str) -> None:
    """Another sample, another month, or a seed that somebody could have chosen is a problem."""
    report = played(month, drawing=drawing)
    assert not report.holds
    assert any(one.startswith(problem) for one in report.problems), report.problems


@pytest.mark.parametrize("seed_at", [DAY - 1, 8 * DAY])
def test_a_seed_of_another_day_is_refused(month: Month, seed_at: int) -> None:
    """A checkpoint from before the day, or from long after it, could have been waited for."""
    report = played(month, seed_at=seed_at)
    assert any(one.startswith("seed: its newest entry") for one in report.problems), report.problems


def test_another_log_is_refused(month: Month) -> None:
    """In a published log that does not hold, or has other entries there, nothing holds."""
    played(month)
    bundle = next(path for path in (month.folder / "tile" / "entries").rglob("*") if path.is_file())
    bundle.write_bytes(bundle.read_bytes()[:-1] + b"x")
    files = [
        read_stated((month.folder.parent / f"{name}.json").read_bytes(), month.policy) for name in ("closed", "drawn")
    ]
    report = check_sample(month.folder, month.policy, closed=files[0], drawn=files[1])
    assert not report.holds
    assert {"log", "closed", "drawn", "seed"} <= {one.partition(":")[0] for one in report.problems}


@pytest.mark.parametrize(
    "change",
    [
        lambda wire: wire.update(answer=None),
        lambda wire: wire["answer"]["sample"].update(month="2025-01"),
        lambda wire: wire.pop("receipt"),
    ],
)
def test_a_file_that_the_entry_does_not_commit_to_is_refused(month: Month, change: Change) -> None:
    """A stored receipt counts with its own answer only."""
    played(month)
    wire = json.loads((month.folder.parent / "closed.json").read_text())
    change(wire)
    with pytest.raises(AuditError):
        read_stated(json.dumps(wire).encode(), month.policy)


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"sample": {"organisation": "another"}},
        {"sample": {"organisation": OIN, "population": [2, 1], "flagged": [], "drawn": [], **NONE}},
        {"sample": {"organisation": OIN, "population": [True], "flagged": [], "drawn": [], **NONE}},
        {"sample": {"organisation": OIN, "population": [], "flagged": [], "drawn": [], **NONE, "since": "x"}},
    ],
)
def test_an_answer_that_is_no_sample_is_refused(month: Month, answer: dict[str, Any]) -> None:
    """Another organisation's, indexes out of order, and times that are none are named before anything is drawn."""
    wire = month.entry("review", NOW, answer)
    with pytest.raises(AuditError):
        read_stated(json.dumps(wire).encode(), month.policy)


def test_a_seed_of_another_tree_is_refused(month: Month) -> None:
    """A checkpoint that the log's key signed over another tree, cosigned even, is no seed of this log."""
    forged = Checkpoint(origin=month.log.verifier.name, head=TreeHead(size=12, root=b"f" * 32)).encode()
    key = NoteSigningKey.load(month.log.key_path)

    def drawing(one: dict[str, Any]) -> None:
        one["seed"] = compose_note(forged, [key.sign(forged), month.witness.sign(forged, time=NOW)])

    report = played(month, drawing=drawing)
    assert "seed: another tree than the published one" in report.problems


def test_the_command_says_what_does_not_hold(month: Month) -> None:
    """Exit 0 where it holds, 1 where it does not, 2 on bad input."""
    played(month, drawing=lambda one: one.update(drawn=[0, 1, 2, 3, 4]))
    folder, policy = month.folder.parent, month.folder / "policy"
    files = ["--policy", str(policy), "--closed", str(folder / "closed.json"), "--drawn", str(folder / "drawn.json")]
    done = CliRunner().invoke(app, ["sample", str(month.folder), *files])
    assert done.exit_code == 1
    assert "other entries" in done.stdout
    assert CliRunner().invoke(app, ["sample", str(folder / "none"), *files]).exit_code == 2
    for name, content in (("closed.json", b"{}"), ("closed.json", None)):
        (folder / name).write_bytes(content) if content is not None else (folder / name).unlink()
        assert CliRunner().invoke(app, ["sample", str(month.folder), *files]).exit_code == 2
