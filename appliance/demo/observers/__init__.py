"""What the demo watches from outside: the pipe, what the real unit said, and a tablet without a screen."""
