"""A published folder holds exactly the tiles of tlog-tiles, never changes what stands, and is verified whole."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from audit.entry import Leaf
from audit.errors import LogStoreError, TileError
from audit.note import NoteSigningKey
from audit.tile_path import tile_path
from audit.tiles import publish
from audit.verify import Report, verify_directory
from tests.unit.audit.log_simulator import NOW, LogInFolder, LogInMemory, plain_leaf, policy_text, witness_key


def publish_log(log: LogInMemory, folder: Path) -> Report:
    """Publish a log into a folder and return what the verifier says."""
    publish(log, folder, policy_text(log.key.verifier))
    return verify_directory(folder, log.policy())


def files(folder: Path) -> set[str]:
    """Return the paths of all tiles in a folder."""
    return {str(path.relative_to(folder)) for path in (folder / "tile").rglob("*") if path.is_file()}


def test_tile_paths() -> None:
    """Indexes are written in groups of three digits (the example of the specification)."""
    assert tile_path(0, 1234067) == "tile/0/x001/x234/067"
    assert tile_path("entries", 5, 17) == "tile/entries/005.p/17"
    assert tile_path(2, 1000, 1) == "tile/2/x001/000.p/1"


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        (0, set()),
        (1, {"0/000.p/1", "entries/000.p/1"}),
        (255, {"0/000.p/255", "entries/000.p/255"}),
        (256, {"0/000", "1/000.p/1", "entries/000"}),
        (257, {"0/000", "0/001.p/1", "1/000.p/1", "entries/000", "entries/001.p/1"}),
    ],
)
def test_sizes_at_the_edges(tmp_path: Path, size: int, expected: set[str]) -> None:
    """No empty tile is served, and each partial one has its exact width."""
    report = publish_log(LogInMemory().grow(size), tmp_path / "log")
    assert files(tmp_path / "log") == {f"tile/{name}" for name in expected}
    assert (report.holds, report.size, report.uncovered) == (True, size, 0)
    assert (tmp_path / "log" / "policy").is_file()


def test_three_levels_and_growth_in_steps(tmp_path: Path) -> None:
    """65,537 entries fill level 1 and start level 2; publishing in steps ends in the same folder as at once."""
    log = LogInMemory()
    for size in (3, 300, 65_000, 65_537):
        publish(log.grow(size), tmp_path / "steps", policy_text(log.key.verifier))
    report = publish_log(log, tmp_path / "once")
    assert (report.holds, report.size) == (True, 65_537)
    assert {"tile/1/000", "tile/2/000.p/1", "tile/0/256.p/1"} <= files(tmp_path / "once")
    assert files(tmp_path / "once") == files(tmp_path / "steps")
    for name in files(tmp_path / "once"):
        assert (tmp_path / "once" / name).read_bytes() == (tmp_path / "steps" / name).read_bytes()


def test_partials_stand_for_each_checkpointed_size_until_the_tile_is_full(tmp_path: Path) -> None:
    """Whoever holds an older checkpoint finds its partial tile, also when that size was never published itself."""
    log = LogInMemory().grow(2).grow(5)
    publish_log(log, tmp_path)
    assert {"tile/0/000.p/2", "tile/0/000.p/5", "tile/entries/000.p/2"} <= files(tmp_path)
    publish_log(log.grow(7), tmp_path)
    assert {"tile/0/000.p/2", "tile/0/000.p/5", "tile/0/000.p/7"} <= files(tmp_path)
    report = publish_log(log.grow(256), tmp_path)
    assert files(tmp_path) == {"tile/0/000", "tile/entries/000", "tile/1/000.p/1"}
    assert report.holds


def test_publishing_again_changes_nothing(tmp_path: Path) -> None:
    """A second run of the same checkpoint leaves every file as it stands."""
    log = LogInMemory().grow(300)
    publish_log(log, tmp_path)
    before = {path: (tmp_path / path).stat().st_mtime_ns for path in files(tmp_path)}
    assert publish_log(log, tmp_path).holds
    assert {path: (tmp_path / path).stat().st_mtime_ns for path in files(tmp_path)} == before


def test_a_run_that_was_cut_short_is_taken_up(tmp_path: Path) -> None:
    """Tiles without their checkpoint count for nothing, and the next run finishes the work."""
    log = LogInMemory().grow(10)
    publish_log(log, tmp_path)
    checkpoint = (tmp_path / "checkpoint").read_bytes()
    publish_log(log.grow(600), tmp_path)
    (tmp_path / "checkpoint").write_bytes(checkpoint)
    report = verify_directory(tmp_path, log.policy())
    assert (report.holds, report.size) == (True, 10)
    assert report.uncovered > 0
    report = publish_log(log, tmp_path)
    assert (report.holds, report.size, report.uncovered) == (True, 600, 0)


def test_a_folder_of_another_tree_is_refused(tmp_path: Path) -> None:
    """Publishing never turns one history into another, nor goes back."""
    log = LogInMemory().grow(300)
    publish_log(log, tmp_path)
    other = LogInMemory().grow(400, lambda index: b"x" + index.to_bytes(4, "big"))
    for wrong in (other, LogInMemory().grow(299)):
        with pytest.raises(TileError):
            publish(wrong, tmp_path, "policy")
    assert verify_directory(tmp_path, log.policy()).holds


def test_what_stands_is_never_overwritten(tmp_path: Path) -> None:
    """A file in the way with other content stops the run; a checkpoint that cannot be read does so too."""
    log = LogInMemory().grow(3)
    (tmp_path / "tile" / "0" / "000.p").mkdir(parents=True)
    (tmp_path / "tile" / "0" / "000.p" / "3").write_bytes(b"other")
    with pytest.raises(TileError):
        publish(log, tmp_path, "policy")
    assert not (tmp_path / "checkpoint").exists()
    (tmp_path / "checkpoint").write_bytes(b"nonsense")
    with pytest.raises(TileError):
        publish(log, tmp_path, "policy")


def test_a_log_without_checkpoint_is_not_published(log: LogInFolder, tmp_path: Path) -> None:
    """There is nothing to publish before the first signature."""
    log.connection.execute("DROP TRIGGER log_checkpoints_no_delete")
    log.connection.execute("DELETE FROM log_checkpoints")
    with pytest.raises(LogStoreError):
        publish(log.reader, tmp_path / "out", "policy")


def test_a_real_log_is_published_from_its_database(log: LogInFolder, tmp_path: Path) -> None:
    """The database's reader and the tiles agree on every byte."""
    for _ in range(3):
        log.tick()
    publish(log.reader, tmp_path / "out", policy_text(log.verifier))
    report = verify_directory(tmp_path / "out", log.policy())
    assert (report.holds, report.size, report.origin) == (True, 3, log.verifier.name)
    assert report.root == log.reader.head().root.hex()


