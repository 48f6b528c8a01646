"""The toy data set and the detector of the laboratory's tests, for its verbs."""

from ..lab.conftest import lively, toy

__all__ = ['lively', 'toy']
