"""A custodian that is lost and comes back: the same answers, and no budget, request or grant with them."""

import json
import secrets
import shlex
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from audit.signer import LocalSigner
from broker.custodian import backup, ceremony, folder, sealing
from broker.custodian.backup import Backup
from broker.custodian.cli import app
from broker.custodian.errors import BackupError, CeremonyStepError, FolderError, ImportRefusedError, RefusedError
from broker.custodian.evaluation import evaluate
from broker.custodian.forfeit import forfeit
from broker.custodian.keyring import write_private
from broker.custodian.sealing import BackupPrivateKey
from broker.protocol.errors import MalformedError, RequestTokenError, SignatureError
from broker.protocol.families import Family
from broker.protocol.messages import EvaluationAnswer
from broker.protocol.tokens import Identifier, blind
from tests.simulators.broker_world import LOG_NAME
from tests.simulators.custodian import (
    CUSTODIANS,
    FAMILIES,
    SimulatedPartner,
    SteppedClock,
    authorization,
    batch,
    budget_classes,
    import_register,
    make_pair,
    register_text,
    seeded_key,
)
from tests.simulators.refreshing import Folders, agreed, refreshed, used

A, B = CUSTODIANS
PARTNER = SimulatedPartner()
CAP = 6
HOUR = 3600
OPERATIONS = Path(__file__).resolve().parents[3] / "docs" / "operations.md"


@pytest.fixture
def clock() -> SteppedClock:
    """Return the custodian's clock."""
    return SteppedClock()


@pytest.fixture
def pair(tmp_path: Path, clock: SteppedClock) -> Path:
    """Return the folder that holds two custodians, with six persons a day for each worker."""
    make_pair(tmp_path, [PARTNER], budgets=budget_classes(worker=CAP), now=clock.now)
    return tmp_path


@pytest.fixture
def keys(tmp_path: Path) -> tuple[bytes, BackupPrivateKey]:
    """Return both halves of a backup pair."""
    private, public = tmp_path / "private", tmp_path / "public"
    sealing.create_pair(private=private, public=public)
    return sealing.read_public(public), sealing.read_private_key(private)


def asked(path: Path, clock: SteppedClock, body: bytes, *, worker: str = "anna", header: str = "") -> EvaluationAnswer:
    """Return what the custodian of a folder answers. Raises what `evaluate` raises."""
    with folder.open_custodian(path, clock=clock) as custodian:
        signed = header or authorization(PARTNER, body, custodian=A, now=clock.now, worker=worker)
        return EvaluationAnswer.model_validate_json(evaluate(custodian, authorization=signed, body=body))


def served(path: Path, clock: SteppedClock, *, tries: int, worker: str = "anna") -> int:
    """Return how many of so many look-ups the custodian of a folder serves."""
    done = 0
    for _ in range(tries):
        try:
            asked(path, clock, batch(), worker=worker)
        except RefusedError:
            continue
        done += 1
    return done


def backed_up(path: Path, public: bytes, clock: SteppedClock) -> bytes:
    """Return the sealed backup that was written of a folder."""
    out = path.with_suffix(".backup")
    backup.back_up(path, out, public=public, clock=clock)
    return out.read_bytes()


def restored(
    sealed: bytes, path: Path, private: BackupPrivateKey, clock: SteppedClock, *, number: int = 1, roster: bytes = b""
) -> Backup:  # fmt: skip
    """Return what was restored to a folder, with the register of this number in force and this roster imported."""
    register = register_text([PARTNER], number=number, budgets=budget_classes(worker=CAP))
    made = backup.restore(
        sealed, path, private=private, custodian_key=seeded_key(A).public, register=register, clock=clock
    )
    if roster:
        take_roster(path, roster)
    return made


def take_roster(path: Path, text: bytes) -> None:
    """Import a roster at the custodian of a folder. Raises what `import_roster` raises."""
    with folder.open_trust(path) as (_, trust):
        trust.import_roster(text)


