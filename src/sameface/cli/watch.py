"""`sameface watch`."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

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
    from collections.abc import Sequence

    from sameface.imaging.annotate import FaceLabel
    from sameface.indexing.tracking import Event, Track

JsonLinesOption = Annotated[bool, typer.Option("--json", help="Print a JSON document per line, one for each event.")]

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command()
def watch(
    source: Annotated[str, typer.Argument(help="A video file, or the number of a camera (0 is the first).")],
    gallery: GalleryOption = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write the video with boxes and names.", show_default=False)
    ] = None,
    overwrite: OverwriteOption = False,
    every: Annotated[int, typer.Option("--every", min=1, help="Look at each n-th frame.")] = 2,
    enough: Annotated[int, typer.Option("--enough", min=1, help="Frames that must agree on a name.")] = 3,
    patience: Annotated[float, typer.Option("--patience", min=0, help="Seconds a face may be out of sight.")] = 1.5,
    seconds: Annotated[
        float | None, typer.Option("--seconds", min=0, help="Stop after so many.", show_default=False)
    ] = None,
    encoder: EncoderOption = None,
    detector: DetectorOption = None,
    threshold: ThresholdOption = None,
    operating_point: PointOption = None,
    device: DeviceOption = "cpu",
    json: JsonLinesOption = False,
) -> None:
    """Name the faces of a video or camera, steadily: by vote over each track. A line for each event; Ctrl-C ends it."""
    from sameface.cli.options import gallery_location, open_gallery
    from sameface.cli.output import note
    from sameface.cli.overwriting import new_file
    from sameface.imaging.annotate import annotate
    from sameface.indexing.tracking import Sighting, Tracker
    from sameface.indexing.video import Video, VideoFile

    if output is not None:
        new_file(output, overwrite=overwrite, sources=[source])
    note(f"gallery: {gallery_location(gallery)}")
    say = _say_json if json else _say
    tracker = Tracker(enough=enough, window=max(15, enough), patience=patience)
    at = 0.0
    with (
        open_gallery(
            gallery,
            create=False,
            encoder=encoder,
            detector=detector,
            threshold=threshold,
            operating_point=operating_point,
            device=device,
        ) as people,
        # "²" is a digit and no number; no machine has ten thousand cameras.
        Video(int(source) if source.isdecimal() and len(source) < 5 else source) as video,
        # Where the lines themselves show on the terminal they are progress enough.
        _progress(video.length // every) as advance,
    ):
        drawn = VideoFile(output, video.rate / every) if output is not None else None
        try:
            for frame in video.frames(every):
                at = frame.at
                if seconds is not None and at >= seconds:
                    break
                answers = people.identify(frame.image_rgb, candidates=1)
                seen = [Sighting(item.box, item.name, item.person_id, item.distance) for item in answers]
                say(tracker.update(at, seen))
                if drawn is not None:
                    drawn.write(annotate(frame.image_rgb, _labels(tracker.tracks, at)))
                advance()
        except KeyboardInterrupt:
            note("stopped")
        finally:
            say(tracker.finish(at))
            if drawn is not None:
                drawn.close()


def _progress(frames: int) -> AbstractContextManager[Any]:
    from sameface.cli.output import progress

    return nullcontext(lambda: None) if sys.stdout.isatty() else progress("frames", frames or None)


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
