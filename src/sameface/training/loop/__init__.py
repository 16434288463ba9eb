"""The loop: batches in, a trained network out; what it saves, says and stops for."""
