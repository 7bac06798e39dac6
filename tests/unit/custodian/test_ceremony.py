"""The key ceremony in two folders: what each step demands, and that a failed one leaves nothing behind."""

import json
import stat
from pathlib import Path

import pytest

from broker.custodian import ceremony, folder
from broker.custodian.ceremony_files import load_pending
from broker.custodian.errors import CeremonyStepError, FolderError, RefusedError
from broker.custodian.keyring import Keyring, write_private
from broker.protocol.ceremony import CeremonyError
from broker.protocol.errors import MalformedError
from broker.protocol.families import Family
from tests.simulators.custodian import CUSTODIANS, hold_ceremony, make_folder

A, B = CUSTODIANS
FAMILIES = (Family.FAM, Family.NLBSN)


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Return the folders of two new custodians."""
    return make_folder(tmp_path / "a", A), make_folder(tmp_path / "b", B)


def committed(folders: tuple[Path, Path], epoch: int = 1) -> tuple[bytes, bytes]:
    """Return both custodians' commitments."""
    a, b = folders
    return (
        ceremony.commit(a, custodian=A, epoch=epoch, families=FAMILIES),
        ceremony.commit(b, custodian=B, epoch=epoch, families=FAMILIES),
    )


def test_both_custodians_sign_the_same_document(folders: tuple[Path, Path]) -> None:
    """After the ceremony each holds a share per family, and the joined document carries both signatures."""
    document = json.loads(hold_ceremony(*folders, families=FAMILIES))
    assert [item["signer"] for item in document["signatures"]] == [A, B]
    assert [item["family"] for item in document["document"]["families"]] == ["nlbsn", "fam"]
    for path in folders:
        assert sorted(folder.check(path).shares) == [(1, Family.FAM), (1, Family.NLBSN)]


def test_secrets_are_files_that_only_the_owner_reads(folders: tuple[Path, Path]) -> None:
    """The pending secrets, the shares and the signing key have mode 0600, and the two folders share no file."""
    committed(folders)
    assert modes(folders[0]) == {0o600}
    (folders[0] / "keys" / "ceremony.pending").unlink()
    (folders[1] / "keys" / "ceremony.pending").unlink()
    hold_ceremony(*folders)
    assert modes(folders[0]) | modes(folders[1]) == {0o600}
    contents = [{item.read_bytes() for item in (path / "keys").iterdir()} for path in folders]
    assert not contents[0] & contents[1]


def modes(path: Path) -> set[int]:
    """Return the modes of all files in `keys/`."""
    return {stat.S_IMODE(item.stat().st_mode) for item in (path / "keys").iterdir()}


def test_pending_secrets_do_not_show(folders: tuple[Path, Path]) -> None:
    """The representation of a ceremony that has begun shows no share and no nonce."""
    committed(folders)
    pending = load_pending(folders[0])
    shown = repr(pending)
    assert pending.keys[0].share.reveal().hex() not in shown
    assert "redacted" in shown


def test_no_secret_stays_on_the_disk(folders: tuple[Path, Path], tmp_path: Path) -> None:
    """What waited is overwritten when it is replaced and when the ceremony ends: seen through a second name of it."""
    promised = committed(folders)
    waiting = folders[0] / "keys" / "ceremony.pending"
    (tmp_path / "first").hardlink_to(waiting)
    ceremony.open_shares(folders[0], peer_commitments=promised[1])
    opened = ceremony.open_shares(folders[1], peer_commitments=promised[0])
    (tmp_path / "second").hardlink_to(waiting)
    ceremony.finish(folders[0], peer_commitments=promised[1], peer_openings=opened, key=folder.signing_key(folders[0]))
    assert not waiting.exists()
    assert [set((tmp_path / name).read_bytes()) for name in ("first", "second")] == [{0}, {0}]


def test_an_erasing_that_was_cut_off_is_ended(folders: tuple[Path, Path]) -> None:
    """A file of zeros is what a kill in the middle of erasing leaves: no ceremony and no refresh has begun."""
    hold_ceremony(*folders)
    for name in ("ceremony.pending", "refresh.pending"):
        waiting = folders[0] / "keys" / name
        waiting.write_bytes(bytes(100))
        waiting.chmod(0o600)
        with folder.open_custodian(folders[0]):
            ceremony.commit(folders[0], custodian=A, epoch=2, families=FAMILIES)
        (folders[0] / "keys" / "ceremony.pending").unlink()
        assert not waiting.exists()


