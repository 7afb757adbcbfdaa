"""The garments network: its shape, its training on rendered people, its export."""
