"""System packages that the tests need and PyPI does not have: `python3 -m tests.check.system_packages`.

As root they are installed from Debian. Without root nothing is installed: what is missing fails, with the line to run.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

POSTGRESQL_PROGRAMS = Path("/usr/lib/postgresql")


@dataclass(frozen=True, slots=True, kw_only=True)
class Needed:
    """A Debian package, and how to see that what it brings is here."""

    package: str
    is_here: Callable[[], bool]


def postgresql_is_here() -> bool:
    """Return whether a server can be made and started: Debian keeps its programs off the PATH."""
    return any(POSTGRESQL_PROGRAMS.glob("*/bin/initdb")) or shutil.which("initdb") is not None


def strace_is_here() -> bool:
    """Return whether system calls can be made to fail."""
    return shutil.which("strace") is not None


NEEDED = (
    Needed(package="postgresql", is_here=postgresql_is_here),
    Needed(package="strace", is_here=strace_is_here),
)


def apt_line(missing: list[str]) -> str:
    """Return the line that installs these packages."""
    return "apt-get install -y --no-install-recommends " + " ".join(missing)


def ensure(needed: tuple[Needed, ...] = NEEDED) -> str | None:
    """Return None once every package is here, else what to do."""
    missing = [one.package for one in needed if not one.is_here()]
    if not missing:
        return None
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        return f"system packages are missing. Run as root: {apt_line(missing)}"
    print(f"as root: {apt_line(missing)}", flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["apt-get", "update", "-qq"], [*apt_line(missing).split(), "-qq"]):
        if subprocess.run(command, check=False, env=environment).returncode != 0:
            return f"this failed: {' '.join(command)}"
    still = [one.package for one in needed if not one.is_here()]
    return f"installed, and still not usable: {', '.join(still)}" if still else None


def main() -> int:
    """Return 0 when everything is here, else 1, with what to do on standard error."""
    advice = ensure()
    if advice is not None:
        print(f"system packages: {advice}", file=sys.stderr)
    return 0 if advice is None else 1


if __name__ == "__main__":
    sys.exit(main())
