"""What is taken where nothing is said: each default that several rooms share, once."""

from __future__ import annotations

from typing import Final

#: Chosen by measurement, see docs/decisions/default-encoder.md.
DEFAULT_ENCODER: Final = "sface-2021dec-unit"
DEFAULT_DETECTOR: Final = "yunet"
#: Share of searches for strangers that may name somebody: the target of τ(K).
DEFAULT_FPIR: Final = 0.01
#: The gallery of the command line, in the folder where it is called.
DEFAULT_GALLERY: Final = "people.db"
#: The file of keys that `sameface keys` writes there.
DEFAULT_KEYS: Final = "keys.json"
