"""Leftfield: reads what passers-by wear, keeps no picture, and says only what is rare."""

__version__ = "0.2.0"
