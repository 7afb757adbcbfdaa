"""What may leave a unit, and how it is spelled and signed."""
