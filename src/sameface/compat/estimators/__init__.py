"""scikit-learn estimators: photos → embeddings, a gallery as a classifier, pairs → same person or not.

They follow scikit-learn's rules: `__init__` only stores, `fit` returns self, what was learnt ends in ``_``; they clone, pickle, and work in
`Pipeline`, `GridSearchCV` and `cross_val_score`. Bad numeric input raises scikit-learn's own `ValueError`.

Needs the extra ``evaluate``.
"""

from sameface.metrics.extra import need

need("sklearn")

from sameface.compat.estimators.face_encoder import FaceEncoder  # noqa: E402  the check above says what to install
from sameface.compat.estimators.one_shot import OneShotClassifier  # noqa: E402  as above
from sameface.compat.estimators.pair_verifier import PairVerifier  # noqa: E402  as above

__all__ = ["FaceEncoder", "OneShotClassifier", "PairVerifier"]
