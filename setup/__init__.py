"""Brings a fresh machine to the point where Leftfield runs: Python 3.11, make and git are all it needs.

Invariants: standard library only; nothing outside the checkout is written except by the one announced system
step (`system.py`); packages are asked for by name from the machine's own apt and pip, which check signatures and
hashes; what is already in place costs no time and no word.
"""
