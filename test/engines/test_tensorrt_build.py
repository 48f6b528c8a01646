"""Every preset becomes an engine: torch_tensorrt's converters, NVIDIA's compiler, no GPU.

Both versions of torch_tensorrt that the package supports, with the compiler of TensorRT for RTX.
It has no converter that TensorRT itself lacks. The older one builds the smaller presets alone: the
larger are of the same operators, which a test holds them to. The operators come from the torch
installed here, which for 2.8 is newer than the one it would meet. See ``build_engines.py`` for
what a build proves, and ``no_gpu.py`` for what stands in for a GPU.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

from rgb2swir_ros import model_presets
from rgb2swir_ros.bench.models import shipped_models
from rgb2swir_ros.lab.training import preset
from rgb2swir_ros.nets.dit import DiTConfig
from rgb2swir_ros.nets.unet import UNetConfig
from rgb2swir_ros.translator import load_model

from .builds import GPUS, PRESETS, Builder, core, preset_model, write
from .registries import COMPILER, REGISTRIES, need_compiler, need_registry

pytestmark = pytest.mark.slow
DESIGN = Path(__file__).parents[2] / 'docs' / 'design.md'
SIZE = 512, 640
LARGE = 1016, 1280  # padded to 1024, which the networks divide
OLD, NEW = REGISTRIES
CLOSE = .05  # share by which a figure may leave the table; another torch moves some a little
# what builds the large engine: the version that has fewer others
LARGE_BUILDER = OLD
SMALL = {'base': 'nano', 'base_dit': 'nano_dit'}  # the smaller preset of the same operators
BUILT = [(NEW, name) for name in PRESETS] + [(OLD, name) for name in SMALL.values()]


class Unconvertible(nn.Module):
    """An operator that no TensorRT converter knows."""

    def forward(self, x):
        return torch.special.bessel_j0(x)


class Slipped(nn.Module):
    """Two products in half precision and one that was left in float32."""

    def __init__(self):
        super().__init__()
        self.before, self.after = nn.Linear(64, 64).half(), nn.Linear(64, 64).half()
        self.slip = nn.Linear(64, 64)

    def forward(self, x):
        return self.after(self.slip(self.before(x.half()).float()).half()).float()


class Matrix(nn.Module):
    """A product in float32, which the compiler refuses for GPUs of the RTX 20 series."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(64, 64)

    def forward(self, x):
        return self.layer(x)


def write_small(module, file):
    with torch.no_grad():
        return write(torch.export.export(module.eval(), (torch.zeros(4, 64),)), file)


@pytest.fixture(scope='module')
def programs():
    """Every preset's exported core, by name."""
    return {name: core(preset_model(name), SIZE) for name in PRESETS}


@pytest.fixture(scope='module')
def built(programs, tmp_path_factory):
    """What is known of each engine, by version and name."""
    folder = tmp_path_factory.mktemp('programs')
    builders = {v: Builder(need_registry(v), need_compiler()) for v in REGISTRIES}

    def submit(name, program, *gpus, versions=REGISTRIES):
        for version in versions:
            builders[version].submit(name, program, gpus or GPUS)
    try:
        files = {name: write(program, folder / f'{name}.pt2')
                 for name, program in programs.items()}
        for version, name in BUILT:
            submit(name, files[name], versions=[version])
        submit('large', write(core(preset_model('nano'), LARGE, 4), folder / 'large.pt2'),
               versions=[LARGE_BUILDER])
        for kind, gpus in (Unconvertible, GPUS), (Slipped, GPUS), (Matrix, ('SM75',)):
            submit(kind.__name__, write_small(kind(), folder / f'{kind.__name__}.pt2'), *gpus)
        submit('Matrix for others', folder / 'Matrix.pt2')
        found = {}
        for version, builder in builders.items():
            versions, found[version] = builder.finish()
            assert versions == {'version': version, 'compiler': COMPILER}
        return found
    finally:
        for builder in builders.values():
            builder.close()


def networks(config):
    return replace(config, name='', stage='student')


def test_these_presets_are_all_networks_that_there_are():
    kinds = {networks(preset_model(name).config) for name in PRESETS}
    assert len(kinds) == len(PRESETS)
    files = sorted(model_presets.PRESETS.glob('*.yaml'))
    assert {networks(preset.read_preset(file.stem).model) for file in files} == kinds
    assert {networks(load_model(folder).config) for folder in shipped_models()} <= kinds


