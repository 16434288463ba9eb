"""Where events go: a webhook or an MQTT broker. Each takes one event and says whether it has it."""

from __future__ import annotations

import http.client
import ssl
import time
from collections.abc import Callable
from typing import Any, Protocol
from urllib.parse import SplitResult, unquote, urlsplit

from sameface.errors import ExtraMissingError, SettingError, without_passwords
from sameface.events.outbox import Waiting
from sameface.events.signing import HEADER, ID_HEADER, signature

#: Seconds for a connection, and for an answer.
_PATIENCE = 10.0


class Target(Protocol):
    """A receiver.

    Attributes:
        name: names it in the outbox and in messages: its address without a password.
    """

    name: str

    def send(self, waiting: Waiting) -> str:
        """Hand over one event. Returns "" when the receiver has it, else why not."""
        ...

    def close(self) -> None:
        """Let go of what is open."""
        ...


def target_of(address: str, *, secret: bytes = b"") -> Target:
    """The receiver at an address.

    Args:
        address: ``https://…``, ``http://…``, or ``mqtt://host:port/topic`` and ``mqtts://…``.
        secret: signs webhooks.

    Raises:
        SettingError: another kind of address, or a webhook without a secret.
        ExtraMissingError: MQTT without the extra.
    """
    parts = urlsplit(address)
    if parts.scheme in ("http", "https") and parts.hostname:
        if not secret:
            raise SettingError(
                expected="a secret that signs webhooks",
                got="none",
                advice="put one into SAMEFACE_WEBHOOK_SECRET, and give it to the receiver",
            )
        return Webhook(parts, secret)
    if parts.scheme in ("mqtt", "mqtts") and parts.hostname and parts.path.strip("/"):
        return Mqtt(parts)
    raise SettingError(
        expected="https://…, http://…, mqtt://host/topic or mqtts://host/topic",
        got=repr(without_passwords(address)),
        advice="correct the address",
    )


class Webhook:
    """POSTs each event as JSON, signed. An answer of 200 to 299 means that the receiver has it; redirects are not followed."""

    def __init__(self, address: SplitResult, secret: bytes, *, clock: Callable[[], float] = time.time) -> None:
        self._address, self._secret, self._clock = address, secret, clock
        self.name = without_passwords(address.geturl())

    def send(self, waiting: Waiting) -> str:
        """As `Target.send`."""
        address = self._address
        kind = http.client.HTTPSConnection if address.scheme == "https" else http.client.HTTPConnection
        connection = kind(address.hostname or "", address.port, timeout=_PATIENCE)
        path = (address.path or "/") + (f"?{address.query}" if address.query else "")
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "sameface",
            ID_HEADER: waiting.event_id,
            HEADER: signature(self._secret, waiting.body, int(self._clock())),
        }
        try:
            connection.request("POST", path, waiting.body, headers)
            status = connection.getresponse().status
        except (OSError, http.client.HTTPException) as error:
            return without_passwords(str(error) or type(error).__name__)
        finally:
            connection.close()
        return "" if 200 <= status < 300 else f"status {status}"

    def close(self) -> None:
        """Nothing stays open."""


class Mqtt:
    """Publishes each event to a topic, at least once (QoS 1). User and password come with the address."""

    def __init__(self, address: SplitResult) -> None:
        try:
            import paho.mqtt.client as paho
            from paho.mqtt.enums import CallbackAPIVersion
        except ImportError as error:
            raise ExtraMissingError(
                expected="the extra `mqtt`",
                got="an installation without paho-mqtt",
                advice='run `pip install "sameface[mqtt]"`',
            ) from error
        self.name = without_passwords(address.geturl())
        self._topic = unquote(address.path.strip("/"))
        self._where = (address.hostname or "", address.port or (8883 if address.scheme == "mqtts" else 1883))
        self._client: Any = paho.Client(CallbackAPIVersion.VERSION2, clean_session=True)
        self._client.connect_timeout = _PATIENCE
        if address.username:
            self._client.username_pw_set(unquote(address.username), unquote(address.password or ""))
        if address.scheme == "mqtts":
            self._client.tls_set_context(ssl.create_default_context())
        self._open = False

    def send(self, waiting: Waiting) -> str:
        """As `Target.send`."""
        try:
            self._connect()
            sent = self._client.publish(self._topic, waiting.body, qos=1)
            sent.wait_for_publish(_PATIENCE)
            if sent.is_published():
                return ""
        except (OSError, ValueError, RuntimeError) as error:
            self.close()
            return without_passwords(str(error) or type(error).__name__)
        self.close()
        return "the broker did not say that it has it"

    def close(self) -> None:
        """Leave the broker."""
        if self._open:
            self._client.disconnect()
            self._client.loop_stop()
            self._open = False

    def _connect(self) -> None:
        if self._open and self._client.is_connected():
            return
        self.close()
        self._client.connect(*self._where, keepalive=30)
        self._client.loop_start()
        self._open = True
        until = time.monotonic() + _PATIENCE
        while not self._client.is_connected():
            if time.monotonic() > until:
                raise ConnectionError("the broker did not take the connection")
            time.sleep(0.02)
