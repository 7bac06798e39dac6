"""The partner's side: identifiers are read, blinded and kept here, and nowhere else in Sluis."""
