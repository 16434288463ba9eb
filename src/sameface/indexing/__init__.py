"""Bulk work: archives and albums of photos, clusters of faces, workers on many machines."""
