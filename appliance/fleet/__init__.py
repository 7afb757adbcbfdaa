"""A fleet of booths: their reports taken in by several workers, kept in PostgreSQL, shown on one page.

Only counts of crowds and the state of booths come in (``protocol/fleet_report.py``): no vector, nobody's time.
"""
