"""The errors that a user can fix."""

from __future__ import annotations

from pathlib import Path


class UserError(Exception):
    """A user's input is wrong; the text names the value and the remedy.

    Command lines print it as one line and exit with code 2; the node reports it as a status.
    """


class OutputError(UserError):
    """A file or folder cannot be written: a full disk, a name that is too long, an existing file.

    :ivar path: the file or folder.
    :ivar reason: the reason.
    """

    def __init__(self, path: Path, reason: BaseException | str, more: str = '') -> None:
        """Make the text of path, reason (only the message of a system error) and ``more``."""
        self.path, self.reason, self.more = path, reason, more
        text = getattr(reason, 'strerror', None) or str(reason).strip() or type(reason).__name__
        super().__init__(f"'{path}' cannot be written: {text.splitlines()[0]}{more}")

    def __reduce__(self) -> tuple[type, tuple[Path, str, str]]:
        """Pickle the reason as its text, so that the error can be sent to another process."""
        reason = getattr(self.reason, 'strerror', None) or str(self.reason)
        return type(self), (self.path, reason, self.more)
