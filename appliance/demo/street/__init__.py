"""The simulated street: invented passers-by, and units that say what they wear."""
