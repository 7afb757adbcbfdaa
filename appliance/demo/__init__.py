"""A booth in a box: one real unit, a simulated street, the real hub, broker and tablet page on one machine."""
