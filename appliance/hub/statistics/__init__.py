"""What is usual here, how rare a passer-by is, and why."""
