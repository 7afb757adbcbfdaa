"""From a frame to an attribute vector. Sees pixels; reaches no network and no disk."""
