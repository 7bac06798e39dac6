"""The group, on the system's libsodium and on the one in rbcl."""

import ctypes
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from broker.protocol import ristretto
from broker.protocol.ristretto import (
    GENERATOR,
    BackendMissingError,
    Group,
    GroupError,
    InvalidPointError,
    InvalidScalarError,
    Point,
    Scalar,
)
from tests.simulators.two_custodians import seeded

ORDER = 2**252 + 27742317777372353535851937790883648493  # RFC 9496 §4
# Multiples 2 and 3 of the generator (RFC 9496 appendix A.1).
DOUBLE = bytes.fromhex("6a493210f7499cd17fecb510ae0cea23a110e8d5b901f8acadd3095c73a3b919")
TRIPLE = bytes.fromhex("94741f5d5d52755ece4f23f044ee27d5d1ea1e2bd196b462166b16152a9d0259")


def scalar(number: int) -> Scalar:
    """Return a number as a scalar."""
    return Scalar((number % ORDER).to_bytes(32, "little"))


@pytest.fixture(params=[ristretto.system_group, ristretto.bundled_group], ids=["system", "bundled"])
def curve(request: pytest.FixtureRequest) -> Group:
    """Return the group over one of the two libraries."""
    opened: Group = request.param()
    return opened


def test_multiples_of_the_generator(curve: Group) -> None:
    """Small multiples of the generator are those of RFC 9496, by multiplication, addition and subtraction."""
    generator = Point(GENERATOR)
    assert curve.mul_base(scalar(1)) == GENERATOR
    assert curve.mul_base(scalar(2)) == curve.mul(scalar(2), generator) == DOUBLE
    assert curve.add(Point(DOUBLE), generator) == curve.mul_base(scalar(3)) == TRIPLE
    assert curve.sub(Point(TRIPLE), generator) == DOUBLE
    assert curve.sub(generator, generator) == bytes(32)


def test_scalar_arithmetic_is_modulo_the_order(curve: Group) -> None:
    """Scalar operations equal whole-number arithmetic modulo the order of the group."""
    left, right = 2**200 + 7, ORDER - 5
    assert curve.scalar_add(scalar(left), scalar(right)) == scalar(left + right)
    assert curve.scalar_sub(scalar(left), scalar(right)) == scalar(left - right)
    assert curve.scalar_mul(scalar(left), scalar(right)) == scalar(left * right)
    assert curve.invert(scalar(left)) == scalar(pow(left, -1, ORDER))
    assert curve.reduce((2**500 + 3).to_bytes(64, "little")) == scalar(2**500 + 3)


def test_from_hash_is_the_published_map(curve: Group) -> None:
    """64 uniform bytes map to the point of RFC 9496 appendix A.3."""
    uniform = bytes.fromhex(
        "5d1be09e3d0c82fc538112490e35701979d99e06ca3e2b5b54bffe8b4dc772c1"
        "4d98b696a1bbfb5ca32c436cc61c16563790306c79eaca7705668b47dffe5bb6"
    )
    expected = "3066f82a1a747d45120d1740f14358531a8f04bbffe6a819f86dfe50f44a0a46"
    assert curve.from_hash(uniform).hex() == expected


@pytest.mark.parametrize("operand", [b"", bytes(31), bytes(33), bytearray(32), None], ids=repr)
def test_operands_of_another_size_never_reach_c(curve: Group, operand: bytes) -> None:
    """An operand that is not 32 bytes of type bytes is refused before the library could read beyond it."""
    wrong, generator = Scalar(operand), Point(GENERATOR)
    for operation in (
        lambda: curve.mul(wrong, generator),
        lambda: curve.mul(scalar(2), Point(operand)),
        lambda: curve.mul_base(wrong),
        lambda: curve.add(generator, Point(operand)),
        lambda: curve.sub(Point(operand), generator),
        lambda: curve.scalar_add(wrong, scalar(1)),
        lambda: curve.scalar_sub(scalar(1), wrong),
        lambda: curve.scalar_mul(wrong, wrong),
        lambda: curve.invert(wrong),
        lambda: curve.from_hash(operand),
        lambda: curve.reduce(operand),
    ):
        with pytest.raises(GroupError, match="an operand is not"):
            operation()


