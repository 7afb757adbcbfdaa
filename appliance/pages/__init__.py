"""The pages people look at, and the small server that hands them out."""
