"""Settings that hold for every test: examples without a deadline, because a shared machine may pause at any moment."""

import os

from hypothesis import settings

settings.register_profile("sluis", deadline=None, print_blob=True)
settings.register_profile("mutate", deadline=None, max_examples=15, database=None)  # one run for every mutant
settings.load_profile(os.environ.get("SLUIS_TEST_PROFILE", "sluis"))
