"""A gallery on a PostgreSQL server with pgvector, for many machines. The only folder that imports a database driver; needs the extra `postgres`."""
