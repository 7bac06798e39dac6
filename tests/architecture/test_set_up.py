"""Set-up on a machine that has Python and nothing else; `make clean-root` tries the same in a whole fresh Debian."""

import functools
import hashlib
import http.server
import io
import os
import shutil
import subprocess
import threading
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.source_tree import ROOT
from tests.check import bootstrap, system_packages
from tests.check.bootstrap import APT_LINE, Project, SetUpError
from tests.check.pip_wheel import (
    PUBLIC_INDEX,
    IndexSettings,
    PinnedPip,
    PipWheelError,
    fetch,
    index_settings,
    pinned_pip,
    pip_config_files,
)

VERSION = "99.1"


@functools.cache
def wheel() -> bytes:
    """Return a wheel of the name pip whose command writes down how it was called."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as made:
        made.writestr("pip/__init__.py", "")
        program = "import pathlib, sys\npathlib.Path(sys.prefix, 'called').write_text(' '.join(sys.argv[1:]))\n"
        made.writestr("pip/__main__.py", program)
    return archive.getvalue()


class IndexSimulator:
    """A package index on loopback: a simple page (PEP 503) for pip, and the wheel it lists."""

    def __init__(self, folder: Path) -> None:
        """Serve what is in the folder."""
        self.folder = folder
        handler = functools.partial(_QuietHandler, directory=str(folder))
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}/simple"

    def publish(self, content: bytes) -> None:
        """List the wheel with this content, beside an older one."""
        page = self.folder / "simple" / "pip"
        page.mkdir(parents=True)
        files = self.folder / "files"
        files.mkdir()
        name = f"pip-{VERSION}-py3-none-any.whl"
        (files / name).write_bytes(content)
        links = (
            f'<a href="../../files/pip-1.0-py3-none-any.whl">old</a><a href="../../files/{name}#sha256=00">{name}</a>'
        )
        (page / "index.html").write_text(f"<!DOCTYPE html><html><body>{links}</body></html>", encoding="utf-8")


class _QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name http.server gives it
        """Write nothing: the test's output is its own."""


