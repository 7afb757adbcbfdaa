"""The exporter of metrics: what the booth says of itself, in the form that Prometheus reads."""
