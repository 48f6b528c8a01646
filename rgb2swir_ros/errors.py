"""The errors that a user can mend."""

from __future__ import annotations


class UserError(Exception):
    """Something the user gave is wrong; the text names the value and the way out.

    Command lines print it as one line and exit with 2; the node turns it into a status.
    """
