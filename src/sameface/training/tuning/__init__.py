"""Fine-tuning an encoder below its head: its graph as a network, its own answers as the teacher, and back into its file."""
