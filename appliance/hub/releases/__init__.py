"""Releases for the analyst: what a crowd wore, with noise that hides each sighting, and a ledger of the price."""
