"""Two custodians' folders taken through a refresh of their shares, step by step."""

from pathlib import Path

from broker.custodian import ceremony, refresh
from broker.protocol.epochs import EpochDocument
from tests.simulators.custodian import CUSTODIANS, seeded_key

A, B = CUSTODIANS
PEER = {A: B, B: A}
Folders = dict[str, Path]


def committed(folders: Folders) -> dict[str, bytes]:
    """Return both custodians' commitments."""
    return {
        name: refresh.commit(path, custodian=name, key=seeded_key(name).public) for name, path in folders.items()
    }  # fmt: skip


def opened(folders: Folders, promised: dict[str, bytes]) -> dict[str, bytes]:
    """Return both custodians' openings."""
    return {
        name: refresh.open_exchange(path, key=seeded_key(name).public, peer_commitments=promised[PEER[name]])
        for name, path in folders.items()
    }


def finished(folders: Folders, promised: dict[str, bytes], parts: dict[str, bytes]) -> dict[str, bytes]:
    """Return the document that each custodian signed."""
    return {
        name: refresh.finish(
            path, key=seeded_key(name), peer_commitments=promised[PEER[name]], peer_openings=parts[PEER[name]]
        )
        for name, path in folders.items()
    }


def agreed(folders: Folders) -> bytes:
    """Return the document that both signed, not yet in use anywhere."""
    promised = committed(folders)
    return ceremony.join(list(finished(folders, promised, opened(folders, promised)).values()))


def used(path: Path, text: bytes, name: str, *, without_backup: bool = True) -> EpochDocument:
    """Put a custodian to the new document; most tests need no backup of it."""
    keys = {"key": seeded_key(name).public, "peer_key": seeded_key(PEER[name]).public}
    return refresh.use(path, text, custodian=name, without_backup=without_backup, **keys)


def refreshed(folders: Folders) -> bytes:
    """Return the document that both custodians use from now on."""
    text = agreed(folders)
    for name, path in folders.items():
        used(path, text, name)
    return text
