"""What photos suffer in the field, made on purpose: turned, blurred, small, dark, covered, reduced to a few tones.

A false match rate holds for photos like those it was measured on. These functions make photos that are not, each at stated strengths, so that what a
threshold does on them can be measured. Strengths that are lengths are in pixels of a face that is 100 pixels wide: the same strength means the
same damage to a large face and to a small one.
"""

from __future__ import annotations

from typing import Final

from sameface.evaluation.disturbances import covers, detail, geometry, light, tones
from sameface.evaluation.disturbances.base import Disturb, Disturbance, face_of
from sameface.types import Detection, ImageRGB

__all__ = ["ALL", "FURTHER", "LESS_USUAL", "USUAL", "Disturbance", "face_of"]


def _both(first: Disturb, strength: float, second: Disturb) -> Disturb:
    """One disturbance at a fixed strength, then another."""

    def apply(image_rgb: ImageRGB, face: Detection, of_second: float) -> ImageRGB:
        return second(first(image_rgb, face, strength), face, of_second)

    return apply


#: Kinds are named so that "it looks …" reads well: that is what a face is told which is refused.
#: What the field has most.
USUAL: Final = (
    Disturbance("turned", (90, 180, 270), "°", geometry.turned),
    Disturbance("blurred", (2, 3, 4, 5, 6), "pixels σ", detail.blurred),
    Disturbance("small", (40, 30, 24, 18, 14), "pixels", detail.small),
    Disturbance("JPEG", (20, 15, 10, 5), "quality", detail.jpeg),
    Disturbance("dark", (0.3, 0.15, 0.08, 0.04), "× light", light.lit),
    Disturbance("over-exposed", (2, 3, 5, 8), "× light", light.lit),
    Disturbance("masked", (220, 30), "grey", covers.masked),
    Disturbance("sunglasses", (10,), "grey", covers.sunglasses),
    Disturbance("half cut", (0, 1, 2, 3), "", geometry.half_cut),
    Disturbance("one bit", (0, 1), "", tones.one_bit),
    Disturbance("posterised", (4, 3, 2), "tones", tones.posterised),
)
#: Less usual kinds.
LESS_USUAL: Final = (
    Disturbance("moved", (10, 20, 30), "pixels", detail.moved),
    Disturbance("noisy", (20, 50, 90), "grey levels", detail.noisy),
    Disturbance("specked", (0.05, 0.2, 0.4), "share", detail.specked),
    Disturbance("mosaic", (24, 16, 10), "cells", detail.mosaic),
    Disturbance("inverted", (1,), "", tones.inverted),
    Disturbance("little contrast", (0.3, 0.1, 0.04), "share", light.flat),
    Disturbance("tinted", (0, 1, 2), "channel", tones.tinted),
    Disturbance("stretched", (0.5, 0.7, 1.4, 2.0), "×", geometry.stretched),
    Disturbance("striped", (3, 8), "pixels", detail.striped),
    Disturbance("sketched", (1,), "", detail.sketched),
)
#: What people hold, wear, draw and do to photos, and pairs of two kinds. The first domain that shipped had not learned from these.
FURTHER: Final = (
    Disturbance("moved aslant", (15, 30), "pixels", detail.moved_aslant),
    Disturbance("tilted", (30, 45), "°", geometry.tilted),
    Disturbance("mirrored", (1,), "", geometry.mirrored),
    Disturbance("of another gamma", (0.3, 3, 5), "exponent", light.gamma),
    Disturbance("swirled", (30, 90), "°", geometry.swirled),
    Disturbance("skewed", (0.15, 0.3), "share", geometry.in_perspective),
    Disturbance("covered by a scarf", (0, 1), "", covers.scarf),
    Disturbance("covered by dark lenses", (0.35, 0.1), "× light", covers.two_lenses),
    Disturbance("covered by a hand over the eyes", (2, 3), "fingers", covers.hand_over_the_eyes),
    Disturbance("covered by a hand over the mouth", (1,), "", covers.hand_over_the_mouth),
    Disturbance("covered over one eye", (20, 235), "grey", covers.one_eye),
    Disturbance("covered by a cap", (0.15, 0.3), "share", covers.cap),
    Disturbance("painted over", (3, 7), "hundredths", covers.moustache),
    Disturbance("covered by text", (0.4, 0.8), "share", covers.lettered),
    Disturbance("half in shadow", (0.3, 0.1), "× light", light.half_in_shadow),
    Disturbance("shaded from above", (0.3, 0.1), "× light", light.under_a_brim),
    Disturbance("dazzled", (250, 500), "grey levels", light.in_the_beam),
    Disturbance("foggy", (0.5, 0.8, 0.93), "share", light.in_fog),
    Disturbance("small and JPEG", (40, 28, 20), "pixels", detail.small_jpeg),
    Disturbance("grey", (1,), "", tones.grey),
    Disturbance("heat-coloured", (1,), "", tones.heat),
    Disturbance("of swapped colours", (1,), "", tones.swapped),
    Disturbance("solarised", (160, 90), "level", tones.solarised),
    Disturbance("half-toned", (1,), "", tones.half_toned),
    Disturbance("over-sharpened", (300, 900), "percent", detail.sharpened),
    Disturbance("interlaced", (4, 10), "pixels", detail.interlaced),
    Disturbance("blurred and dark", (0.3, 0.1), "× light", _both(detail.blurred, 2, light.lit)),
    Disturbance("dark and noisy", (15, 40), "grey levels", _both(light.lit, 0.3, detail.noisy)),
    Disturbance("blurred and small", (40, 24), "pixels", _both(detail.blurred, 2, detail.small)),
    Disturbance("masked and dark", (0.3, 0.15), "× light", _both(covers.masked, 220, light.lit)),
    Disturbance("masked with sunglasses", (10,), "grey", _both(covers.masked, 220, covers.sunglasses)),
    Disturbance("foggy and JPEG", (15, 8), "quality", _both(light.in_fog, 0.5, detail.jpeg)),
    Disturbance("bulged", (-0.3, 0.5), "exponent", geometry.bulged),
)
#: What a domain is learned from.
ALL: Final = (*USUAL, *LESS_USUAL, *FURTHER)
