"""The printed colour card: drawn, read by a unit inside SENSE's walls, and turned into the camera's matrix."""
