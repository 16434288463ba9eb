"""What a call over many photos could not use is said once, as a warning: an answer alone would look whole."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Final

#: More would fill a screen.
_NAMED: Final = 3


def warn_of(passed_over: Sequence[str]) -> None:
    """One `UserWarning` for what was passed over, each in words; none where nothing was.

    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     warn_of(["a.jpg: a broken link", "b.jpg: no picture"])
    >>> print(caught[0].message)
    2 passed over: a.jpg: a broken link; b.jpg: no picture
    """
    if passed_over:
        more = [f"{len(passed_over) - _NAMED} more"] if len(passed_over) > _NAMED else []
        said = "; ".join([*passed_over[:_NAMED], *more])
        warnings.warn(f"{len(passed_over)} passed over: {said}", UserWarning, stacklevel=4)
