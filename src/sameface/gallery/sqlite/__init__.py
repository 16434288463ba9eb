"""A gallery in one SQLite file: the record, and the search matrix that follows it."""
