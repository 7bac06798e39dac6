"""Giving the role that the broker serves as its rights, by the role that owns the schema."""

from sqlalchemy import Connection, text

from broker.store.rights import RIGHTS


def grant_service(connection: Connection, role: str) -> None:
    """The role has exactly these rights on our tables, whatever it or everybody had before."""
    name = connection.dialect.identifier_preparer.quote_identifier(role)
    connection.execute(text(f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {name}, PUBLIC"))
    connection.execute(text(f"REVOKE CREATE ON SCHEMA public FROM {name}, PUBLIC"))
    connection.execute(text(f"GRANT USAGE ON SCHEMA public TO {name}"))
    connection.execute(text(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {name}"))
    for table, rights in RIGHTS.items():
        connection.execute(text(f"GRANT {rights} ON {table} TO {name}"))
