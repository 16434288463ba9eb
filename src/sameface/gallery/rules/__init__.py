"""What may be stored: names, details, ids and vectors, checked in one place for every backend."""
