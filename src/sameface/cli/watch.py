"""`sameface watch`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from sameface.cli.options import (
    DetectorOption,
    DeviceOption,
    EncoderOption,
    GalleryOption,
    PointOption,
    ThresholdOption,
)
from sameface.cli.overwriting import OverwriteOption

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sameface.imaging.annotate import FaceLabel
    from sameface.indexing.tracking import Event, Track

#: Below so many frames a second each is looked at.
_FEW: Final = 10.0
#: Seconds that a face may be out of sight; where few frames come, so many of them at least.
_PATIENCE: Final = 1.5
_GAPS: Final = 3.5

JsonLinesOption = Annotated[bool, typer.Option("--json", help="Print a JSON document per line, one for each event.")]

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command()
def watch(
    source: Annotated[
        list[str],
        typer.Argument(
            help="A video file, the number of a camera (0 is the first), or an address like rtsp://…; several cameras as NAME=ADDRESS."
        ),
    ],
    gallery: GalleryOption = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write the video with boxes and names.", show_default=False)
    ] = None,
    overwrite: OverwriteOption = False,
    every: Annotated[
        int | None,
        typer.Option(
            "--every", min=1, help="Look at each n-th frame  [default: 2; 1 below 10 a second]", show_default=False
        ),
    ] = None,
    enough: Annotated[int, typer.Option("--enough", min=1, help="Frames that must agree on a name.")] = 3,
    patience: Annotated[
        float | None,
        typer.Option(
            "--patience",
            min=0,
            help="Seconds a face may be out of sight  [default: 1.5; more where few frames come]",
            show_default=False,
        ),
    ] = None,
    seconds: Annotated[
        float | None, typer.Option("--seconds", min=0, help="Stop after so many.", show_default=False)
    ] = None,
    to: Annotated[
        list[str] | None,
        typer.Option(
            "--to",
            help="Send events there: https://…, mqtt://host/topic; repeat for more. Webhooks are signed by $SAMEFACE_WEBHOOK_SECRET.",
            show_default=False,
        ),
    ] = None,
    outbox: Annotated[Path, typer.Option("--outbox", help="File in which events wait to be delivered.")] = Path(
        "outbox.db"
    ),
    strangers: Annotated[
        str | None,
        typer.Option("--strangers", help="Keep unknown faces in this gallery of their own.", show_default=False),
    ] = None,
    strangers_days: Annotated[
        float, typer.Option("--strangers-days", min=0.01, help="How long a stranger is kept after the last meeting.")
    ] = 30.0,
    liveness: Annotated[
        bool, typer.Option("--liveness", help="Score how living each face looks; one signal, never the whole answer.")
    ] = False,
    encoder: EncoderOption = None,
    detector: DetectorOption = None,
    threshold: ThresholdOption = None,
    operating_point: PointOption = None,
    device: DeviceOption = "cpu",
    json: JsonLinesOption = False,
) -> None:
    """Name the faces of a video or camera, steadily: by vote over each track. A line for each event; Ctrl-C ends it.

    Cameras by address, several cameras, --to, --strangers and --liveness go together: then a camera that is lost is opened again, and events
    have the form that docs/how-to/video.md shows.
    """
    from sameface.cli.options import gallery_location, open_gallery, ready_to_search
    from sameface.cli.output import note, plural, progress
    from sameface.cli.overwriting import new_file
    from sameface.errors import DamagedImageError
    from sameface.files import path_as_text
    from sameface.imaging.annotate import annotate
    from sameface.indexing.cameras import is_address
    from sameface.indexing.tracking import Sighting, Tracker
    from sameface.indexing.video import Video, VideoFile, require_video_name

    if len(source) > 1 or is_address(source[0].partition("=")[2] or source[0]) or to or strangers or liveness:
        from sameface.cli.watching import Telling, watch_cameras
        from sameface.errors import SettingError

        if output is not None:
            raise SettingError(
                expected="a video file or one local camera to write", got="--output", advice="leave it out"
            )
        note(f"gallery: {gallery_location(gallery)}")
        with ready_to_search(
            open_gallery(
                gallery,
                create=False,
                encoder=encoder,
                detector=detector,
                threshold=threshold,
                operating_point=operating_point,
                device=device,
            )
        ) as people:
            telling = Telling(to or (), outbox, strangers, strangers_days, liveness, json)
            stays = _PATIENCE if patience is None else patience
            watch_cameras(source, people, telling, enough=enough, patience=stays, seconds=seconds)
        return
    film = source[0]
    if output is not None:
        require_video_name(output)
        new_file(output, overwrite=overwrite, sources=[film])
    _no_photo(film)
    note(f"gallery: {gallery_location(gallery)}")
    events = _Events(_say_json if json else _say)
    at = 0.0
    with (
        ready_to_search(
            open_gallery(
                gallery,
                create=False,
                encoder=encoder,
                detector=detector,
                threshold=threshold,
                operating_point=operating_point,
                device=device,
            )
        ) as people,
        # "²" is a digit and no number; no machine has ten thousand cameras.
        Video(int(film) if film.isdecimal() and len(film) < 5 else film) as video,
    ):
        step = every or (2 if video.rate >= _FEW else 1)
        stays = max(_PATIENCE, _GAPS * step / video.rate) if patience is None else patience
        tracker = Tracker(enough=enough, window=max(15, enough), patience=stays)
        drawn = VideoFile(output, video.rate / step) if output is not None else None
        try:
            with progress("frames", video.length // step or None) as advance:
                for frame in video.frames(step):
                    at = frame.at
                    if seconds is not None and at >= seconds:
                        break
                    answers = people.identify(frame.image_rgb, candidates=1)
                    seen = [Sighting(item.box, item.name, item.person_id, item.distance) for item in answers]
                    events.tell(tracker.update(at, seen))
                    if drawn is not None:
                        drawn.write(annotate(frame.image_rgb, _labels(tracker.tracks, at)))
                    advance()
        except KeyboardInterrupt:
            note("stopped")
        finally:
            events.tell(tracker.finish(at))
            if drawn is not None:
                drawn.close()
        if 2 * video.damaged > video.length > 0:
            raise DamagedImageError(
                expected=f"a video whose {video.length:,} frames can be read",
                got=f"{path_as_text(film)}, in which {video.damaged:,} cannot",
                advice="look for a whole copy; what was told holds for the frames that could be read",
            )
        if video.damaged:
            note(f"{plural(video.damaged, 'frame')} could not be read and were passed over")
        if events.short:
            note(
                f"nobody was named: a face has to be known in {enough} frames, and here in at most {events.short}, looked at "
                f"every {step / video.rate:.2g} s; try --enough {events.short}, a smaller --every or a larger --patience"
            )


def _no_photo(film: str) -> None:
    """Refuse a photo, which OpenCV would take for a video of one frame; moving pictures (GIF) are videos."""
    from sameface.errors import NotAnImageError
    from sameface.imaging.formats import format_of

    try:
        with Path(film).open("rb") as file:
            kind = format_of(file.read(32))
    except (OSError, ValueError):  # a number of a camera, or what is said later
        return
    if kind not in (None, "GIF"):
        raise NotAnImageError(
            expected="a video or a camera",
            got=f"a photo: {film}",
            advice=f"name its faces with `sameface identify {film}`",
        )


class _Events:
    """What was told so far: whether anybody was named, and if not, how near it came."""

    def __init__(self, say: Callable[[Sequence[Event]], None]) -> None:
        self._say, self._named, self._known = say, False, 0

    def tell(self, events: Sequence[Event]) -> None:
        """Say events, and remember."""
        self._say(events)
        for event in events:
            self._named = self._named or (event.kind == "named" and event.name is not None)
            if event.kind == "left" and event.best_distance is not None:
                self._known = max(self._known, event.frames)

    @property
    def short(self) -> int:
        """Frames of the longest track in which a frame alone knew somebody, though nobody was named; else 0."""
        return 0 if self._named else self._known


def _say_json(events: Sequence[Event]) -> None:
    """One JSON document per line and event, at once."""
    import msgspec

    for event in events:
        sys.stdout.write(msgspec.json.encode(event).decode() + "\n")
        sys.stdout.flush()


def _say(events: Sequence[Event]) -> None:
    """One line per event, at once: when, who, what."""
    from sameface.cli.output import print_line

    for event in events:
        who = event.name or "somebody"
        what = {
            "appeared": "a face appears",
            "named": f"this is {event.name}" if event.name else "no longer sure who this is",
            "left": f"{who} leaves, seen in {event.frames} frames since {_clock(event.since)}",
        }[event.kind]
        print_line(f"{_clock(event.at)}  #{event.track_id}  {what}")
        sys.stdout.flush()


def _clock(seconds: float) -> str:
    """
    >>> _clock(0.0), _clock(75.26)
    ('0:00.0', '1:15.3')
    """
    minutes, rest = divmod(round(seconds, 1), 60)
    return f"{minutes:.0f}:{rest:04.1f}"


def _labels(tracks: Sequence[Track], at: float) -> list[FaceLabel]:
    from sameface.imaging.annotate import FaceLabel

    return [
        FaceLabel(track.box, track.name or "nobody", f"#{track.track_id}", track.name is not None)
        for track in tracks
        if track.last == at
    ]


APPS: Final = {"watch": app}
