"""A refresh in two folders: what each step demands, when the shares change, and what is left of the old ones."""

import json
import secrets
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner, Result

from broker.custodian import ceremony, folder, refresh, service
from broker.custodian.cli import app
from broker.custodian.errors import CeremonyStepError, FolderError
from broker.custodian.keyring import share_path
from broker.custodian.refresh_files import load_pending, pending_path
from broker.protocol.epochs import SCHEMA, DescriptorError, EpochDocument
from broker.protocol.errors import MalformedError, SignatureError
from broker.protocol.families import Family
from broker.protocol.refresh import RefreshError
from broker.protocol.signed_document import SignedDocument
from broker.protocol.signing_keys import b64url
from broker.protocol.tokens import Identifier, PersonToken, ProofError, blind, random_points, verify_and_combine
from tests.simulators.custodian import (
    CUSTODIANS,
    FAMILIES,
    CustodianPair,
    SimulatedPartner,
    batch,
    evaluations,
    hold_ceremony,
    make_folder,
    seeded_key,
)
from tests.simulators.refreshing import PEER, Folders, agreed, committed, finished, opened, used

A, B = CUSTODIANS


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    """Return the folders of two custodians that made a key together."""
    made = {name: make_folder(tmp_path / name, name) for name in CUSTODIANS}
    hold_ceremony(made[A], made[B])
    return made


def share_files(path: Path) -> list[str]:
    """Return the names of the share files of a custodian."""
    return sorted(item.name for item in (path / "keys").glob("*.share"))


def test_a_refresh_changes_every_share_under_the_same_keys(folders: Folders) -> None:
    """After both use it, each family has another share at each custodian, and the same key."""
    before = {name: folder.check(path).shares for name, path in folders.items()}
    old = EpochDocument.from_mapping(json.loads((folders[A] / "epoch-1.json").read_bytes())["document"])
    text = agreed(folders)
    new = {used(path, text, name).canonical() for name, path in folders.items()}
    assert len(new) == 1
    document = EpochDocument.from_mapping(SignedDocument.parse(text, schema=SCHEMA).document)
    assert (document.epoch, document.refresh) == (1, 1)
    assert [item.public_key for item in document.descriptors] == [item.public_key for item in old.descriptors]
    for name, path in folders.items():
        after = folder.check(path).shares
        assert after.keys() == before[name].keys()
        assert all(after[place] != share for place, share in before[name].items())


def test_old_shares_are_in_use_until_both_have_signed(folders: Folders) -> None:
    """`finish` stores the new shares beside the old; a custodian answers by the old ones until `use`."""
    before = folder.check(folders[A]).shares
    text = agreed(folders)
    assert folder.check(folders[A]).shares == before
    assert len(share_files(folders[A])) == 2 * len(FAMILIES)
    used(folders[A], text, A)
    assert folder.check(folders[A]).shares != before


def test_nothing_that_could_undo_it_is_left(folders: Folders) -> None:
    """After `use` no old share and no secret of the refresh is in any file of the folder."""
    old = [share.reveal() for share in folder.check(folders[A]).shares.values()]
    text = agreed(folders)
    secrets_of = [held.secret.reveal() for held in load_pending(folders[A]).begun]
    used(folders[A], text, A)
    document = EpochDocument.from_mapping(SignedDocument.parse(text, schema=SCHEMA).document)
    assert share_files(folders[A]) == sorted(share_path(folders[A], document, family).name for family in FAMILIES)
    contents = b"".join(item.read_bytes() for item in folders[A].rglob("*") if item.is_file())
    assert not any(b64url(secret).encode() in contents for secret in [*old, *secrets_of])