def test_what_a_kill_left_beside_a_file_is_erased(tmp_path: Path) -> None:
    """A secret that a killed command wrote beside its place is overwritten when that place is written again."""
    (tmp_path / ".share.new").write_bytes(b"secret")
    (tmp_path / "seen").hardlink_to(tmp_path / ".share.new")
    write_private(tmp_path / "share", b"other")
    assert ((tmp_path / "seen").read_bytes(), (tmp_path / "share").read_bytes()) == (bytes(6), b"other")


def test_a_ceremony_is_begun_once(folders: tuple[Path, Path]) -> None:
    """Neither a ceremony that has begun nor a finished key is ever overwritten."""
    committed(folders)
    with pytest.raises(CeremonyStepError, match="has begun"):
        ceremony.commit(folders[0], custodian=A, epoch=2, families=FAMILIES)
    for path in folders:
        (path / "keys" / "ceremony.pending").unlink()
    hold_ceremony(*folders)
    with pytest.raises(CeremonyStepError, match="has a key already"):
        ceremony.commit(folders[0], custodian=A, epoch=1, families=FAMILIES)


@pytest.mark.parametrize("families", [(), (Family.DMK,), (Family.NLBSN, Family.DMK)])
def test_a_reserved_family_gets_no_key(folders: tuple[Path, Path], families: tuple[Family, ...]) -> None:
    """A ceremony names one or more families, none of them reserved."""
    with pytest.raises(CeremonyStepError, match="name one or more"):
        ceremony.commit(folders[0], custodian=A, epoch=1, families=families)


def test_steps_have_an_order(folders: tuple[Path, Path]) -> None:
    """Nothing is opened before a commitment, and nothing finished before it was opened."""
    with pytest.raises(CeremonyStepError, match="commit comes first"):
        ceremony.open_shares(folders[0], peer_commitments=b"{}")
    first, second = committed(folders)
    opened = ceremony.open_shares(folders[1], peer_commitments=first)
    with pytest.raises(CeremonyStepError, match="open comes first"):
        ceremony.finish(folders[0], peer_commitments=second, peer_openings=opened, key=folder.signing_key(folders[0]))


def test_own_shares_stay_hidden_until_the_peer_has_committed(folders: tuple[Path, Path]) -> None:
    """`open` refuses what is not the peer's commitment to the same families of the same epoch."""
    first, second = committed(folders)
    other = json.loads(second)
    for item in other["commitments"]:
        item["epoch"] = 2
    fewer = json.loads(second)
    del fewer["commitments"][0]
    for text in (first, json.dumps(other).encode(), json.dumps(fewer).encode()):
        with pytest.raises(CeremonyStepError):
            ceremony.open_shares(folders[0], peer_commitments=text)
    for text in (b"", b"{}", b'{"schema":"ceremony-commitments/v1","commitments":[]}'):
        with pytest.raises(MalformedError):
            ceremony.open_shares(folders[0], peer_commitments=text)
    assert load_pending(folders[0]).peer == ()


def test_the_peer_cannot_change_its_commitment(folders: tuple[Path, Path]) -> None:
    """Once our shares were shown, only the commitments stored before count, at `open` and at `finish`."""
    first, second = committed(folders)
    ceremony.open_shares(folders[0], peer_commitments=second)
    assert ceremony.open_shares(folders[0], peer_commitments=second)
    (folders[1] / "keys" / "ceremony.pending").unlink()
    changed = ceremony.commit(folders[1], custodian=B, epoch=1, families=FAMILIES)
    opened = ceremony.open_shares(folders[1], peer_commitments=first)
    with pytest.raises(CeremonyStepError, match="made before"):
        ceremony.open_shares(folders[0], peer_commitments=changed)
    key = folder.signing_key(folders[0])
    with pytest.raises(CeremonyStepError, match="made before"):
        ceremony.finish(folders[0], peer_commitments=changed, peer_openings=opened, key=key)
    with pytest.raises(CeremonyError, match="does not match the commitment"):
        ceremony.finish(folders[0], peer_commitments=second, peer_openings=opened, key=key)
    assert folder.check(folders[0]) == Keyring(shares={}, documents={})


