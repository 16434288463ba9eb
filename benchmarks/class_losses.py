"""Time and memory of one step of a softmax with a margin over very many people, in full and drawn.

python benchmarks/class_losses.py --people 100000 --share 0.1 1 --threads 2
python benchmarks/class_losses.py --people 1000000 --share 0.1
"""

from __future__ import annotations

import argparse
import resource
import time

import torch
from torch import nn

from sameface.training.loop.descent import Descent
from sameface.training.losses.classes import class_loss


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=100_000)
    parser.add_argument("--dimension", type=int, default=128)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument(
        "--share", type=float, nargs="+", default=[0.1, 1.0], help="the smallest first: memory only grows"
    )
    parser.add_argument("--loss", default="arcface")
    parser.add_argument("--centres", type=int, default=1)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for share in arguments.share:
        torch.manual_seed(0)
        loss = class_loss(
            arguments.loss,
            people=arguments.people,
            dimension=arguments.dimension,
            centres=arguments.centres,
            share=share,
        )
        # The network's part is left out: one matrix stands in for it, so that its gradient is computed.
        network = nn.Linear(arguments.dimension, arguments.dimension)
        descent = Descent(network, loss, learning_rate=1e-3, weight_decay=5e-4)
        seconds = []
        for _ in range(arguments.steps):
            x = torch.randn(arguments.batch, arguments.dimension)
            labels = torch.randint(arguments.people, (arguments.batch,))
            start = time.perf_counter()
            report = loss(network(x), labels)
            descent.zero_grad()
            report.value.backward()
            descent.step(1e-3)
            seconds.append(time.perf_counter() - start)
        seconds = sorted(seconds[2:])  # the first makes the moments
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        print(
            f"{arguments.loss}, {arguments.people:,} people × {arguments.dimension}, batch {arguments.batch}, share {share:g}: "
            f"{seconds[len(seconds) // 2]:.3f} s a step (median of {len(seconds)}; longest {seconds[-1]:.3f}), "
            f"peak {(peak - before) / 1024:,.0f} MiB above the start, {arguments.threads} threads",
            flush=True,
        )
        del loss, descent, report


if __name__ == "__main__":
    main()