def test_a_restored_custodian_answers_the_same(
    pair: Path, keys: tuple[bytes, BackupPrivateKey], clock: SteppedClock
) -> None:
    """The same points in give the same points out, under the same epoch document and the same ticket key."""
    point = blind(Identifier(Family.NLBSN, b"nlbsn\x01fixture"), secrets.token_bytes).point
    before = asked(pair / "custodian-a", clock, batch(nlbsn=[point]))
    sealed = backed_up(pair / "custodian-a", keys[0], clock)
    assert restored(sealed, pair / "new", keys[1], clock, roster=PARTNER.roster(A)).custodian == A
    clock.pass_seconds(24 * HOUR)
    after = asked(pair / "new", clock, batch(nlbsn=[point]))
    assert after.families[0].points[0] == before.families[0].points[0]
    assert folder.check(pair / "new").newest == folder.check(pair / "custodian-a").newest
    assert (pair / "new" / "keys" / "signing.jwk").read_bytes() == (
        pair / "custodian-a" / "keys" / "signing.jwk"
    ).read_bytes()


def test_no_budget_comes_back(pair: Path, keys: tuple[bytes, BackupPrivateKey], clock: SteppedClock) -> None:
    """Whatever was spent before or after the backup, a restored custodian begins with nothing, for everybody."""
    sealed = backed_up(pair / "custodian-a", keys[0], clock)
    assert served(pair / "custodian-a", clock, tries=CAP + 1) == CAP
    restored(sealed, pair / "new", keys[1], clock, roster=PARTNER.roster(A))
    clock.pass_seconds(700)
    assert [served(pair / "new", clock, tries=2, worker=worker) for worker in ("anna", "bram")] == [0, 0]
    clock.pass_seconds(12 * HOUR - 700)
    assert served(pair / "new", clock, tries=CAP + 1, worker="bram") == CAP // 2
    clock.pass_seconds(24 * HOUR)
    assert served(pair / "new", clock, tries=CAP + 1, worker="anna") == CAP


def test_restoring_often_gives_no_point(pair: Path, keys: tuple[bytes, BackupPrivateKey], clock: SteppedClock) -> None:
    """One backup restored ten times, each time on a new folder, gives not one look-up at once."""
    sealed = backed_up(pair / "custodian-a", keys[0], clock)
    for at in range(10):
        restored(sealed, pair / f"new {at}", keys[1], clock, roster=PARTNER.roster(A))
        clock.pass_seconds(700)
        assert served(pair / f"new {at}", clock, tries=1) == 0


def test_a_request_from_before_is_used_no_second_time(
    pair: Path, keys: tuple[bytes, BackupPrivateKey], clock: SteppedClock
) -> None:
    """A request that was spent is refused after the restore, and so is every other that was signed before it."""
    body = batch()
    header = authorization(PARTNER, body, custodian=A, now=clock.now)
    asked(pair / "custodian-a", clock, body, header=header)
    unused = authorization(PARTNER, body, custodian=A, now=clock.now)
    restored(backed_up(pair / "custodian-a", keys[0], clock), pair / "new", keys[1], clock)
    for earlier in (header, unused):
        with pytest.raises(RequestTokenError) as refused:
            asked(pair / "new", clock, body, header=earlier)
        assert refused.value.code == "request-token-expired"


def test_a_batch_from_before_costs_again(pair: Path, keys: tuple[bytes, BackupPrivateKey], clock: SteppedClock) -> None:
    """What was charged is not known any more, so asked again it is charged again and has another ticket."""
    body = batch()
    before = asked(pair / "custodian-a", clock, body)
    sealed = backed_up(pair / "custodian-a", keys[0], clock)
    restored(sealed, pair / "new", keys[1], clock, roster=PARTNER.roster(A))
    clock.pass_seconds(24 * HOUR)
    after = asked(pair / "new", clock, body)
    assert after.ticket != before.ticket
    assert served(pair / "new", clock, tries=CAP) == CAP - 1


def test_a_suspension_since_the_backup_stays(
    pair: Path, keys: tuple[bytes, BackupPrivateKey], clock: SteppedClock
) -> None:
    """A restore goes by the register in force now; one that is older than the backup's is refused."""
    import_register(pair / "custodian-a", register_text([PARTNER], number=5), now=clock.now)
    sealed = backed_up(pair / "custodian-a", keys[0], clock)
    with pytest.raises(BackupError, match="older"):
        restored(sealed, pair / "new", keys[1], clock, number=4)
    register = register_text([SimulatedPartner(status="suspended")], number=6)
    backup.restore(
        sealed, pair / "new", private=keys[1], custodian_key=seeded_key(A).public, register=register, clock=clock
    )
    clock.pass_seconds(24 * HOUR)
    with pytest.raises(RefusedError, match="organisation-suspended"):
        asked(pair / "new", clock, batch())