def flip(path: str) -> Callable[[Path], None]:
    """Return a change of one bit in the middle of a file."""

    def mutate(folder: Path) -> None:
        data = bytearray((folder / path).read_bytes())
        data[len(data) // 2] ^= 1
        (folder / path).write_bytes(data)

    return mutate


def edit(path: str, old: str, new: str) -> Callable[[Path], None]:
    """Return a change of a text in a file."""

    def mutate(folder: Path) -> None:
        text = (folder / path).read_text("utf-8")
        assert old in text
        (folder / path).write_text(text.replace(old, new), "utf-8")

    return mutate


def remove(path: str) -> Callable[[Path], None]:
    """Return the removal of a file."""
    return lambda folder: (folder / path).unlink()


def add(path: str, data: bytes) -> Callable[[Path], None]:
    """Return an addition at the end of a file."""

    def mutate(folder: Path) -> None:
        with (folder / path).open("ab") as file:
            file.write(data)

    return mutate


def swap_entries(folder: Path) -> None:
    """Swap the first two entries of the first bundle."""
    path = folder / "tile/entries/000"
    data = path.read_bytes()
    length = 2 + int.from_bytes(data[:2], "big")
    path.write_bytes(data[length : 2 * length] + data[:length] + data[2 * length :])


def not_a_leaf(folder: Path) -> None:
    """Make an entry of the last bundle one of an unknown version."""
    path = folder / "tile/entries/001.p/44"
    data = path.read_bytes()
    path.write_bytes(data.replace(b"auditleaf/v1", b"auditleaf/v2", 1))


MUTATIONS: dict[str, Callable[[Path], object]] = {
    "bit in an entry": flip("tile/entries/000"),
    "bit in the last bundle": flip("tile/entries/001.p/44"),
    "entries swapped": swap_entries,
    "entry of another version": not_a_leaf,
    "bundle missing": remove("tile/entries/000"),
    "bundle longer": add("tile/entries/001.p/44", b"\x00\x01x"),
    "bundle cut short": lambda folder: (folder / "tile/entries/000").write_bytes(b"\x00\x05x"),
    "bit in a full tile": flip("tile/0/000"),
    "bit in a partial tile": flip("tile/0/001.p/44"),
    "bit in an older partial tile": flip("tile/0/001.p/4"),
    "bit in an older partial bundle": flip("tile/entries/001.p/4"),
    "bit in level 1": flip("tile/1/000.p/1"),
    "tile missing": remove("tile/0/000"),
    "partial tile missing": remove("tile/0/001.p/44"),
    "tile longer": add("tile/0/000", bytes(32)),
    "checkpoint missing": remove("checkpoint"),
    "checkpoint not text": lambda folder: (folder / "checkpoint").write_bytes(b"\xff\n\n\n"),
    "size in the checkpoint": edit("checkpoint", "\n300\n", "\n299\n"),
    "leading zero in the checkpoint": edit("checkpoint", "\n300\n", "\n0300\n"),
    "carriage return in the checkpoint": edit("checkpoint", "\n300\n", "\r\n300\n"),
    "origin in the checkpoint": edit("checkpoint", "broker.example/log\n300", "broker.example/lag\n300"),
    "signature dropped": lambda folder: (folder / "checkpoint").write_text(
        (folder / "checkpoint").read_text("utf-8").split("—")[0], "utf-8"
    ),
}


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A published log of 300 entries that also has a checkpoint of 260."""
    folder = tmp_path_factory.mktemp("published") / "log"
    assert publish_log(LogInMemory().grow(260).grow(300), folder).holds
    return folder


@pytest.mark.parametrize("name", MUTATIONS)
def test_every_mutation_is_found(published: Path, tmp_path: Path, name: str) -> None:
    """Whatever is altered in a published log, the verifier says that it does not hold."""
    folder = tmp_path / "copy"
    shutil.copytree(published, folder)
    MUTATIONS[name](folder)
    report = verify_directory(folder, LogInMemory().policy())
    assert not report.holds
    assert report.problems


def test_rewriting_with_the_log_key_is_found_by_the_root(published: Path, tmp_path: Path) -> None:
    """A checkpoint that is well signed over another tree does not fit the entries."""
    folder = tmp_path / "copy"
    shutil.copytree(published, folder)
    other = LogInMemory().grow(300, lambda index: b"x" + index.to_bytes(4, "big"))
    (folder / "checkpoint").write_text(other.latest_note(), "utf-8")
    report = verify_directory(folder, other.policy())
    assert report.problems == ("entries: they do not give the signed root",)


def test_files_that_the_checkpoint_does_not_cover_are_counted(published: Path, tmp_path: Path) -> None:
    """Foreign files prove and disprove nothing; they are reported."""
    folder = tmp_path / "copy"
    shutil.copytree(published, folder)
    (folder / "tile" / "0" / "001.p" / "045").write_bytes(b"")
    (folder / "tile" / "9").mkdir()
    (folder / "tile" / "9" / "000").write_bytes(b"")
    report = verify_directory(folder, LogInMemory().policy())
    assert (report.holds, report.uncovered) == (True, 2)


def test_a_folder_below_its_quorum_does_not_hold(published: Path, tmp_path: Path) -> None:
    """The reader's policy asks for witnesses: without them, or with a wrong one, the log does not hold."""
    log = LogInMemory().grow(300)
    folder = tmp_path / "copy"
    shutil.copytree(published, folder)
    one, stranger = witness_key(), witness_key("witness.example/stranger")
    policy = log.policy(one.verifier, quorum="enough")
    text = log.latest_note().split("\n\n")[0] + "\n"

    def report_with(*signers: NoteSigningKey) -> Report:
        lines = "".join(key.sign(text, time=1) for key in signers)
        (folder / "checkpoint").write_text(log.latest_note() + lines, "utf-8")
        return verify_directory(folder, policy)

    assert report_with().problems == ("checkpoint: too few witnesses of the policy cosigned it",)
    assert not report_with(stranger).holds
    assert (report_with(one).holds, report_with(one).cosigned_by) == (True, ("w1",))


def at_times(*times: int) -> LogInMemory:
    """Return a log whose entries state these times."""
    log = LogInMemory()
    return log.grow(len(times), lambda at: replace(Leaf.parse(plain_leaf(at)), time=times[at]).encode())


@pytest.mark.parametrize(
    ("times", "found"),
    [
        ([NOW, NOW + 900, NOW, NOW + 1], None),
        ([NOW, NOW + 901, NOW, NOW + 901], "1 are dated before one that precedes them, the first is #2"),
        ([NOW] * 300 + [NOW - 901] * 2 + [NOW], "2 are dated before one that precedes them, the first is #300"),
        ([NOW] * 256 + [NOW - 901], "1 are dated before one that precedes them, the first is #256"),
        ([NOW, NOW - 600, NOW - 1200], "1 are dated before one that precedes them, the first is #2"),
    ],
)
def test_a_log_whose_times_go_back_does_not_hold(times: list[int], found: str | None, tmp_path: Path) -> None:
    """An act dated long ago would be in no review: the auditor is told which it is, however well it is signed."""
    report = publish_log(at_times(*times), tmp_path / "log")
    assert report.problems == (() if found is None else (f"entries: {found}",))
    assert report.holds is (found is None)
