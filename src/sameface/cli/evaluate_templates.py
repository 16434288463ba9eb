"""What `sameface evaluate --protocol ijb-c` prints: one row a number, one column an encoder."""

from __future__ import annotations

from sameface.cli.output import print_line, print_table
from sameface.evaluation.run_templates import TemplateEvaluation
from sameface.metrics.percent import percent


def print_templates(found: TemplateEvaluation) -> None:
    """Print all that was measured on templates."""
    first = found.runs[0]
    pairs = f"; {found.mated_pairs} mated and {found.non_mated_pairs} non-mated pairs" if found.mated_pairs else ""
    galleries = ", ".join(f"{name} of {count}" for name, count in found.galleries.items())
    print_line(
        f"{found.name}: {first.faces} faces in {first.templates} templates{pairs}; {found.probes} probes; galleries: {galleries or 'none'}; "
        "intervals at 95 %"
    )
    rows = []
    for at, item in enumerate(first.rates):
        name = f"{item.measure}, {item.gallery}" if item.gallery else item.measure
        cells = [run.rates[at].rate for run in found.runs]
        rows.append([f"{name}, %", *(percent(rate.value, rate.interval) for rate in cells)])
    rows.append(["faces not encoded", *(f"{run.faces_without_embedding} of {run.faces}" for run in found.runs)])
    print_table(["", *(run.space.encoder for run in found.runs)], rows)
