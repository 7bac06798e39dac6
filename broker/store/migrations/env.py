"""Alembic runs this file: it migrates over the connection that `broker.store.schema` brings."""

from alembic import context

from broker.store import (
    call_models,  # noqa: F401 - its tables are of the same metadata
    consent_models,  # noqa: F401 - its tables are of the same metadata
    follow_up_models,  # noqa: F401 - its tables are of the same metadata
    request_models,  # noqa: F401 - its tables are of the same metadata
)
from broker.store.models import Table

context.configure(connection=context.config.attributes["connection"], target_metadata=Table.metadata)
with context.begin_transaction():
    context.run_migrations()
