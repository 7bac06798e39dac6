"""The routes, one module per resource (docs/formats.md section 6)."""
