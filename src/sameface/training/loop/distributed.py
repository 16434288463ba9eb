"""One training in several processes: every process knows the whole batch, encodes its share, and scores all of it.

Triplets reach across the whole batch, so embeddings are gathered before the loss. Each process computes the same
loss with gradients for its own rows only; times the number of processes, because averaging the gradients of all of
them, as DistributedDataParallel does, then gives exactly the gradient of one process with the whole batch.

Batch normalisation looks at what lies beside a picture. On GPUs its statistics are shared (SyncBatchNorm), and the gradient stays
that of one process; on CPUs, where PyTorch cannot, each process normalises by its own share of the batch, and that is said.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm as BatchNorm

from sameface.errors import SettingError


@dataclass(frozen=True)
class World:
    """The processes of a training.

    Attributes:
        rank: which one this is, 0 … size − 1; 0 logs and saves.
        size: how many there are.
        local_rank: which one on this machine; chooses the GPU.
    """

    rank: int = 0
    size: int = 1
    local_rank: int = 0

    def share(self, batch_size: int) -> slice:
        """Rows of the batch that this process encodes.

        Raises:
            SettingError: the batch cannot be divided evenly.
        """
        if batch_size % self.size:
            raise SettingError(
                expected=f"a batch that {self.size} processes can share evenly",
                got=f"{batch_size} photos",
                advice="change people × photos, or the number of processes",
            )
        each = batch_size // self.size
        return slice(self.rank * each, (self.rank + 1) * each)

    def gather(self, rows: Tensor) -> Tensor:
        """Everybody's rows in order; only the own ones carry a gradient.

        Args:
            rows: ``(m / size, d)``.

        Returns:
            ``(m, d)``.
        """
        if self.size == 1:
            return rows
        parts = [torch.empty_like(rows) for _ in range(self.size)]
        dist.all_gather(parts, rows.detach().contiguous())
        parts[self.rank] = rows
        return torch.cat(parts)

    @contextmanager
    def first_alone(self) -> Iterator[None]:
        """Process 0 runs the block while the others wait; then they run it."""
        if self.size > 1 and self.rank:
            dist.barrier()
        yield
        if self.size > 1 and not self.rank:
            dist.barrier()

    def share_statistics(self, network: nn.Module, device: torch.device) -> list[str]:
        """Let batch normalisation see the whole batch, where that can be.

        Args:
            network: changed in place, on a GPU.
            device: where it runs.

        Returns:
            What to tell the user where it cannot be.
        """
        if self.size == 1 or not any(isinstance(part, BatchNorm) for part in network.modules()):
            return []
        if device.type == "cuda":
            nn.SyncBatchNorm.convert_sync_batchnorm(network)  # type: ignore[no-untyped-call]
            return []
        return [
            f"batch normalisation sees one of {self.size} shares of each batch: on a CPU its statistics cannot be shared, "
            "so the result is not quite that of one process"
        ]

    def any_of(self, flag: bool) -> bool:
        """Whether the flag is up in any process."""
        if self.size == 1:
            return flag
        tensor = torch.tensor([int(flag)])
        if dist.get_backend() == "nccl":
            tensor = tensor.cuda(self.local_rank)
        dist.all_reduce(tensor, dist.ReduceOp.MAX)
        return bool(tensor.item())


def join_world(device: str | None = None) -> World:
    """Join the processes that ``torchrun`` started; alone when it did not.

    Args:
        device: what training runs on; ``cpu`` talks over gloo, GPUs over nccl.
    """
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        return World()
    on_gpu = device != "cpu" and torch.cuda.is_available()
    local_rank = int(os.environ["LOCAL_RANK"])
    if on_gpu:
        torch.cuda.set_device(local_rank)
    # Long: while the first process cuts out the faces of a large set, the others wait. One that dies ends them all by torchrun.
    dist.init_process_group("nccl" if on_gpu else "gloo", timeout=timedelta(days=1))
    return World(int(os.environ["RANK"]), size, local_rank)


def leave_world(world: World) -> None:
    """Close what `join_world` opened."""
    if world.size > 1:
        dist.barrier()
        gc.collect()  # whatever still holds the group would end its threads after the program's end, which aborts it
        dist.destroy_process_group()
