"""What an exception in a rehearsal tells: that the code is wrong, or only that it needs what is not there."""

from __future__ import annotations

import errno
import importlib.util
import os
import re
import socket
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from hubpub.model.guard import Refusal, RefusedError

NO_REPO = "needs {repo}, which the rehearsal hub does not have; give --with {repo}=PATH"
"""What is said of a repo that is not there; `repo` is its id."""

_LONGEST = 300
_MOST_READ = 20_000
_DEEPEST = 20
_REFUSED = {
    "network": "needs the network ({what})",
    "program": "starts another program ({what})",
    "file": "reads or writes {what}, which is not the rehearsal's",
    "process": "sends a signal to another process ({what})",
}
_NO_GPU = re.compile(
    r"not compiled with CUDA|No CUDA GPUs|no NVIDIA driver|CUDA.{0,40}(?:unavailable|not available|is_available\(\) is"
    r" False)|NVIDIA GPU|(?:MPS|XPU|HIP) .{0,40}not available|requires? (?:a )?GPU|No GPU",
    re.IGNORECASE,
)
_NEEDS_PACKAGE = re.compile(r"not found in your environment|pip install|not installed|need to install", re.IGNORECASE)
_NEEDS_TOKEN = re.compile(r"\bapi_key\b|log in with|hf auth login")
_NO_DATASET = re.compile(r"Dataset '([\w./-]{1,200})' doesn't exist on the Hub")
_LIBRARIES = re.compile(r"[\w./\\:-]*[\\/]site-packages[\\/]")
_NOT_ALLOWED = (401, 403)
_UNREACHABLE = (errno.ENETUNREACH, errno.EHOSTUNREACH)
_REMOTE_CODE = "trust_remote_code=True"
_NO_SUCH_IMAGE = re.compile(r"Incorrect (?:image|video|audio|format used for image)[^\n]{0,300}?(?:[Gg]ot|:) ?(\S+)")


def describe(error: BaseException, home: str = "") -> str:
    """The exception as the end of a traceback shows it, in one line: of a long message the first line and the last."""
    kind = type(error)
    name = (
        kind.__qualname__ if kind.__module__ in ("builtins", "__main__") else f"{kind.__module__}.{kind.__qualname__}"
    )
    lines = [line.strip() for line in _said(error).splitlines() if line.strip()]
    text = " … ".join(line[:_LONGEST] for line in dict.fromkeys([*lines[:1], *lines[-1:]]))
    text = _LIBRARIES.sub("", text.replace(home, ".") if home else text)
    return f"{name}: {text}" if text else name


def _said(error: BaseException) -> str:
    try:
        return str(error)[:_MOST_READ]
    except Exception:  # a class of the card's own may fail at this too
        return ""


def missing(
    error: BaseException,
    own: str,
    refusals: Sequence[Refusal],
    unmade: Mapping[str, int] | None = None,
    absent: str = NO_REPO,
) -> str | None:
    """What the code needs that is not there, as a sentence without a subject; None when the code is wrong.

    Args:
        error: what it raised.
        own: the repo that is rehearsed.
        refusals: what the guard did not let it do.
        unmade: names that earlier blocks would have made had they run, with the lines of these blocks.
        absent: what is said of a repo that is not there.
    """
    links = list(_chain(error))
    for link in links:
        if isinstance(link, RefusedError) and refusals:
            last = refusals[-1]
            return _REFUSED[last.kind].format(what=last.what)
        if isinstance(link, socket.gaierror) or (isinstance(link, OSError) and link.errno in _UNREACHABLE):
            return "needs the network"
        if found := _absent_repo(link, own, absent):
            return found
    # What was raised while another exception was handled need not come from it.
    for link in links[: 1 + sum(1 for link in links if link.__cause__ is not None)]:
        if found := _absent(link):
            return found
    return _absent_file(error) or _absent_name(error, unmade or {})


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The exception and what it came from."""
    link: BaseException | None = error
    for _ in range(_DEEPEST):
        if link is None:
            return
        yield link
        link = link.__cause__ or link.__context__


def _absent_repo(error: BaseException, own: str, absent: str) -> str | None:
    from huggingface_hub import errors

    if isinstance(error, errors.LocalTokenNotFoundError):
        return "needs a token"
    if not isinstance(error, errors.RepositoryNotFoundError):
        refused = isinstance(error, errors.HfHubHTTPError) and error.response.status_code in _NOT_ALLOWED
        return "needs a token that may do more than read" if refused else None
    repo = error.repo_id or _repo_in(str(getattr(error.response, "url", "")))
    if not repo or repo == own:
        return None
    if error.repo_type in ("dataset", "space"):
        return f"needs the {error.repo_type} {repo}, which the rehearsal hub does not have"
    return absent.format(repo=repo)


def _repo_in(url: str) -> str | None:
    found = re.search(r"//[^/]+/(?:api/)?(?:models/)?([\w.-]+/[\w.-]+)", url)
    return found[1] if found else None


def _absent(error: BaseException) -> str | None:
    text = _said(error)
    if isinstance(error, ImportError):
        return _absent_package(error, text)
    if isinstance(error, EOFError) and "reading a line" in text:
        return "asks for input"
    if isinstance(error, ValueError) and _REMOTE_CODE in text:
        return "needs code of the repo, which it does not allow to run (trust_remote_code)"
    if isinstance(error, ValueError) and _NEEDS_TOKEN.search(text):
        return "needs a token"
    if found := _NO_DATASET.search(text):
        return f"needs the dataset {found[1]}, which the rehearsal hub does not have"
    if isinstance(error, NameError) and _is_torch_of_a_library(error):
        return "needs the package torch, which is not installed"
    if isinstance(error, KeyError) and _is_of_environment(error):
        return f"needs the environment variable {error.args[0]}"
    if isinstance(error, RuntimeError | AssertionError | ValueError | OSError) and _NO_GPU.search(text):
        return "needs a GPU"
    return None


def _absent_file(error: BaseException) -> str | None:
    if type(error) is FileNotFoundError and isinstance(error.filename, str | bytes):
        return f"needs the file {Path(os.fsdecode(error.filename)).name}, which is not here"
    if isinstance(error, ValueError) and (found := _NO_SUCH_IMAGE.search(_said(error))):
        return f"needs the file {Path(found[1]).name[:80]}, which is not here"
    return None


def _absent_package(error: ImportError, text: str) -> str | None:
    top = (error.name or "").partition(".")[0]
    if isinstance(error, ModuleNotFoundError) and top and importlib.util.find_spec(top) is None:
        return f"needs the package {top}, which is not installed"
    if _NEEDS_PACKAGE.search(text):
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        return f"needs a package that is not installed ({lines[0][:160]})"
    return None


def _is_torch_of_a_library(error: NameError) -> bool:
    """Whether transformers missed torch: it imports it where it is installed, and uses its name where it is not."""
    missed = error.name == "torch" and importlib.util.find_spec("torch") is None
    return missed and _raised_in(error).partition(".")[0] == "transformers"


def _is_of_environment(error: KeyError) -> bool:
    return _raised_in(error) == "os"


def _raised_in(error: BaseException) -> str:
    """The module whose code raised it."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return str(trace.tb_frame.f_globals.get("__name__")) if trace is not None else ""


def _absent_name(error: BaseException, unmade: Mapping[str, int]) -> str | None:
    if isinstance(error, NameError) and error.name is not None and error.name in unmade:
        return f"needs `{error.name}`, which the block at line {unmade[error.name]} did not come to make"
    return None