def test_a_roster_from_a_backup_serves_nobody_until_it_is_confirmed(
    pair: Path, keys: tuple[bytes, BackupPrivateKey], clock: SteppedClock
) -> None:
    """The roster's number comes back, its workers only by that very document, or a newer one, imported again."""
    take_roster(pair / "custodian-a", PARTNER.roster(A, number=2))
    sealed = backed_up(pair / "custodian-a", keys[0], clock)
    restored(sealed, pair / "same", keys[1], clock)
    clock.pass_seconds(24 * HOUR)
    with pytest.raises(RefusedError, match="worker-unknown"):
        asked(pair / "same", clock, batch())
    others = replace(PARTNER, workers={"anna": "worker"})
    for text in (PARTNER.roster(A, number=1), others.roster(A, number=2)):
        with pytest.raises(ImportRefusedError, match="not higher"):
            take_roster(pair / "same", text)
    again = backed_up(pair / "same", keys[0], clock)
    take_roster(pair / "same", PARTNER.roster(A, number=2))
    assert served(pair / "same", clock, tries=1) == 1
    with pytest.raises(ImportRefusedError, match="not higher"):
        take_roster(pair / "same", PARTNER.roster(A, number=2))
    restored(again, pair / "twice", keys[1], clock, roster=PARTNER.roster(A, number=3))
    clock.pass_seconds(24 * HOUR)
    assert served(pair / "twice", clock, tries=1) == 1


