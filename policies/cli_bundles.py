"""The commands about whole bundles and their records: diff, replay, export, keygen, sign, verify."""

import json
import sys
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from policies.cli_input import BAD_INPUT, DOES_NOT_HOLD, AsJson, TestBundle, fail, open_bundle, read_text, refusals, say
from policies.diff import Diff, compare
from policies.errors import ConvenantError, KeyFileError, RecordError, SignatureError, UnsignableError
from policies.export import Place, adl_record
from policies.findings import BLOCKING, findings
from policies.prove import prove
from policies.release import Release, bundle_at, read_release
from policies.replay import read_records, replay
from policies.ruleset import RuleSet
from policies.signers import read_signers
from policies.signing import SigningKey

NOTHING = "-"
"""The word for no bundle at all, which denies everything."""

Source = Annotated[Path, typer.Argument(help="Folder of documents, or a release or bundle file.")]
Out = Annotated[Path, typer.Option("--out", help="Where the result is written.")]


def add_to(app: typer.Typer) -> None:
    """These commands are part of this program."""
    for name, command in COMMANDS.items():
        app.command(name)(command)


def diff(
    old: Annotated[Path, typer.Argument(help="The bundle before; - for none.")],
    new: Source,
    *,
    insecure_test_bundle: TestBundle = False,
    as_json: AsJson = False,
) -> None:
    """Every cell that opens or closes is shown, grouped; exit 1 when something opens."""
    found = compare(_before(old, insecure_test_bundle), open_bundle(new, insecure_test_bundle=insecure_test_bundle))
    if as_json:
        say(found.document())
    else:
        sys.stdout.write("".join(f"{line}\n" for line in _told(found)))
    if found.openings:
        raise typer.Exit(DOES_NOT_HOLD)


def replay_records(
    new: Source,
    *,
    records: Annotated[str, typer.Option("--records", help="Lines of decision/v1 or entry payloads; - for input.")],
    insecure_test_bundle: TestBundle = False,
    as_json: AsJson = False,
) -> None:
    """Past decisions come out byte for byte with their own bundle; with another one, how many change is told."""
    bundle = open_bundle(new, insecure_test_bundle=insecure_test_bundle)
    try:
        result = replay(bundle, read_records(read_text(records, "records").splitlines()))
    except RecordError as error:
        fail(f"records: {error}", status=BAD_INPUT)
    if as_json:
        say(result.document())
    else:
        for verdict, count in sorted(result.counts.items()):
            sys.stdout.write(f"{verdict}: {count}\n")
        sys.stdout.write(f"{result.changed} past decisions would change\n")
    if not result.holds:
        raise typer.Exit(DOES_NOT_HOLD)


def export(
    entries: Annotated[str, typer.Argument(help="Lines of {log, entry, time, payload}; - for standard input.")],
) -> None:
    """Every decision in these payloads of log entries is written in the shape of the Authorization Decision Log."""
    numbers: dict[tuple[str, int], int] = {}
    for number, line in enumerate(read_text(entries, "entries").splitlines(), start=1):
        try:
            content = json.loads(line)
            log, entry, time = str(content["log"]), int(content["entry"]), int(content["time"])
            for record in read_records([json.dumps(content["payload"])]):
                numbers[log, entry] = numbers.get((log, entry), 0) + 1
                say(adl_record(record, Place(log=log, entry=entry, number=numbers[log, entry], time=time)))
        except (ValueError, TypeError, KeyError, RecursionError, RecordError):
            fail(f"entries: line {number}: must be {{log, entry, time, payload}} with decisions", status=BAD_INPUT)


def prove_bundle(
    bundle: Annotated[
        Path | None, typer.Argument(help="Folder of documents or release; the shipped ones if left out.")
    ] = None,
    *,
    insecure_test_bundle: TestBundle = False,
    as_json: AsJson = False,
) -> None:
    """Over the whole finite domain Casbin answers as the documents do, and every property of the rules holds."""
    found = prove(open_bundle(bundle, insecure_test_bundle=insecure_test_bundle))
    if as_json:
        say(found.document())
    else:
        for one in found.mismatches:
            sys.stdout.write(f"mismatch: {json.dumps(dict(one.request))}\n")
        for broken in found.broken:
            sys.stdout.write(f"broken {broken.name}: {json.dumps(dict(broken.request))}\n")
        sys.stdout.write(f"{found.slices} slices, {found.cells} cells\n")
    if not found.holds:
        raise typer.Exit(DOES_NOT_HOLD)


def keygen(file: Annotated[Path, typer.Argument(help="Where the private key is written, with mode 0600.")]) -> None:
    """A new signing key stands in the file; the public one is printed, for the list of signers."""
    with refusals(status=BAD_INPUT):
        key = SigningKey.create(file)
    say(key.public.jwk())


