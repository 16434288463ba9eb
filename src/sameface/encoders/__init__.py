"""Face crops in, embeddings out."""
