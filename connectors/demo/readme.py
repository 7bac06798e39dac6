"""`python -m connectors.demo.readme`: runs the two commands of the README and puts their real output into it.

`masked` makes two outputs comparable: what differs from run to run (times, sizes, hashes) becomes an ellipsis.
"""

import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
COMMANDS = ("make demo", "make check")
_CHECK_LINES = 2  # the closing line of pytest and that of the check
_COMMAND_S = 3600.0
_STEP = re.compile(r"\s?(?P<number>\d+)\. ")
_IN_FULL = ("6", "10")
_VARYING = (
    (re.compile(r"\(\d+ s\)"), "(… s)"),
    (re.compile(r"\d+\.\d s,"), "… s,"),
    (re.compile(r"\d+ bestanden, \d+ MB, \d+ patronen"), "… bestanden, … MB, … patronen"),
    (re.compile(r"wortel [0-9a-f]+…"), "wortel …"),
    (re.compile(r"(meegetekend door \d van \d|niet meegetekend sinds .*UTC|nog niet meegetekend)"), "meegetekend …"),
    (re.compile(r"\d+ bytes"), "… bytes"),
    (re.compile(r"Logboek: \d+ regels"), "Logboek: … regels"),
    (re.compile(r"\d+ bewijzen"), "… bewijzen"),
    (re.compile(r"Tegenproef bij de partners: \d+ van \d+"), "Tegenproef bij de partners: … van …"),
    (re.compile(r"Echte invoer: .*"), "Echte invoer: …"),
    (re.compile(r"\d+ signalen afgegeven, \d+ keer gekeken, \d+ rijen afgewezen"), "… signalen afgegeven"),
    (re.compile(r"Gevonden: .*; gelijk"), "Gevonden: …; gelijk"),
    (re.compile(r"^set-up: .*\n", re.MULTILINE), ""),
    (re.compile(r"zie \S+/report\.json"), "zie …/report.json"),
)


def masked(output: str) -> str:
    """Return the output without what differs between two good runs."""
    for pattern, instead in _VARYING:
        output = pattern.sub(instead, output)
    return output


def excerpt(output: str) -> str:
    """Return the output of `make demo` with two steps in full and only the first line of the others."""
    kept, step = [], ""
    for line in output.splitlines():
        number = _STEP.match(line)
        if number is not None:
            step = number["number"]
        elif not line.startswith(" "):
            step = ""
        if number is not None or step in {"", *_IN_FULL}:
            kept.append(line)
    return "\n".join(kept) + "\n"


def block(readme: str, command: str) -> str:
    """Return the output that a README shows for a command. Raises ValueError: it has no such block."""
    found = _pattern(command).search(readme)
    if found is None:
        raise ValueError(f"the README has no block for {command}")
    return found["output"]


def with_block(readme: str, command: str, output: str) -> str:
    """Return the README in which this output stands for a command. Raises ValueError: it has no such block."""
    block(readme, command)
    return _pattern(command).sub(lambda found: found["begin"] + output.strip("\n") + "\n" + found["end"], readme)


def main(arguments: Sequence[str] = ()) -> int:
    """Run the commands that are named (all of them where none is) and rewrite the README; 1 when one of them fails."""
    text = README.read_text(encoding="utf-8")
    for command in arguments or COMMANDS:
        done = subprocess.run(
            command.split(), cwd=ROOT, capture_output=True, text=True, check=False, timeout=_COMMAND_S
        )
        if done.returncode != 0:
            sys.stderr.write(f"{command} ended with {done.returncode}\n{done.stderr[-2000:]}\n")
            return 1
        lines = [line for line in done.stdout.splitlines() if not line.startswith("set-up: ")]
        shown = excerpt("\n".join(lines)) if command == "make demo" else "\n".join(lines[-_CHECK_LINES:])
        text = with_block(text, command, shown)
        # Written at once: `make check` compares this file with the demonstration, and would else fail on the old one.
        README.write_text(text, encoding="utf-8")
    return 0


def _pattern(command: str) -> re.Pattern[str]:
    begin, end = (rf"<!-- output of {command}: {place} -->" for place in ("begin", "end"))
    return re.compile(rf"(?P<begin>{begin}\n```text\n)(?P<output>.*?)(?P<end>```\n{end})", re.DOTALL)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
