"""Which slices of the shipped and the test documents were proven before, by hash (`tests/prove/proven.json`).

A slice whose hash stands there depends on nothing that has changed since: no line, no clause, no row of a table, no
word, neither compiler nor model nor proof. `make prove ACCEPT=1` writes the file after proving everything.
"""

import json
from collections.abc import Mapping
from pathlib import Path

from policies.prove import Domain, SliceName, Voices

FILE = Path(__file__).parent / "proven.json"


def read_proven(path: Path = FILE) -> Mapping[str, str]:
    """Return the hash of every proven slice by its name."""
    proven: Mapping[str, str] = json.loads(path.read_text(encoding="utf-8"))["slices"]
    return proven


def unproven(domain: Domain, proven: Mapping[str, str]) -> dict[SliceName, Voices]:
    """Return the slices that were never proven as they are now."""
    return {
        name: voices
        for name, voices in domain.slices().items()
        if proven.get(" ".join(name)) != domain.hash_of(name, voices)
    }


def write_proven(domain: Domain, path: Path = FILE) -> None:
    """Every slice of this domain counts as proven from now on."""
    slices = {" ".join(name): domain.hash_of(name, voices) for name, voices in sorted(domain.slices().items())}
    path.write_text(json.dumps({"schema": "proven/v1", "slices": slices}, indent=1) + "\n", encoding="utf-8")
