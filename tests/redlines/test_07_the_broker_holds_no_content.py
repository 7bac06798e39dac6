"""The broker's memory, disk and logs never hold the text of a letter, or an organisation's private key."""

import base64
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.simulators.enrolled import VEILIG_THUIS, WIJKTEAM, key, opening_key
from tests.simulators.letter_partners import LetteredRegion, lettered_region

QUESTION = "kanarievraag 7f3a91c4 over het gezin"
ANSWER = "kanarieantwoord b05d22e8 sinds maart"
_WRITABLE = re.compile(r"^([0-9a-f]+)-([0-9a-f]+) rw")


@pytest.fixture(scope="module")
def region(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LetteredRegion]:
    """A broker that serves, in a process of its own."""
    with lettered_region(tmp_path_factory.mktemp("content") / "region") as running:
        yield running


def _needles() -> dict[str, bytes]:
    """Return every form in which content or a key could stand somewhere."""
    secrets = {"question": QUESTION.encode(), "answer": ANSWER.encode()}
    for oin in (VEILIG_THUIS, WIJKTEAM):
        secrets |= {f"signing key {oin}": key(oin).seed, f"opening key {oin}": opening_key(oin).reveal()}
    forms = {}
    for name, secret in secrets.items():
        forms[name] = secret
        forms[f"{name} in base64"] = base64.b64encode(secret).rstrip(b"=")[:-1]
        forms[f"{name} in base64url"] = base64.urlsafe_b64encode(secret).rstrip(b"=")[:-1]
        forms[f"{name} in hex"] = secret.hex().encode()
    for name in ("question", "answer"):
        forms[f"{name} in UTF-16"] = secrets[name].decode().encode("utf-16-le")
    return forms


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
    """After a question, its answer and both readings nothing of them is found; what is there is, as a control."""
    request = region.ask(WIJKTEAM, text=QUESTION)
    assert _found(region, _needles()) == set()
    read = region.work(WIJKTEAM, lambda letters: letters.fetch(request))
    assert read.opened is not None
    assert read.opened.letter.text == QUESTION
    region.work(WIJKTEAM, lambda letters: letters.answer(request, region.reply(text=ANSWER)))
    assert _found(region, _needles()) == set()
    told = region.work(VEILIG_THUIS, lambda letters: letters.fetch(request))
    assert told.opened is not None
    assert told.opened.letter.text == ANSWER
    controls = {"the request's id": request.encode(), "an organisation": VEILIG_THUIS.encode()}
    assert _found(region, {**_needles(), **controls}) == set(controls)
