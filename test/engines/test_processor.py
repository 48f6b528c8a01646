"""Properties of the processor, and the C++ compiler."""

import os

import pytest

from rgb2swir_ros.engines import processor
from rgb2swir_ros.errors import UserError

X86 = 'processor\t: 0\nmodel name\t: Some CPU\nflags\t\t: sse avx512_bf16 avx2\n\nprocessor\t: 1\n'
ARM = 'processor\t: 0\nFeatures\t: fp asimd\n'


@pytest.fixture
def cpuinfo(tmp_path, monkeypatch):
    def write(text):
        (tmp_path / 'cpuinfo').write_text(text)
        monkeypatch.setattr(processor, 'CPUINFO', tmp_path / 'cpuinfo')
        processor._cpuinfo.cache_clear()
    yield write
    processor._cpuinfo.cache_clear()


def test_reads_x86_and_arm(cpuinfo):
    cpuinfo(X86)
    assert processor.instruction_flags() == {'sse', 'avx2', 'avx512_bf16'}
    assert processor.processor_name() == 'Some CPU'
    assert processor.has_bfloat16()
    cpuinfo(ARM)
    assert processor.instruction_flags() == {'fp', 'asimd'}
    assert not processor.has_bfloat16()


@pytest.mark.parametrize(('flags', 'expected'), [
    ('avx512f amx_bf16', True), ('avx512f', False), ('not_avx512_bf16', False), ('', False)])
def test_bfloat16_needs_its_instructions(cpuinfo, flags, expected):
    cpuinfo(f'flags\t: {flags}\n')
    assert processor.has_bfloat16() is expected


def test_identity_follows_the_flags_not_their_order(cpuinfo):
    cpuinfo('flags\t: a b\n')
    first = processor.processor_identity()
    cpuinfo('flags\t: b a\n')
    assert processor.processor_identity() == first
    cpuinfo('flags\t: a b c\n')
    assert processor.processor_identity() != first


def test_threads():
    available = len(os.sched_getaffinity(0))
    assert processor.resolve_threads(0) == available
    assert processor.resolve_threads(1) == 1
    for wrong in (-1, available + 1):
        with pytest.raises(UserError, match=f'threads {wrong}: .* to {available}'):
            processor.resolve_threads(wrong)


def test_compiler_is_the_chosen_one_or_none(monkeypatch, tmp_path):
    tool = tmp_path / 'mycxx'
    tool.write_text('#!/bin/sh\n')
    tool.chmod(0o755)
    monkeypatch.setenv('CXX', str(tool))
    assert processor.find_compiler() == str(tool)
    monkeypatch.setenv('CXX', '/nowhere/g++')
    assert processor.find_compiler() is None
    monkeypatch.delenv('CXX')
    monkeypatch.setenv('PATH', str(tmp_path))
    assert processor.find_compiler() is None
    tool.rename(tmp_path / 'clang++')
    assert processor.find_compiler() == str(tmp_path / 'clang++')


def test_waiting_policy_is_the_users_if_set(monkeypatch):
    monkeypatch.delenv('OMP_WAIT_POLICY', raising=False)
    assert processor.waiting_environment() == {'OMP_WAIT_POLICY': 'passive'}
    monkeypatch.setenv('OMP_WAIT_POLICY', 'active')
    assert processor.waiting_environment() == {'OMP_WAIT_POLICY': 'active'}
