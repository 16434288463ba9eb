"""facenet-pytorch's InceptionResnetV1 with random weights, by PyTorch. Its MTCNN needs torchvision: network only."""

from __future__ import annotations

import importlib
import importlib.util
import sys
import types
from functools import partial
from pathlib import Path
from typing import Any

import torch


def network() -> Any:
    """The network's file by itself: the package's own __init__ imports its detector, and that torchvision."""
    found = importlib.util.find_spec("facenet_pytorch")
    if found is None or found.origin is None:
        raise SystemExit("facenet-pytorch is not installed")
    for name in ("facenet_pytorch", "facenet_pytorch.models"):
        package = types.ModuleType(name)
        package.__path__ = [str(Path(found.origin).parent.joinpath(*name.split(".")[1:]))]
        sys.modules[name] = package
    return (
        importlib.import_module("facenet_pytorch.models.inception_resnet_v1").InceptionResnetV1(pretrained=None).eval()
    )


def main() -> None:
    from runner import chips, serve

    torch.set_num_threads(2)
    model = network()

    def embed(images: torch.Tensor) -> torch.Tensor:
        with torch.inference_mode():
            return model(images)

    inputs = {n: torch.from_numpy(chips(n, 160)).permute(0, 3, 1, 2).contiguous().float() / 128 - 1 for n in (1, 8, 32)}
    serve({f"embed {count}": partial(embed, images) for count, images in inputs.items()})


if __name__ == "__main__":
    main()
