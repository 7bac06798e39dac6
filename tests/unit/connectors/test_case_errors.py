"""What a message breaks is told by field and rule, so that a worker can repair it without a manual."""

import pytest
from pydantic import ValidationError

from broker.protocol.match_messages import TeamRef
from connectors.errors import case_error

SECRET = "999990019"
NUMBER = "0" * 20


@pytest.mark.parametrize(
    ("members", "told"),
    [
        ({"organisation": SECRET, "team": "t"}, "organisation: is not an OIN of 20 digits"),
        ({"team": "t"}, "organisation: must be given"),
        ({"organisation": NUMBER, "team": SECRET * 99}, "team: is not a short name"),
        ({"organisation": NUMBER, "team": "t", SECRET: 1}, "message: has a member that is not known here"),
    ],
)
def test_the_rule_is_named_and_the_value_is_not(members: dict[str, object], told: str) -> None:
    """A number of a resident that was typed in the wrong place, or as the name of a field, is in no error."""
    with pytest.raises(ValidationError) as broken:
        TeamRef.model_validate(members)
    error = str(case_error(broken.value))
    assert told in error
    assert SECRET not in error
