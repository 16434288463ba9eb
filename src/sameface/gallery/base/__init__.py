"""The rules that every backend shares."""
