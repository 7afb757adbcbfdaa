"""Images: what a unit's or a hub's card holds, how it is built, written and labelled."""