@pytest.fixture
def index(tmp_path: Path) -> Iterator[IndexSimulator]:
    """A running index without any file yet."""
    simulator = IndexSimulator(tmp_path / "index")
    simulator.folder.mkdir()
    thread = threading.Thread(target=simulator.server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield simulator
    simulator.server.shutdown()
    thread.join()
    simulator.server.server_close()


def settings_for(*addresses: str) -> IndexSettings:
    """Return settings with these indexes and nothing else."""
    return IndexSettings(indexes=addresses, certificates=None, proxy=None)


def pin_of(content: bytes) -> PinnedPip:
    """Return the pin that accepts exactly this content."""
    return PinnedPip(version=VERSION, sha256=frozenset({hashlib.sha256(content).hexdigest()}))


def test_the_pin_is_read_from_the_committed_file() -> None:
    """The first pip is the one `requirements-bootstrap.txt` pins, with all its hashes."""
    text = (ROOT / "requirements-bootstrap.txt").read_text(encoding="utf-8")
    pin = pinned_pip(text)
    assert f"pip=={pin.version} " in text
    assert len(pin.sha256) == 2
    assert all(value in text for value in pin.sha256)


def test_a_file_that_pins_no_pip_is_refused() -> None:
    """Without a pin nothing is fetched."""
    with pytest.raises(PipWheelError):
        pinned_pip("pipx==1.0 \\\n    --hash=sha256:" + "0" * 64 + "\n")


def test_the_pinned_wheel_is_fetched(index: IndexSimulator) -> None:
    """The wheel of the pinned name and hash is what arrives."""
    index.publish(wheel())
    assert fetch(pin_of(wheel()), settings_for(index.address)) == wheel()


def test_a_wheel_with_another_hash_is_refused(index: IndexSimulator) -> None:
    """An index cannot hand out another pip than the pinned one."""
    index.publish(wheel() + b"more")
    with pytest.raises(PipWheelError, match="another hash"):
        fetch(pin_of(wheel()), settings_for(index.address))


def test_an_index_without_the_wheel_is_refused(index: IndexSimulator) -> None:
    """A version that no index lists is named in the failure."""
    index.publish(wheel())
    with pytest.raises(PipWheelError, match=r"pip-100-py3-none-any\.whl"):
        fetch(PinnedPip(version="100", sha256=frozenset()), settings_for(index.address))


def test_the_next_index_is_asked_when_one_fails(index: IndexSimulator, tmp_path: Path) -> None:
    """One index that is down, or a folder that is none, does not end the search."""
    index.publish(wheel())
    settings = settings_for(f"file://{tmp_path}/absent", "http://127.0.0.1:1/simple", index.address)
    assert fetch(pin_of(wheel()), settings) == wheel()


def test_the_environment_wins_over_the_configuration_file(tmp_path: Path) -> None:
    """Settings are pip's own, in pip's own order."""
    file = tmp_path / "pip.conf"
    file.write_text(
        "[global]\nindex-url = https://file.test/simple\ncert = /ca.pem\nextra-index-url =\n  https://a.test\n  https://b.test\n"
        "[install]\nproxy = http://proxy.test:8080\n",
        encoding="utf-8",
    )
    from_file = index_settings({}, [file])
    assert from_file.indexes == ("https://file.test/simple", "https://a.test", "https://b.test")
    assert (from_file.certificates, from_file.proxy) == ("/ca.pem", "http://proxy.test:8080")
    from_environment = index_settings({"PIP_INDEX_URL": "https://env.test/simple", "PIP_CERT": "/other.pem"}, [file])
    assert from_environment.indexes[0] == "https://env.test/simple"
    assert from_environment.certificates == "/other.pem"


def test_without_settings_the_public_index_holds() -> None:
    """A machine on which nobody configured pip uses pip's documented default."""
    assert index_settings({}, []) == settings_for(PUBLIC_INDEX)


def test_configuration_files_are_found_as_pip_finds_them() -> None:
    """The user's file comes after the machine's, an explicit one last, and `/dev/null` switches all off."""
    files = pip_config_files({"HOME": "/home/partner", "PIP_CONFIG_FILE": "/explicit.conf"})
    assert [str(path) for path in files[1:]] == [
        "/home/partner/.pip/pip.conf",
        "/home/partner/.config/pip/pip.conf",
        "/explicit.conf",
    ]
    assert pip_config_files({"PIP_CONFIG_FILE": "/dev/null"}) == []


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A checkout that pins the simulator's pip, with an environment that has no pip yet."""
    root = tmp_path / "checkout"
    root.mkdir()
    digest = hashlib.sha256(wheel()).hexdigest()
    for name in ("requirements-bootstrap.txt", "requirements.txt", "requirements-dev.txt"):
        (root / name).write_text(f"pip=={VERSION} \\\n    --hash=sha256:{digest}\n", encoding="ascii")
    (root / "pyproject.toml").write_text("[project]\n", encoding="ascii")
    venv.create(root / ".venv", symlinks=True, with_pip=False)
    return Project(root=root)


def test_pip_comes_from_the_index_without_ensurepip(
    index: IndexSimulator, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The fetched wheel installs itself, from the file alone, with the environment's own Python."""
    index.publish(wheel())
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_INDEX_URL", index.address)
    monkeypatch.delenv("PIP_CERT", raising=False)
    bootstrap.pip_from_index(project)
    called = (project.venv / "called").read_text(encoding="ascii").split()
    assert called[:4] == ["install", "--quiet", "--no-index", "--no-deps"]
    assert called[-1].endswith(f"/pip-{VERSION}-py3-none-any.whl")


def test_without_a_way_to_get_pip_the_line_to_run_is_named(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing else is left and Debian's tools cannot be run, set-up fails and says what to install."""
    monkeypatch.setenv("PATH", str(project.root))
    with pytest.raises(SetUpError, match=APT_LINE):
        bootstrap.pip_from_debian(project, PipWheelError("no index"))


def test_a_finished_set_up_is_not_repeated(project: Project) -> None:
    """With a valid stamp set-up does nothing, so `make demo` starts at once."""
    project.stamp("dev").write_text(project.fingerprint("dev"), encoding="ascii")
    assert bootstrap.set_up(project, "dev") is False
    assert bootstrap.set_up(project, "run") is False


def test_an_environment_to_run_in_is_not_enough_to_develop_in(project: Project) -> None:
    """`make check` after `make demo` installs what the tests need, and says so when it cannot."""
    project.stamp("run").write_text(project.fingerprint("run"), encoding="ascii")
    assert bootstrap.set_up(project, "run") is False
    shutil.rmtree(project.venv / "bin")
    (project.venv / "bin").touch()  # nothing can be made here, so trying is visible
    with pytest.raises((SetUpError, OSError, ValueError)):
        bootstrap.set_up(project, "dev")
    assert not project.stamp("run").exists()


@pytest.mark.parametrize("name", ["requirements-bootstrap.txt", "requirements.txt", "pyproject.toml"])
def test_a_changed_requirement_is_noticed(project: Project, name: str) -> None:
    """Every file that decides what is installed is part of the stamp."""
    before = project.fingerprint("run")
    with (project.root / name).open("a", encoding="ascii") as file:
        file.write("# changed\n")
    assert project.fingerprint("run") != before


def a_package(*, here: list[bool]) -> system_packages.Needed:
    """Return a package that is there or not, each time it is looked for."""
    return system_packages.Needed(package="postgresql", is_here=lambda: here.pop(0))


def test_a_missing_system_package_fails_and_names_the_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without root a missing package is never skipped: the apt line is told, and nothing is run."""
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    advice = system_packages.ensure((a_package(here=[False]),))
    assert advice is not None
    assert advice.endswith("apt-get install -y --no-install-recommends postgresql")
    assert system_packages.ensure((a_package(here=[True]),)) is None


@pytest.mark.parametrize(
    ("here", "code", "told"),
    [([False, True], 0, None), ([False, False], 0, "still not usable"), ([False], 100, "this failed")],
)
def test_root_installs_what_is_missing(
    monkeypatch: pytest.MonkeyPatch, here: list[bool], code: int, told: str | None
) -> None:
    """As root the package is installed, and looked for again: an installation that brought nothing is a failure."""
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(shutil, "which", lambda _name: "/usr/bin/apt-get")
    ran: list[list[str]] = []

    def note(command: list[str], **_: object) -> subprocess.CompletedProcess[bytes]:
        ran.append(command)
        return subprocess.CompletedProcess(command, code)

    monkeypatch.setattr(subprocess, "run", note)
    advice = system_packages.ensure((a_package(here=[*here]),))
    assert advice is None if told is None else told in str(advice)
    assert ran[0][:2] == ["apt-get", "update"]
