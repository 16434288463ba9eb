"""ONNX graphs, rewritten once when a network is converted: the same function, in a form that runs anywhere and faster."""
