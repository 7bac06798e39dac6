"""The broker's memory, disk and logs never hold the text of a letter, or an organisation's private key."""

import base64
import datetime
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from broker.domain.exceptions import SIX
from connectors.attachments import File
from connectors.letters import Fetched, Letters
from tests.simulators.enrolled import VEILIG_THUIS, WIJKTEAM, key, opening_key
from tests.simulators.letter_partners import LetteredRegion, connect, lettered_region, request_in
from tests.simulators.region import run
from tests.simulators.requesting import HUISARTS

CONTENT = {
    "question": "kanarievraag 7f3a91c4 over het gezin",
    "answer": "kanarieantwoord b05d22e8 sinds maart",
    "telling": "kanariemelding 19c6e0d7 ik maak mij zorgen",
    "attachment": "kanariebijlage 52b8aa31 uit het dossier",
    "file name": "kanarienaam 8e44d1f9.pdf",
    "dossier": "kanariedossier c7d9025e de baby was niet veilig",
}
QUESTION, ANSWER, TELLING, ATTACHMENT, NAME, DOSSIER = CONTENT.values()
_WRITABLE = re.compile(r"^([0-9a-f]+)-([0-9a-f]+) rw")


@pytest.fixture(scope="module")
def region(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LetteredRegion]:
    """A broker that serves, in a process of its own."""
    with lettered_region(tmp_path_factory.mktemp("content") / "region") as running:
        yield running


def _needles(*more: bytes) -> dict[str, bytes]:
    """Return every form in which content, a key or one of these could stand somewhere, each once."""
    secrets = {name: text.encode() for name, text in CONTENT.items()}
    for oin in (VEILIG_THUIS, WIJKTEAM):
        secrets |= {f"signing key {oin}": key(oin).seed, f"opening key {oin}": opening_key(oin).reveal()}
    secrets |= {f"key of a file {at}": secret for at, secret in enumerate(more)}
    forms = {needle: f"{name} in {form}" for name, secret in secrets.items() for form, needle in _forms(secret)}
    forms |= {text.encode("utf-16-le"): f"{name} in UTF-16" for name, text in CONTENT.items()}
    return {name: needle for needle, name in forms.items()}


def _forms(secret: bytes) -> Iterator[tuple[str, bytes]]:
    """Give a secret as it is, in hexadecimal, and in base64 wherever in something longer it begins."""
    yield "plain", secret
    yield "hex", secret.hex().encode()
    for before in range(3):
        # Three bytes are four signs: only those of whole threes are the same whatever stands around the secret.
        whole = secret[-before % 3 :]
        whole = whole[: len(whole) - len(whole) % 3]
        yield f"base64 after {before}", base64.b64encode(whole)
        yield f"base64url after {before}", base64.urlsafe_b64encode(whole)


@pytest.mark.parametrize("before", range(4))
@pytest.mark.parametrize("after", range(3))
def test_content_is_found_wherever_it_stands_in_base64(before: int, after: int) -> None:
    """A control of the search: a secret in the middle of something that was encoded is found at every offset."""
    around = base64.urlsafe_b64encode(b"x" * before + ANSWER.encode() + b"y" * after)
    assert any(needle in around for _, needle in _forms(ANSWER.encode()))


def _memory(pid: int) -> Iterator[bytes]:
    """Give everything that a process holds in memory it can write to, mapping by mapping."""
    with Path(f"/proc/{pid}/maps").open() as maps, Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
        for line in maps:
            found = _WRITABLE.match(line)
            if found is None:
                continue
            first, last = (int(part, 16) for part in found.groups())
            try:
                memory.seek(first)
                yield memory.read(last - first)
            except (OSError, ValueError):
                continue  # a mapping that went away, or one that the kernel keeps to itself


def _found(region: LetteredRegion, needles: dict[str, bytes]) -> set[str]:
    """Return what is found in the broker's memory, in its folder, or in what it printed."""
    service = region.region.services["broker"]
    assert service.process is not None
    held = [*_memory(service.process.pid)]
    files = [path for path in region.region.path("broker").rglob("*") if path.is_file()]
    held += [path.read_bytes() for path in (*files, service.log)]
    return {name for name, needle in needles.items() if any(needle in one for one in held)}


def test_no_word_and_no_key_is_with_the_broker(region: LetteredRegion) -> None:
    """Nothing is found of a question, answer, telling, attachment, its name or key, or dossier; what is there is."""
    exception = _tells_in_danger(region)
    file = File(name=NAME, content=ATTACHMENT.encode())
    request = region.ask(WIJKTEAM, text=QUESTION, files=(file,))
    worry = region.question(VEILIG_THUIS, grounds=["WMO-5.2.6"], proof=None, text=TELLING)
    telling = request_in(region.work(WIJKTEAM, lambda letters: letters.tell(worry)))
    assert _found(region, _needles()) == set()

    async def read_whole(letters: Letters) -> tuple[Fetched, tuple[File, ...]]:
        fetched = await letters.fetch(request)
        return fetched, await letters.files(fetched)

    read, files = region.work(WIJKTEAM, read_whole)
    assert read.opened is not None
    assert (read.opened.letter.text, files) == (QUESTION, (file,))
    (attachment,) = read.opened.letter.attachments
    region.work(WIJKTEAM, lambda letters: letters.answer(request, region.reply(text=ANSWER)))
    assert _read_text(region, request) == ANSWER
    assert _read_text(region, telling) == TELLING
    controls = {
        "the request's id": request.encode(), "an organisation": VEILIG_THUIS.encode(), "exception": exception.encode(),
    }  # fmt: skip
    assert _found(region, {**_needles(attachment.key), **controls}) == set(controls)


def _read_text(region: LetteredRegion, request: str) -> str:
    """Return the text that Veilig Thuis reads in a request."""
    opened = region.work(VEILIG_THUIS, lambda letters: letters.fetch(request)).opened
    assert opened is not None
    return opened.letter.text


def _tells_in_danger(region: LetteredRegion) -> str:
    """Return the id of an acute exception of a huisarts, whose dossier came after it."""
    folder = region.folders[HUISARTS].path
    run("sluis-connect", "exception", "key", "--org", folder, "--key", folder / "fg.key")
    stated = {
        "type": "acuut", "recipient": "veilig_thuis", "team": "team-1", "category": "veiligheid", "level": 3,
        "reason": "danger_to_child",
    }  # fmt: skip
    dossier = {
        "answers": dict.fromkeys(SIX, DOSSIER), "consulted": "bram", "meldcode_step": 4,
        "tell_on": (region.today + datetime.timedelta(10)).isoformat(),
    }  # fmt: skip
    for name, content in (("invoke", stated), ("complete", dossier)):
        (folder / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")
    told = connect(region, HUISARTS, "exception", "invoke", folder / "invoke.json")["exceptions"][0]
    done = connect(region, HUISARTS, "exception", "complete", told["exceptionId"], folder / "complete.json")
    assert done["exceptions"][0]["dossier"] == "complete"
    return str(told["exceptionId"])
