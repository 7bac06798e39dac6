"""The demonstration: a whole small Sluis on real processes, played through its commands."""
