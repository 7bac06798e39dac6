"""Source systems: one module per format, each giving typed cases and the rows that broke a rule."""
