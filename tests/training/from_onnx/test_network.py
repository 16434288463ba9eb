"""Whole networks: the same answers, trained weights, and back into the file."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

from sameface.models.runtime import Session
from sameface.training.from_onnx import OnnxNetwork, with_weights_of
from sameface.training.from_onnx.leaky import leaky

PICTURES = torch.from_numpy(np.random.default_rng(0).normal(0, 1, (6, 3, 8, 8)).astype(np.float32))


def small_encoder() -> Any:
    """Two convolutions with batch normalisation and PReLU, one bypassed, and a fully connected layer."""
    random = np.random.default_rng(1)

    def stored(name: str, *shape: int, low: float = -0.5, high: float = 0.5) -> Any:
        return numpy_helper.from_array(random.uniform(low, high, shape).astype(np.float32), name)

    def norm(x: str, name: str) -> Any:
        parts = [f"{name}.{part}" for part in ("scale", "shift", "mean", "variance")]
        return helper.make_node("BatchNormalization", [x, *parts], [name], epsilon=1e-3)

    def numbers(name: str, channels: int) -> list[Any]:
        ranges = {"scale": (0.5, 1.5), "shift": (-0.5, 0.5), "mean": (-0.5, 0.5), "variance": (0.5, 2.0)}
        return [stored(f"{name}.{part}", channels, low=a, high=b) for part, (a, b) in ranges.items()]

    nodes = [
        helper.make_node("Constant", [], ["half"], value=numpy_helper.from_array(np.array(0.5, np.float32))),
        helper.make_node("Sub", ["pixels", "half"], ["centred"]),
        helper.make_node("Conv", ["centred", "first.weight"], ["first"], pads=[1, 1, 1, 1]),
        norm("first", "norm1"),
        helper.make_node("PRelu", ["norm1", "slope"], ["active"]),
        helper.make_node("Conv", ["active", "second.weight", "second.bias"], ["second"], pads=[1, 1, 1, 1]),
        norm("second", "norm2"),
        helper.make_node("Add", ["norm2", "active"], ["both"]),
        helper.make_node("Dropout", ["both"], ["kept", "mask"]),
        helper.make_node("Flatten", ["kept"], ["flat"]),
        helper.make_node("Gemm", ["flat", "last.weight", "last.bias"], ["vector"], transB=1),
    ]
    weights = [
        stored("first.weight", 4, 3, 3, 3),
        *numbers("norm1", 4),
        stored("slope", 4, 1, 1, low=0.1),
        stored("second.weight", 4, 4, 3, 3),
        stored("second.bias", 4),
        *numbers("norm2", 4),
        stored("last.weight", 5, 256),
        stored("last.bias", 5),
        stored("nobody.wants", 3),
    ]
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info("pixels", TensorProto.FLOAT, ["m", 3, 8, 8])],
        [helper.make_tensor_value_info("vector", TensorProto.FLOAT, ["m", 5])],
        weights,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return model


def by_runtime(model: Any) -> np.ndarray:
    (answer,) = Session(model.SerializeToString()).run({"pixels": PICTURES.numpy()})
    return np.asarray(answer)


def trained(network: OnnxNetwork, steps: int = 3) -> OnnxNetwork:
    network.train()
    descent = torch.optim.SGD([weight for weight in network.parameters() if weight.requires_grad], 0.01)
    for _ in range(steps):
        descent.zero_grad()
        network(PICTURES).square().mean().backward()
        descent.step()
    return network.eval()


def values_of(model: Any) -> dict[str, np.ndarray]:
    return {item.name: numpy_helper.to_array(item) for item in model.graph.initializer}


@pytest.mark.parametrize("training", [False, True])
def test_the_answers_are_those_of_onnx_runtime_frozen_norms_in_training_too(training: bool) -> None:
    model = small_encoder()
    with torch.no_grad():
        got = OnnxNetwork(model).train(training)(PICTURES).numpy()
    np.testing.assert_allclose(got, by_runtime(model), atol=1e-5)


def test_norms_that_are_joined_to_convolutions_give_what_the_two_give_apart() -> None:
    """The gradients of weights, scale and shift too."""
    model = small_encoder()
    joined, apart = OnnxNetwork(model), OnnxNetwork(model)
    apart._nodes = tuple(split for node in joined._nodes for split in unjoined(node))
    for network in (joined, apart):
        network(PICTURES).square().mean().backward()
    for (name, one), (_, other) in zip(joined.named_parameters(), apart.named_parameters(), strict=True):
        np.testing.assert_allclose(one.grad.numpy(), other.grad.numpy(), rtol=1e-3, atol=1e-5, err_msg=name)


def unjoined(node: Any) -> list[Any]:
    if node.norm is None:
        return [node]
    return [replace(node, norm=None, output=node.norm.inputs[0], last_use=node.last_use), node.norm]


@pytest.mark.parametrize("shape", [(4, 1, 1), (1,), (1, 7), (4, 5, 7)])
def test_the_gradient_of_prelu_is_that_of_its_formula(shape: tuple[int, ...]) -> None:
    random = torch.Generator().manual_seed(0)
    x = torch.randn(2, 4, 5, 7, generator=random, dtype=torch.float64, requires_grad=True)
    slope = torch.rand(*shape, generator=random, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(leaky, (x, slope))
    other = torch.randn(2, 4, 5, 7, generator=random, dtype=torch.float64)
    (leaky(x, slope) * other).sum().backward()
    got = x.grad, slope.grad
    x.grad = slope.grad = None
    ((x.clamp(min=0) + slope * x.clamp(max=0)) * other).sum().backward()
    torch.testing.assert_close(got, (x.grad, slope.grad))


def test_trained_weights_go_back_into_the_file_and_it_gives_the_trained_answers() -> None:
    model = small_encoder()
    network = trained(OnnxNetwork(model))
    changed = with_weights_of(network, model)
    with torch.no_grad():
        np.testing.assert_allclose(network(PICTURES).numpy(), by_runtime(changed), atol=1e-5)
    assert np.abs(by_runtime(changed) - by_runtime(model)).max() > 1e-3
    assert [node.SerializeToString() for node in changed.graph.node] == [
        node.SerializeToString() for node in model.graph.node
    ]


def test_untrained_weights_go_back_bit_for_bit() -> None:
    model = small_encoder()
    same = values_of(with_weights_of(OnnxNetwork(model), model))
    assert all(np.array_equal(value, same[name]) for name, value in values_of(model).items())


def test_frozen_layers_and_their_norms_stay_and_the_others_move() -> None:
    model = small_encoder()
    before = values_of(model)
    after = values_of(with_weights_of(trained(OnnxNetwork(model, freeze=1, norms_frozen=False)), model))
    moved = {name for name, value in before.items() if not np.array_equal(value, after[name])}
    assert moved == {
        "second.weight",
        *(f"norm2.{part}" for part in ("scale", "shift", "mean", "variance")),
        "last.weight",
        "last.bias",
        # second.bias has no gradient: its norm takes the mean of the batch away
    } | (moved & {"second.bias"})


def test_frozen_norms_keep_their_statistics_while_scale_and_shift_are_trained() -> None:
    model = small_encoder()
    before = values_of(model)
    after = values_of(with_weights_of(trained(OnnxNetwork(model)), model))
    assert np.array_equal(before["norm1.mean"], after["norm1.mean"])
    assert np.array_equal(before["norm1.variance"], after["norm1.variance"])
    assert not np.array_equal(before["norm1.scale"], after["norm1.scale"])


def test_statistics_follow_the_batches_by_a_tenth() -> None:
    model = small_encoder()
    network = OnnxNetwork(model, norms_frozen=False).train()
    with torch.no_grad():
        network(PICTURES)
    after = values_of(with_weights_of(network, model))
    before = values_of(model)
    weight = before["first.weight"]
    first = torch.nn.functional.conv2d(PICTURES - 0.5, torch.from_numpy(np.array(weight)), padding=1).numpy()
    mean = first.mean(axis=(0, 2, 3))
    np.testing.assert_allclose(after["norm1.mean"], 0.9 * before["norm1.mean"] + 0.1 * mean, atol=1e-5)


def test_layers_are_counted_from_the_picture() -> None:
    network = OnnxNetwork(small_encoder())
    assert network.layers == 3
    sizes = [sum(weight.numel() for at, weight in network.by_layer() if at == layer) for layer in range(3)]
    assert sizes == [4 * 27 + 4 + 4 + 4, 4 * 36 + 4 + 4 + 4, 5 * 256 + 5]


def test_what_no_node_uses_is_no_weight() -> None:
    assert "nobody.wants" not in dict(OnnxNetwork(small_encoder()).named_values())
