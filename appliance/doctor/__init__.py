"""The doctor: looks at a running unit or hub and says what each promise's evidence is, and what is wrong."""
