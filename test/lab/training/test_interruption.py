"""Signals are noted between steps and do what they did before afterwards."""

import os
import signal

import pytest

from rgb2swir_ros.lab.training.interruption import Interruption


def send(number: signal.Signals) -> None:
    os.kill(os.getpid(), number)


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_a_signal_is_noted_and_the_old_handler_returns(number):
    before = signal.getsignal(number)
    with Interruption(ignore_repeated=False) as interruption:
        assert not interruption.requested
        send(number)
        assert interruption.requested
    assert signal.getsignal(number) is before


def test_a_second_ctrl_c_ends_at_once_unless_patient():
    with Interruption(ignore_repeated=False):
        send(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            send(signal.SIGINT)
    with Interruption(ignore_repeated=True) as interruption:
        send(signal.SIGINT)
        send(signal.SIGINT)
        assert interruption.requested
