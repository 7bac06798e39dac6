"""A policy says exactly whom to believe; anything unclear in it is refused."""

import pytest

from audit.errors import PolicyError
from audit.note import Algorithm, NoteSigningKey
from audit.policy_file import parse_policy
from tests.unit.audit.log_simulator import ORIGIN, witness_key

LOG = NoteSigningKey(name=ORIGIN, algorithm=Algorithm.ED25519, seed=bytes(32)).verifier.encode()
W1, W2, W3 = (witness_key(f"witness.example/w{n}").verifier.encode() for n in (1, 2, 3))
WITNESSES = f"log {LOG}\nwitness a {W1}\nwitness b {W2}\nwitness c {W3}\n"


def test_a_policy_with_addresses_comments_and_empty_lines() -> None:
    """Comments and empty lines are skipped; addresses are kept."""
    policy = parse_policy(
        f"# ours\n\nlog {LOG} https://log.example/\nwitness a {W1} http://127.0.0.1:1\nquorum a\n"
    )  # fmt: skip
    assert policy.log.url == "https://log.example/"
    assert policy.witnesses["a"].url == "http://127.0.0.1:1"
    assert policy.quorum_met({"a"})
    assert not policy.quorum_met(())


@pytest.mark.parametrize(
    ("group", "enough", "too_few"),
    [
        ("any a b c", [{"a"}, {"c"}], [set()]),
        ("all a b c", [{"a", "b", "c"}], [{"a", "b"}]),
        ("2 a b c", [{"a", "c"}, {"a", "b", "c"}], [{"b"}, set()]),
    ],
)
def test_thresholds(group: str, enough: list[set[str]], too_few: list[set[str]]) -> None:
    """A group counts each member once against its threshold."""
    policy = parse_policy(f"{WITNESSES}group g {group}\nquorum g\n")
    assert all(policy.quorum_met(names) for names in enough)
    assert not any(policy.quorum_met(names) for names in too_few)


def test_a_group_of_groups() -> None:
    """A group may count other groups."""
    policy = parse_policy(f"{WITNESSES}group g any a b\ngroup h all g c\nquorum h\n")
    assert policy.quorum_met({"b", "c"})
    assert not policy.quorum_met({"a", "b"})


def test_no_quorum_asks_nothing() -> None:
    """`quorum none` is met by nobody at all."""
    assert parse_policy(WITNESSES + "quorum none\n").quorum_met(())


@pytest.mark.parametrize(
    "text",
    [
        "",
        WITNESSES,
        f"log {LOG}\n",
        "quorum none\n",
        f"{WITNESSES}log {LOG}\nquorum none\n",
        f"{WITNESSES}quorum none\nquorum a\n",
        f"{WITNESSES}quorum d\n",
        f"{WITNESSES}quorum\n",
        f"{WITNESSES}quorum a b\n",
        f"{WITNESSES}trust a\nquorum none\n",
        "log\nquorum none\n",
        f"log {LOG} http://a b\nquorum none\n",
        f"log {LOG} ftp://a\nquorum none\n",
        f"log {W1}\nquorum none\n",
        "log nonsense\nquorum none\n",
        f"log {LOG}\nwitness a\nquorum none\n",
        f"log {LOG}\nwitness a {LOG}\nquorum none\n",
        f"log {LOG}\nwitness none {W1}\nquorum none\n",
        f"{WITNESSES}witness a {W1}\nquorum none\n",
        f"{WITNESSES}witness d {W1}\nquorum none\n",
        f"{WITNESSES}group g any\nquorum none\n",
        f"{WITNESSES}group g any a a\nquorum none\n",
        f"{WITNESSES}group g any d\nquorum none\n",
        f"{WITNESSES}group g any g\nquorum none\n",
        f"{WITNESSES}group a any b\nquorum none\n",
        f"{WITNESSES}group g any a\ngroup h any a b\nquorum none\n",
        f"{WITNESSES}group g 0 a b\nquorum none\n",
        f"{WITNESSES}group g 3 a b\nquorum none\n",
        f"{WITNESSES}group g most a b\nquorum none\n",
    ],
)
def test_unclear_policies_are_refused(text: str) -> None:
    """A policy that could be read two ways, or weakens itself, is no policy."""
    with pytest.raises(PolicyError):
        parse_policy(text)
