"""Error rates of verification and identification, with intervals: pure functions on arrays of distances.

Everywhere: distances, lower is more alike, and the rule *same iff distance < τ*. A *mated* distance belongs to two photos of one person, a
*non-mated* one to photos of two. ``inf`` stands for a comparison that could not be made, because a face was not found: it is under no τ.
"""

from sameface.metrics.accuracy import FoldResult, accuracy_by_fold, accuracy_threshold, mean_and_standard_error
from sameface.metrics.bootstrap import bootstrap_interval, people_weights
from sameface.metrics.curves import Curve, area_under_curve, curve, equal_error_rate
from sameface.metrics.folds import person_disjoint_folds, shares_people
from sameface.metrics.intervals import RULE_OF_30, binomial_interval, clopper_pearson, pairs_needed, rule_of_three
from sameface.metrics.rates import false_match_rate, false_non_match_rate
from sameface.metrics.search import OpenSetRates, cmc, open_set_rates, ranks_of_mates
from sameface.metrics.thresholds import tar_at_fmr, threshold_at_fmr, threshold_at_fpir

__all__ = [
    "RULE_OF_30",
    "Curve",
    "FoldResult",
    "OpenSetRates",
    "accuracy_by_fold",
    "accuracy_threshold",
    "area_under_curve",
    "binomial_interval",
    "bootstrap_interval",
    "clopper_pearson",
    "cmc",
    "curve",
    "equal_error_rate",
    "false_match_rate",
    "false_non_match_rate",
    "mean_and_standard_error",
    "open_set_rates",
    "pairs_needed",
    "people_weights",
    "person_disjoint_folds",
    "ranks_of_mates",
    "rule_of_three",
    "shares_people",
    "tar_at_fmr",
    "threshold_at_fmr",
    "threshold_at_fpir",
]
