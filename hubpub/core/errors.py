"""The error tree. Core code raises these; only the CLI turns them into words and an exit code.

Exit codes, stable and documented: 0 done, 1 findings at or above the threshold, 2 wrong usage or
configuration, 3 not authorised, 4 conflict (somebody else published meanwhile), 5 the Hub or the network
failed, 6 verification after publishing failed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from hubpub.core.report import Report


class HubpubError(Exception):
    """Anything that stops hubpub on purpose.

    Attributes:
        message: one sentence: what is wrong, with the name of the thing.
        next_step: one sentence: what to do about it.
        exit_code: of the command that it ends.
    """

    exit_code: ClassVar[int] = 2

    def __init__(self, message: str, next_step: str) -> None:
        super().__init__(message)
        self.message = message
        self.next_step = next_step


class FindingsError(HubpubError):
    """The checks found something at or above the threshold, so nothing was published.

    Attributes:
        report: what was found; None when it was the hub that refused the card.
    """

    exit_code = 1

    def __init__(self, message: str, next_step: str, report: Report | None = None) -> None:
        super().__init__(message, next_step)
        self.report = report


class UsageError(HubpubError):
    """The command line, a path or a setting cannot be what the user meant."""

    exit_code = 2


class AuthError(HubpubError):
    """No token, a token that the hub does not know, or one that may not do this.

    Attributes:
        layer: what refuses: "token", "scope", "role", "organisation policy", "repo" or "quota"; None if nobody can say.
    """

    exit_code = 3

    def __init__(self, message: str, next_step: str, layer: str | None = None) -> None:
        super().__init__(message, next_step)
        self.layer = layer


class ConflictError(HubpubError):
    """The hub holds something that this push would silently overwrite."""

    exit_code = 4


class HubError(HubpubError):
    """The hub or the network failed."""

    exit_code = 5


class VerificationError(HubpubError):
    """What the hub serves after the commit is not what was sent."""

    exit_code = 6
