"""What makes or uses the folder of a run: fit, prediction, adaptation, comparison, repetition."""