def test_nothing_of_a_backup_can_be_read(
    pair: Path, keys: tuple[bytes, BackupPrivateKey], clock: SteppedClock, tmp_path: Path
) -> None:
    """The file holds no share and no key in any form; another private half, or one changed bit, opens nothing."""
    sealed = backed_up(pair / "custodian-a", keys[0], clock)
    for item in (pair / "custodian-a" / "keys").iterdir():
        assert item.read_bytes().strip() not in sealed
        for value in json.loads(item.read_bytes()).values():
            assert len(str(value)) < 20 or str(value).encode() not in sealed
    sealing.create_pair(private=tmp_path / "other", public=tmp_path / "other.pub")
    other = sealing.read_private_key(tmp_path / "other")
    changed = bytearray(sealed)
    changed[len(sealed) // 2] ^= 1
    for text, private in ((sealed, other), (bytes(changed), keys[1]), (b"", keys[1])):
        with pytest.raises(BackupError, match="another key"):
            restored(text, pair / "new", private, clock)
    assert not (pair / "new").exists()
    opened = Backup.parse(sealing.unseal(sealed, private=keys[1])[64:])
    assert repr(opened) == f"Backup(custodian={A}, redacted)"


def test_no_share_of_a_failed_restore_stays_on_the_disk(
    pair: Path, keys: tuple[bytes, BackupPrivateKey], clock: SteppedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a restore wrote before it failed, or was killed, is overwritten: seen through a second name of it."""
    sealed = backed_up(pair / "custodian-a", keys[0], clock)
    killed = pair / ".new.restoring" / "keys"
    killed.mkdir(parents=True)
    (killed / "epoch-1-fam.share").write_bytes(b"share")
    (pair / "killed").hardlink_to(killed / "epoch-1-fam.share")

    def failing(path: Path) -> object:
        (pair / "failed").hardlink_to(path / "keys" / "epoch-1-fam.share")
        raise FolderError("would not start")

    monkeypatch.setattr("broker.custodian.folder.check", failing)
    with pytest.raises(FolderError, match="would not start"):
        restored(sealed, pair / "new", keys[1], clock)
    assert [set((pair / name).read_bytes()) for name in ("killed", "failed")] == [{0}, {0}]
    assert sorted(item.name for item in pair.glob("*new*")) == []


def test_somebody_elses_backup_is_refused(
    pair: Path, keys: tuple[bytes, BackupPrivateKey], clock: SteppedClock
) -> None:
    """Whoever has the public half can seal something, but not sign it as this custodian."""
    sealed = backed_up(pair / "custodian-b", keys[0], clock)
    with pytest.raises(SignatureError):
        restored(sealed, pair / "new", keys[1], clock)
    assert sorted(item.name for item in pair.glob("*new*")) == []


def test_a_folder_with_something_in_it_is_left_alone(
    pair: Path, keys: tuple[bytes, BackupPrivateKey], clock: SteppedClock
) -> None:
    """A restore goes to a new or an empty folder; what is there is never overwritten."""
    sealed = backed_up(pair / "custodian-a", keys[0], clock)
    with pytest.raises(FolderError, match="not empty"):
        restored(sealed, pair / "custodian-a", keys[1], clock)
    (pair / "empty").mkdir()
    restored(sealed, pair / "empty", keys[1], clock)
    assert folder.check(pair / "empty").shares.keys() == folder.check(pair / "custodian-a").shares.keys()


def forged(backup_of: Backup, **changed: object) -> bytes:
    """Return a backup with other members, signed by the custodian as only it can."""
    content = json.dumps({**backup_of.document(), **changed}).encode()
    return seeded_key(A).sign(b"sluis custodian-backup/v1\n" + content) + content


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"custodian": "custodian-c.demo.sluis.test"}, BackupError),
        ({"schema": "other"}, MalformedError),
        ({"madeAt": "now"}, MalformedError),
        ({"files": {"../outside": "AAAA"}}, BackupError),
        ({"files": {"custodian.toml": "!"}}, MalformedError),
        ({"enrolments": [{"oin": "1", "enrolledAt": 1, "number": None, "roster": None}]}, MalformedError),
    ],
)
def test_a_backup_that_breaks_a_rule_makes_nothing(
    pair: Path, keys: tuple[bytes, BackupPrivateKey], clock: SteppedClock, changed: dict[str, object],
    error: type[Exception],
) -> None:  # fmt: skip
    """Read strictly, written nowhere but in the folder, and all of it or nothing."""
    sealed = backed_up(pair / "custodian-a", keys[0], clock)
    opened = Backup.parse(sealing.unseal(sealed, private=keys[1])[64:])
    again = sealing.seal(forged(opened, **changed), public=keys[0])
    with pytest.raises(error):
        restored(again, pair / "new", keys[1], clock)
    assert sorted(item.name for item in pair.glob("*new*")) == []
    assert not (pair / "outside").exists()


def test_an_organisation_without_a_roster_stays_enrolled(
    pair: Path, keys: tuple[bytes, BackupPrivateKey], clock: SteppedClock
) -> None:
    """Enrolment is the custodian's own act and is kept, also of an organisation that has no roster."""
    with folder.open_trust(pair / "custodian-a") as (store, _), store.transaction():
        store.change("INSERT INTO enrolment (oin, enrolled_at) VALUES (?, ?)", "0" * 20, 1)
    sealed = backed_up(pair / "custodian-a", keys[0], clock)
    restored(sealed, pair / "new", keys[1], clock)
    with folder.open_trust(pair / "new") as (_, trust):
        assert trust.current().enrolled == {"0" * 20, PARTNER.oin}


def test_a_custodian_without_a_register_has_a_backup_too(
    tmp_path: Path, pair: Path, keys: tuple[bytes, BackupPrivateKey], clock: SteppedClock
) -> None:
    """Before the first register is imported the shares are as precious: the backup holds them."""
    with folder.open_trust(pair / "custodian-a") as (store, _), store.transaction():
        store.change("DELETE FROM register")
        store.set_number("trust_revision", 99)
    sealed = backed_up(pair / "custodian-a", keys[0], clock)
    assert restored(sealed, tmp_path / "new", keys[1], clock).register == 0


def test_a_backup_holds_the_shares_in_use(
    pair: Path, keys: tuple[bytes, BackupPrivateKey], clock: SteppedClock
) -> None:
    """After a refresh the backup has the new shares, and nothing of a ceremony that has begun."""
    refreshed(dict(zip(CUSTODIANS, (pair / "custodian-a", pair / "custodian-b"), strict=True)))
    ceremony.commit(pair / "custodian-a", custodian=A, epoch=2, families=FAMILIES)
    sealed = backed_up(pair / "custodian-a", keys[0], clock)
    opened = Backup.parse(sealing.unseal(sealed, private=keys[1])[64:])
    assert sorted(name for name in opened.files if name.startswith("keys/")) == [
        *sorted(f"keys/{path.name}" for path in (pair / "custodian-a" / "keys").glob("epoch-1-refresh-1-*.share")),
        "keys/signing.jwk",
    ]
    assert len([name for name in opened.files if name.endswith(".share")]) == len(FAMILIES)
    restored(sealed, pair / "new", keys[1], clock)
    assert folder.check(pair / "new").shares == folder.check(pair / "custodian-a").shares


def folders_in(pair: Path) -> Folders:
    """Return the folders of the pair by custodian."""
    return {A: pair / "custodian-a", B: pair / "custodian-b"}


def test_a_custodian_lost_before_use_comes_back_with_its_new_shares(
    pair: Path, keys: tuple[bytes, BackupPrivateKey], clock: SteppedClock
) -> None:
    """The other has erased its old shares already, so the backup has the new ones too: else the key were lost."""
    text = agreed(folders_in(pair))
    sealed = backed_up(pair / "custodian-a", keys[0], clock)
    backed_up(pair / "custodian-b", keys[0], clock)
    used(pair / "custodian-b", text, B, without_backup=False)
    shutil.rmtree(pair / "custodian-a")
    restored(sealed, pair / "new", keys[1], clock)
    with pytest.raises(CeremonyStepError, match="no backup has the new shares"):
        used(pair / "new", text, A, without_backup=False)
    backed_up(pair / "new", keys[0], clock)
    document = used(pair / "new", text, A, without_backup=False)
    assert (document.refresh, folder.check(pair / "new").newest) == (1, folder.check(pair / "custodian-b").newest)


def test_no_share_goes_into_use_that_no_backup_has(
    pair: Path, keys: tuple[bytes, BackupPrivateKey], clock: SteppedClock
) -> None:
    """A backup from before `finish` does not count, nor does a spoilt note of one; one made since does."""
    path = pair / "custodian-a"
    backed_up(path, keys[0], clock)
    text = agreed(folders_in(pair))
    before = folder.check(path).shares
    for spoil in (None, b"{", b'{"schema": "other", "shares": []}'):
        if spoil is not None:
            (path / "backup.made").write_bytes(spoil)
        with pytest.raises(CeremonyStepError, match="make one since `finish`"):
            used(path, text, A, without_backup=False)
    assert folder.check(path).shares == before
    backed_up(path, keys[0], clock)
    assert used(path, text, A, without_backup=False).refresh == 1
    assert used(path, text, A, without_backup=False).refresh == 1


def test_a_backup_that_could_not_be_written_counts_as_none(
    pair: Path, keys: tuple[bytes, BackupPrivateKey], clock: SteppedClock
) -> None:
    """The note that shares are safe follows the file, so a full or missing disk lets nothing go into use."""
    text = agreed(folders_in(pair))
    with pytest.raises(FileNotFoundError):
        backup.back_up(pair / "custodian-a", pair / "absent" / "backup", public=keys[0], clock=clock)
    with pytest.raises(CeremonyStepError, match="no backup has the new shares"):
        used(pair / "custodian-a", text, A, without_backup=False)


def test_a_share_that_goes_away_meanwhile_makes_no_backup(
    pair: Path, keys: tuple[bytes, BackupPrivateKey], clock: SteppedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file erased between being listed and being read is said as such, and no backup is written."""
    real = folder.check
    (waiting,) = {path.name for path in (pair / "custodian-a" / "keys").glob("epoch-1-fam.share")}

    def erasing(path: Path) -> object:
        found = real(path)
        (path / "keys" / waiting).unlink(missing_ok=True)
        return found

    monkeypatch.setattr("broker.custodian.folder.check", erasing)
    with pytest.raises(FolderError, match="make the backup again"):
        backed_up(pair / "custodian-a", keys[0], clock)
    assert not (pair / "custodian-a.backup").exists()


def test_a_refresh_in_the_middle_makes_no_mixed_backup(
    pair: Path, keys: tuple[bytes, BackupPrivateKey], clock: SteppedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A backup during which the shares changed is not made: it would hold a share that is of no use."""
    real = folder.check
    calls: list[Path] = []

    def refreshing(path: Path) -> object:
        calls.append(path)
        if len(calls) == 2:
            refreshed(dict(zip(CUSTODIANS, (pair / "custodian-a", pair / "custodian-b"), strict=True)))
        return real(path)

    monkeypatch.setattr("broker.custodian.folder.check", refreshing)
    with pytest.raises(FolderError, match="make the backup again"):
        backed_up(pair / "custodian-a", keys[0], clock)


def test_a_folder_put_back_as_files_can_be_told_so(pair: Path, clock: SteppedClock) -> None:
    """A copied folder has its old budgets, which nobody notices; `forfeit` empties them, and forgets every grant."""
    shutil.copytree(pair / "custodian-a", pair / "copy")
    assert served(pair / "custodian-a", clock, tries=CAP + 1) == CAP
    assert served(pair / "copy", clock, tries=1) == 1
    with folder.open_trust(pair / "copy") as (store, _):
        with store.transaction():
            store.change(
                "INSERT INTO import_grant (organisation, id, document, accepted_at) VALUES (?, ?, ?, 1)",
                PARTNER.oin,
                "a",
                b"",
            )
        forfeit(store, clock=clock)
        counts = [store.rows(f"SELECT count(*) FROM {table}") for table in ("bucket", "batch", "import_grant")]  # noqa: S608 - names of this test
        assert counts == [[(0,)]] * 3
    clock.pass_seconds(700)
    assert served(pair / "copy", clock, tries=2) == 0
    with folder.open_trust(pair / "copy") as (store, _):
        forfeit(store, clock=clock)
    clock.pass_seconds(24 * HOUR)
    assert served(pair / "copy", clock, tries=CAP + 1) == CAP


@pytest.mark.parametrize("text", [b"", b"AAAA", b"\xff" * 43, b"!" * 43])
def test_what_is_no_backup_key_is_refused(tmp_path: Path, text: bytes) -> None:
    """A file that holds no key is named as such, whichever half it should be; a readable private one is refused."""
    write_private(tmp_path / "key", text)
    with pytest.raises(MalformedError, match="backup key"):
        sealing.read_public(tmp_path / "key")
    with pytest.raises(MalformedError, match="backup key"):
        sealing.read_private_key(tmp_path / "key")
    (tmp_path / "key").chmod(0o644)
    with pytest.raises(FolderError, match="0600"):
        sealing.read_private_key(tmp_path / "key")


def test_a_backup_pair_is_never_overwritten(tmp_path: Path) -> None:
    """A key that opens backups which exist is not replaced by a new one."""
    sealing.create_pair(private=tmp_path / "private", public=tmp_path / "public")
    before = (tmp_path / "private").read_bytes()
    with pytest.raises(FileExistsError):
        sealing.create_pair(private=tmp_path / "private", public=tmp_path / "new")
    assert (tmp_path / "private").read_bytes() == before
    assert (tmp_path / "private").stat().st_mode & 0o777 == 0o600


def run(*arguments: object) -> Result:
    """Return the result of one command."""
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def documented() -> list[list[str]]:
    """Return the commands of the operations page in their order."""
    lines = OPERATIONS.read_text(encoding="utf-8").splitlines()
    return [shlex.split(line)[2:] for line in lines if line.startswith("$ sluis-custodian ")]


def test_the_operations_page_holds_as_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clock: SteppedClock
) -> None:
    """Every command of the page, run in its order in a folder with two custodians, does what it says."""
    make_pair(tmp_path, [PARTNER], now=clock.now)
    for name in "ab":
        (tmp_path / f"custodian-{name}").rename(tmp_path / name.upper())
    shutil.copy(tmp_path / "A" / "custodian.pub.jwk", tmp_path / "custodian-a.pub.jwk")
    (tmp_path / "register.json").write_bytes(register_text([PARTNER], number=2))
    (tmp_path / "roster.json").write_bytes(PARTNER.roster(A, number=2))
    monkeypatch.chdir(tmp_path)
    shutil.copy(tmp_path / "B" / "custodian.pub.jwk", tmp_path / "B.pub.jwk")
    (tmp_path / "log-policy").write_text(
        f"log {LocalSigner.create(tmp_path / 'log.key', LOG_NAME).encode()}\nquorum none\n"
    )
    *commands, watching = documented()
    assert len(commands) == 19
    for command in (*commands, watching):
        result = run(*command)
        assert result.exit_code == 0, (command, result.output)
    assert folder.check(tmp_path / "A-restored").shares == folder.check(tmp_path / "A").shares
    again = run("restore", "A.backup", "A", *commands[-4][3:])
    assert (again.exit_code, "not empty" in again.stderr) == (1, True)
