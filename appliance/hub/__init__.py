"""What runs on the booth's hub: the one door, what is usual here, and who should know of an exception."""
