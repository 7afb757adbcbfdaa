"""The looks at one vector: single values, pairs, and the whole."""
