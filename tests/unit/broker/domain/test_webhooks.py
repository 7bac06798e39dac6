"""Where an event may go: an address of the public internet, written in one way, and nothing else."""

import json
import uuid

import pytest

from broker.domain.webhooks import MAX_TRIES, event_body, is_public, next_try_after, parse_webhook_url

HOSTILE = (
    "http://example.org/hook", "ftp://example.org/hook", "file:///etc/passwd", "gopher://example.org/",
    "//example.org/",
    "https:/example.org/", "https://", "https:///hook", "example.org/hook", "javascript:alert(1)",
    "https://localhost/hook", "https://127.0.0.1/hook", "https://127.1/hook", "https://2130706433/hook",
    "https://0x7f000001/hook", "https://0177.0.0.1/hook", "https://0/hook", "https://10.0.0.1/hook",
    "https://169.254.169.254/latest/meta-data/", "https://[::1]/hook", "https://[::ffff:127.0.0.1]/hook",
    "https://[fe80::1%25eth0]/hook", "https://192.168.1.1/hook", "https://100.64.0.1/hook", "https://0.0.0.0/hook",
    "https://example.org:22/hook", "https://example.org:8443/hook", "https://example.org:443/hook",
    "https://user@example.org/hook", "https://user:secret@example.org/hook", "https://example.org@127.0.0.1/hook",
    "https://example.org/hook?next=https://127.0.0.1/", "https://example.org/hook#x", "https://example.org/../hook",
    "https://example.org/a/./b", "https://example.org/%2e%2e/", "https://example.org\\@127.0.0.1/",
    "https://example.org/hook\r\nX-Evil: 1", "https://example.org /hook", " https://example.org/hook",
    "https://EXAMPLE.org/hook", "https://example.org./hook", "https://ex\u0430mple.org/hook", "https://-a.example.org/",
    "https://example..org/", "https://" + "a" * 64 + ".example.org/", "https://example.org/" + "a" * 600,
    "https://1.2.3/hook", "https://example.org:99999/", "https://[::1/",
)  # fmt: skip
PRIVATE = (
    "127.0.0.1", "127.255.255.254", "0.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.0.1", "169.254.169.254", "100.64.0.1",
    "192.0.2.1", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "::", "::1", "fe80::1", "fc00::1",
    "fd12::1",
    "fec0::1", "ff02::1", "5f00::1", "3fff::1",
    "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::7f00:1", "64:ff9b::7f00:1", "64:ff9b:1::7f00:1",
    "2002:7f00:1::", "2001::1", "2001:db8::1", "192.88.99.1", "", "example.org", "127.1", "fe80::1%eth0",
)  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_address_is_none(text: str) -> None:
    """What is not a plain https address of a public name, written in the one way, is refused at once."""
    assert parse_webhook_url(text) is None


@pytest.mark.parametrize("text", ["https://example.org/hook", "https://a.b-c.example.org/", "https://example.org"])
def test_a_plain_address_is_taken(text: str) -> None:
    """A name over https at its own port, with a path, is where events may go."""
    to = parse_webhook_url(text)
    assert to is not None
    assert to.url.removesuffix("/") == text.removesuffix("/")
    assert (to.scheme, to.port) == ("https", 443)


def test_the_own_machine_only_by_an_insecure_setting() -> None:
    """Tests and the demonstration send to themselves, and to nothing else that is not https."""
    text = "http://127.0.0.1:8080/hook"
    assert parse_webhook_url(text) is None
    to = parse_webhook_url(text, insecure_loopback=True)
    assert to is not None
    assert to.url == text
    assert parse_webhook_url("http://10.0.0.1:8080/hook", insecure_loopback=True) is None
    assert parse_webhook_url("https://10.0.0.1/hook", insecure_loopback=True) is None


@pytest.mark.parametrize("address", PRIVATE)
def test_an_address_that_is_not_public_is_never_connected_to(address: str) -> None:
    """Private, local, link-local, reserved, and every way to write an IPv4 address inside an IPv6 one."""
    assert not is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "145.21.1.1", "2a00:1450:400e::8a"])
def test_a_public_address_is_public(address: str) -> None:
    """An address of the internet is one, in both families."""
    assert is_public(address)


def test_an_event_says_that_it_is_time_and_nothing_else() -> None:
    """Two events differ in an opaque id and the time, and are equally long: nothing in them depends on what waits."""
    one, other = (
        event_body(source="broker.test", event_id=digit * 32, at=1_795_345_200 + int(digit)) for digit in "12"
    )
    assert len(one) == len(other)
    said = json.loads(one)
    twos = "22222222-2222-2222-2222-222222222222"
    assert said | {"id": twos, "time": "2026-11-22T11:00:02Z"} == json.loads(other)
    assert set(said) == {"specversion", "id", "source", "type", "time", "datacontenttype", "data"}


def test_an_event_has_what_the_dutch_profile_recommends() -> None:
    """A UUID as its id, a URN of `nld` with organisation and system as its source, a type in reverse domain order."""
    said = json.loads(event_body(source="broker.test", event_id="0123456789ab4def8123456789abcdef", at=1_795_345_200))
    assert uuid.UUID(said["id"]).version == 4
    assert said["source"] == "urn:nld:sluis:broker.test:systeem:postvak"
    assert (said["specversion"], said["type"]) == ("1.0", "nl.sluis.postvak.ophalen")
    assert (said["datacontenttype"], said["time"]) == ("application/json", "2026-11-22T11:00:00Z")


def test_a_receiver_that_fails_is_tried_ever_later_and_then_given_up() -> None:
    """Each wait is longer than the one before, and the last failure makes a dead letter."""
    waits = [next_try_after(tries) for tries in range(1, MAX_TRIES)]
    assert waits == [60, 240, 960, 3840]
    assert next_try_after(MAX_TRIES) is None
