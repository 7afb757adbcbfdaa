"""Whom to alert, given stock, staff and the hours that are left."""
