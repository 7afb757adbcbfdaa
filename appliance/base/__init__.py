"""What everything stands on: the error families, files that are whole or old, the link to systemd."""
