"""Who is who from frame to frame, by geometry alone."""
