"""Samplers: which photos make a batch."""

from sameface.training.sampling.every_photo import EveryPhoto
from sameface.training.sampling.people_times_photos import PeopleTimesPhotos
from sameface.training.sampling.sampler import Sampler

__all__ = ["EveryPhoto", "PeopleTimesPhotos", "Sampler"]
