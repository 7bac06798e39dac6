"""Set-up of the virtual environment in `.venv`: `python3 -m tests.check.bootstrap run|dev`.

Needs Python 3.11 with its standard library, nothing else. Every package is installed by hash; the project itself is
installed editable, without build isolation, by the pinned build backend. A stamp file makes the second call free.

Where the first pip comes from, in this order: Python's own `ensurepip`; the pinned wheel, fetched with the standard
library (`pip_wheel.py`); as root, Debian's `python3-venv`. Without root and with all of that missing, set-up fails and
names the line to run.
"""

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import venv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from tests.check.pip_wheel import PipWheelError, fetch, index_settings, pinned_pip, pip_config_files

APT_LINE = "apt-get install -y --no-install-recommends python3-venv"
REQUIREMENTS = {"run": "requirements.txt", "dev": "requirements-dev.txt"}
BOOTSTRAP = "requirements-bootstrap.txt"


class SetUpError(Exception):
    """Set-up cannot go on; the message says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A checkout and the virtual environment that belongs to it."""

    root: Path

    @property
    def venv(self) -> Path:
        """The folder of the virtual environment."""
        return self.root / ".venv"

    @property
    def python(self) -> Path:
        """The environment's interpreter."""
        return self.venv / "bin" / "python"

    def fingerprint(self, kind: str) -> str:
        """Return what the environment must have been made from: the hash of all files that decide its content."""
        digest = hashlib.sha256(f"{sys.version_info[:2]} {self.root}".encode())
        for name in (BOOTSTRAP, REQUIREMENTS[kind], "pyproject.toml"):
            digest.update((self.root / name).read_bytes())
        return digest.hexdigest()

    def stamp(self, kind: str) -> Path:
        """Return the file that holds the fingerprint of a finished set-up."""
        return self.venv / f"sluis-{kind}.stamp"


def set_up(project: Project, kind: str) -> bool:
    """Make `.venv` hold exactly pinned packages and the project; return False when it already did."""
    wanted = project.fingerprint(kind)
    if any(_holds(project.stamp(made), wanted_by) for made, wanted_by in _sufficient(project, kind)):
        return False
    for stamp in project.venv.glob("sluis-*.stamp"):
        stamp.unlink()
    make_environment(project)
    # Twice quiet: warnings about where pip looked are noise, errors still show.
    pip = [str(project.python), "-m", "pip", "install", "-qq", "--disable-pip-version-check", "--no-input"]
    locked = [*pip, "--only-binary", ":all:", "--require-hashes", "-r"]
    run([*locked, str(project.root / BOOTSTRAP)])
    run([*locked, str(project.root / REQUIREMENTS[kind])])
    run([*pip, "--no-deps", "--no-index", "--no-build-isolation", "--editable", str(project.root)])
    project.stamp(kind).write_text(wanted, encoding="ascii")
    return True


def _sufficient(project: Project, kind: str) -> list[tuple[str, str]]:
    """Return which finished set-ups are enough for `kind`: a development environment also runs."""
    kinds = ["run", "dev"] if kind == "run" else ["dev"]
    return [(each, project.fingerprint(each)) for each in kinds]


def _holds(stamp: Path, fingerprint: str) -> bool:
    return stamp.is_file() and stamp.read_text(encoding="ascii") == fingerprint


def make_environment(project: Project) -> None:
    """Make `.venv` with a working pip, keeping an environment that already has both."""
    if _works(project.python, "-c", "import sys; assert sys.version_info >= (3, 11)"):
        if _works(project.python, "-m", "pip", "--version"):
            return
    else:
        venv.create(project.venv, clear=True, symlinks=True, with_pip=False)
    if importlib.util.find_spec("ensurepip") and _works(project.python, "-m", "ensurepip", "--default-pip"):
        return
    try:
        pip_from_index(project)
    except PipWheelError as error:
        pip_from_debian(project, error)


def pip_from_index(project: Project) -> None:
    """Install the pinned pip into `.venv` from the package index of pip's settings."""
    pin = pinned_pip((project.root / BOOTSTRAP).read_text(encoding="utf-8"))
    content = fetch(pin, index_settings(os.environ, pip_config_files(os.environ)))
    with tempfile.TemporaryDirectory() as folder:
        wheel = Path(folder) / pin.filename
        wheel.write_bytes(content)
        run([str(project.python), f"{wheel}/pip", "install", "--quiet", "--no-index", "--no-deps", str(wheel)])


def pip_from_debian(project: Project, reason: Exception) -> None:
    """Install Debian's `python3-venv` and take pip from it; without root, raise SetUpError naming the line to run."""
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        msg = f"Python has no ensurepip and {reason}. Run as root: {APT_LINE}"
        raise SetUpError(msg) from reason
    print(f"set-up: {reason}; as root: {APT_LINE}", flush=True)
    run(["apt-get", "update", "-qq"])
    run([*APT_LINE.split(), "-qq"])
    run([str(project.python), "-m", "ensurepip", "--default-pip"])


def run(command: Sequence[str]) -> None:
    """Run a command to its end; raise SetUpError when it fails."""
    if subprocess.run(command, check=False).returncode != 0:
        msg = f"this failed: {' '.join(command)}"
        raise SetUpError(msg)


def _works(*command: str | Path) -> bool:
    try:
        return subprocess.run(command, check=False, capture_output=True).returncode == 0
    except OSError:
        return False


def main() -> NoReturn:
    """Set up the environment named by the first argument and exit with 0, or 1 with the reason."""
    kind = sys.argv[1] if len(sys.argv) > 1 else ""
    if kind not in REQUIREMENTS:
        sys.exit("usage: python3 -m tests.check.bootstrap run|dev")
    project = Project(root=Path(__file__).resolve().parents[2])
    try:
        if set_up(project, kind):
            print(f"set-up: .venv is ready ({kind})", flush=True)
    except (SetUpError, OSError) as error:
        sys.exit(f"set-up failed: {error}")
    sys.exit(0)


if __name__ == "__main__":
    main()
