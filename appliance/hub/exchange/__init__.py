"""What travels between hubs and from a hub to its units: signed baselines and priors."""
