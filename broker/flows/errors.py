"""What goes wrong inside a flow and stays there: a flow turns it into a recorded "not done".

DecisionFailedError         a decision could not be made; not a `BrokerError`, so nobody outside ever meets it
├── PolicyExpiredError      the bundle in force holds no more on this day
└── PolicyNotHeldError      the log has another bundle in force than this process has
"""


class DecisionFailedError(Exception):
    """A decision could not be made; the request is not done, and that is recorded."""

    reason = "error"
    """The code that the entry of the failure has."""


class PolicyExpiredError(DecisionFailedError):
    """Nothing of the bundle in force holds on this day, so nothing is decided."""

    reason = "policy-expired"


class PolicyNotHeldError(DecisionFailedError):
    """The log has a bundle in force that this process has not."""

    reason = "policy-not-held"
