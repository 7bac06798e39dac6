"""Another policy taken up by a broker that serves, on real processes."""

from pathlib import Path

import httpx
import pytest

from broker.settings import FILE_NAME
from policies import load_bundle
from tests.simulators.ports import free_port
from tests.simulators.region import PATIENCE_S, Service, run
from tests.simulators.served_world import copy_world, make_template
from tests.simulators.signing_people import released, signers_file
from tests.unit.policies.arnhem import VIRA, changed_documents


@pytest.fixture
def broker(tmp_path: Path) -> tuple[Path, str]:
    """The folder and address of a broker with a signed release, whose log nobody watches."""
    make_template(tmp_path / "template")
    copy_world(tmp_path / "template", tmp_path / "world")
    folder, port = tmp_path / "world" / "broker", free_port()
    signers_file(folder)
    (folder / "release.json").write_bytes(released(load_bundle()).encode())
    text = (folder / FILE_NAME).read_text(encoding="utf-8")
    signed = 'policy_release = "release.json"\npolicy_signers = "signers.json"'
    text = text.replace("insecure_test_bundle = true", signed).replace("127.0.0.1:8801", f"127.0.0.1:{port}")
    (folder / FILE_NAME).write_text(text, encoding="utf-8")
    log = (folder / "log-policy").read_text(encoding="utf-8").splitlines()[0]
    (folder / "log-policy").write_text(f"{log}\nquorum none\n", encoding="utf-8")
    return folder, f"http://127.0.0.1:{port}"


def test_a_serving_broker_takes_up_another_release(broker: tuple[Path, str], tmp_path: Path) -> None:
    """The operator's command swaps it without a restart; a wrong one is refused in a sentence, and nothing changes."""
    folder, url = broker
    first = load_bundle()
    second = load_bundle(changed_documents(tmp_path, (VIRA, "titel: Afspraken", "titel: Nieuwe afspraken")))

    def decides() -> str:
        return str(httpx.get(f"{url}/health/ready", timeout=PATIENCE_S).json()["bundleSha256"])

    service = Service(script="sluis-broker", arguments=["serve", str(folder)], log=tmp_path / "broker.log")
    service.start()
    try:
        assert decides() == first.sha256
        (folder / "release.json").write_bytes(released(second).encode())
        run("sluis-broker", "policy", "activate", folder, expect=2)
        assert decides() == first.sha256
        (folder / "release.json").write_bytes(released(second, first).encode())
        assert "in force from entry 1 on" in run("sluis-broker", "policy", "activate", folder)
        assert decides() == second.sha256
    finally:
        service.stop()
    assert "policy_release" in (tmp_path / "broker.log").read_text(encoding="utf-8")
