"""Bundles and decision points, loaded once."""

import pytest

from policies import Bundle, DecisionPoint, InsecureTestBundleWarning, load_bundle


@pytest.fixture(scope="session")
def shipped() -> Bundle:
    """The documents we ship."""
    return load_bundle()


@pytest.fixture(scope="session")
def trial() -> Bundle:
    """The shipped documents and the test ones."""
    with pytest.warns(InsecureTestBundleWarning):
        return load_bundle(insecure_test_bundle=True)


@pytest.fixture(scope="session")
def point(shipped: Bundle) -> DecisionPoint:
    """A decision point over the shipped documents."""
    return shipped.decision_point()


@pytest.fixture(scope="session")
def trial_point(trial: Bundle) -> DecisionPoint:
    """A decision point over the shipped and the test documents."""
    return trial.decision_point()
