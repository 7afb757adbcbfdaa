"""Counts that remain: per day, and the audit."""
