"""The batches of a training: rows drawn, pictures fetched a step ahead, changed, divided among processes."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

import torch
from torch import Tensor

from sameface.training.augment import Augmentation
from sameface.training.export.deployed import Deployed
from sameface.training.loop.device import Compute
from sameface.training.loop.distributed import World
from sameface.training.loop.random_state import step_generator
from sameface.training.loop.settings import TrainingSettings
from sameface.training.pictures import Pictures
from sameface.training.sampling import PeopleTimesPhotos, Sampler


class Batch(NamedTuple):
    """One batch.

    Attributes:
        number: 0, 1, 2 …
        pictures: this process's share of them.
        labels, rows: ``(m,)`` of the whole batch: whose they are, and which pictures of the training.
    """

    number: int
    pictures: Tensor
    labels: Tensor
    rows: Tensor


class Feed:
    """Batches as a function of the step.

    Args:
        pictures: to draw from.
        sampler: which rows make a batch.
        augment: changes to a batch.
        deployed: the intake, and the shrinking to the network's side.
        compute: where batches go.
        world: the processes that share a batch.
        photos: of each person, beside each other, in a batch.
        seed: of the changes.
        side: of the network's pictures.
    """

    def __init__(
        self,
        pictures: Pictures,
        sampler: Sampler,
        augment: Augmentation,
        deployed: Deployed,
        *,
        compute: Compute,
        world: World,
        photos: int,
        seed: int,
        side: int,
    ) -> None:
        self._pictures, self._sampler, self._augment, self._deployed = pictures, sampler, augment, deployed
        self._compute, self._world = compute, world
        self._photos, self._seed, self._side = photos, seed, side
        self._labels = torch.from_numpy(pictures.labels)
        self._share = world.share(sampler.batch_size)
        self._ahead = None if isinstance(pictures.pixels, Tensor) else ThreadPoolExecutor(1, "sameface-feed")
        self._drawn: dict[int, Tensor] = {}
        self._next: tuple[int, Future[Tensor]] | None = None

    @property
    def batch_size(self) -> int:
        """Pictures in a batch, of all processes together."""
        return self._sampler.batch_size

    @property
    def batches_an_epoch(self) -> int:
        """Batches after which as many pictures were drawn as there are."""
        return max(1, -(-len(self._pictures) // self._sampler.batch_size))

    def batch(self, step: int) -> Batch:
        """One batch."""
        return Batch(step, self.pictures(step), self.labels(step), self.rows(step))

    def labels(self, step: int) -> Tensor:
        """``(m,)`` labels of the whole batch, on the device."""
        return self._labels[self.rows(step)].to(self._compute.device)

    def pictures(self, step: int) -> Tensor:
        """The pictures of a batch that this process encodes, as the network takes them."""
        stored = self._stored(step).to(self._compute.device, non_blocking=True)
        own_draws = 0 if self._augment.whole_batch else self._world.rank
        random = step_generator(self._seed, step, own_draws)
        pictures = self._augment(self._deployed.intake(stored), self._photos, random)
        if pictures.ndim == 4 and pictures.shape[-1] != self._side:
            pictures = self._deployed.shrunk(pictures)
        if self._augment.whole_batch:
            pictures = pictures[self._share]
        if pictures.ndim == 4:
            pictures = pictures.contiguous(memory_format=torch.channels_last)
        return pictures

    def close(self) -> None:
        """End what fetches ahead; it begins again when a batch is asked for."""
        if self._next is not None:
            self._next[1].cancel()
            self._next = None
        if self._ahead is not None:
            self._ahead.shutdown()
            self._ahead = ThreadPoolExecutor(1, "sameface-feed")

    def rows(self, step: int) -> Tensor:
        """``(m,)`` which pictures make the whole batch; asked for by the labels, the pictures and some losses, drawn once."""
        found = self._drawn.get(step)
        if found is None:
            found = torch.from_numpy(self._sampler.batch(step))
            self._drawn = {**{kept: rows for kept, rows in self._drawn.items() if abs(kept - step) <= 1}, step: found}
        return found

    def _stored(self, step: int) -> Tensor:
        if self._ahead is None:
            return self._fetch(step)
        ahead = self._next is not None and self._next[0] == step
        found = self._next[1].result() if ahead and self._next is not None else self._fetch(step)
        self._next = (step + 1, self._ahead.submit(self._fetch, step + 1))
        return found

    def _fetch(self, step: int) -> Tensor:
        rows = self.rows(step)
        if not self._augment.whole_batch:
            rows = rows[self._share]
        return self._pictures.pixels[rows]


def people_times_photos(pictures: Pictures, settings: TrainingSettings, *, even: bool) -> PeopleTimesPhotos:
    """The sampler that the settings ask for."""
    return PeopleTimesPhotos(
        pictures.labels,
        people=settings.people,
        photos=settings.photos,
        seed=settings.seed,
        groups=pictures.groups,
        one_group=settings.one_group,
        even=even,
    )
