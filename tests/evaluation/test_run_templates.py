"""IJB and TinyFace from pictures to their published numbers, beside slow loops."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from sameface.cli.app import main
from sameface.datasets import read_ijb
from sameface.evaluation.run_templates import TemplateEvaluation, embed_faces, evaluate_templates
from sameface.evaluation.templates import pool_templates
from sameface.metrics import clopper_pearson
from tests.datasets.test_templates import write_ijb


@pytest.fixture
def ijb(tmp_path: Path) -> Path:
    """IJB-C's lists with faces in colours of their own; one file is missing, one is damaged."""
    owner = write_ijb(tmp_path / "IJBC")
    generator = np.random.default_rng(0)
    colours = {person: generator.integers(30, 225, 3) for person in sorted(set(owner.values()))}
    (tmp_path / "IJBC" / "loose_crop").mkdir()
    for line in (tmp_path / "IJBC/meta/ijbc_face_tid_mid.txt").read_text().splitlines():
        name, template, _ = line.split()
        pixels = np.clip(generator.normal(colours[owner[int(template)]], 12, (20, 20, 3)), 1, 255).astype(np.uint8)
        Image.fromarray(pixels).save(tmp_path / "IJBC/loose_crop" / name)
    (tmp_path / "IJBC/loose_crop/3.jpg").unlink()
    (tmp_path / "IJBC/loose_crop/5.jpg").write_bytes(b"no picture")
    return tmp_path / "IJBC"


def rates(found: TemplateEvaluation) -> dict[tuple[str, str], Any]:
    return {(item.gallery, item.measure): item.rate for item in found.runs[0].rates}


def test_numbers_equal_a_loop(ijb: Path, fake: Any) -> None:
    templates = read_ijb(ijb)
    found = evaluate_templates(templates, [fake])
    assert found.runs[0].faces_without_embedding == 2
    embeddings, there = embed_faces(fake, templates, workers=1, advance=lambda steps: None)
    assert not there[2]
    assert not there[4]
    pooled = pool_templates(templates, embeddings, there, weighted=True)
    apart = np.linalg.norm(pooled[:, None].astype(np.float64) - pooled[None], axis=2)
    lost = ~pooled.any(axis=1)
    apart[lost], apart[:, lost] = np.inf, np.inf
    mated = np.sort(apart[templates.a, templates.b][templates.same])
    non_mated = np.sort(apart[templates.a, templates.b][~templates.same])
    non_mated = non_mated[np.isfinite(non_mated)]
    for target in (0.1, 0.01):
        allowed = int(np.floor(target * len(non_mated)))
        tar = rates(found)["", f"TAR at FMR {target:g}"]
        assert tar.value == pytest.approx((mated < non_mated[allowed] - 1e-7).mean())
        assert tar.interval is not None
    for name, gallery in templates.galleries.items():
        people = templates.subjects[gallery]
        ranks, unknown, passed = [], [], []
        for probe in templates.probes:
            by_person = {person: min(apart[probe, gallery[people == person]]) for person in people}
            own = by_person.get(templates.subjects[probe])
            if own is None:
                unknown.append(min(by_person.values()))
            else:
                ranks.append(sum(value <= own for value in by_person.values()))
                passed.append(own)
        for rank in (1, 5):
            assert rates(found)[name, f"rank {rank}"].value == pytest.approx(np.mean(np.array(ranks) <= rank))
        threshold = np.sort(unknown)[int(0.1 * len(unknown))]
        named = [rank == 1 and own < threshold - 1e-7 for rank, own in zip(ranks, passed, strict=True)]
        assert rates(found)[name, "TPIR at FPIR 0.1"].value == pytest.approx(np.mean(named))
        right = rates(found)[name, "rank 1"]
        if 0 < right.events < right.trials:
            exact = clopper_pearson(right.events, right.trials)
            assert abs(right.interval.low - exact.low) < 0.3


def test_at_the_shell(ijb: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("SAMEFACE_PROGRESS", "0")

    def run(*arguments: str) -> int:
        monkeypatch.setattr("sys.argv", ["sameface", "evaluate", str(ijb), "-d", "none", "-e", "pixels", *arguments])
        with pytest.raises(SystemExit) as end:
            main()
        return int(end.value.code or 0)

    assert run("--protocol", "IJB-C", "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert document["schema"] == "sameface.templates/1"
    assert document["galleries"] == {"G1": 5, "G2": 4}
    assert run("--protocol", "ijb-c") == 0
    printed = capsys.readouterr().out
    assert "TPIR at FPIR 0.1, G1, %" in printed
    assert run("--protocol", "ijb-b") > 1
    assert "IJB-C" in capsys.readouterr().err
    assert run("--protocol", "ijb-c", "--few-shot", "5x1") > 1
    assert "without --few-shot" in capsys.readouterr().err
