"""What a training on a folder leaves: the encoder, and a card that says where it came from."""

from __future__ import annotations

from pathlib import Path

from sameface.models.card import Measurement
from sameface.training.export.encoder import export_encoder
from sameface.training.export.head import export_head
from sameface.training.folder.plan import LANDMARKS, TEMPLATE, FolderPlan
from sameface.training.loop.trainer import Trainer, TrainingResult
from sameface.training.networks import NetworkSpec
from sameface.training.pictures import Pictures
from sameface.training.tuning.exporting import export_tuned


def export_as_planned(
    plan: FolderPlan,
    spec: NetworkSpec,
    trainer: Trainer,
    path: Path,
    data: str,
    training: Pictures,
    result: TrainingResult,
) -> float:
    described = f"{data}: {len(training)} photos of {len(training.people)} people"
    if plan.network == "head":
        from sameface.models.registry import load_card

        base = load_card(plan.encoder)
        return export_head(trainer.network, base, path, title=f"A head on {base.id}", training_data=described)
    if plan.weights is not None:
        same = result.best_step == 0 and plan.settings.patience > 0
        return export_tuned(
            trainer.network,
            plan.weights,
            path,
            title=f"{plan.weights}, " + ("unchanged: no training made it better" if same else "tuned below its head"),
            training_data="nothing new" if same else described,
            measured=_measured_tuned(plan, data, result),
        )
    measured: tuple[Measurement, ...] = ()
    if result.validation is not None:
        measured = (
            Measurement(
                f"{data}, people held out from training",
                f"EER {100 * result.validation.eer:.1f} %",
                plan.finds_by,
                "used to stop training, so it flatters" if plan.settings.patience else "",
            ),
        )
    return export_encoder(
        trainer.network,
        spec,
        path,
        title=f"{plan.network} trained on {data}",
        training_data=described,
        landmarks=LANDMARKS if plan.align else "none",
        template=TEMPLATE if plan.align else "none",
        measured=measured,
    )


def _measured_tuned(plan: FolderPlan, data: str, result: TrainingResult) -> tuple[Measurement, ...]:
    found = result.validation
    if found is None or found.missed is None or found.missed_undamaged is None:
        return ()
    note = "used to stop training, so it flatters" if plan.settings.patience else ""
    rows = (("damaged on purpose", found.missed), ("undamaged", found.missed_undamaged))
    return tuple(
        Measurement(
            f"{data}, people held out from training, {kind}",
            f"{100 * missed:.1f} % missed at FMR 0.1 %",
            plan.finds_by,
            note,
        )
        for kind, missed in rows
    )
