"""What SENSE reads once, before its walls stand: the prior, the colour matrix, its configuration."""
