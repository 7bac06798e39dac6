"""The broker's keys: found only where their owner put them, shown nowhere, and unable to open what they seal."""

import stat
from pathlib import Path

import pytest
from nacl.public import PrivateKey, SealedBox

from broker.keys import BrokerTokenIndexer, create_index_key, create_offline_pair, load_index_key
from broker.protocol.errors import MalformedError
from broker.protocol.families import Family
from broker.protocol.ristretto import InvalidPointError, group
from broker.protocol.tokens import IndexKey, PersonToken, token_index

POINT = group().from_hash(bytes(range(64)))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with all keys."""
    create_index_key(tmp_path / "index.key")
    create_offline_pair(public=tmp_path / "offline.pub", private=tmp_path / "offline.key")
    return tmp_path


def indexer(folder: Path) -> BrokerTokenIndexer:
    """Return the indexer over the keys in a folder."""
    return BrokerTokenIndexer.load(index_key=folder / "index.key", offline_public_key=folder / "offline.pub")


def test_a_token_is_found_by_an_hmac_over_epoch_family_and_token(folder: Path) -> None:
    """The index is the published one, different per epoch and family (D1)."""
    key = load_index_key(folder / "index.key")
    found = indexer(folder).index(1, Family.NLBSN, POINT)
    assert found.reveal() == token_index(key, 1, Family.NLBSN, PersonToken(POINT))
    others = [indexer(folder).index(2, Family.NLBSN, POINT), indexer(folder).index(1, Family.FAM, POINT)]
    assert found not in others


def test_a_sealed_token_opens_with_the_offline_key_alone(folder: Path) -> None:
    """The broker can seal and never unseal; two seals of one token are different."""
    sealed = indexer(folder).seal(POINT)
    private = PrivateKey((folder / "offline.key").read_bytes())
    assert SealedBox(private).decrypt(sealed.reveal()) == POINT
    assert sealed != indexer(folder).seal(POINT)
    assert not any("private" in name or "open" in name or "unseal" in name for name in dir(indexer(folder)))


@pytest.mark.parametrize("raw", [bytes(32), bytes(31) + b"\x01", b"short"])
def test_what_is_no_point_is_neither_indexed_nor_sealed(folder: Path, raw: bytes) -> None:
    """The identity, a non-canonical encoding and a wrong length are refused."""
    with pytest.raises(InvalidPointError):
        indexer(folder).index(1, Family.NLBSN, raw)
    with pytest.raises(InvalidPointError):
        indexer(folder).seal(raw)


def test_key_files_are_private_and_never_overwritten(folder: Path) -> None:
    """Each file is mode 0600; making a key again is refused."""
    for name in ("index.key", "offline.pub", "offline.key"):
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600
    with pytest.raises(FileExistsError):
        create_index_key(folder / "index.key")
    with pytest.raises(FileExistsError):
        create_offline_pair(public=folder / "new.pub", private=folder / "offline.key")


def test_a_weak_or_missing_key_file_is_refused_by_name(folder: Path) -> None:
    """Reachable by others, too short, too long or not there: the error names the file and never its content."""
    path = folder / "index.key"
    content = path.read_bytes()
    path.chmod(0o640)
    with pytest.raises(MalformedError, match=r"index\.key: can be reached by others"):
        load_index_key(path)
    path.chmod(0o600)
    for wrong in (content[:-1], content + b"x", b""):
        path.write_bytes(wrong)
        with pytest.raises(MalformedError, match=r"index\.key: is not 32 bytes"):
            load_index_key(path)
    with pytest.raises(MalformedError, match=r"nowhere: cannot be read"):
        load_index_key(folder / "nowhere")
    with pytest.raises(MalformedError):
        BrokerTokenIndexer(IndexKey(bytes(32)), b"short")


def test_no_key_or_token_is_ever_printed(folder: Path) -> None:
    """Representations say what a thing is and nothing of its value."""
    made = indexer(folder)
    shown = repr([made, made.index(1, Family.NLBSN, POINT), made.seal(POINT), load_index_key(folder / "index.key")])
    assert shown == "[BrokerTokenIndexer(redacted), TokenIndex(redacted), SealedToken(redacted), IndexKey(redacted)]"
