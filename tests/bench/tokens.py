"""`ONLY=tokens`: how much of the CPU of a bulk batch is libsodium's own, at the client and at a custodian.

The counts of operations per token are the design's (`tests/unit/protocol/test_token_operations.py` holds them); their
CPU alone is divided by the CPU of our whole batch. A constant per batch is ours to bear: it is not in the raw side.
A machine may change its speed from one tenth of a second to the next, so rounds are short and many, and which side goes
first alternates.
"""

import secrets
from collections.abc import Mapping
from pathlib import Path

from broker.protocol.families import Family
from broker.protocol.tokens import Blinded, Evaluation, Identifier, blind, evaluate_batch, verify_and_combine
from tests.bench.measure import Bar, Report, Round, Size, cpu, interleaved, median, median_ratio
from tests.bench.raw_group import RawGroup
from tests.simulators.two_custodians import TwoCustodians

CLIENT_COUNTS = {"map": 1, "multiply": 6, "add": 5, "invert": 1}
CUSTODIAN_COUNTS = {"multiply": 2, "add": 1}
ROUNDS = 8  # for each round of other benches
CONSTANT = (
    "constant per batch, in whole and not in raw: client 6 multiplications and 2 of the generator, custodian 2 and 2"
)
CLIENT_BAR = 0.85
CUSTODIAN_BAR = 0.80


def bench_tokens(size: Size, _: Path) -> Report:
    """Return the share of the raw operations in a batch of client and custodian."""
    batch = _Batch(size.work)
    rounds = interleaved(size.rounds * ROUNDS, batch.one_round)
    names = ("client_raw", "blind", "verify_and_combine", "client", "custodian_raw", "custodian")
    client = median_ratio(rounds, "client_raw", "client")
    custodian = median_ratio(rounds, "custodian_raw", "custodian")
    return Report(
        bars=[
            Bar(name="client, raw / whole", ratio=client, at_least=CLIENT_BAR),
            Bar(name="custodian, raw / whole", ratio=custodian, at_least=CUSTODIAN_BAR),
        ],
        rounds=rounds,
        figures={
            "batch": size.work,
            "operations_per_token": {"client": CLIENT_COUNTS, "custodian": CUSTODIAN_COUNTS},
            "us_per_token": {name: round(median(rounds, name) / size.work * 1e6, 1) for name in names},
        },
        notes=[CONSTANT],
    )


class _Batch:
    """One batch of a client and two custodians, measured over and over."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._raw = RawGroup.of_the_system()
        self._custodians = TwoCustodians()
        names = (b"sluis/nlbsn/v1\x00%09d" % number for number in range(count))
        self._identifiers = [Identifier(Family.NLBSN, name) for name in names]
        self._raw_first = False

    def one_round(self) -> Round:
        """Return the CPU seconds of the raw operations and of ours, first one side and then the other."""
        self._raw_first = not self._raw_first
        sides = (self._raw_round, self._our_round) if self._raw_first else (self._our_round, self._raw_round)
        return {**sides[0](), **sides[1]()}

    def _raw_round(self) -> Round:
        def seconds(counts: Mapping[str, int]) -> float:
            return self._raw.seconds({name: times * self._count for name, times in counts.items()})

        return {"client_raw": seconds(CLIENT_COUNTS), "custodian_raw": seconds(CUSTODIAN_COUNTS)}

    def _our_round(self) -> Round:
        custodians, blinds = self._custodians, list[Blinded]()
        blinding = cpu(lambda: blinds.extend(blind(one, secrets.token_bytes) for one in self._identifiers))
        points = [item.point for item in blinds]
        evaluations: dict[str, Evaluation] = {}
        evaluating = cpu(
            lambda: evaluations.update(
                {name: evaluate_batch(share, points, secrets.token_bytes) for name, share in custodians.shares.items()}
            )
        )
        combining = cpu(lambda: verify_and_combine(blinds, evaluations, custodians.descriptor))
        return {
            "blind": blinding,
            "verify_and_combine": combining,
            "client": blinding + combining,
            "custodian": evaluating / len(custodians.shares),
        }
