"""Frames from a recorded file, a V4L2 device or a Raspberry Pi camera."""
