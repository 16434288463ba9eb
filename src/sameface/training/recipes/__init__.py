"""Recipes: whole trainings on public data, each one command."""
