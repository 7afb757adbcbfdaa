"""Alerts, the staff's requests and the answers, and what tablets are told."""
