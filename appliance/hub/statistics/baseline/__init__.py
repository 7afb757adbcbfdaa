"""Decayed counts of what is worn, and what follows from them."""
