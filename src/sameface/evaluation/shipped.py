"""The threshold that comes with the encoder, beside what these photos gave: in words, with what to do."""

from __future__ import annotations

from typing import Final

from sameface.evaluation.results import AtThreshold, Rate, Run

#: Fewer expected events say little: the rule of three takes 3 to speak of a rate at all.
_EXPECTED: Final = 3


def shipped_words(run: Run) -> tuple[str, ...]:
    """A sentence on strangers who pass, and one on the right person refused; none where no threshold was brought along.

    Numbers are per thousand pairs, as people count them.
    """
    point = run.operating_point
    if point is None:
        return ()
    item = next((item for item in run.verification.at_thresholds if item.threshold == point.threshold), None)
    if item is None:
        return ()
    wanted = point.target_fmr if point.target_fmr is not None else point.fmr
    said = [] if wanted is None else [_passing(item, wanted)]
    return (*said, _refused(item, point.fnmr))


def _passing(item: AtThreshold, wanted: float) -> str:
    found, asked = f"{thousandths(item.fmr.value)} false matches in 1,000", thousandths(wanted)
    bounds = _between(item.fmr)
    if item.fmr.interval is not None and item.fmr.interval.low > wanted:
        return f"On these photos {found}, not {asked}{bounds}: calibrate on photos like them before you rely on this τ."
    if item.fmr.trials * wanted < _EXPECTED:
        return f"On these photos {found}{bounds}; τ was chosen for {asked}. There are too few pairs to tell whether that holds here."
    if item.fmr.interval is not None and item.fmr.interval.high < wanted:
        return (
            f"On these photos {found}{bounds}, fewer than the {asked} that τ was chosen for. "
            "Calibrated on photos like them, τ would refuse fewer people."
        )
    return f"On these photos {found}{bounds}; τ was chosen for {asked}, so it holds here."


def _refused(item: AtThreshold, elsewhere: float | None) -> str:
    before = "" if elsewhere is None else f"; on the data behind τ it was {thousandths(elsewhere)}"
    return f"The right person was refused {thousandths(item.fnmr.value)} times in 1,000{_between(item.fnmr)}{before}."


def _between(rate: Rate) -> str:
    if rate.interval is None:
        return ""
    return f" ({thousandths(rate.interval.low)} to {thousandths(rate.interval.high)} with 95 % confidence)"


def thousandths(rate: float) -> str:
    """A rate per thousand, to two digits that count.

    >>> thousandths(0.0035), thousandths(0.001), thousandths(0.0), thousandths(0.25), thousandths(0.000001)
    ('3.5', '1', '0', '250', '0.001')
    """
    return f"{float(f'{1000 * rate:.2g}'):.6f}".rstrip("0").rstrip(".") or "0"
