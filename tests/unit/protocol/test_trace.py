"""A trace is read as the W3C writes it, and is believed only where it joins nothing new."""

import pytest

from broker.protocol.trace import Trace, parse_trace, traceparent

ID, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
VALID = f"00-{ID}-{PARENT}-01"


@pytest.mark.parametrize(
    "header", [VALID, f"00-{ID}-{PARENT}-00", f"01-{ID}-{PARENT}-01", f"cc-{ID}-{PARENT}-ff-what-comes-later"]
)
def test_a_valid_header_is_read(header: str) -> None:
    """Version 00 as it is, and of a later version the part that is known (W3C Trace Context section 3.2.4)."""
    assert parse_trace([header]) == Trace(id=ID, parent=PARENT)


@pytest.mark.parametrize(
    "headers",
    [
        [], [VALID, VALID], [""], [VALID.upper()], [f" {VALID}"], [f"{VALID}\n"], [f"{VALID}-more"], [f"{VALID}x"],
        [f"ff-{ID}-{PARENT}-01"], [f"00-{'0' * 32}-{PARENT}-01"], [f"00-{ID}-{'0' * 16}-01"],
        [f"00-{ID[1:]}-{PARENT}-01"], [f"00-{ID}-{PARENT}"], [f"0-{ID}-{PARENT}-01"], [f"00-{ID}-{PARENT}-0"],
        [f"01-{ID}-{PARENT}-01x"],
    ],
)  # fmt: skip
def test_any_other_header_counts_as_none(headers: list[str]) -> None:
    """Whatever breaks a rule is ignored, and never a reason to refuse a request."""
    assert parse_trace(headers) is None


def test_what_is_written_is_read() -> None:
    """The header we send is one, with the sampled flag: nothing is left out of a log."""
    header = traceparent(ID, bytes.fromhex(PARENT))
    assert header == VALID
    assert parse_trace([header]) == Trace(id=ID, parent=PARENT)


def test_a_trace_counts_only_if_it_is_an_id_of_the_request() -> None:
    """An id that another request could have too is not kept."""
    trace = Trace(id=ID, parent=PARENT)
    assert trace.known({ID, "other"}) is trace
    assert trace.known({"other"}) is None
    assert trace.known(()) is None
