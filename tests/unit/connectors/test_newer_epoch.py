"""A refresh of shares at a partner: taken by itself when it holds, and an old key is never believed for it."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from connectors.errors import FolderError, NotDoneError
from tests.simulators.custodian import CUSTODIANS, hold_ceremony, make_folder
from tests.simulators.partner_world import PartnerWorld, down, real, status
from tests.simulators.refreshing import Folders, agreed, refreshed, used
from tests.unit.connectors.cases_by_hand import ASKED, child


def folders_of(world: PartnerWorld) -> Folders:
    """Return the folders of the two custodians."""
    return dict(zip(CUSTODIANS, world.network.pair.folders, strict=True))


async def test_a_refresh_goes_by_unnoticed(world: PartnerWorld) -> None:
    """After the custodians refreshed their shares a check is carried out as before, and finds what was registered."""
    async with world.client("wijkteam") as wijkteam, world.client("gi") as gi:
        await wijkteam.register(child(), **ASKED)
        refreshed(folders_of(world))
        assert (await gi.check(child(), **ASKED)).outcome == "shown"
    assert world.folders["gi"].epoch.refresh == 1


async def test_a_batch_is_paid_for_once(world: PartnerWorld) -> None:
    """The question that met unknown shares is put again as the same batch: charged before, it costs nothing more."""
    refreshed(folders_of(world))
    async with world.client("gi") as gi:
        await gi.check(child(), **ASKED)
    for custodian in world.network.pair.custodians:
        assert custodian.store.rows("SELECT count(*) FROM batch") == [(1,)]


async def test_rows_side_by_side_all_go_on(world: PartnerWorld) -> None:
    """Of many questions that meet unknown shares at once one takes the document over, and none of them fails."""
    refreshed(folders_of(world))
    async with world.client("gi") as gi:
        found = await asyncio.gather(*(gi.check(child(), **ASKED) for _ in range(4)))
    assert [one.outcome for one in found] == ["nothing"] * 4
    for custodian in world.network.pair.custodians:
        assert custodian.store.rows("SELECT count(*) FROM batch") == [(4,)]


async def test_a_refresh_is_found_beside_a_newer_epoch(world: PartnerWorld) -> None:
    """While the partner still uses epoch 1, a new epoch at the custodians is not taken: its refresh of epoch 1 is."""
    refreshed(folders_of(world))
    later = hold_ceremony(*world.network.pair.folders, epoch=2)
    async with world.client("gi") as gi:
        assert (await gi.check(child(), **ASKED)).outcome == "nothing"
    folder = world.folders["gi"]
    assert (folder.epoch.epoch, folder.epoch.refresh) == (1, 1)
    with pytest.raises(FolderError, match="is another epoch"):
        folder.import_refresh(later)
    assert folder.import_epoch(later).epoch == 2


async def test_a_newer_epoch_is_never_taken_by_itself(world: PartnerWorld) -> None:
    """A custodian that hands out a new epoch, signed by both, instead of a refresh changes nothing here."""
    refreshed(folders_of(world))
    later = hold_ceremony(*world.network.pair.folders, epoch=2)

    def newer(request: httpx.Request, answer: Callable[[], httpx.Response]) -> httpx.Response:
        del request, answer
        return httpx.Response(200, content=later)

    world.network.faults = {name: [real, newer] for name in CUSTODIANS}
    async with world.client("gi") as gi:
        with pytest.raises(NotDoneError, match="custodian-wrong-key"):
            await gi.check(child(), **ASKED)
    assert (world.folders["gi"].epoch.epoch, world.folders["gi"].epoch.refresh) == (1, 0)


async def test_between_the_two_it_is_not_done_and_nothing_is_taken(world: PartnerWorld) -> None:
    """While one custodian uses its new share and the other its old one, a check is not done: never wrong."""
    text = agreed(folders_of(world))
    used(folders_of(world)[CUSTODIANS[0]], text, CUSTODIANS[0])
    async with world.client("gi") as gi:
        with pytest.raises(NotDoneError) as failure:
            await gi.check(child(), **ASKED)
        assert "sleuteldocument" in failure.value.text_nl
        used(folders_of(world)[CUSTODIANS[1]], text, CUSTODIANS[1])
        assert (await gi.check(child(), **ASKED)).outcome == "nothing"


async def test_a_custodian_that_is_away_or_has_none_is_passed_over(world: PartnerWorld) -> None:
    """The document is asked of each custodian; whoever has none, or something else, stops nothing."""
    refreshed(folders_of(world))
    for fault in (down, status(404, "not-found")):
        world.folders["gi"].path.joinpath("epochs.json").write_text(world.network.pair.epoch_text.decode())
        world.network.faults = {CUSTODIANS[0]: [real, fault]}
        async with world.client("gi") as gi:
            assert (await gi.check(child(), **ASKED)).outcome == "nothing"


async def test_a_wrong_key_is_no_refresh(world: PartnerWorld, tmp_path: Path) -> None:
    """Custodians that answer with another key altogether are not believed, whatever document they hand out."""
    others = {name: make_folder(tmp_path / f"other {name}", name) for name in CUSTODIANS}
    hold_ceremony(others[CUSTODIANS[0]], others[CUSTODIANS[1]])
    text = refreshed(others)
    for name, path in folders_of(world).items():
        for source in (others[name] / "keys").glob("*.share"):
            (path / "keys" / source.name).write_bytes(source.read_bytes())
            (path / "keys" / source.name).chmod(0o600)
        (path / ".new").write_bytes(text)
        (path / ".new").replace(path / "epoch-1.json")
    async with world.client("gi") as gi:
        with pytest.raises(NotDoneError, match="custodian-wrong-key"):
            await gi.check(child(), **ASKED)
    assert world.folders["gi"].epoch.refresh == 0
    with pytest.raises(FolderError, match="changes the key"):
        world.folders["gi"].import_epoch(text)


async def test_an_outage_is_no_reason_to_look_for_a_key(world: PartnerWorld) -> None:
    """A custodian that does not answer is told as such, and no document is asked for."""
    world.network.faults[CUSTODIANS[0]] = [down]
    async with world.client("gi") as gi:
        with pytest.raises(NotDoneError, match="custodian-unreachable"):
            await gi.check(child(), **ASKED)
    assert not any(b"/v1/epochs" in head for _, head in world.network.sent)
