"""The other publishers of a camera's outputs, as discovery tells of them."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from rgb2swir_ros.ros import outputs
from rgb2swir_ros.ros.outputs import Outputs

UNKNOWN = ('_NODE_NAMESPACE_UNKNOWN_', '_NODE_NAME_UNKNOWN_')


class Graph:
    """A node in a graph whose publishers each have a (namespace, name), known or not yet."""

    def __init__(self, *publishers: tuple[str, str]) -> None:
        self.publishers = [('/', 'translator'), *publishers]

    def get_fully_qualified_name(self) -> str:
        return '/translator'

    def count_publishers(self, name: str) -> int:
        return len(self.publishers)

    def get_publishers_info_by_topic(self, name: str) -> list[SimpleNamespace]:
        return [SimpleNamespace(node_namespace=space, node_name=name)
                for space, name in self.publishers]

    def get_logger(self) -> None:
        return None


@pytest.fixture
def advertised(monkeypatch):
    """Give a camera's outputs in a graph, and a clock of whole seconds."""
    now = [0]
    monkeypatch.setattr(outputs.time, 'monotonic_ns', lambda: now[0] * 10**9)
    monkeypatch.setattr(Outputs, '_advertise', lambda *_: None)

    class Name(str):
        name = unresolved = property(str)

    def make(*publishers: tuple[str, str]) -> tuple[Outputs, Graph, list[int]]:
        graph = Graph(*publishers)
        topics = SimpleNamespace(swir=Name('/swir'), swir_compressed=Name('/swir'),
                                 swir_info=Name('/swir'))
        one = Outputs(graph, topics, lambda: None)
        one._topics = one._topics[:1]
        return one, graph, now
    return make


def test_a_publisher_is_reported_when_its_node_is_known(advertised):
    one, graph, now = advertised(UNKNOWN)
    assert one.other_publishers() == ''
    now[0] = 1
    graph.publishers[1] = ('/left', 'rival')
    assert one.other_publishers() == '/swir by /left/rival'


def test_a_publisher_without_a_known_node_is_reported_after_five_seconds(advertised):
    one, graph, now = advertised(UNKNOWN, ('/', 'rival'))
    assert one.other_publishers() == '/swir by /rival'
    now[0] = 6
    assert one.other_publishers() == '/swir by /rival, a node of unknown name'
    graph.publishers.remove(UNKNOWN)
    assert one.other_publishers() == '/swir by /rival'
    graph.publishers.append(UNKNOWN)
    assert one.other_publishers() == '/swir by /rival'


def test_a_second_publisher_of_the_own_node_name_is_another_node(advertised):
    one, graph, _ = advertised(('/', 'translator'))
    assert one.other_publishers() == '/swir by /translator'
    graph.publishers.pop()
    assert one.other_publishers() == ''
