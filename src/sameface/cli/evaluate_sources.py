"""What `sameface evaluate` measures and writes: encoders by name, embeddings or scores that are given, and files that may be written."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sameface.evaluation.given import GivenEmbeddings
    from sameface.evaluation.plan import Plan
    from sameface.evaluation.results import Evaluation
    from sameface.evaluation.run_templates import TemplateEvaluation
    from sameface.recognizer import Recognizer
    from sameface.types import OperatingPoint


@dataclass(frozen=True, slots=True)
class Outputs:
    """Files that an evaluation is to write, None for those that were not asked for."""

    report: Path | None
    png: Path | None
    scores: Path | None
    embeddings: Path | None

    def check(self, *, overwrite: bool, sources: Sequence[Path]) -> None:
        """Refuse what cannot be written, before any work.

        Raises:
            OutputError: something lies there.
            ExtraMissingError: a library that writes it is not installed.
            SettingError: a file of embeddings with another ending.
        """
        from sameface.cli.overwriting import new_file, new_folder
        from sameface.errors import SettingError
        from sameface.metrics.extra import require

        for file in (self.report, self.scores, self.embeddings):
            if file is not None:
                new_file(file, overwrite=overwrite, sources=sources)
        if self.embeddings is not None and self.embeddings.suffix.lower() != ".npz":
            raise SettingError(
                expected="a name that ends in .npz", got=str(self.embeddings), advice="embeddings are a NumPy file"
            )
        if self.png is not None:
            new_folder(self.png, overwrite=overwrite)
        if self.report is not None:
            require("jinja2", "matplotlib")
        if self.png is not None:
            require("matplotlib")


def sources(
    encoders: Sequence[str] | None,
    detectors: Sequence[str] | None,
    device: str,
    point: OperatingPoint | None,
    embeddings: Path | None,
) -> Iterable[Recognizer | GivenEmbeddings]:
    """Every encoder with every detector, or the embeddings of a file.

    Raises:
        SettingError: both were asked for.
    """
    from sameface.defaults import DEFAULT_DETECTOR, DEFAULT_ENCODER
    from sameface.errors import SettingError
    from sameface.evaluation.calibrate import recognizers
    from sameface.evaluation.given import read_embeddings

    if embeddings is None:
        return recognizers(
            encoders or [DEFAULT_ENCODER], detectors or [DEFAULT_DETECTOR], device=device, operating_point=point
        )
    if encoders or detectors:
        raise SettingError(
            expected="embeddings, or an encoder that makes them", got="both", advice="leave one of them out"
        )
    return [read_embeddings(embeddings, point)]


def given_scores(data: Path, plan: Plan, point: OperatingPoint | None, unused: Sequence[str]) -> Evaluation | None:
    """The evaluation of a table of scores; None for any other data.

    Args:
        data: what the command was given.
        plan, point: as for photos.
        unused: options that were given and that scores have no use for.

    Raises:
        SettingError: there are such options.
        DataError, NotEnoughDataError: scores that cannot be read or measured.
    """
    from sameface.errors import SettingError
    from sameface.evaluation.run_scores import evaluate_scores
    from sameface.evaluation.scores_file import is_scores, read_scores

    if not is_scores(data):
        return None
    if unused:
        raise SettingError(
            expected="photos for " + " and ".join(unused),
            got=f"scores in {data}",
            advice="leave those options out; groups are columns of the table",
        )
    return evaluate_scores(read_scores(data), plan=plan, point=point)


def given_templates(
    data: Path,
    protocol: str,
    unused: Sequence[str],
    recognizers: Iterable[Recognizer | GivenEmbeddings],
    *,
    workers: int | None,
) -> TemplateEvaluation:
    """IJB-B, IJB-C or TinyFace, evaluated on templates.

    Raises:
        SettingError: options that were given and that templates have no use for.
        DataError: the folder is no such data set.
    """
    from sameface.cli.output import progress
    from sameface.datasets import read_ijb, read_tinyface
    from sameface.errors import DataError, SettingError
    from sameface.evaluation.given import GivenEmbeddings
    from sameface.evaluation.run_templates import evaluate_templates

    if unused:
        raise SettingError(
            expected=f"{protocol} without {' and '.join(unused)}", got="both", advice="leave those options out"
        )
    templates = read_tinyface(data) if protocol == "tinyface" else read_ijb(data)
    if protocol != "tinyface" and templates.name.lower() != protocol:
        raise DataError(expected=f"{protocol.upper()} in {data}", got=templates.name, advice="give the other folder")
    encoders = (item for item in recognizers if not isinstance(item, GivenEmbeddings))
    return evaluate_templates(templates, encoders, workers=workers, progress=progress)
