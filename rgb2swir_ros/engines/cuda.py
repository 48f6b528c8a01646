"""Run a model on an NVIDIA GPU: pinned buffers, one CUDA graph per frame, two frames in flight.

A frame is copied into pinned memory and from there to the GPU, passes one recorded CUDA graph,
and is copied back into pinned memory. Each `Lane` does so on its own stream, so with two lanes
the copies of one frame overlap the computation of the other. Written against torch's
documentation and not run on hardware yet; ``benchmark/gpu.py`` is the first test on a GPU.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from typing import Any

import torch
from torch import Tensor

from rgb2swir_ros.engines.base import EngineSpec, Frames, Radiance, padded_batch
from rgb2swir_ros.engines.eager import cast
from rgb2swir_ros.engines.fair_lock import FairLock
from rgb2swir_ros.translator import SwirModel

# The first calls select algorithms and allocate memory, which a graph cannot record
WARM_UPS = 3
LANES = 2

# Held to record a graph and to translate a frame, so that these never overlap between threads
GPU_LOCK = FairLock()

Program = Callable[[Tensor], Tensor]


class Lane:
    """Buffers at fixed addresses, a stream and a CUDA graph for one frame in flight."""

    def __init__(self, program: Program, spec: EngineSpec, *, capture: bool) -> None:
        """Allocate the buffers, warm up, and record the graph.

        :param program: maps RGB (B, H, W, 3), uint8, on the GPU to radiance (B, H, W), float32.
        :param capture: record it as a CUDA graph; false for a program that records its own.
        """
        shape = (spec.batch, spec.height, spec.width)
        self._program = program
        self._staged = torch.zeros(*shape, 3, dtype=torch.uint8, pin_memory=True)
        self._result = torch.zeros(shape, dtype=torch.float32, pin_memory=True)
        self._rgb = torch.zeros(*shape, 3, dtype=torch.uint8, device='cuda')
        self._radiance = torch.zeros(shape, dtype=torch.float32, device='cuda')
        self._stream = torch.cuda.Stream()
        self._done = torch.cuda.Event()
        self._graph: torch.cuda.CUDAGraph | None = None
        self._stream.wait_stream(torch.cuda.current_stream())
        # a program that records its own graphs does so in its first calls
        with nullcontext() if capture else GPU_LOCK:
            self._warm_up()
        if capture:
            self._graph = self._record()

    def _warm_up(self) -> None:
        with torch.inference_mode(), torch.cuda.stream(self._stream):
            for _ in range(WARM_UPS):
                self._compute()
        self._stream.synchronize()

    def _record(self) -> torch.cuda.CUDAGraph:
        """Record the graph, on any thread.

        In the default capture mode, an allocation or a wait on another thread invalidates the
        recording; in this mode it does not.
        """
        graph = torch.cuda.CUDAGraph()
        with GPU_LOCK, torch.inference_mode(), torch.cuda.graph(
                graph, stream=self._stream, capture_error_mode='thread_local'):
            self._compute()
        return graph

    def submit(self, full: Frames) -> None:
        """Start the translation of a full batch and return while the GPU works."""
        self._staged.numpy()[:] = full
        with GPU_LOCK, torch.inference_mode(), torch.cuda.stream(self._stream):
            self._rgb.copy_(self._staged, non_blocking=True)
            if self._graph is None:
                self._compute()
            else:
                self._graph.replay()
            self._result.copy_(self._radiance, non_blocking=True)
            self._done.record()

    def collect(self) -> Radiance:
        """Wait for the submitted batch and return its radiance in a new array."""
        with GPU_LOCK:
            self._done.synchronize()
        radiance: Radiance = self._result.numpy().copy()
        return radiance

    def _compute(self) -> None:
        self._radiance.copy_(self._program(self._rgb))


class CudaEngine:
    """Run a program on the GPU at one size: the engine of every GPU backend."""

    def __init__(self, program: Program, spec: EngineSpec, facts: dict[str, Any] | None = None,
                 *, capture: bool = True) -> None:
        """Store the program; memory is allocated at the first call or by `warm_up`.

        :param program: see `Lane`, like ``capture``.
        :param facts: added to the description.
        """
        self.spec = spec
        self.facts = facts or {}
        self._program, self._capture = program, capture
        self._lanes: list[Lane] = []

    def __call__(self, rgb: Frames) -> Radiance:
        """Translate camera frames: see `Engine`."""
        lane = self._lane(0)
        lane.submit(padded_batch(rgb, self.spec))
        return lane.collect()[:len(rgb)]

    def warm_up(self) -> None:
        """Allocate the memory and record the graph now."""
        self._lane(0)

    def overlapped(self, batches: Iterable[Frames]) -> Iterator[Radiance]:
        """Translate batches in order, and copy one while another is computed: for throughput.

        A result comes one batch later than by a call, so calls give a camera a lower latency.

        :param batches: frames, as for a call.
        :return: radiance, as of a call.
        """
        # a program that records its own graphs has a single set of buffers
        lanes = LANES if self._capture else 1
        in_flight: deque[tuple[Lane, int]] = deque()
        for number, rgb in enumerate(batches):
            if len(in_flight) == lanes:
                yield _collect(*in_flight.popleft())
            lane = self._lane(number % lanes)
            lane.submit(padded_batch(rgb, self.spec))
            in_flight.append((lane, len(rgb)))
        while in_flight:
            yield _collect(*in_flight.popleft())

    def describe(self) -> dict[str, Any]:
        """Return the description: see `Engine`."""
        return {**self.spec.fields(), **self.facts}

    def _lane(self, number: int) -> Lane:
        while len(self._lanes) <= number:
            self._lanes.append(Lane(self._program, self.spec, capture=self._capture))
        return self._lanes[number]


def open_eager_cuda(translator: SwirModel, spec: EngineSpec) -> CudaEngine:
    """Return an engine that runs a model layer by layer, recorded as a CUDA graph.

    :param translator: the float32 model; copied.
    """
    return CudaEngine(cast(translator, spec.precision).to('cuda'), spec)


def _collect(lane: Lane, count: int) -> Radiance:
    return lane.collect()[:count]
