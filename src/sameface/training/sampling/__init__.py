"""Samplers: which photos make a batch."""

from sameface.training.sampling.people_times_photos import PeopleTimesPhotos

__all__ = ["PeopleTimesPhotos"]