def sign(
    bundle: Source,
    *,
    key: Annotated[Path, typer.Option("--key", help="The private key, a JWK of mode 0600.")],
    out: Out,
    replaces: Annotated[str, typer.Option("--replaces", help="The bundle it takes the place of; - for none.")],
    openings: Annotated[
        int | None, typer.Option("--openings", help="Sign too for what opens, by the number that diff tells.")
    ] = None,
    registered_on: Annotated[str | None, typer.Option("--registered-on", help="YYYY-MM-DD; today if left out.")] = None,
) -> None:
    """The bundle, or the release that others signed before, carries this person's signature."""
    day = _day(registered_on)
    with refusals():
        release = _to_sign(bundle, _before(Path(replaces), insecure_test_bundle=False), day)
    try:
        signing = SigningKey.load(key)
    except KeyFileError as error:
        fail(str(error), status=BAD_INPUT)
    release = release.signed(signing, "bundle")
    if openings is not None:
        if openings != release.openings:
            fail(f"openings: this release opens {release.openings}", status=DOES_NOT_HOLD)
        release = release.signed(signing, "openings")
    write(out, release.encode())
    say({"bundle": release.bundle.sha256, "openings": release.openings, "signatures": len(release.signatures)})


def verify(
    release: Annotated[Path, typer.Argument(help="A release file.")],
    *,
    signers: Annotated[Path, typer.Option("--signers", help="The list of who may sign (signers/v1).")],
    replaces: Annotated[
        Path | None, typer.Option("--replaces", help="The bundle it takes the place of, to count what opens anew.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """The release is whole, compiles to what it holds, is signed by enough people, and opens what they signed for."""
    try:
        people = read_signers(signers)
    except KeyFileError as error:
        fail(str(error), status=BAD_INPUT)
    try:
        found = read_release(release)
        signed = found.holds(people)
        counted = found.replaces is None or replaces is not None
        if counted:
            found.check_openings(None if replaces is None else bundle_at(replaces))
    except SignatureError as error:
        fail(str(error), status=DOES_NOT_HOLD)
    except ConvenantError as error:
        fail(str(error), status=BAD_INPUT)
    names = [f"{person.name} ({person.role})" for person in signed]
    if as_json:
        say({"statement": found.statement(), "openings_counted": counted, "signed_by": [*names]})
        return
    sys.stdout.write(f"bundle {found.bundle.sha256}\nregistered on {found.registered_on}\n")
    said = "" if counted else ", as it says itself: name the bundle it replaces with --replaces"
    sys.stdout.write(f"opens {found.openings}{said}\nsigned by {', '.join(names)}\n")


def write(path: Path, content: bytes) -> None:
    """The file holds this; on error its one line and exit 2."""
    try:
        path.write_bytes(content)
    except OSError:
        fail("out: must be a file that can be written", status=BAD_INPUT)


def _before(path: Path, insecure_test_bundle: bool) -> RuleSet | None:  # noqa: FBT001 -- as the option is
    return None if str(path) == NOTHING else open_bundle(path, insecure_test_bundle=insecure_test_bundle)


def _to_sign(source: Path, before: RuleSet | None, day: date) -> Release:
    """The release to sign: as somebody signed it before, or a draft of what is in the source.

    Raises:
        UnsignableError: something in it is open, dead or only for tests, or it says something else than it does.
        ConvenantError: it may not be loaded.
    """
    if source.is_file():
        release = read_release(source)
        _check_signable(release.bundle)
        now = Release.draft(release.bundle, compare(before, release.bundle), registered_on=release.registered_on)
        if now.statement() != release.statement():
            raise UnsignableError("statement: must say what this bundle changes of the one it replaces")
        return release
    bundle = open_bundle(source)
    _check_signable(bundle)
    return Release.draft(bundle, compare(before, bundle), registered_on=day)


def _check_signable(bundle: RuleSet) -> None:
    """Whoever signs, first or second, signs nothing that is open, dead or only for tests. Raises UnsignableError."""
    blocking = [one for one in findings(bundle) if one.kind in BLOCKING]
    if blocking:
        raise UnsignableError(f"{blocking[0].where}: {blocking[0].says}")


def _day(text: str | None) -> date:
    try:
        return date.fromisoformat(text) if text else date.today()  # noqa: DTZ011 -- the signer's own calendar day
    except ValueError:
        fail("registered-on: must be YYYY-MM-DD", status=BAD_INPUT)


def _told(found: Diff) -> list[str]:
    """The comparison for a reader: what opens first, each group in one line with its rules."""
    lines = [f"opens {found.openings}, closes {found.closings}"]
    for change in sorted(found.changes, key=lambda one: one.direction, reverse=True):
        group = " ".join(f"{name}={word}" for name, word in change.group.items())
        rules = ", ".join(change.rules)
        lines.append(f"{change.direction} {change.cells} cells: {group} [{rules}]")
    lines += [f"{change.direction} {change.what}: {change.name}" for change in found.beyond]
    lines += [f"differs: {file}" for file in found.documents]
    return lines


COMMANDS: Mapping[str, Callable[..., None]] = {
    "diff": diff,
    "replay": replay_records,
    "export": export,
    "prove": prove_bundle,
    "keygen": keygen,
    "sign": sign,
    "verify": verify,
}
