"""`sameface liveness`: does a photo look like a living face; how often is that wrong on your own photos."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from sameface.cli.options import DetectorOption, DeviceOption, JsonOption
from sameface.cli.overwriting import OverwriteOption

if TYPE_CHECKING:
    from sameface.evaluation.presentation import KindRate, Presentations

app = typer.Typer(rich_markup_mode=None, add_completion=False, no_args_is_help=True)

FolderArgument = Annotated[
    Path, typer.Argument(help="Holds real/ and a folder for each kind of attack: print/, replay/, mask/ …")
]
PointOption = Annotated[
    Path | None,
    typer.Option("--threshold-file", help="What `liveness calibrate` wrote.", show_default=False),
]


@app.callback()
def liveness() -> None:
    """One look at a photo: a living face, or a picture of one? One signal, never the whole answer."""


@app.command()
def check(
    photos: Annotated[list[Path], typer.Argument(help="Photos as the camera took them, not cut.")],
    detector: DetectorOption = None,
    device: DeviceOption = "cpu",
    json: JsonOption = False,
) -> None:
    """Score each face: 0 looks like a picture of a face, 1 like a living one."""
    from sameface.cli.output import print_json, print_line
    from sameface.faces import DEFAULT_DETECTOR, load_detector
    from sameface.faces.upright import find_upright
    from sameface.imaging import open_photo
    from sameface.liveness import PassiveLiveness
    from sameface.recognizer.wire import rounded

    finder, passive = load_detector(detector or DEFAULT_DETECTOR, device=device), PassiveLiveness(device=device)
    answers = []
    for path in photos:
        photo = open_photo(path)
        faces = find_upright(finder, photo.image_rgb)
        judged = passive.judge(photo, faces)
        answers.append(
            {
                "photo": str(path),
                "faces": [
                    {"box": rounded(face.box), "score": item.score, "by_network": dict(item.by_network)}
                    for face, item in zip(faces, judged, strict=True)
                ],
            }
        )
        if not json:
            scores = ", ".join(f"{item.score:.3f}" for item in judged)
            print_line(f"{path}: {scores or 'no face'}")
    if json:
        print_json(answers)


@app.command()
def evaluate(
    folder: FolderArgument,
    threshold: Annotated[
        float | None, typer.Option("--threshold", min=0, max=1, help="Living iff score ≥ this.", show_default=False)
    ] = None,
    threshold_file: PointOption = None,
    detector: DetectorOption = None,
    device: DeviceOption = "cpu",
    json: JsonOption = False,
) -> None:
    """APCER for each kind of attack and BPCER, with intervals, at a threshold and along a curve.

    There is no threshold that is right everywhere: calibrate one on photos of your own camera, and evaluate it on others.
    """
    from sameface.cli.output import print_json, print_line, print_table
    from sameface.errors import SettingError
    from sameface.evaluation.presentation import report_at
    from sameface.liveness.decision import load_liveness_point

    if threshold_file is not None:
        if threshold is not None:
            raise SettingError(expected="--threshold or --threshold-file", got="both", advice="give one")
        threshold = load_liveness_point(threshold_file).threshold
    report = report_at(_scored(folder, detector, device), 0.5 if threshold is None else threshold, data=folder.name)
    if json:
        print_json(report)
        return
    print_line(f"living iff score ≥ {report.threshold:.4f}")
    print_table(
        ["photos", "rate", "%", "faces", "without a face"],
        [_row(report.bpcer, "BPCER"), *(_row(item, "APCER") for item in report.apcer)],
    )
    print_table(
        ["threshold", "BPCER %", "largest APCER %"],
        [
            [f"{at:.2f}", f"{100 * bpcer:.2f}", "–" if worst is None else f"{100 * worst:.2f}"]
            for at, bpcer, worst in report.curve
        ],
    )


@app.command()
def calibrate(
    folder: FolderArgument,
    bpcer: Annotated[float, typer.Option("--bpcer", help="Share of living faces that may be refused.")] = 0.02,
    out: Annotated[Path, typer.Option("--out", "-o", help="File to write.")] = Path("liveness.json"),
    overwrite: OverwriteOption = False,
    detector: DetectorOption = None,
    device: DeviceOption = "cpu",
    json: JsonOption = False,
) -> None:
    """Choose the threshold that refuses a stated share of living faces, on photos of your own camera."""
    from sameface.cli.output import note, print_json, print_line
    from sameface.cli.overwriting import new_file
    from sameface.evaluation.presentation import choose_threshold
    from sameface.liveness.decision import save_liveness_point
    from sameface.liveness.passive import NETWORKS

    path = new_file(out, overwrite=overwrite)
    point = choose_threshold(
        _scored(folder, detector, device), bpcer, data=folder.name, networks=[name for name, _ in NETWORKS]
    )
    save_liveness_point(point, path)
    note(f"written: {path}")
    if json:
        print_json(point)
    else:
        worst = f", largest APCER {100 * max(point.apcer.values()):.1f} %" if point.apcer else ", no attacks to measure"
        print_line(f"living iff score ≥ {point.threshold:.4f}: BPCER {100 * point.bpcer:.2f} % of {point.faces}{worst}")


@app.command()
def session(
    source: Annotated[str, typer.Argument(help="The number of a camera (0 is the first), or a video file.")] = "0",
    steps: Annotated[int, typer.Option("--steps", min=3, max=8, help="Movements.")] = 4,
    camera: Annotated[
        bool, typer.Option("--camera", help="The camera is moved, where a head cannot be turned.")
    ] = False,
    detector: DetectorOption = None,
    device: DeviceOption = "cpu",
    json: JsonOption = False,
) -> None:
    """Ask whoever is before the camera for a few movements. Exit code 0: somebody is there; 1: not shown."""
    from sameface.cli.output import note, print_json, print_line
    from sameface.faces import DEFAULT_DETECTOR
    from sameface.indexing.video import Video
    from sameface.recognizer import Recognizer
    from sameface.recognizer.live import LiveSession

    recognizer = Recognizer(detector=detector or DEFAULT_DETECTOR, device=device)
    now = 0.0
    with Video(int(source) if source.isdecimal() and len(source) < 5 else source) as video:
        live = LiveSession(recognizer, steps=steps, moved_by="camera" if camera else "head", clock=lambda: now)
        said = ""
        for frame in video.frames():
            now = frame.at
            words = live.see(frame.image_rgb).words
            if words != said:
                note(words)
            said = words
            if live.over:
                break
    result = live.result
    if json:
        print_json(result)
    else:
        print_line("somebody is there" if result.passed else f"not shown: {result.reason or 'the frames ended'}")
    if not result.passed:
        raise typer.Exit(1)


def _scored(folder: Path, detector: str | None, device: str) -> list[Presentations]:
    from sameface.cli.output import progress
    from sameface.evaluation.presentation import score_folder
    from sameface.faces import DEFAULT_DETECTOR
    from sameface.liveness import PassiveLiveness
    from sameface.metrics.extra import require
    from sameface.recognizer import Recognizer

    require("scipy")
    recognizer = Recognizer(detector=detector or DEFAULT_DETECTOR, device=device)
    with progress("photos", None) as advance:
        return score_folder(folder, recognizer, PassiveLiveness(device=device), progress=lambda done, total: advance())


def _row(item: KindRate, name: str) -> list[str]:
    low, high = 100 * item.interval.low, 100 * item.interval.high
    return [item.kind, name, f"{100 * item.rate:.2f} [{low:.2f}, {high:.2f}]", str(item.faces), str(item.without)]


APPS: Final = {"liveness": app}
