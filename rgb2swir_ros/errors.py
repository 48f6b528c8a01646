"""The errors that a user can mend."""

from __future__ import annotations

from pathlib import Path


class UserError(Exception):
    """Something the user gave is wrong; the text names the value and the way out.

    Command lines print it as one line and exit with 2; the node turns it into a status.
    """


class OutputError(UserError):
    """A file or folder cannot be written: the disk is full, the name too long, the place taken.

    :ivar path: what was to be written.
    :ivar reason: why not.
    """

    def __init__(self, path: Path, reason: BaseException | str, more: str = '') -> None:
        """Name the path and the reason, of a system error its text only; ``more`` follows."""
        self.path, self.reason, self.more = path, reason, more
        text = getattr(reason, 'strerror', None) or str(reason).strip() or type(reason).__name__
        super().__init__(f"'{path}' cannot be written: {text.splitlines()[0]}{more}")

    def __reduce__(self) -> tuple[type, tuple[Path, str, str]]:
        """Reach another process with the text of the reason."""
        reason = getattr(self.reason, 'strerror', None) or str(self.reason)
        return type(self), (self.path, reason, self.more)
