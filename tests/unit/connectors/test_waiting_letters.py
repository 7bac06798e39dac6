"""A letter that waits goes out under keys that still hold, and one that two runs open at once is shown by both."""

import json
from dataclasses import replace
from typing import Any

import httpx
import pytest

from connectors.attachments import File
from connectors.client import SluisClient
from connectors.errors import LetterNotOpenedError, NotDoneError, RefusedError
from connectors.exchange import Surroundings
from connectors.key_pins import PinnedKeys
from connectors.letters import Letters
from connectors.mailbox import Mailbox
from connectors.phoning import About
from tests.simulators.enrolled import VEILIG_THUIS, WIJKTEAM
from tests.simulators.reviewing_partner import Bridged
from tests.simulators.served_desks import Desks, enrolled_desks
from tests.unit.connectors.test_letters import QUESTION, REPLY, ask

OTHERS = {WIJKTEAM: (WIJKTEAM, "a key of the wijkteam that is new")}


class Down(Bridged):
    """A network on which no letter and no answer arrives."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Carry a request, but for what is posted of letters and calls."""
        if request.method == "POST" and any(one in request.url.path for one in ("requests", "chunks", "phone-calls")):
            raise httpx.ConnectError("down")
        return await super().handle_async_request(request)


def unreached(desks: Desks, oin: str) -> SluisClient:
    """Return the client of an organisation whose letters do not arrive."""
    network = Down(desks.world.app, desks.loop)
    surroundings = Surroundings(clock=desks.world.clock.now, transport=network)
    return SluisClient(desks.folder(oin), worker="anna", surroundings=surroundings)


async def resumed(desks: Desks, oin: str) -> list[str]:
    """Return what became of everything that waits: outcomes, and the problems of what was ended without one."""
    async with desks.client(oin) as client:
        found = await client.resume()
        assert (await client.resume()).unfinished == ()
    refused = [one.error for one in found.unfinished]
    assert all(isinstance(one, RefusedError) for one in refused)
    return [one.outcome for one in found.outcomes] + [str(one) for one in refused]


@pytest.mark.parametrize("agreed", [False, True])
async def test_what_waits_is_not_sent_under_a_key_that_was_changed(desks: Desks, agreed: bool) -> None:  # noqa: FBT001 - the case
    """Once the register states other keys of its receiver a question is over, until somebody agreed to them."""
    async with unreached(desks, VEILIG_THUIS) as client:
        with pytest.raises(NotDoneError):
            await Letters(client.desk).ask(QUESTION)
    changed = replace(enrolled_desks(), number=2, keys=OTHERS)
    desks.folder(VEILIG_THUIS).import_register(changed.register_document().encode())
    if agreed:
        async with desks.client(VEILIG_THUIS) as client:
            letters = Letters(client.desk)
            letters.accept_keys(WIJKTEAM, fingerprint=letters.keys_of(WIJKTEAM).fingerprint)
    assert await resumed(desks, VEILIG_THUIS) == ["sent" if agreed else "letter-keys-changed"]
    async with desks.client(WIJKTEAM) as holder:
        assert len(await Letters(holder.desk).list_own()) == int(agreed)


async def test_what_is_sealed_to_a_key_that_went_is_over_also_once_agreed(desks: Desks) -> None:
    """A box for a key that is not among those agreed to goes out no more; one for a key that is left does."""
    async with desks.client(VEILIG_THUIS) as client:
        letters = Letters(client.desk)
        known = client.desk.folder.register.organisations[WIJKTEAM]
        kept = letters.pins.sealed_to(known)
        both = replace(known, sealing_keys={**known.sealing_keys, "new": b"n" * 32})
        new = replace(known, sealing_keys={"new": b"n" * 32})
        held = []
        for stated in (known, both, new):
            letters.pins.accept(stated, fingerprint=PinnedKeys.of(stated).fingerprint)
            held.append(letters.pins.still_open_to(kept, {WIJKTEAM: stated}))
        assert held == [True, True, False]


async def test_what_waits_is_sent_while_its_keys_hold(desks: Desks) -> None:
    """With the keys it was sealed to, a question and an answer go out once the broker is reached."""
    async with unreached(desks, VEILIG_THUIS) as client:
        with pytest.raises(NotDoneError):
            await Letters(client.desk).ask(QUESTION)
    assert await resumed(desks, VEILIG_THUIS) == ["sent"]
    async with unreached(desks, WIJKTEAM) as holder:
        (one,) = await Letters(holder.desk).list_own()
        with pytest.raises(NotDoneError):
            await Letters(holder.desk).answer(one.request_id, REPLY)
    assert set(await resumed(desks, WIJKTEAM)) == {"done"}
    async with desks.client(VEILIG_THUIS) as asker:
        assert [one.state for one in await Letters(asker.desk).list_own()] == ["answered"]


