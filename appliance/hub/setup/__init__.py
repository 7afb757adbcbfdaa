"""Setting cameras up from an installer's tablet: orders to units, walk tests, counts by hand."""
