"""What two organisations recorded about each other's being told comes to one answer."""

from broker.domain.consent_standing import Standing, together
from broker.domain.consents import ConsentState


def test_between_two_a_no_of_either_closes_and_a_yes_opens_where_it_counts() -> None:
    """A refusal goes before a withdrawal, either before a yes; a yes that does not count opens nothing."""
    states = {state: Standing(state=state) for state in ConsentState}
    given, refused, withdrawn = (
        states[one] for one in (ConsentState.GIVEN, ConsentState.REFUSED, ConsentState.WITHDRAWN)
    )
    expired, unknown = states[ConsentState.EXPIRED], states[ConsentState.UNKNOWN]
    for among, counting, found in (
        ([given], [given], ConsentState.GIVEN),
        ([given, withdrawn, refused], [given], ConsentState.REFUSED),
        ([withdrawn, given], [given], ConsentState.WITHDRAWN),
        ([given], [], ConsentState.UNKNOWN),
        ([given, expired], [expired, unknown], ConsentState.EXPIRED),
        ([given, expired], [expired, given], ConsentState.GIVEN),
        ([unknown], [unknown], ConsentState.UNKNOWN),
    ):
        assert together(among, counting=counting) is found
