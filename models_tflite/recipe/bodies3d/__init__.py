"""People in three dimensions: CC0 bodies in garments of our own cloth, in streets built and rendered with Blender."""
