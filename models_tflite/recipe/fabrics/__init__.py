"""Procedural worn cloth: woven, printed, draped, photographed. Nothing here looks at a real person."""
