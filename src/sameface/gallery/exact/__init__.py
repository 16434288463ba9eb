"""Exact search in memory: a scan that proves a bound, then the distance function itself."""
