"""The life of an alert, and what is needed to forget whoever is behind it."""
