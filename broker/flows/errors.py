"""What goes wrong inside a flow and stays there: a flow turns it into a recorded "not done".

DecisionFailedError     a decision could not be made; not a `BrokerError`, so nobody outside ever meets it
"""


class DecisionFailedError(Exception):
    """A decision could not be made; the request is not done, and that is recorded."""
