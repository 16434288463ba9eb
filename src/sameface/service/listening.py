"""Whether the service can listen where it was asked to; looked at before networks are loaded."""

from __future__ import annotations

import socket

from sameface.errors import ListenError


def check_address(host: str, port: int) -> None:
    """Bind the address for a moment, as the server will.

    Raises:
        ListenError: somebody else listens there, the port needs rights, or the host is not an address of this machine.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            probe.listen(1)
    except (OSError, UnicodeError) as error:  # a host name may be no name at all
        raise ListenError(
            expected=f"to listen at {host}, port {port}",
            got=getattr(error, "strerror", None) or str(error),
            advice="stop the other program, or choose another --port or --host",
        ) from error
