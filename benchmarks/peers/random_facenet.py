"""A FaceNet (Inception-ResNet v1, 128-D) with random weights in the file that DeepFace's ONNX backend opens.

    python random_facenet.py OUT.onnx

Speed does not depend on what the weights are, and theirs need the network to fetch. Input as in DeepFace's own files:
float32 (n, 160, 160, 3). Run by the interpreter of facenet-pytorch's environment.
"""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

import torch
from run_facenet_pytorch import network


class ChannelsLast(torch.nn.Module):
    """DeepFace's order of axes, 128 numbers, no unit length: its own head."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = network()
        self.inner.last_linear = torch.nn.Linear(1792, 128, bias=False)
        self.inner.last_bn = torch.nn.BatchNorm1d(128, eps=0.001)
        self.inner.classify = True  # returns before the unit length …
        self.inner.logits = torch.nn.Identity()  # … and this is what would come then

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.inner(images.permute(0, 3, 1, 2))


def main() -> None:
    torch.manual_seed(0)
    warnings.simplefilter("ignore")
    out = Path(sys.argv[1])
    half = out.with_suffix(".half")
    torch.onnx.export(
        ChannelsLast().eval(),
        (torch.zeros(2, 160, 160, 3),),
        str(half),
        input_names=["images"],
        output_names=["embeddings"],
        dynamic_axes={"images": {0: "n"}, "embeddings": {0: "n"}},
        opset_version=17,
        dynamo=False,
    )
    half.replace(out)


if __name__ == "__main__":
    main()
