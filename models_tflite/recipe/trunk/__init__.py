"""The first stages of a network trained on everyday photographs, which pattern.tflite starts from."""