def test_an_opening_without_its_proof_makes_no_key(folders: tuple[Path, Path]) -> None:
    """A missing, doubled or unproven opening makes no key, and the ceremony can still be finished rightly."""
    first, second = committed(folders)
    ceremony.open_shares(folders[0], peer_commitments=second)
    opened = ceremony.open_shares(folders[1], peer_commitments=first)
    key = folder.signing_key(folders[0])
    missing, doubled, unproven = (json.loads(opened) for _ in range(3))
    del missing["openings"][0]
    doubled["openings"].append(doubled["openings"][0])
    unproven["openings"][0]["proof"] = unproven["openings"][1]["proof"]
    for wrong in (missing, doubled, unproven):
        with pytest.raises(CeremonyError):
            ceremony.finish(folders[0], peer_commitments=second, peer_openings=json.dumps(wrong).encode(), key=key)
    assert ceremony.finish(folders[0], peer_commitments=second, peer_openings=opened, key=key)
    with pytest.raises(CeremonyStepError, match="commit comes first"):
        ceremony.finish(folders[0], peer_commitments=second, peer_openings=opened, key=key)


def test_only_equal_documents_are_joined(folders: tuple[Path, Path], tmp_path: Path) -> None:
    """Documents that differ, or the same signature twice, are no epoch document of two custodians."""
    hold_ceremony(*folders)
    a, b = ((path / "epoch-1.json").read_bytes() for path in folders)
    assert ceremony.fingerprint(a) == ceremony.fingerprint(b)
    assert ceremony.fingerprint(ceremony.join([a, b])) == ceremony.fingerprint(a)
    with pytest.raises(CeremonyStepError, match="one of each"):
        ceremony.join([a, a])
    others = make_folder(tmp_path / "c", A), make_folder(tmp_path / "d", B)
    hold_ceremony(*others)
    with pytest.raises(CeremonyStepError, match="different documents"):
        ceremony.join([a, (others[1] / "epoch-1.json").read_bytes()])


def test_the_newest_epoch_is_published_and_older_shares_stay(folders: tuple[Path, Path]) -> None:
    """Ten comes after nine: the newest epoch counts by number, and every epoch's shares stay in use."""
    hold_ceremony(*folders, epoch=9)
    hold_ceremony(*folders, epoch=10)
    keyring = folder.check(folders[0])
    assert keyring.newest == (folders[0] / "epoch-10.json").read_bytes()
    assert keyring.share(9, Family.NLBSN) != keyring.share(10, Family.NLBSN)
    with pytest.raises(RefusedError, match="epoch-unknown"):
        keyring.share(8, Family.NLBSN)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        ("mode", "can be read by others"),
        ("missing", "cannot be read"),
        ("json", "is damaged"),
        ("schema", "is damaged"),
        ("family", "another epoch or family"),
        ("share", "does not belong to this custodian's share"),
        ("document", "is not an epoch document of this custodian"),
        ("signature", "is not an epoch document of this custodian"),
    ],
)
def test_a_damaged_key_refuses_to_start(folders: tuple[Path, Path], damage: str, message: str) -> None:
    """A share that is missing, open to others, damaged or not behind the signed document stops the custodian."""
    hold_ceremony(*folders)
    share = folders[0] / "keys" / "epoch-1-nlbsn.share"
    document = folders[0] / "epoch-1.json"
    members = json.loads(share.read_bytes())
    if damage == "mode":
        share.chmod(0o640)
    elif damage == "missing":
        share.unlink()
    elif damage == "json":
        share.write_bytes(b"{")
    elif damage == "schema":
        share.write_text(json.dumps(members | {"schema": "custodian-share/v2"}))
    elif damage == "family":
        share.write_text(json.dumps(members | {"family": "fam"}))
    elif damage == "share":
        share.write_bytes((folders[1] / "keys" / "epoch-1-nlbsn.share").read_bytes())
    elif damage == "document":
        document.write_bytes(b"{}")
    else:
        document.write_bytes((folders[1] / "epoch-1.json").read_bytes())
    with pytest.raises(FolderError, match=message):
        folder.check(folders[0])
