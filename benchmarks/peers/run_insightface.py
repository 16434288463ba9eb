"""InsightFace's package with SCRFD-500M and MobileFaceNet y1, at the detection size of its documentation."""

from __future__ import annotations

import os
import sys
from functools import partial
from typing import Any


def load() -> Any:
    from insightface.app import FaceAnalysis

    app = FaceAnalysis(name="bench", root=os.environ["INSIGHTFACE_HOME"], providers=["CPUExecutionProvider"])
    app.prepare(ctx_id=-1, det_size=(640, 640))
    return app


def main(photo: str) -> None:
    import cv2
    from runner import chips, serve

    app = load()
    image = cv2.imread(photo)
    if len(app.get(image)) != 1:
        raise SystemExit("SCRFD does not find the one face")
    network = app.models["recognition"]
    crops = {count: list(chips(count, 112)) for count in (1, 8, 32)}
    tasks = {f"embed {count}": partial(network.get_feat, some) for count, some in crops.items()}
    tasks["detect"] = partial(app.det_model.detect, image)
    tasks["photo"] = lambda: app.get(cv2.imread(photo))
    serve(tasks)


def cold(first: str, second: str) -> None:
    import cv2
    import numpy as np

    app = load()
    one, other = (app.get(cv2.imread(path))[0].normed_embedding for path in (first, second))
    float(np.dot(one, other))


if __name__ == "__main__":
    cold(*sys.argv[2:]) if sys.argv[1] == "cold" else main(sys.argv[1])
