"""IJB's lists and TinyFace's, written as their publishers write them; pooling, 1:1 and 1:N beside slow loops over InsightFace's own steps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sameface.datasets import TemplateSet, read_ijb, read_tinyface
from sameface.errors import DataError, NotEnoughDataError
from sameface.evaluation.templates import pool_templates, score_templates, search_templates
from sameface.metrics import area_under_curve


def write_ijb(folder: Path, people: int = 30, seed: int = 0) -> dict[int, int]:
    """Two templates a person, each of one to four faces in one to three media; nine people are in galleries. Returns whose each template is."""
    draw = np.random.default_rng(seed)
    meta = folder / "meta"
    meta.mkdir(parents=True)
    faces, points, owner, number = [], [], {}, 0
    for template in range(2 * people):
        name = 1000 + 7 * template
        owner[name] = template // 2 + 50
        for _ in range(draw.integers(1, 5)):
            number += 1
            faces.append(f"{number}.jpg {name} {draw.integers(1, 4) + 10 * template}")
            values = [*draw.uniform(0, 100, 10), draw.uniform(0.5, 1)]
            points.append(" ".join([f"{number}.jpg", *(f"{value:.5f}" for value in values)]))
    names = list(owner)
    pairs = [(a, b, int(owner[a] == owner[b])) for a in names[::2] for b in names[1::2]]
    (meta / "ijbc_face_tid_mid.txt").write_text("\n".join(faces) + "\n")
    (meta / "ijbc_name_5pts_score.txt").write_text("\n".join(points) + "\n")
    (meta / "ijbc_template_pair_label.txt").write_text("\n".join(" ".join(map(str, pair)) for pair in pairs))
    head = "TEMPLATE_ID,SUBJECT_ID,FILENAME,FACE_X"
    for file, chosen in {
        "gallery_G1": names[0:10:2],
        "gallery_G2": names[10:18:2],
        "probe_mixed": names[1::2],
    }.items():
        rows = [f"{name},{owner[name]},img/{name}_{n}.jpg,3" for name in chosen for n in (1, 2)]
        (meta / f"ijbc_1N_{file}.csv").write_text("\n".join([head, *rows]) + "\n")
    return owner


@pytest.fixture
def ijb(tmp_path: Path) -> tuple[TemplateSet, dict[int, int], np.ndarray]:
    """The set, whose each template is, and embeddings that tell people apart, somewhat."""
    owner = write_ijb(tmp_path / "IJBC")
    templates = read_ijb(tmp_path / "IJBC")
    draw = np.random.default_rng(1)
    centres = {person: draw.normal(size=8) for person in sorted(set(owner.values()))}
    rows = [centres[owner[int(templates.templates[place])]] + draw.normal(0, 0.6, 8) for place in templates.template]
    return templates, owner, (np.stack(rows) * draw.uniform(1, 9, (len(rows), 1))).astype(np.float32)


def test_ijb_is_read(ijb: tuple[TemplateSet, dict[int, int], np.ndarray], tmp_path: Path) -> None:
    templates, owner, _ = ijb
    assert templates.name == "IJB-C"
    assert templates.templates.tolist() == sorted(owner)
    assert len(templates.photos) == len(templates.template) == len(templates.media) == len(templates.weights)
    assert templates.photos[0] == tmp_path / "IJBC" / "loose_crop" / "1.jpg"
    assert templates.landmarks_xy.shape == (len(templates.photos), 5, 2)
    rows = [line.split() for line in (tmp_path / "IJBC/meta/ijbc_name_5pts_score.txt").read_text().splitlines()]
    assert np.allclose(templates.landmarks_xy[3].ravel(), np.array(rows[3][1:11], dtype=float), atol=1e-4)
    assert np.allclose(templates.weights, [float(row[11]) for row in rows], atol=1e-5)
    assert templates.subjects.tolist() == [owner[name] if name in named(templates) else -1 for name in sorted(owner)]
    for a, b, same in zip(templates.a, templates.b, templates.same, strict=True):
        assert (owner[templates.templates[a]] == owner[templates.templates[b]]) == same
    assert [len(gallery) for gallery in templates.galleries.values()] == [5, 4]


def named(templates: TemplateSet) -> set[int]:
    places = np.concatenate([*templates.galleries.values(), templates.probes])
    return {int(name) for name in templates.templates[places]}


@pytest.mark.parametrize("weighted", [False, True])
def test_pooling_as_insightface_does_it(ijb: tuple[TemplateSet, dict[int, int], np.ndarray], weighted: bool) -> None:
    templates, _, embeddings = ijb
    faces = embeddings / np.sqrt(np.sum(embeddings**2, -1, keepdims=True))
    if weighted:
        faces = faces * templates.weights[:, np.newaxis]
    wanted = []
    for template in range(len(templates.templates)):  # image2template_feature
        mine, media = faces[templates.template == template], templates.media[templates.template == template]
        means = [mine[media == one].mean(axis=0) for one in np.unique(media)]
        total = np.sum(means, axis=0)
        wanted.append(total / np.linalg.norm(total))
    assert np.abs(pool_templates(templates, embeddings, weighted=weighted) - np.stack(wanted)).max() < 1e-6


def test_one_to_one(ijb: tuple[TemplateSet, dict[int, int], np.ndarray]) -> None:
    templates, _, embeddings = ijb
    pooled = pool_templates(templates, embeddings)
    scores = score_templates(templates, pooled)
    wanted = [np.linalg.norm(pooled[a] - pooled[b]) for a, b in zip(templates.a, templates.b, strict=True)]
    assert np.abs(scores.distances - wanted).max() < 1e-6
    assert ((scores.person_a == scores.person_b) == templates.same).all()
    assert area_under_curve(scores.mated, scores.non_mated) > 0.9
    found = templates.template != 0  # the first template has no face now
    lost = score_templates(templates, pool_templates(templates, embeddings, found))
    assert np.isinf(lost.distances[templates.a == 0]).all()


def test_one_to_many(ijb: tuple[TemplateSet, dict[int, int], np.ndarray]) -> None:
    templates, _, embeddings = ijb
    pooled = pool_templates(templates, embeddings)
    found = search_templates(templates, pooled, fpir=0.2)
    for name, gallery in templates.galleries.items():
        right, trials, unknown = 0, 0, []
        for probe in templates.probes:
            apart = [float(np.linalg.norm(pooled[probe] - pooled[place])) for place in gallery]
            people = templates.subjects[gallery]
            if templates.subjects[probe] in people:
                trials += 1
                right += people[int(np.argmin(apart))] == templates.subjects[probe]
            else:
                unknown.append(min(apart))
        assert found[name].rank_1 == right / trials
        rates = found[name].open_set
        assert rates is not None
        assert (rates.mated_searches, rates.non_mated_searches) == (trials, len(unknown))
        assert rates.fpir == sum(value < (found[name].threshold or 0) for value in unknown) / len(unknown) <= 0.2


def test_lists_that_do_not_fit(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="IJBB or IJBC"):
        read_ijb(tmp_path)
    for file, change in {
        "face_tid_mid.txt": lambda text: text.replace("1.jpg", "one.jpg", 1),
        "template_pair_label.txt": lambda text: text + "\n1 2 1",
        "name_5pts_score.txt": lambda text: text.replace(" ", "  oops ", 1),
        "1N_gallery_G1.csv": lambda text: text + "5,five\n",
    }.items():
        folder = tmp_path / file.replace(".", "")
        write_ijb(folder)
        path = folder / "meta" / f"ijbc_{file}"
        path.write_text(change(path.read_text()))
        with pytest.raises(DataError):
            read_ijb(folder)
    bare = tmp_path / "bare"
    write_ijb(bare)
    for path in bare.glob("meta/*1N*"):
        path.unlink()
    templates = read_ijb(bare)
    pooled = pool_templates(
        templates, np.random.default_rng(0).normal(size=(len(templates.photos), 4)).astype(np.float32)
    )
    assert len(np.unique(score_templates(templates, pooled).person_a)) == 30  # from mated pairs
    with pytest.raises(NotEnoughDataError, match="galleries"):
        search_templates(templates, pooled)


def test_tinyface(tmp_path: Path) -> None:
    io = pytest.importorskip("scipy.io")
    top = tmp_path / "tinyface" / "Testing_Set"
    for folder, names in {
        "Gallery_Match": ["7_1.jpg", "9_1.jpg", "7_2.jpg"],
        "Probe": ["7_3.jpg", "9_2.jpg"],
        "Gallery_Distractor": ["a.jpg", "b.jpg"],
    }.items():
        (top / folder).mkdir(parents=True)
        for name in names:
            (top / folder / name).touch()
    for kind, names, numbers in (
        ("gallery", ["7_1.jpg", "9_1.jpg", "7_2.jpg"], [7, 9, 7]),
        ("probe", ["7_3.jpg", "9_2.jpg"], [7, 9]),
    ):
        content = {
            f"{kind}_set": np.array([[name] for name in names], dtype=object),
            f"{kind}_ids": np.array([numbers]).T,
        }
        io.savemat(top / f"{'gallery_match' if kind == 'gallery' else kind}_img_ID_pairs.mat", content)
    templates = read_tinyface(tmp_path / "tinyface")
    assert [photo.name for photo in templates.photos] == [
        *("7_1.jpg", "9_1.jpg", "7_2.jpg"),
        "a.jpg",
        "b.jpg",
        *("7_3.jpg", "9_2.jpg"),
    ]
    assert all(photo.is_file() for photo in templates.photos)
    corners = np.eye(3, dtype=np.float32)
    pooled = pool_templates(templates, corners[[0, 1, 0, 2, 2, 0, 2]])  # the second probe looks like the distractors
    assert search_templates(templates, pooled)["gallery"].rank_1 == 0.5
    (top / "probe_img_ID_pairs.mat").write_bytes(b"no matrix")
    with pytest.raises(DataError, match="probe_set"):
        read_tinyface(top)
