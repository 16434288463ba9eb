"""Mining: which triplets of a batch are worth a step.

A batch of m photos holds of the order of m³ triplets; most are solved after the first minutes. Every miner here
keeps to memory of the order of m²: for each pair of photos of one person it picks at most one photo of someone else.
``all`` sums over every triplet without ever listing them.
"""

from sameface.training.mining.all_triplets import sum_of_all_triplets
from sameface.training.mining.by_name import Mining, triplet_miner
from sameface.training.mining.triplets import TripletMiner, Triplets

__all__ = ["Mining", "TripletMiner", "Triplets", "sum_of_all_triplets", "triplet_miner"]