def test_zero_and_the_identity_have_no_result(curve: Group) -> None:
    """Nothing is multiplied by zero, inverted from zero, or multiplied off the group: no result is the identity."""
    for operation in (
        lambda: curve.mul(scalar(0), Point(GENERATOR)),
        lambda: curve.mul_base(scalar(0)),
        lambda: curve.invert(scalar(0)),
        lambda: curve.mul(scalar(2), Point(bytes(32))),
        lambda: curve.mul(scalar(2), Point(b"\xff" * 32)),
        lambda: curve.add(Point(GENERATOR), Point(b"\xff" * 32)),
    ):
        with pytest.raises(GroupError, match="no result in the group"):
            operation()


OFF_THE_GROUP = [b"", bytes(31), bytes(32), b"\xff" * 32, GENERATOR[:-1] + bytes([GENERATOR[-1] | 0x80]), bytearray(32)]


@pytest.mark.parametrize("point", OFF_THE_GROUP, ids=["empty", "short", "identity", "off", "second form", "not bytes"])
def test_a_batch_reads_every_point_by_multiplying_it(curve: Group, point: bytes) -> None:
    """One point that is no canonical point refuses a whole batch, by its field, wherever it stands."""
    for points in ([point, GENERATOR], [GENERATOR, point]):
        with pytest.raises(InvalidPointError) as each:
            curve.mul_each(scalar(2), points, field="answers")
        with pytest.raises(InvalidPointError) as weighted:
            curve.weighted_sum([scalar(2), scalar(3)], points, field="points")
        assert (each.value.field, weighted.value.field) == ("answers", "points")


def test_batches_equal_single_operations(curve: Group) -> None:
    """A batch gives what its points give one by one; a sum may be the identity, a factor may not be zero."""
    points = [curve.mul_base(scalar(number)) for number in (1, 2, 3)]
    assert curve.mul_each(scalar(5), points) == [curve.mul_base(scalar(5 * number)) for number in (1, 2, 3)]
    assert curve.mul_each(scalar(5), []) == []
    assert curve.weighted_sum([scalar(7)], points[:1]) == curve.mul_base(scalar(7))
    assert curve.weighted_sum([scalar(number) for number in (7, 8, 9)], points) == curve.mul_base(scalar(7 + 16 + 27))
    assert curve.weighted_sum([scalar(1), scalar(-1)], [points[0], points[0]]) == bytes(32)
    with pytest.raises(GroupError, match="no result in the group"):
        curve.mul_each(scalar(0), points)
    with pytest.raises(GroupError, match="no result in the group"):
        curve.weighted_sum([scalar(1), scalar(0), scalar(1)], points)
    with pytest.raises(GroupError, match="an operand is not"):
        curve.mul_each(Scalar(b""), points)
    with pytest.raises(GroupError, match="an operand is not"):
        curve.weighted_sum([scalar(1), Scalar(b""), scalar(1)], points)


def test_errors_name_the_field_and_never_the_value(curve: Group) -> None:
    """A refused point or scalar is named by its field; its bytes are not in the message."""
    with pytest.raises(InvalidPointError) as point:
        curve.parse_point(b"\xab" * 32, field="answers")
    with pytest.raises(InvalidScalarError) as scalar_error:
        curve.parse_scalar(b"\xab" * 32, field="proof")
    assert (point.value.field, scalar_error.value.field) == ("answers", "proof")
    assert "ab" * 4 not in str(point.value) + str(scalar_error.value)
    assert "\\xab" not in str(point.value) + str(scalar_error.value)