def test_no_replaced_secret_stays_on_the_disk(folders: Folders, tmp_path: Path) -> None:
    """The secrets of a refresh are overwritten when `open` replaces their file, as at the end: seen through links."""
    promised = committed(folders)
    (tmp_path / "first").hardlink_to(pending_path(folders[A]))
    parts = opened(folders, promised)
    (tmp_path / "second").hardlink_to(pending_path(folders[A]))
    old = share_path(
        folders[A],
        EpochDocument.from_mapping(json.loads((folders[A] / "epoch-1.json").read_bytes())["document"]),
        Family.FAM,
    )
    (tmp_path / "share").hardlink_to(old)
    used(folders[A], ceremony.join(list(finished(folders, promised, parts).values())), A)
    assert [set((tmp_path / name).read_bytes()) for name in ("first", "second", "share")] == [{0}] * 3


def test_a_refresh_can_be_refreshed(folders: Folders) -> None:
    """One refresh after the other works, and an earlier document cannot come back."""
    first = agreed(folders)
    for name, path in folders.items():
        used(path, first, name)
    second = agreed(folders)
    for name, path in folders.items():
        assert used(path, second, name).refresh == 2
    with pytest.raises(CeremonyStepError, match="no refresh of the epoch in force"):
        used(folders[A], first, A)


def test_use_can_be_repeated_after_a_crash(folders: Folders) -> None:
    """A custodian that died after the rename, before it erased anything, ends that when it is told again."""
    text = agreed(folders)
    kept = {item: item.read_bytes() for item in (folders[A] / "keys").iterdir()}
    used(folders[A], text, A)
    for path, content in kept.items():
        path.write_bytes(content)
        path.chmod(0o600)
    assert used(folders[A], text, A).refresh == 1
    assert len(share_files(folders[A])) == len(FAMILIES)
    assert not pending_path(folders[A]).exists()


def test_a_start_erases_what_a_crash_left(folders: Folders) -> None:
    """A custodian that died in `use` erases old shares and secrets when it starts; those of a new refresh it keeps."""
    text = agreed(folders)
    kept = {item: item.read_bytes() for item in (folders[A] / "keys").iterdir()}
    used(folders[A], text, A)
    for path, content in kept.items():
        path.write_bytes(content)
        path.chmod(0o600)
    with folder.open_custodian(folders[A]):
        assert len(share_files(folders[A])) == len(FAMILIES)
        assert not pending_path(folders[A]).exists()
    refresh.commit(folders[A], custodian=A, key=seeded_key(A).public)
    with folder.open_custodian(folders[A]):
        assert pending_path(folders[A]).exists()


def test_before_a_ceremony_there_is_nothing_to_clear_up(tmp_path: Path) -> None:
    """A custodian without a key starts, and waits for its ceremony."""
    path = make_folder(tmp_path / "new", A)
    with folder.open_custodian(path) as custodian:
        assert custodian.keyring.newest is None


def test_steps_can_be_repeated_and_give_the_same(folders: Folders) -> None:
    """A step that is done again after a crash comes to the same shares and document."""
    promised = committed(folders)
    opened(folders, promised)
    parts = opened(folders, promised)
    assert finished(folders, promised, parts) == finished(folders, promised, parts)


def test_one_begins_at_a_time(folders: Folders) -> None:
    """A refresh that has begun is never overwritten, nor is a ceremony; without a key there is nothing to refresh."""
    committed(folders)
    with pytest.raises(CeremonyStepError, match="has begun"):
        refresh.commit(folders[A], custodian=A, key=seeded_key(A).public)
    pending_path(folders[A]).unlink()
    ceremony.commit(folders[A], custodian=A, epoch=2, families=FAMILIES)
    with pytest.raises(CeremonyStepError, match="has begun"):
        refresh.commit(folders[A], custodian=A, key=seeded_key(A).public)
    (empty := folders[A].parent / "empty").mkdir()
    with pytest.raises(FolderError, match="no key yet"):
        refresh.commit(empty, custodian=A, key=seeded_key(A).public)


def given_up(folders: Folders) -> None:
    """Give the refresh that has begun up at both, as the message of `commit` says."""
    for path in folders.values():
        pending_path(path).unlink()


