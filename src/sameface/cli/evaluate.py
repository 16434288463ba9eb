"""`sameface evaluate`: accuracy on labelled photos, by the published protocols, several encoders side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Final

import typer

from sameface.cli.options import DeviceOption, JsonOption
from sameface.cli.overwriting import OverwriteOption
from sameface.defaults import DEFAULT_FPIR

#: Options that templates are evaluated with too.
_ENCODERS: Final = ("--encoder", "--detector")

app = typer.Typer(rich_markup_mode=None, add_completion=False)

DataArgument = Annotated[
    Path,
    typer.Argument(
        help="A folder per person; a CSV table of pairs (a,b,same) or photos (photo,person); the folder of CFP, RFW or Omniglot; "
        "InsightFace's .bin or .rec; WebDataset's .tar; with --pairs, a folder of images; or scores (a,b,same,distance)."
    ),
]
EncodersOption = Annotated[
    list[str] | None,
    typer.Option("--encoder", "-e", help="Encoder by name or ONNX file; may be repeated.", show_default=False),
]
DetectorsOption = Annotated[
    list[str] | None, typer.Option("--detector", "-d", help="Detector by name; may be repeated.", show_default=False)
]
PeopleOption = Annotated[
    Path | None,
    typer.Option(
        "--people", help="LFW's list of people, or a split of Omniglot's characters: only these.", show_default=False
    ),
]
CapOption = Annotated[int, typer.Option("--photos", min=0, help="Photos of each person at most; 0 for all.")]
NoCacheOption = Annotated[bool, typer.Option("--no-cache", help="Keep no embeddings on this machine.")]


@app.command()
def evaluate(
    data: DataArgument,
    encoder: EncodersOption = None,
    detector: DetectorsOption = None,
    pairs: Annotated[
        Path | None,
        typer.Option(
            "--pairs",
            help="List of pairs of LFW, CALFW, CPLFW, XQLFW, RFW, or two paths and 1 or 0.",
            show_default=False,
        ),
    ] = None,
    people: PeopleOption = None,
    choose_on: Annotated[
        Path | None,
        typer.Option(
            "--choose-on", help="Another list of pairs: its best threshold is scored on DATA, once.", show_default=False
        ),
    ] = None,
    cfp: Annotated[str, typer.Option(help="CFP's experiment: FF or FP.")] = "FP",
    groups: Annotated[
        Path | None,
        typer.Option(
            "--groups",
            help="CSV with the column person or photo, and one per grouping: error rates by group.",
            show_default=False,
        ),
    ] = None,
    protocol: Annotated[
        str | None,
        typer.Option(
            "--protocol",
            help="A published protocol: also its own numbers, as papers print them. lfw, xqlfw, calfw, cplfw, agedb-30, "
            "cfp-ff, cfp-fp, rfw; ijb-b, ijb-c, tinyface.",
            show_default=False,
        ),
    ] = None,
    group_by: Annotated[
        str | None,
        typer.Option(
            "--group-by",
            help="Groups that photos themselves give: turned, small, blurred; with a limit, small=80.",
            show_default=False,
        ),
    ] = None,
    photos: CapOption = 10,
    folds: Annotated[
        int | None,
        typer.Option(
            min=2,
            help="Folds, where the protocol has none of its own.  [default: 10, or fewer where people are few]",
            show_default=False,
        ),
    ] = None,
    fpir: Annotated[float, typer.Option(help="Wanted FPIR of 1:K.")] = DEFAULT_FPIR,
    classifiers: Annotated[
        bool, typer.Option("--classifiers", help="Also kNN, SVM and logistic regression on the embeddings.")
    ] = False,
    few_shot: Annotated[
        str | None,
        typer.Option(
            "--few-shot",
            help="Ways x shots, as 5x1,20x1,5x5,20x5: classes told apart from so few examples.",
            show_default=False,
        ),
    ] = None,
    within: Annotated[
        str | None,
        typer.Option(
            "--within", help="Group column whose value all classes of a few-shot episode share.", show_default=False
        ),
    ] = None,
    operating_point: Annotated[
        Path | None, typer.Option("--operating-point", help="Score this file's threshold.", show_default=False)
    ] = None,
    report: Annotated[
        Path | None, typer.Option("--report", help="Write the report, one HTML page.", show_default=False)
    ] = None,
    png: Annotated[
        Path | None, typer.Option("--png", help="Write each plot into this folder.", show_default=False)
    ] = None,
    hardest: Annotated[
        int,
        typer.Option(
            min=0, help="Show so many of the hardest pairs as pictures in the report. For your own machine only."
        ),
    ] = 0,
    disturbed: Annotated[
        int,
        typer.Option(
            min=0, help="Damage photos of so many people in 54 ways, and say what the threshold does on them."
        ),
    ] = 0,
    embeddings: Annotated[
        Path | None,
        typer.Option("--embeddings", help="NumPy file with photos and embeddings, to be measured.", show_default=False),
    ] = None,
    embeddings_out: Annotated[
        Path | None,
        typer.Option("--embeddings-out", help="Write the embeddings to a NumPy file.", show_default=False),
    ] = None,
    scores_out: Annotated[
        Path | None,
        typer.Option(
            "--scores-out",
            help="Write pairs, distances, labels and groups: CSV or .parquet. `sameface evaluate` reads them again.",
            show_default=False,
        ),
    ] = None,
    overwrite: OverwriteOption = False,
    no_cache: NoCacheOption = False,
    workers: Annotated[int, typer.Option(min=0, help="Photos worked on at once; 0 for one per core.")] = 0,
    device: DeviceOption = "cpu",
    json: JsonOption = False,
) -> None:
    """Measure how well faces are told apart, on labelled photos: error rates with intervals, never a bare number.

    `sameface evaluate photos/` · `sameface evaluate lfw/ --pairs lfw/pairs.txt -e dlib-resnet -e pixels --report lfw.html`
    """
    from sameface.cli.evaluate_sources import Outputs, given_scores, given_templates, sources
    from sameface.cli.few_shot import read_questions
    from sameface.cli.output import note, print_json, progress
    from sameface.evaluation.cache import EmbeddingCache, default_cache
    from sameface.evaluation.derived_groups import read_groupings
    from sameface.evaluation.plan import Plan
    from sameface.evaluation.published import ON_TEMPLATES, protocol_named
    from sameface.evaluation.run import evaluate as run
    from sameface.matching import false_match_rate_for
    from sameface.models.operating_points import load_operating_point

    Outputs(report, png, scores_out, embeddings_out).check(
        overwrite=overwrite, sources=[data, *filter(None, (pairs, groups, embeddings, operating_point))]
    )
    false_match_rate_for(fpir, 1)
    templates = protocol.lower() if protocol and protocol.lower() in ON_TEMPLATES else None
    plan = Plan(
        folds=folds,
        classifiers=classifiers,
        fpir=fpir,
        hardest=hardest,
        disturbed=disturbed,
        few_shot=read_questions(few_shot, within),
        few_shot_within=within,
        group_by=read_groupings(group_by) if group_by else {},
        protocol=protocol_named(protocol) if protocol and templates is None else None,
        scores_out=scores_out,
        embeddings_out=embeddings_out,
    )
    point = load_operating_point(operating_point) if operating_point else None
    photos_wanted = {
        "--encoder": encoder,
        "--detector": detector,
        "--pairs": pairs,
        "--people": people,
        "--choose-on": choose_on,
        "--groups": groups,
        "--group-by": group_by,
        "--classifiers": classifiers,
        "--few-shot": few_shot,
        "--hardest": hardest,
        "--disturbed": disturbed,
        "--embeddings": embeddings,
        "--embeddings-out": embeddings_out,
        "--scores-out": scores_out,
    }
    unused = [name for name, value in photos_wanted.items() if value]
    if templates is not None:
        pages = {"--report": report, "--png": png, "--operating-point": operating_point}
        unused = [name for name in (*unused, *(page for page, file in pages.items() if file)) if name not in _ENCODERS]
        results = given_templates(
            data, templates, unused, sources(encoder, detector, device, None, None), workers=workers or None
        )
        if json:
            print_json(results)
        else:
            from sameface.cli.evaluate_templates import print_templates

            print_templates(results)
        return
    found = given_scores(data, plan, point, unused)
    if found is None:
        if protocol is not None and protocol.lower().startswith("cfp-"):
            cfp = protocol[-2:]
        bench = open_bench(data, pairs=pairs, people=people, cfp=cfp, groups=groups, photos=photos)
        other = open_bench(data, pairs=choose_on) if choose_on is not None else None
        where = None if no_cache or embeddings is not None else default_cache()
        if embeddings is None:
            note(f"embeddings are {'not kept' if where is None else f'kept in {where}'}")
        with EmbeddingCache(where) as cache:
            found = run(
                bench,
                sources(encoder, detector, device, point, embeddings),
                plan=plan,
                choose_on=other,
                cache=cache,
                workers=workers or None,
                progress=progress,
            )
    if report is not None or png is not None:
        from sameface.evaluation.report import write_plots, write_report

        if report is not None:
            write_report(found, report, pictures=hardest > 0)
            note(f"report: {report}")
        if png is not None:
            note(f"plots: {', '.join(path.name for path in write_plots(found, png))} in {png}")
    if json:
        print_json(found)
    else:
        from sameface.cli.evaluate_tables import print_evaluation

        print_evaluation(found)


def open_bench(
    data: Path,
    *,
    pairs: Path | None = None,
    people: Path | None = None,
    cfp: str = "FP",
    groups: Path | None = None,
    photos: int = 0,
) -> Any:
    """A data set from options, problems said."""
    from sameface.cli.output import note
    from sameface.datasets import LabelledPhotos, open_data, read_groups
    from sameface.errors import SettingError

    experiment = cfp.upper()
    if experiment not in ("FF", "FP"):
        raise SettingError(expected="FF or FP", got=repr(cfp), advice="choose one of CFP's two experiments")
    bench = open_data(data, pairs=pairs, people=people, cfp="FF" if experiment == "FF" else "FP")
    if groups is not None:
        bench = read_groups(bench, groups)
    dropped = [item for item in bench.problems if item.dropped]
    for item in dropped[:3]:
        note(f"set aside: {item.error}")
    if len(dropped) > 3:
        note(f"set aside: {len(dropped) - 3} more; all are counted in the report")
    return bench.at_most(photos) if photos and isinstance(bench, LabelledPhotos) else bench


APPS: Final = {"evaluate": app}
