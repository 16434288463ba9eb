"""Ports for services under test."""

from __future__ import annotations

import random
import socket


def free_port() -> int:
    """A free port of loopback, below those that the system gives to outgoing connections: between looking and listening, none of those takes it."""
    while True:
        port = random.SystemRandom().randrange(20_000, 32_000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
