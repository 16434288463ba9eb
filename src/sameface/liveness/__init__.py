"""Was a living face there, or a picture of one? One photo's look, and a session of asked movements."""

from __future__ import annotations

from sameface.liveness.passive import Liveness, PassiveLiveness

__all__ = ["Liveness", "PassiveLiveness"]
