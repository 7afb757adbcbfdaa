"""What is worn: colours, patterns and kinds of garments, with how sure."""
