"""Model cards, weights files and their readers, and the one door to ONNX Runtime."""
