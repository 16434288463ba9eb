"""`sameface watch`."""

from __future__ import annotations

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

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sameface.imaging.annotate import FaceLabel
    from sameface.indexing.tracking import Event, Track

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command()
def watch(
    source: Annotated[str, typer.Argument(help="A video file, or the number of a camera (0 is the first).")],
    gallery: GalleryOption = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write the video with boxes and names.", show_default=False)
    ] = None,
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
) -> None:
    """Name the faces of a video or camera, steadily: by vote over each track. Events are JSON lines; Ctrl-C ends it."""
    from sameface.cli.options import gallery_location, open_gallery
    from sameface.cli.output import note
    from sameface.imaging.annotate import annotate
    from sameface.indexing.tracking import Sighting, Tracker
    from sameface.indexing.video import Video, VideoFile

    note(f"gallery: {gallery_location(gallery)}")
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
        Video(int(source) if source.isdigit() else source) as video,
    ):
        drawn = VideoFile(output, video.rate / every) if output is not None else None
        try:
            for frame in video.frames(every):
                at = frame.at
                if seconds is not None and at >= seconds:
                    break
                answers = people.identify(frame.image_rgb, candidates=1)
                seen = [Sighting(item.box, item.name, item.person_id, item.distance) for item in answers]
                _say(tracker.update(at, seen))
                if drawn is not None:
                    drawn.write(annotate(frame.image_rgb, _labels(tracker.tracks, at)))
        except KeyboardInterrupt:
            note("stopped")
        finally:
            _say(tracker.finish(at))
            if drawn is not None:
                drawn.close()


def _say(events: Sequence[Event]) -> None:
    """One JSON line per event, at once."""
    import sys

    import msgspec

    for event in events:
        sys.stdout.write(msgspec.json.encode(event).decode() + "\n")
        sys.stdout.flush()


def _labels(tracks: Sequence[Track], at: float) -> list[FaceLabel]:
    from sameface.imaging.annotate import FaceLabel

    return [
        FaceLabel(track.box, track.name or "nobody", f"#{track.track_id}", track.name is not None)
        for track in tracks
        if track.last == at
    ]


APPS: Final = {"watch": app}
