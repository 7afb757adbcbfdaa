"""The int8 models: finding, loading and running each, on the CPU or an Edge TPU."""
