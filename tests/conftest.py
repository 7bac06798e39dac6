"""Settings that hold for every test: examples without a deadline, because a shared machine may pause at any moment."""

from hypothesis import settings

settings.register_profile("sluis", deadline=None, print_blob=True)
settings.load_profile("sluis")
