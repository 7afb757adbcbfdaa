"""The recipe of pattern.tflite: samples, training, export, evaluation."""
