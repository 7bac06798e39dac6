"""`make prove [ACCEPT=1]`: every slice of the whole finite domain, every property, every mutant of lines and documents.

Leaves `build/prove/report.json`; exit 1 when something does not hold. With ACCEPT=1 what holds is written to
`tests/prove/proven.json`, so that `make check` proves only what changes after it, and `tests/prove/survivors.json`
shrinks to the mutants of documents that are still not noticed.
"""

import json
import os
import sys
import warnings
from collections import Counter
from pathlib import Path

from policies import InsecureTestBundleWarning, load_bundle
from policies.prove import Domain, first_difference, prove
from tests.prove.mutants import mutants
from tests.prove.proven import FILE, write_proven
from tests.prove.wrong_documents import FILE as SURVIVORS
from tests.prove.wrong_documents import read_survivors, survivors, write_survivors, wrong_documents

OUT = Path("build") / "prove"


def main(out: Path, *, accept: bool, proven: Path = FILE, known: Path = SURVIVORS) -> int:
    """Prove everything and return the exit code."""
    shipped = load_bundle()
    wrong = list(wrong_documents(shipped))
    unnoticed = survivors(shipped, wrong)
    new = sorted(set(unnoticed) - set(read_survivors(known)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", InsecureTestBundleWarning)
        bundle = load_bundle(insecure_test_bundle=True)
    proof = prove(bundle)
    made = list(mutants(bundle))
    survived = [one for one in made if first_difference(Domain.of(bundle, one.lines), near=one.touched) is None]
    ok = proof.holds and bool(made) and not survived and bool(wrong) and not new
    report = {
        "schema": "prove/v1",
        "ok": ok,
        "bundle": bundle.sha256,
        **proof.document(),
        "mutants": dict(Counter(one.kind for one in made)),
        "survived": [f"{one.kind} {one.rid} {one.what}" for one in survived],
        "wrong_documents": len(wrong),
        "unnoticed": [*unnoticed],
    }
    out.mkdir(parents=True, exist_ok=True)
    (out / "report.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    print(f"prove: {proof.slices} slices, {proof.cells} cells: {len(proof.mismatches)} mismatches", flush=True)
    print(f"prove: {len(proof.broken)} properties broken; {len(made)} mutants, {len(survived)} survived")
    print(f"prove: {len(wrong)} wrong documents, {len(unnoticed)} unnoticed, of which new: {', '.join(new) or 'none'}")
    if ok and accept:
        write_survivors(unnoticed, known)
        write_proven(Domain.of(bundle), proven)
    print("prove: ok" if ok else "prove: does not hold")
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main(OUT, accept=os.environ.get("ACCEPT") == "1"))
