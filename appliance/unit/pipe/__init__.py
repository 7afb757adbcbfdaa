"""The one-way pipe between SENSE and RELAY: the form of a record, and SENSE's end of it."""
