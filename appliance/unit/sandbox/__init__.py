"""SENSE's walls: what is closed, in which order, and the probes that try each."""
