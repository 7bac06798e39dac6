"""SQLite behind the ports: state and log in one database, one writer, one transaction per tick (D7, D14)."""
