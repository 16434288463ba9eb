"""`sameface watch` with cameras that go on: their events as lines, to webhooks and brokers; strangers; scores."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sameface.events import Sender
    from sameface.indexing.cameras import Look
    from sameface.indexing.watching import CameraEvent, Watcher
    from sameface.recognizer import Gallery

#: Where the secret that signs webhooks is looked for: not on the command line, which others can read.
SECRET_VARIABLE = "SAMEFACE_WEBHOOK_SECRET"


@dataclass(frozen=True, slots=True)
class Telling:
    """Where events go, and what is kept.

    Attributes:
        to: addresses of webhooks and brokers. outbox: file in which events wait for them.
        strangers: gallery of strangers, None keeps none. days: how long they are kept.
        liveness: whether faces are scored. json: lines for programs.
    """

    to: Sequence[str]
    outbox: Path
    strangers: str | None
    days: float
    liveness: bool
    json: bool


def watch_cameras(
    sources: Sequence[str],
    people: Gallery,
    telling: Telling,
    *,
    enough: int,
    patience: float,
    seconds: float | None,
) -> None:
    """Watch until Ctrl-C or for so many seconds; what was seen by then is told."""
    from sameface.cli.output import note
    from sameface.indexing.cameras import Cameras, named

    cameras = named(sources)
    with _sender(telling) as sender, _watchers(list(cameras), people, telling, enough, patience) as watchers:
        at = 0.0
        try:
            with Cameras(cameras) as opened:
                for look in opened.looks(seconds=seconds):
                    at = look.at
                    _tell(_seen(watchers[look.camera], look), sender, json=telling.json)
        except KeyboardInterrupt:
            note("stopped")
        for watcher in watchers.values():
            _tell(watcher.finish(at), sender, json=telling.json)


def _seen(watcher: Watcher, look: Look) -> list[CameraEvent]:
    if look.what == "frame":
        assert look.image_rgb is not None
        return watcher.look(look.at, look.image_rgb)
    return [watcher.lost_or_back(look.what)]


@contextlib.contextmanager
def _watchers(
    names: Sequence[str], people: Gallery, telling: Telling, enough: int, patience: float
) -> Iterator[dict[str, Watcher]]:
    from sameface.indexing.strangers import Strangers
    from sameface.indexing.watching import Watcher
    from sameface.liveness import PassiveLiveness
    from sameface.recognizer import Gallery

    with contextlib.ExitStack() as open_ones:
        strangers = None
        if telling.strangers is not None:
            gallery = open_ones.enter_context(Gallery(telling.strangers, recognizer=people.recognizer))
            strangers = Strangers(gallery, days=telling.days)
        passive = PassiveLiveness() if telling.liveness else None
        yield {
            name: Watcher(name, people, strangers=strangers, passive=passive, enough=enough, patience=patience)
            for name in names
        }


@contextlib.contextmanager
def _sender(telling: Telling) -> Iterator[Sender | None]:
    from sameface.cli.output import note
    from sameface.events import Outbox, Sender
    from sameface.events.targets import target_of

    if not telling.to:
        yield None
        return
    secret = os.environ.get(SECRET_VARIABLE, "").encode()
    targets = [target_of(address, secret=secret) for address in telling.to]
    with contextlib.closing(Outbox(telling.outbox)) as outbox:
        if len(outbox):
            note(f"{len(outbox)} events of before wait in {telling.outbox}")
        with Sender(outbox, targets, say=note) as sender:
            yield sender
        if len(outbox):
            note(f"{len(outbox)} events could not be delivered and wait in {telling.outbox}")


def _tell(events: Sequence[CameraEvent], sender: Sender | None, *, json: bool) -> None:
    import msgspec

    from sameface.cli.output import print_line

    for event in events:
        body = msgspec.json.encode(event)
        if sender is not None:
            sender.put(body)  # before it is shown: what was shown is never lost
        print_line(body.decode() if json else in_words(event))
        sys.stdout.flush()


def in_words(event: CameraEvent) -> str:
    """One event as a line for people."""
    who = event.name or "somebody"
    score = "" if event.liveness is None else f", {event.liveness:.2f}"
    what = {
        "known": f"this is {who}",
        "unknown": f"nobody who is known{f', {who} for the {event.meetings}. time' if event.stranger else ''}",
        "left": f"{who} leaves",
        "liveness": f"how living it looks{score}",
        "lost": "no frames come; tried again",
        "back": "frames come again",
    }[event.event]
    face = f"  #{event.track_id}" if event.track_id else ""
    return f"{event.time[:19]}  {event.camera}{face}  {what}"
