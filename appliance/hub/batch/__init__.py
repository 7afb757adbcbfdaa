"""Scoring of whole tables of categories: ``leftfield score``."""
