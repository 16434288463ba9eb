"""What cameras see, told to other systems: events, an outbox that loses none, signed webhooks, MQTT."""

from __future__ import annotations

from sameface.events.outbox import Outbox, Waiting
from sameface.events.sender import Sender
from sameface.events.signing import is_signed, signature

__all__ = ["Outbox", "Sender", "Waiting", "is_signed", "signature"]
