"""`sameface train`: a Siamese network from people's pictures, by a file that says it all, or by a recipe on public data."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Final

import typer

from sameface.cli.name_value import settings_from
from sameface.cli.options import JsonOption
from sameface.cli.overwriting import OverwriteOption
from sameface.defaults import DEFAULT_DETECTOR, DEFAULT_ENCODER

app = typer.Typer(rich_markup_mode=None, add_completion=False)

#: What may be given beside --recipe; a recipe decides everything else itself.
_BESIDE_A_RECIPE: Final = frozenset(
    {"data", "recipe", "out", "background", "steps", "seed", "device", "threads", "resume", "overwrite", "json"}
)
#: What may be given beside --config: where to, and how to begin.
_BESIDE_A_CONFIG: Final = frozenset({"config", "out", "threads", "resume", "overwrite", "tensorboard", "json"})

#: What says how an encoder is fine-tuned, and nothing without one.
_WITH_WEIGHTS: Final = frozenset({"freeze", "norms", "layer_decay", "distill"})

#: Said when a training from scratch will take long.
_QUICKER: Final = (
    "quicker, to try it: --size 32 --people 8 --steps 60. Ctrl-C ends this one; --resume would go on with it."
)


@app.command()
def train(
    context: typer.Context,
    data: Annotated[
        str | None,
        typer.Argument(
            help="A folder per person; a .rec, tar files, a CSV of photo and person; package.module:dataset; for a recipe, its folder.",
            show_default=False,
        ),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(help="A training in one TOML file, as every run leaves one in --out.", show_default=False),
    ] = None,
    recipe: Annotated[
        str | None,
        typer.Option(help="omniglot, orl, lfw or lfw-scratch: a whole study on public data.", show_default=False),
    ] = None,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the encoder, checkpoint and logs.")] = Path(
        "training"
    ),
    name: Annotated[str, typer.Option(help="Name of the encoder.")] = "my-encoder",
    network: Annotated[
        str,
        typer.Option(
            help="convnet; inception_resnet_v1; head, a small map on a pretrained encoder; or package.module:Class."
        ),
    ] = "convnet",
    size: Annotated[int | None, typer.Option(help="Side of the network's pictures.", show_default=False)] = None,
    grey: Annotated[bool, typer.Option("--grey", help="Turn pictures to grey first.")] = False,
    dimension: Annotated[int, typer.Option(help="Length of the embedding.")] = 128,
    encoder: Annotated[
        str | None, typer.Option("--encoder", "-e", help="Pretrained encoder below a head.", show_default=False)
    ] = None,
    weights: Annotated[
        str | None,
        typer.Option(
            help="Fine-tune the layers of this encoder: its name, or an ONNX file with a card.", show_default=False
        ),
    ] = None,
    freeze: Annotated[int, typer.Option(min=0, help="With --weights, first layers that stay as they are.")] = 0,
    norms: Annotated[
        bool,
        typer.Option(
            "--freeze-norms/--train-norms",
            help="With --weights, whether batch normalisation keeps its statistics.",
        ),
    ] = True,
    layer_decay: Annotated[
        float, typer.Option(help="With --weights, the rate of a layer over that of the layer above it.")
    ] = 1.0,
    distill: Annotated[
        float,
        typer.Option(min=0, help="With --weights, how much its own answers to undamaged pictures count as targets."),
    ] = 1.0,
    align: Annotated[bool, typer.Option("--align", help="Find and align the face of each photo first.")] = False,
    detector: Annotated[
        str | None, typer.Option("--detector", "-d", help="What finds the faces.", show_default=False)
    ] = None,
    loss: Annotated[
        str | None,
        typer.Option(
            help="triplet, contrastive, koch; arcface, cosface, adaface, softmax; a class of pytorch-metric-learning;"
            " or package.module:Class.  [default: triplet; with --weights none]",
            show_default=False,
        ),
    ] = None,
    margin: Annotated[float | None, typer.Option(help="The loss's margin.", show_default=False)] = None,
    mining: Annotated[
        str | None,
        typer.Option(
            help="all, hard, semi-hard, batch-hard, distance-weighted; for contrastive: all or hard.",
            show_default=False,
        ),
    ] = None,
    loss_setting: Annotated[
        list[str] | None,
        typer.Option(
            help="name=value: scale, centres, share of arcface and its kin; or of a loss of pytorch-metric-learning. As often as needed.",
            show_default=False,
        ),
    ] = None,
    network_setting: Annotated[
        list[str] | None,
        typer.Option(
            help="name=value, an argument of the network's class; commas make a list: widths=32,64,128.",
            show_default=False,
        ),
    ] = None,
    augment: Annotated[
        str | None,
        typer.Option(
            help="faces, camera, characters, none, or package.module:function.  [default: faces; with --weights camera]",
            show_default=False,
        ),
    ] = None,
    sampler: Annotated[
        str | None, typer.Option(help="package.module:Class that draws batches.", show_default=False)
    ] = None,
    callback: Annotated[
        list[str] | None,
        typer.Option(help="package.module:Class that hears of the training; may be repeated.", show_default=False),
    ] = None,
    validation: Annotated[float, typer.Option(help="Share of people held out; 0 for none.")] = 0.2,
    steps: Annotated[
        int | None, typer.Option(help="Batches.  [default: 1000; with --weights 600]", show_default=False)
    ] = None,
    people: Annotated[
        int | None, typer.Option(help="People in a batch.  [default: 32; with --weights 8]", show_default=False)
    ] = None,
    photos: Annotated[int, typer.Option(help="Photos of each in a batch.")] = 4,
    rate: Annotated[
        float | None,
        typer.Option(help="Highest learning rate.  [default: 0.001; with --weights 2e-05]", show_default=False),
    ] = None,
    patience: Annotated[int, typer.Option(help="Validations without progress before stopping; 0 never stops.")] = 5,
    every: Annotated[int, typer.Option(help="Steps between validations and checkpoints.")] = 100,
    seed: Annotated[int, typer.Option(help="The same seed gives the same network.")] = 0,
    device: Annotated[
        str | None, typer.Option(help="cpu, cuda, mps.  [default: a GPU where there is one]", show_default=False)
    ] = None,
    precision: Annotated[str, typer.Option(help="mixed: bfloat16 where it is fast; or float32.")] = "mixed",
    accumulate: Annotated[int, typer.Option(min=1, help="Batches whose gradients make one step.")] = 1,
    compiled: Annotated[
        bool, typer.Option("--compile", help="Let PyTorch compile the network first; not timed here.")
    ] = False,
    threads: Annotated[int, typer.Option(min=0, help="Threads of the CPU; 0 for all.")] = 0,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the checkpoint in --out.")] = False,
    overwrite: OverwriteOption = False,
    tensorboard: Annotated[bool, typer.Option("--tensorboard", help="Write event files too.")] = False,
    background: Annotated[str, typer.Option(help="Omniglot's background set: small1, small2.")] = "small1",
    json: JsonOption = False,
) -> None:
    """Train a Siamese network whose distance means *same*, on your own labelled pictures, and export it.

    People are divided, never photos: validation is on people the network never saw. Ctrl-C keeps a checkpoint;
    `--resume` goes on. Several processes: `torchrun --nproc-per-node 2 -m sameface train photos/`.

    `sameface train photos/ --align --network head` · `sameface train omniglot/ --recipe omniglot`
    """
    from sameface.cli.output import note
    from sameface.errors import SettingError

    if threads:
        from sameface.training.loop.device import use_threads

        use_threads(threads)
    sources = {name: context.get_parameter_source(name) for name in context.params}
    given = {name for name, source in sources.items() if source is not None and source.name == "COMMANDLINE"}
    if steps is not None and steps < 1:
        raise SettingError(expected="at least one step", got=str(steps), advice="give --steps 1000")
    if "background" in given and recipe != "omniglot":
        raise SettingError(
            expected="--background with --recipe omniglot", got=recipe or "no recipe", advice="leave it out"
        )
    if weights is None and (alone := given & _WITH_WEIGHTS):
        raise SettingError(
            expected="--weights beside what says how an encoder is fine-tuned",
            got=", ".join(sorted(f"--{name.replace('_', '-')}" for name in alone)),
            advice="add --weights sface-2021dec-unit, or leave it out",
        )
    if (data is None) == (config is None):
        raise SettingError(expected="DATA or --config", got="both" if data else "neither", advice="give one of them")
    from sameface.training.loop.memory import keep_memory

    keep_memory()
    if recipe is not None and data is not None:
        from sameface.cli.train_recipe import study

        if others := sorted(given - _BESIDE_A_RECIPE):
            raise SettingError(
                expected=f"beside --recipe only {', '.join(sorted(_BESIDE_A_RECIPE - {'data', 'recipe'}))}",
                got=", ".join(f"--{name.replace('_', '-')}" for name in others),
                advice="a recipe decides these itself: leave them out, or train on a folder without --recipe",
            )
        study(
            recipe,
            Path(data),
            out,
            background=background,
            steps=steps,
            seed=seed,
            device=device,
            resume=resume,
            overwrite=overwrite,
            json=json,
        )
        return
    from sameface.cli.train_result import say
    from sameface.cli.training_bar import TrainingBar
    from sameface.training.folder import FolderPlan, read_plan, train_folder
    from sameface.training.folder.plan import FINE_TUNING
    from sameface.training.folder.plan_file import PlanFile, is_import
    from sameface.training.loop.settings import TrainingSettings

    usual = TrainingSettings() if weights is None else FINE_TUNING
    plan = FolderPlan(
        network=network,
        size=size,
        grey=grey,
        dimension=dimension,
        loss=loss,
        margin=margin,
        mining=mining,
        loss_settings=settings_from(loss_setting),
        options=settings_from(network_setting),
        domain=augment,
        weights=weights,
        freeze=freeze,
        norms_frozen=norms,
        layer_decay=layer_decay,
        distill=distill,
        sampler=sampler,
        callbacks=tuple(callback or ()),
        align=align,
        detector=detector or DEFAULT_DETECTOR,
        encoder=encoder or DEFAULT_ENCODER,
        validation=validation,
        device=device,
        precision=precision,
        compiled=compiled,
        settings=replace(
            usual,
            steps=usual.steps if steps is None else steps,
            people=usual.people if people is None else people,
            photos=photos,
            accumulate=accumulate,
            learning_rate=usual.learning_rate if rate is None else rate,
            validate_every=every,
            save_every=every,
            patience=patience if validation > 0 else 0,
            seed=seed,
        ),
    )
    if config is not None:
        if others := sorted(given - _BESIDE_A_CONFIG):
            raise SettingError(
                expected=f"beside --config only {', '.join(sorted(_BESIDE_A_CONFIG - {'config'}))}",
                got=", ".join(f"--{name.replace('_', '-')}" for name in others),
                advice="write the others into the file, or leave it out",
            )
        told = read_plan(config)
        source = told.source(config)
    else:
        assert data is not None
        told = PlanFile(data, name, plan)
        source = data if is_import(data) else Path(data)
    scratch = told.plan.weights is None and told.plan.network != "head"
    with TrainingBar(_QUICKER if scratch else "") as bar:
        result = train_folder(
            source,
            out,
            told.plan,
            name=told.name,
            resume=resume,
            overwrite=overwrite,
            tensorboard=tensorboard,
            threads=threads or None,
            reading=bar.reading,
            started=note,
            progress=lambda step, numbers: bar.training(step, told.plan.settings.steps, numbers),
        )
    say(result, out, json)


APPS: Final = {"train": app}
