"""Sweeping a broker that serves, by its operator's command, on real processes."""

import json
import secrets

from tests.simulators.enrolled import GI, WIJKTEAM
from tests.simulators.region import Region, run
from tests.simulators.retention_oracle import check_ended


def test_a_serving_broker_sweeps_when_its_operator_asks(region: Region) -> None:
    """The command ends what is due while requests are answered, and a second one finds nothing."""
    person = secrets.token_hex(8)
    signal_id = str(region.partner(WIJKTEAM).register(subject=person).json()["result"]["signalId"])
    region.database.write("UPDATE signals SET ends_on = '2026-01-01' WHERE id = ?", signal_id)
    swept = [json.loads(run("sluis-broker", "sweep", region.path("broker"), "--json").splitlines()[-1]) for _ in "12"]
    assert [one["ended"] for one in swept] == [
        {"expiry": 1, "age": 0, "rules": 0, "consent": 0},
        {"expiry": 0, "age": 0, "rules": 0, "consent": 0},
    ]
    check_ended(region.database, region.path("broker") / "payload-keys", expected=[signal_id])
    assert region.partner(GI).register(subject=person).json()["result"]["outcome"] == "nothing"
    listed = region.partner(WIJKTEAM).get("/v1/signals").json()["result"]["signals"]
    assert {one["signalId"]: one["state"] for one in listed}[signal_id] == "ended"