@pytest.mark.parametrize("chosen", [0, 1])
def test_a_refresh_that_was_given_up_is_not_overwritten(folders: Folders, chosen: int) -> None:
    """Both signed two refreshes of one number: either can be put in use at both, then nothing of the other is left."""
    texts = [agreed(folders)]
    given_up(folders)
    texts.append(agreed(folders))
    assert len(share_files(folders[A])) == 3 * len(FAMILIES)
    before = [share.public for share in folder.check(folders[A]).shares.values()]
    for name, path in folders.items():
        used(path, texts[chosen], name)
        assert len(share_files(path)) == len(FAMILIES)
        assert not pending_path(path).exists()
    assert [share.public for share in folder.check(folders[A]).shares.values()] != before
    with pytest.raises(CeremonyStepError, match="no refresh of the epoch"):
        used(folders[A], texts[1 - chosen], A)


def test_shares_of_a_later_refresh_stay(folders: Folders) -> None:
    """Ending what a crash left of one refresh takes nothing from the next one, which is begun or waits for its use."""
    first = agreed(folders)
    for name, path in folders.items():
        used(path, first, name)
    second = agreed(folders)
    assert used(folders[A], first, A).refresh == 1
    with folder.open_custodian(folders[A]):
        assert pending_path(folders[A]).exists()
    for name, path in folders.items():
        assert used(path, second, name).refresh == 2


def test_a_new_epoch_does_not_keep_a_refresh_from_use(folders: Folders) -> None:
    """When one used the refresh, the other still can, though a new key was made meanwhile: else epoch 1 were lost."""
    text = agreed(folders)
    used(folders[A], text, A)
    given_up({B: folders[B]})
    hold_ceremony(folders[A], folders[B], epoch=2)
    assert used(folders[B], text, B).refresh == 1
    assert [sorted(epoch for epoch, _ in folder.check(path).shares) for path in folders.values()] == [
        [1] * len(FAMILIES) + [2] * len(FAMILIES)
    ] * 2
    assert (folders[A] / "epoch-1.json").read_bytes() == (folders[B] / "epoch-1.json").read_bytes()


def test_no_key_is_made_while_a_refresh_has_begun(folders: Folders) -> None:
    """From `commit` to `use` of a refresh no ceremony begins, as none of a refresh begins while a ceremony has."""
    text = agreed(folders)
    with pytest.raises(CeremonyStepError, match="a refresh has begun"):
        ceremony.commit(folders[A], custodian=A, epoch=2, families=FAMILIES)
    used(folders[A], text, A)
    ceremony.commit(folders[A], custodian=A, epoch=2, families=FAMILIES)


def test_steps_come_in_order(folders: Folders) -> None:
    """Nothing is opened without the peer's commitments, nothing finished without opening."""
    with pytest.raises(CeremonyStepError, match="commit comes first"):
        refresh.open_exchange(folders[A], key=seeded_key(A).public, peer_commitments=b"")
    promised = committed(folders)
    with pytest.raises(CeremonyStepError, match="open comes first"):
        finished(folders, promised, promised)


def test_the_peers_commitments_cannot_change(folders: Folders) -> None:
    """Once our part was shown, other commitments of the peer are refused at every later step."""
    promised = committed(folders)
    parts = opened(folders, promised)
    pending_path(folders[B]).unlink()
    other = refresh.commit(folders[B], custodian=B, key=seeded_key(B).public)
    with pytest.raises(CeremonyStepError, match="not those it made before"):
        refresh.open_exchange(folders[A], key=seeded_key(A).public, peer_commitments=other)
    with pytest.raises(CeremonyStepError, match="not those it made before"):
        refresh.finish(folders[A], key=seeded_key(A), peer_commitments=other, peer_openings=parts[B])


