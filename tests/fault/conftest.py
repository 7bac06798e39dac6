"""Tests of this folder may ask a whole served broker."""

from tests.simulators.served_fixtures import template, world

__all__ = ["template", "world"]