def operators(program):
    return {str(node.target) for node in program.graph.nodes if node.op == 'call_function'}


@pytest.mark.parametrize('name', SMALL)
def test_a_larger_preset_has_no_operator_of_its_own(programs, name):
    assert operators(programs[name]) == operators(programs[SMALL[name]])
    assert len(operators(programs[name])) > 20


@pytest.mark.parametrize(('version', 'name'), BUILT)
def test_it_compiles(built, version, name):
    facts = built[version][name]
    assert 'error' not in facts, facts
    assert facts['engine_bytes'] > 1e6


def test_it_compiles_at_a_large_size_that_is_padded(built):
    assert 'error' not in built[LARGE_BUILDER]['large']


@pytest.mark.parametrize('version', REGISTRIES)
def test_an_operator_without_a_converter_is_refused(built, version):
    facts = built[version]['Unconvertible']
    assert facts['missing'] == ['aten.special_bessel_j0.default']
    assert 'error' in facts


@pytest.mark.parametrize('version', REGISTRIES)
def test_the_compiler_knows_what_a_gpu_cannot_do(built, version):
    assert 'error' not in built[version]['Matrix for others']
    facts = built[version]['Matrix']
    assert 'for Turing (SM75): FP32 GEMM is not supported' in facts['error']
    assert facts['missing'] == []


def in_float(facts):
    kinds = {kind for _, kind, _ in facts['products']}
    assert kinds <= {'FLOAT', 'HALF'}
    assert 'HALF' in kinds
    return Counter(module for _, kind, module in facts['products'] if kind == 'FLOAT')


def allowed(config):
    """Count the products that are to be in float32: the head's, and FrameLinear's.

    Of those that the U-Net's time alone goes through nothing is left, they are constants. The
    DiT has no other.
    """
    head = ['model.decoder.head.from_features', 'model.decoder.head.from_source']
    if isinstance(config.denoiser, DiTConfig):
        return Counter(head)
    assert isinstance(config.denoiser, UNetConfig)
    blocks = range(len(config.denoiser.dilations))
    each = ('summary.0', 'summary.2', 'middle.{}.modulate')
    return Counter([*head, *(f'model.denoiser.{name.format(n)}' for n in blocks for name in each)])


@pytest.mark.parametrize(('version', 'name'), BUILT)
def test_half_precision_is_half(built, version, name):
    assert in_float(built[version][name]) == allowed(preset_model(name).config)


@pytest.mark.parametrize('version', REGISTRIES)
def test_a_float_product_that_slips_in_is_seen(built, version):
    facts = built[version]['Slipped']
    assert in_float(facts) == {'slip': 1}
    assert len(facts['products']) == 3


def documented():
    """Read the table of docs/design.md: layers, operations, MB, MB of activations by size."""
    row = re.compile(r'\| `(\w+)` \| (\d+) \| (\d+) \| ([\d.]+) \| ([\d /]+) \|')
    rows = {name: (int(layers), int(operations), float(engine),
                   [float(mb) for mb in memory.split('/')])
            for name, layers, operations, engine, memory in row.findall(DESIGN.read_text())}
    assert [*rows] == [*PRESETS]
    return rows


@pytest.mark.parametrize('name', PRESETS)
def test_the_table_holds(built, name):
    facts, told = built[NEW][name], documented()[name]
    found = (facts['layers'], facts['operations'], facts['engine_bytes'] / 1e6,
             facts['activation_bytes'] / 1e6)
    assert found == pytest.approx((*told[:3], told[3][0]), rel=CLOSE)


def test_the_table_holds_at_a_large_size(built):
    assert built[LARGE_BUILDER]['large']['activation_bytes'] / 1e6 == pytest.approx(
        documented()['nano'][3][-1], rel=CLOSE)


@pytest.mark.parametrize('name', SMALL.values())
def test_both_versions_come_to_the_same(built, name):
    """With products in float32 an engine is half as large again."""
    old, new = built[OLD][name], built[NEW][name]
    for key in 'engine_bytes', 'activation_bytes':
        assert old[key] == pytest.approx(new[key], rel=CLOSE)
