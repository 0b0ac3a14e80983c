"""A measurement as it is asked for in the store, answered: plain data for JSON."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from torch import Tensor, nn

from samviz.data import Images
from samviz.sharpness.curves import Curves, rescaling_curves
from samviz.sharpness.measures import Progress, sharpness
from samviz.sharpness.slices import LINE, Slice, loss_slice
from samviz.sharpness.stored import measured_images, stored_network
from samviz.spec import Comparison
from samviz.spec.measurement import Measurement, RescalingOf, SharpnessOf, SliceOf


def answer(
    measurement: Measurement, comparison: Comparison, seed: int, state: Mapping[str, Any], images: Images
) -> Iterator[Progress | dict[str, Any]]:
    """Progress again and again and, last of all, what the measurement of a checkpoint's `state` came to.

    `images` is the whole data set. Raises ValueError where the state or the network does not have what is asked for.
    """
    from samviz.training import device  # here, as in `samviz.sharpness.stored`

    arms = {arm.key: arm for arm in comparison.arms}
    on = device()
    networks = {key: stored_network(comparison.recipe, arms[key], state, on) for key in measurement.needs}
    x, y = measured_images(images, comparison.recipe, seed, measurement.images)
    match measurement:
        case SharpnessOf():
            yield from _sharpness(measurement, networks, x, y, seed)
        case RescalingOf():
            yield from _rescaling(measurement, networks[measurement.arm], x, y, seed)
        case SliceOf():
            yield from _slice(measurement, networks, x, y)


def _sharpness(
    asked: SharpnessOf, networks: Mapping[str, nn.Module], x: Tensor, y: Tensor, seed: int
) -> Iterator[Progress | dict[str, Any]]:
    found = {}
    for k, (key, network) in enumerate(networks.items()):
        for event in sharpness(network, x, y, asked.measures, m=min(asked.m, len(y)), seed=seed):
            if isinstance(event, Progress):
                yield Progress(k * event.total + event.done, len(networks) * event.total)
            else:
                found[key] = [{"value": s.value, "loss": s.loss, "batches": list(s.batches)} for s in event]
    m = min(asked.m, len(y))
    yield {"arms": found, "images": len(y) // m * m, "m": m}


def _rescaling(
    asked: RescalingOf, network: nn.Module, x: Tensor, y: Tensor, seed: int
) -> Iterator[Progress | dict[str, Any]]:
    m = min(asked.m, len(y))
    events = rescaling_curves(
        network, x, y, asked.factors, asked.measures, kinds=asked.seams, spread=asked.spread, m=m, seed=seed
    )
    for event in events:
        match event:
            case Curves():
                found = asdict(event)
                for curve in found["curves"]:
                    del curve["measure"]  # in the question
                yield found | {"m": m}
            case Progress():
                yield event


def _range(direction: str, reach: float) -> tuple[float, float]:
    return LINE if direction == "line" else (-reach, reach)


def _slice(
    asked: SliceOf, networks: Mapping[str, nn.Module], x: Tensor, y: Tensor
) -> Iterator[Progress | dict[str, Any]]:
    events = loss_slice(
        networks[asked.arm],
        x,
        y,
        asked.directions,
        other=None if asked.other is None else networks[asked.other],
        points=asked.points,
        ranges=None if asked.reach is None else [_range(key, asked.reach) for key in asked.directions],
        regions=asked.regions,
        scope=asked.scope,
        vectors=asked.vectors,
        statistics=asked.statistics,
        seed=asked.seed,
    )
    for event in events:
        match event:
            case Slice():
                found = asdict(event)
                for cut in found["cuts"]:
                    del cut["region"]  # in the question
                yield found
            case Progress():
                yield event