def test_commitments_must_be_the_peers_and_for_this_refresh(folders: Folders) -> None:
    """Our own commitments, and the peer's for another number, are refused before anything is shown."""
    promised = committed(folders)
    with pytest.raises(CeremonyStepError, match="our own"):
        refresh.open_exchange(folders[A], key=seeded_key(A).public, peer_commitments=promised[A])
    members = json.loads(promised[B])
    for item in members["commitments"]:
        item["refresh"] = 2
    with pytest.raises(CeremonyStepError, match="not for this refresh"):
        refresh.open_exchange(
            folders[A], key=seeded_key(A).public, peer_commitments=json.dumps(members).encode()
        )  # fmt: skip


def test_a_spoilt_opening_stores_nothing(folders: Folders) -> None:
    """An opening that does not hold ends the refresh with the old shares in use and no new one on the disk."""
    promised = committed(folders)
    parts = opened(folders, promised)
    members = json.loads(parts[B])
    members["openings"][0]["nonce"] = members["openings"][1]["nonce"]
    parts[B] = json.dumps(members).encode()
    with pytest.raises(RefreshError):
        refresh.finish(folders[A], key=seeded_key(A), peer_commitments=promised[B], peer_openings=parts[B])
    assert len(share_files(folders[A])) == len(FAMILIES)


def test_a_document_that_only_one_signed_is_not_used(folders: Folders) -> None:
    """Without the peer's signature under the peer's own key nothing changes: it may not have its share."""
    promised = committed(folders)
    signed = finished(folders, promised, opened(folders, promised))
    joined = ceremony.join(list(signed.values()))
    before = folder.check(folders[A]).shares
    with pytest.raises(SignatureError):
        used(folders[A], signed[A], A)
    with pytest.raises(SignatureError):
        refresh.use(
            folders[A], joined, custodian=A, key=seeded_key(A).public, peer_key=seeded_key("somebody").public
        )  # fmt: skip
    assert folder.check(folders[A]).shares == before


def test_a_document_of_another_key_is_not_used(folders: Folders, tmp_path: Path) -> None:
    """Signed by both or not: what does not add up to the key in force, or is another epoch, is refused."""
    others = {name: make_folder(tmp_path / f"other {name}", name) for name in CUSTODIANS}
    hold_ceremony(others[A], others[B])
    with pytest.raises(DescriptorError, match="add up"):
        used(folders[A], agreed(others), A)
    given_up(others)
    later = hold_ceremony(others[A], others[B], epoch=2)
    with pytest.raises(CeremonyStepError, match="no refresh of the epoch"):
        used(folders[A], later, A)
    assert folder.check(folders[A]).newest == (folders[A] / "epoch-1.json").read_bytes()


def test_another_epoch_in_force_ends_a_refresh(folders: Folders) -> None:
    """A refresh that began before a new key was made goes no further."""
    promised = committed(folders)
    for path in folders.values():
        pending_path(path).rename(path / "aside")
    hold_ceremony(folders[A], folders[B], epoch=2)
    for path in folders.values():
        (path / "aside").rename(pending_path(path))
    with pytest.raises(CeremonyStepError, match="start anew"):
        opened(folders, promised)


@pytest.mark.parametrize("damage", [{"secrets": []}, {"commitments": [], "secrets": []}, {"schema": "x", "more": 1}])
def test_a_damaged_pending_file_is_refused(folders: Folders, damage: dict[str, object]) -> None:
    """What waits in `keys/` is read strictly."""
    committed(folders)
    members = {**json.loads(pending_path(folders[A]).read_bytes()), **damage}
    pending_path(folders[A]).write_text(json.dumps(members), encoding="ascii")
    with pytest.raises(MalformedError):
        load_pending(folders[A])


def tokens(pair: CustodianPair, partner: SimulatedPartner, document: EpochDocument) -> list[PersonToken]:
    """Return the tokens that a partner gets of running custodians, under the document it believes."""
    blinds = [blind(Identifier(Family.NLBSN, text), secrets.token_bytes) for text in (b"one", b"two")]
    padding = random_points(6, secrets.token_bytes)
    body = batch(nlbsn=[*(item.point for item in blinds), *padding], real=2)
    answers = evaluations(pair.evaluate(partner, body), "nlbsn")
    return verify_and_combine(blinds, answers, document.descriptor(Family.NLBSN), padding=padding)


