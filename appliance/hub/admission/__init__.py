"""The one door: untrusted bytes in, a statement or a numbered refusal out."""