async def test_an_answer_that_waits_is_over_once_its_asker_is_in_no_register(desks: Desks) -> None:
    """Who stands in the register no more is sent nothing that waited for him."""
    request = await ask(desks)
    async with unreached(desks, WIJKTEAM) as holder:
        with pytest.raises(NotDoneError):
            await Letters(holder.desk).answer(request, REPLY)
    names = {oin: name for oin, name in enrolled_desks().names.items() if oin != VEILIG_THUIS}
    desks.folder(WIJKTEAM).import_register(
        replace(enrolled_desks(), number=2, names=names).register_document().encode()
    )
    assert "letter-keys-changed" in await resumed(desks, WIJKTEAM)


@pytest.mark.parametrize("same", [True, False])
async def test_two_runs_that_open_one_letter_show_the_same(
    desks: Desks, monkeypatch: pytest.MonkeyPatch, same: bool  # noqa: FBT001 - the case
) -> None:  # fmt: skip
    """Who comes second shows what was kept a moment before, where it is the very same, and else nothing."""
    request = await ask(desks)
    keep = Mailbox._kept

    def late(self: Mailbox, opened: Any, *, on: Any) -> Any:  # noqa: ANN401 - as it is
        letter = opened.letter if same else replace(opened.letter, text="Iets anders.")
        keep(self, replace(opened, letter=letter), on=on)
        return keep(self, opened, on=on)

    monkeypatch.setattr(Mailbox, "_kept", late)
    async with desks.client(WIJKTEAM) as holder:
        letters = Letters(holder.desk)
        if same:
            assert (await letters.fetch(request)).opened == letters.kept(request)[0]
            return
        with pytest.raises(LetterNotOpenedError) as other:
            await letters.fetch(request)
        assert other.value.step == "changed"
        assert [json.dumps(one.letter.text) for one in letters.kept(request)] == ['"Iets anders."']


async def test_a_letter_whose_attachment_did_not_arrive_does_not_wait(desks: Desks) -> None:
    """Nothing waits where the letter itself was never made: its worker reads that it was not done, and no more."""
    async with unreached(desks, VEILIG_THUIS) as client:
        with pytest.raises(NotDoneError) as failed:
            await Letters(client.desk).ask(replace(QUESTION, files=(File(name="a.pdf", content=b"x" * 1000),)))
        assert not failed.value.resumable
    assert await resumed(desks, VEILIG_THUIS) == []


async def test_a_call_is_announced_now_or_never(desks: Desks) -> None:
    """A call, or a code that is held against those announced, is not carried out days later."""
    about = About(grounds=["WMO-5.1.6"], categories=["hulp"], level=3)
    async with unreached(desks, VEILIG_THUIS) as client:
        for act in (
            client.phoning.start(to=WIJKTEAM, to_team="team-1", team="team-1", purpose="vt-melding", about=about),
            client.phoning.verify("123456"),
        ):
            with pytest.raises(NotDoneError) as failed:
                await act
            assert not failed.value.resumable
    assert await resumed(desks, VEILIG_THUIS) == []


async def test_a_preview_is_no_more_willing_than_sending(desks: Desks) -> None:
    """Once the receiver's keys have changed its preview is stopped as the letter would be; not sharing is not."""
    request = await ask(desks)
    await desks.run(WIJKTEAM, "request", "read", request)
    changed = replace(enrolled_desks(), number=2, keys=OTHERS)
    desks.folder(VEILIG_THUIS).import_register(changed.register_document().encode())
    changed = replace(enrolled_desks(), number=2, keys={VEILIG_THUIS: (VEILIG_THUIS, "a new key")})
    desks.folder(WIJKTEAM).import_register(changed.register_document().encode())
    text = desks.file(VEILIG_THUIS, "text", "Welke hulp is er?")
    sends = ("--team", "team-1", "--to", WIJKTEAM, "--to-team", "team-1", "--category", "hulp", "--text", text)
    asked = ("request", "send", "--purpose", "vt-melding", "--ground", "WMO-5.1.6", *sends, "--preview")
    assert "sluis-connect keys accept" in (await desks.run(VEILIG_THUIS, *asked, expect=1)).output
    shares = ("--category", "hulp", "--ground", "WMO-5.2.6", "--text", desks.file(WIJKTEAM, "text", "Sinds maart."))
    answers = ("answer", request, "--preview", "--kind")
    assert "zijn gewijzigd" in (await desks.run(WIJKTEAM, *answers, "all", *shares, expect=1)).output
    await desks.run(WIJKTEAM, *answers, "declined", "--reason", "not_needed")
