"""What the bench of words looks at: drawn people whose cloth is known, photos with masks, and what glances read."""
