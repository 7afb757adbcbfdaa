"""SQLite: schema, rows, and the state of a hub between two starts."""
