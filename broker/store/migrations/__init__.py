"""The schema's history, run by Alembic from `broker.store.schema`."""
