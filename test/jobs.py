"""A job for worker processes, which import it by name."""

import atexit
import os
import signal

from rgb2swir_ros.errors import UserError


def square(number: int) -> int:
    """Square a positive number; die of a negative one."""
    if number < 0:
        os._exit(-number)
    if number == 0:
        raise ValueError('nothing to square')
    if number == 99:
        raise UserError('the disk is full')
    return number * number


def square_and_be_terminated_at_exit(number: int) -> int:
    """Square a number; get SIGTERM when the process ends."""
    atexit.register(os.kill, os.getpid(), signal.SIGTERM)
    return number * number
