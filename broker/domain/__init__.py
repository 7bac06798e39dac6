"""What Sluis is about, pure: signals, households and their matches, disclosures, and what can go wrong."""
