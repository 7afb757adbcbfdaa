"""Pairing: a unit that was just flashed and the booth it belongs to find each other and prove it by a short code.

The unit listens on nothing. It finds the hub, says the first group of its code, and waits. Somebody types the whole
code on a tablet; hub and unit then prove to each other that they know the same code (SPAKE2, RFC 9382), and the two
letters of an enrolment travel sealed under the key that comes of it.
"""