def test_running_custodians_take_a_refresh_over(pair: CustodianPair, partner: SimulatedPartner) -> None:
    """Without a restart both answer by the new shares with equal tokens; in between an answer fails its proof."""
    folders = dict(zip(CUSTODIANS, pair.folders, strict=True))
    before = tokens(pair, partner, pair.epochs)
    text = agreed(folders)
    document = EpochDocument.from_mapping(SignedDocument.parse(text, schema=SCHEMA).document)
    used(folders[A], text, A)
    for known in (pair.epochs, document):
        with pytest.raises(ProofError):
            tokens(pair, partner, known)
    used(folders[B], text, B)
    assert tokens(pair, partner, document) == before
    with pytest.raises(ProofError):
        tokens(pair, partner, pair.epochs)
    assert [custodian.keyring.newest for custodian in pair.custodians] == [text, text]


async def test_a_share_that_is_damaged_meanwhile_is_told(pair: CustodianPair, partner: SimulatedPartner) -> None:
    """When a new document stands without its share, nothing is answered, and no route says more than that."""
    path = pair.folders[0]
    share_path(path, pair.epochs, Family.FAM).unlink()
    document = path / "epoch-1.json"
    (path / ".new").write_bytes(document.read_bytes())
    (path / ".new").replace(document)
    with pytest.raises(FolderError):
        pair.ask(0, partner, batch())
    transport = httpx.ASGITransport(service.create_app(pair.custodians[0]), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://custodian") as client:
        for route in ("/v1/epochs", "/v1/epochs/1", "/health/ready"):
            answer = await client.get(route)
            assert (answer.status_code, answer.json()["type"]) == (500, "urn:sluis:problem:internal")


def run(*arguments: object) -> Result:
    """Return the result of one command."""
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_a_refresh_by_commands(folders: Folders, tmp_path: Path) -> None:
    """From commit to use through the commands of the operations page, and a wrong step says what it lacks."""
    for name in CUSTODIANS:
        out = ("--out", tmp_path / f"{name}.commit")
        assert run("ceremony", "refresh", "commit", folders[name], *out).exit_code == 0
    again = run("ceremony", "refresh", "commit", folders[A], "--out", tmp_path / "x")
    assert (again.exit_code, "has begun" in again.stderr) == (1, True)
    for name in CUSTODIANS:
        given = ("--peer-commit", tmp_path / f"{PEER[name]}.commit")
        out = ("--out", tmp_path / f"{name}.open")
        assert run("ceremony", "refresh", "open", folders[name], *given, *out).exit_code == 0
    for name in CUSTODIANS:
        parts = ("--peer-commit", tmp_path / f"{PEER[name]}.commit", "--peer-open", tmp_path / f"{PEER[name]}.open")
        done = run("ceremony", "refresh", "finish", folders[name], *parts, "--out", tmp_path / f"{name}.epoch")
        assert done.stdout.startswith("sha256 "), done.output
    both = (tmp_path / f"{A}.epoch", tmp_path / f"{B}.epoch")
    assert run("ceremony", "join", *both, "--out", tmp_path / "epoch.json").exit_code == 0
    for name in CUSTODIANS:
        peer = ("--peer-key", folders[PEER[name]] / "custodian.pub.jwk")
        use = ("ceremony", "refresh", "use", folders[name], tmp_path / "epoch.json", *peer)
        refused = run(*use)
        assert (refused.exit_code, "no backup has the new shares" in refused.stderr) == (1, True)
        done = run(*use, "--without-backup")
        assert (done.stdout, "every token are lost" in done.stderr) == ("epoch 1, refresh 1\n", True), done.output
        assert run("config", "check", folders[name]).stdout == "ok: 3 shares\n"
