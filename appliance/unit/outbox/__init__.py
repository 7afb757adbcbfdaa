"""RELAY's rooms: checking seals, the spool on disk, publishing. Network, no pixels, no signing key."""
