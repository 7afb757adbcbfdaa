"""Draws dressed people without faces: jointed bodies, garments on them, streets behind, cameras in front."""
