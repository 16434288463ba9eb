"""A backbone as a user might write it."""

from torch import Tensor, nn


class Own(nn.Module):
    def __init__(self, *, channels: int, size: int, dimension: int, hidden: int = 4) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Flatten(), nn.Linear(channels * size * size, hidden), nn.Tanh(), nn.Linear(hidden, dimension)
        )

    def forward(self, pictures: Tensor) -> Tensor:
        return self.layers(pictures + 1)
