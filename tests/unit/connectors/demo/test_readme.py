import pytest

from connectors.demo.readme import block, excerpt, masked, with_block

README = """# Title
<!-- output of make demo: begin -->
```text
old
```
<!-- output of make demo: end -->
after
"""
OUTPUT = """Opgezet (38 s)
 1. Eerste: niets te tonen
    mag: regel
 6. School: er is iets te tonen
    mag: regel; bewijs nagekeken: logregel 5, meegetekend door 1 van 1
10. Corporatie: geweigerd
    mag niet
11. Laatste: geweigerd
    mag niet
Van buiten nagekeken
    Logboek: 139 regels, meegetekend door 1; wortel 21230392b15c8ef9…
"""


def test_a_block_is_replaced_and_nothing_else() -> None:
    """Only what stands between the markers changes."""
    changed = with_block(README, "make demo", "new\n")
    assert block(changed, "make demo") == "new\n"
    assert changed.replace("new", "old") == README


def test_a_readme_without_the_block_is_an_error() -> None:
    """An output that has no place is not put anywhere."""
    with pytest.raises(ValueError, match="no block for make check"):
        with_block(README, "make check", "new")


def test_the_excerpt_keeps_every_headline_and_two_steps_in_full() -> None:
    """Shortened steps keep their first line; what stands outside steps is kept whole."""
    lines = excerpt(OUTPUT).splitlines()
    assert [line for line in OUTPUT.splitlines() if line not in lines] == ["    mag: regel"]
    assert lines.count("    mag niet") == 1
    assert lines[-1].startswith("    Logboek")


def test_masking_hides_what_varies_and_not_what_counts() -> None:
    """Times, sizes, hashes and the witness's pace differ between good runs; outcomes and rules do not."""
    other = OUTPUT.replace("38 s", "21 s").replace("139", "141").replace("21230392b15c8ef9", "aa")
    other = other.replace("meegetekend door 1 van 1", "niet meegetekend sinds 2026-11-22 03:51 UTC")
    assert masked(other) == masked(OUTPUT)
    assert masked(OUTPUT.replace("geweigerd", "er is iets te tonen")) != masked(OUTPUT)
