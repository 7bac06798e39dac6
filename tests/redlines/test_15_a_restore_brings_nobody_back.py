"""Red line 15: a custodian that is restored from a backup serves nobody who was revoked since it was made."""

from dataclasses import replace
from pathlib import Path

import pytest

from broker.custodian import backup, folder, sealing
from broker.custodian.errors import ImportRefusedError, RefusedError
from broker.custodian.evaluation import evaluate
from tests.simulators.custodian import (
    CUSTODIANS,
    SimulatedPartner,
    SteppedClock,
    authorization,
    batch,
    make_pair,
    register_text,
    seeded_key,
)

A = CUSTODIANS[0]
PARTNER = SimulatedPartner()
WITHOUT_ANNA = replace(PARTNER, workers={"bram": "worker"})


def served(path: Path, clock: SteppedClock, worker: str) -> str:
    """Return what the custodian of a folder says to a worker: `done`, or why it refuses him."""
    body = batch()
    header = authorization(PARTNER, body, custodian=A, now=clock.now, worker=worker)
    with folder.open_custodian(path, clock=clock) as custodian:
        try:
            evaluate(custodian, authorization=header, body=body)
        except RefusedError as refused:
            return refused.code
    return "done"


def test_a_worker_who_left_since_the_backup_stays_out(tmp_path: Path) -> None:
    """Anna left after the backup. From the restore on she is refused, with the roster of the backup and any later."""
    clock = SteppedClock()
    make_pair(tmp_path, [PARTNER], now=clock.now)
    path, restored = tmp_path / "custodian-a", tmp_path / "restored"
    sealing.create_pair(private=tmp_path / "private", public=tmp_path / "public")
    backup.back_up(path, tmp_path / "backup", public=sealing.read_public(tmp_path / "public"), clock=clock)
    newest = WITHOUT_ANNA.roster(A, number=2)
    with folder.open_trust(path) as (_, trust):
        trust.import_roster(newest)
    assert [served(path, clock, name) for name in ("anna", "bram")] == ["worker-unknown", "done"]
    backup.restore(
        (tmp_path / "backup").read_bytes(),
        restored,
        private=sealing.read_private_key(tmp_path / "private"),
        custodian_key=seeded_key(A).public,
        register=register_text([PARTNER]),
        clock=clock,
    )
    clock.pass_seconds(86_400)
    assert [served(restored, clock, name) for name in ("anna", "bram")] == ["worker-unknown"] * 2
    with folder.open_trust(restored) as (_, trust):
        trust.import_roster(newest)
        with pytest.raises(ImportRefusedError):
            trust.import_roster(PARTNER.roster(A, number=1))
    assert [served(restored, clock, name) for name in ("anna", "bram")] == ["worker-unknown", "done"]
