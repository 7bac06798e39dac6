"""`make clean-root`: the two commands on a fresh Debian, not on a machine that has everything.

As root: makes a minimal Debian 12 with debootstrap (only python3, git, make and the usual certificates), clones what is
committed here into it, and runs `make demo` (or the targets named as arguments) as an ordinary user without privileges.
Leaves `build/clean-root/report.json`; the root itself is removed. Package settings of this machine (index,
certificates, proxy) are handed over as environment variables, as an administrator would set them.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.check.pip_wheel import PUBLIC_INDEX, index_settings, pip_config_files

ROOT = Path(__file__).resolve().parents[2]
OUT = ROOT / "build" / "clean-root"
RELEASE = "bookworm"
PACKAGES = "python3,git,make,ca-certificates"
HOME = "/home/partner"
SEARCH_PATH = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"
KEPT_LINES = 40


def say(sentence: str) -> None:
    """Print progress at once."""
    print(f"clean-root: {sentence}", flush=True)


def call(*command: str | Path) -> None:
    """Run a command of this machine; a failure ends the target."""
    subprocess.run(command, check=True)


def make_debian(target: Path) -> None:
    """Make a minimal Debian with an ordinary user and a clean clone of what is committed."""
    if shutil.which("debootstrap") is None:
        call("apt-get", "update", "-qq")
        call("apt-get", "install", "-y", "-qq", "--no-install-recommends", "debootstrap")
    say(f"debootstrap {RELEASE} with {PACKAGES}")
    with (OUT / "debootstrap.log").open("wb") as log:
        command = ["debootstrap", "--variant=minbase", f"--include={PACKAGES}", RELEASE, str(target)]
        subprocess.run(command, check=True, stdout=log, stderr=subprocess.STDOUT)
    for name in ("/etc/resolv.conf", "/etc/hosts"):
        shutil.copyfile(name, f"{target}{name}")
    call("chroot", target, "useradd", "--create-home", "--home-dir", HOME, "partner")
    call("git", "clone", "--quiet", "--no-hardlinks", ROOT, f"{target}{HOME}/sluis")
    call("chroot", target, "chown", "-R", "partner:", f"{HOME}/sluis")


def package_settings(target: Path) -> dict[str, str]:
    """Return this machine's package settings as variables, the certificate file copied into the new root."""
    settings = index_settings(os.environ, pip_config_files(os.environ))
    handed: dict[str, str] = {}
    if settings.indexes[0] != PUBLIC_INDEX:
        handed["PIP_INDEX_URL"] = settings.indexes[0]
    if settings.proxy:
        handed["PIP_PROXY"] = settings.proxy
    if settings.certificates:
        inside = "/etc/ssl/package-index.crt"
        shutil.copyfile(settings.certificates, f"{target}{inside}")
        handed["PIP_CERT"] = inside
    return handed


def play(target: Path, environment: dict[str, str], command: str) -> dict[str, Any]:
    """Return how one command ended inside the new root, as the ordinary user."""
    say(command)
    began = time.monotonic()
    fixed = {"HOME": HOME, "PATH": SEARCH_PATH, "LANG": "C.UTF-8", **environment}
    variables = [f"{name}={value}" for name, value in fixed.items()]
    inside = ["env", "-i", *variables, "sh", "-c", f"cd {HOME}/sluis && {command}"]
    done = subprocess.run(
        ["chroot", "--userspec=partner", str(target), *inside],
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    lines = done.stdout.decode("utf-8", errors="replace").splitlines()
    print("\n".join(lines[-KEPT_LINES:]), flush=True)
    seconds = round(time.monotonic() - began, 1)
    return {"command": command, "exit": done.returncode, "seconds": seconds, "output": lines[-KEPT_LINES:]}


def fresh(target: Path) -> dict[str, bool]:
    """Return what the new root lacks; each must be absent, else the trial proves nothing."""
    probes = {
        "ensurepip": ["python3", "-c", "import ensurepip"],
        "pip": ["python3", "-m", "pip", "--version"],
        "compiler": ["cc", "--version"],
    }
    return {
        name: subprocess.run(["chroot", target, *probe], check=False, capture_output=True).returncode != 0
        for name, probe in probes.items()
    }


def trial(target: Path, targets: list[str]) -> dict[str, Any]:
    """Return the report of the whole trial."""
    make_debian(target)
    absent = fresh(target)
    proc = target / "proc"
    call("mount", "-t", "proc", "proc", proc)
    try:
        environment = package_settings(target)
        commands = [play(target, environment, f"make {each}") for each in targets]
    finally:
        call("umount", proc)
    ok = all(absent.values()) and all(each["exit"] == 0 for each in commands)
    return {"schema": "clean-root/v1", "ok": ok, "debian": RELEASE, "absent": absent, "commands": commands}


def main(targets: list[str]) -> int:
    """Run the trial and return 0 when every target ended with 0 in a root that had nothing."""
    if os.geteuid() != 0:
        say("needs root, for chroot and debootstrap")
        return 1
    OUT.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="root-", dir=OUT) as folder:
        Path(folder).chmod(0o755)
        report = trial(Path(folder), targets or ["demo"])
    (OUT / "report.json").write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    say("ok" if report["ok"] else "failed, see build/clean-root/report.json")
    return 0 if report["ok"] else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