def test_a_broken_source_of_randomness_gives_no_scalar(curve: Group) -> None:
    """A source that returns zeros is refused instead of making a key that is zero."""
    with pytest.raises(GroupError, match="source of randomness is broken"):
        curve.random_scalar(bytes)
    assert curve.random_scalar(seeded(1)) != curve.random_scalar(seeded(2))


def test_many_threads_get_the_answers_of_one(curve: Group) -> None:
    """Operations from many threads do not disturb each other."""
    numbers = range(2, 66)
    expected = [curve.mul_base(scalar(number)) for number in numbers]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda number: curve.mul(scalar(number), Point(GENERATOR)), numbers))
    assert found == expected


def test_both_libraries_are_one_group() -> None:
    """What one library computes, the other computes too."""
    system, bundled = ristretto.system_group(), ristretto.bundled_group()
    factor = system.random_scalar(seeded(3))
    assert system.name != bundled.name
    assert system.mul_base(factor) == bundled.mul_base(factor)
    assert system.invert(factor) == bundled.invert(factor)


def test_rbcl_leaves_nothing_in_the_temporary_directory(tmp_path: Path) -> None:
    """The library that rbcl writes to the temporary directory at import is gone, and still works."""
    program = (
        "from broker.protocol.ristretto import GENERATOR, Scalar, bundled_group\n"
        "assert bundled_group().mul_base(Scalar(bytes([1]) + bytes(31))) == GENERATOR\n"
    )
    environment = {**os.environ, "TMPDIR": str(tmp_path), "PYTHONPATH": str(Path.cwd())}
    done = subprocess.run(  # the interpreter of this test run with a fixed program
        [sys.executable, "-W", "error", "-c", program], env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert list(tmp_path.iterdir()) == []


def refuse() -> Group:
    """Refuse, as a machine without this library does."""
    raise BackendMissingError("not on this machine")


def test_the_systems_library_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """The system's libsodium is taken first, rbcl's where there is none, and without either Sluis refuses to start."""
    open_group = ristretto.group.__wrapped__
    assert open_group().name in ristretto.SYSTEM_LIBRARIES
    monkeypatch.setattr(ristretto, "system_group", refuse)
    assert open_group().name == "rbcl"
    monkeypatch.setattr(ristretto, "bundled_group", refuse)
    with pytest.raises(BackendMissingError, match="libsodium23"):
        open_group()


def test_a_machine_without_libsodium_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a system library the error names the package; a library of another kind does not pass for it."""
    monkeypatch.setattr(ristretto, "SYSTEM_LIBRARIES", ("libsluis-no-such-library.so.0",))
    with pytest.raises(BackendMissingError, match="apt install libsodium23"):
        ristretto.system_group()
    monkeypatch.setattr(ristretto, "SYSTEM_LIBRARIES", ("libc.so.6",))
    with pytest.raises(BackendMissingError, match="has no ristretto255"):
        ristretto.system_group()


def test_a_library_that_fails_its_self_test_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A library that does not compute the generator of RFC 9496 is not used."""
    monkeypatch.setattr(ristretto, "GENERATOR", DOUBLE)
    with pytest.raises(BackendMissingError, match="fails its self-test"):
        ristretto.system_group()


def test_a_library_that_does_not_start_is_refused() -> None:
    """A libsodium whose start-up fails, as without a source of randomness, is not used."""

    class FailingStart(ctypes.CDLL):
        """The real library, but for its start-up."""

        def sodium_init(self) -> int:
            """Return libsodium's code for a failed start."""
            return -1

    with pytest.raises(BackendMissingError, match="fails its self-test"):
        Group(FailingStart(ristretto.system_group().name), "failing")


def test_rbcl_that_cannot_be_imported_is_a_missing_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where rbcl is not installed, the answer is one error of ours."""
    monkeypatch.setitem(sys.modules, "rbcl", None)
    with pytest.raises(BackendMissingError, match="rbcl cannot be loaded"):
        ristretto.bundled_group()
