"""Sluis, the broker: decides, records and only then discloses."""
