"""Jinja for the card: where templates come from, what they may do, and where in them an error is.

A project's templates come before hubpub's own, one by one, so that it replaces the partial that it cares about. They
run in a sandbox, and within bounds of time and size; one from a model folder is never used, whoever names it.
"""

from __future__ import annotations

import difflib
import re
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from hubpub.card.writing.template_choice import TEMPLATES, no_such_template
from hubpub.core.errors import HubpubError, UsageError
from hubpub.core.pattern import Pattern

if TYPE_CHECKING:
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    from hubpub.core.settings import CardSettings
    from hubpub.model.folder import ModelFolder

SUFFIX = ".md.jinja"
# Settings come with a checkout, and a template is published: no other file of this machine may be one.
_ENDING = ".jinja"

_LARGEST_TEMPLATE = 256 << 10
_LARGEST_CARD = 4 << 20
_LONGEST_VALUE = 1 << 20
_SECONDS = 5.0
_MEND = "mend the template"
_OBJECT = Pattern(r"'?hubpub\.(?:\w+\.)*(\w+) object'?")
_UNKNOWN = Pattern(r"'(\w+)' is undefined|has no (?:attribute|element) '(\w+)'")


@dataclass(frozen=True, slots=True)
class Templates:
    """What a card is made with.

    Attributes:
        name: of a profile, one of hubpub's or of those in `folder`; None for the one that fits the model.
        file: a project's template in its place.
        folder: a project's templates, which come before hubpub's own of the same name.
    """

    name: str | None = None
    file: Path | None = None
    folder: Path | None = None

    @property
    def are_own(self) -> bool:
        """Whether all of them are hubpub's."""
        return self.file is None and self.folder is None


OWN_TEMPLATES = Templates()


class _TooLongError(Exception):
    """A template takes more time, or gives more text, than any card needs."""


@cache
def template_folder() -> Path:
    """Where hubpub's templates are: inside an installed package, else beside it in a checkout.

    Raises:
        HubpubError: neither is there.
    """
    package = Path(__file__).resolve().parents[2]
    for folder in (package / "_templates", package.parent / "templates"):
        if (folder / f"default{SUFFIX}").is_file():
            return folder
    raise HubpubError("hubpub's card templates are not installed", "install hubpub again")


def partial_names() -> tuple[str, ...]:
    """All of hubpub's templates, as includes name them: those of whole cards, of sections, their parts, snippets."""
    root = template_folder()
    paths = sorted(root.rglob(f"*{SUFFIX}"), key=lambda path: (len(path.relative_to(root).parts), path.as_posix()))
    return tuple(path.relative_to(root).as_posix() for path in paths)


def find_templates(settings: CardSettings, chosen: str | None = None, model: ModelFolder | None = None) -> Templates:
    """The templates that the settings and --template ask for.

    Args:
        settings: of the project.
        chosen: a name or a file, as --template gives it.
        model: the folder that the card is for, which gives none.

    Raises:
        UsageError: there is no such template, or it lies in the model folder.
    """
    base = settings.source.parent if settings.source else None
    root = model.source.directory if model is not None else None
    folder = None
    if base and settings.templates:
        folder = base / settings.templates
        if not folder.is_dir():
            raise UsageError(f"{settings.source}: card.templates: there is no folder {folder}", "name one that exists")
        _outside(folder, root)
    elif base and (base / "templates").is_dir() and not _is_inside(base / "templates", root):
        folder = base / "templates"
    if chosen is not None:
        return _chosen(chosen, Path(), folder, root, "--template")
    if settings.template is not None and base is not None:
        return _chosen(settings.template, base, folder, root, f"{settings.source}: card.template")
    return Templates(folder=folder)


def _chosen(word: str, base: Path, folder: Path | None, root: Path | None, who: str) -> Templates:
    own = folder and "/" not in word and (folder / f"{word}{SUFFIX}").is_file()
    if word in TEMPLATES or own:
        return Templates(name=word, folder=folder)
    path = base / word
    if not path.is_file():
        near = difflib.get_close_matches(word, TEMPLATES, n=1)
        hint = f"did you mean {near[0]}?" if near else f"choose one of {', '.join(TEMPLATES)}, or name a file"
        raise UsageError(f"{who}: there is no template {word[:100]!r}", hint)
    if who != "--template" and path.resolve().suffix != _ENDING:
        raise UsageError(f"{who}: {path} is no template", f"name a file that ends in {_ENDING}")
    _outside(path, root)
    return Templates(file=path, folder=folder)


def _is_inside(path: Path, root: Path | None) -> bool:
    return root is not None and path.resolve().is_relative_to(root)


def _outside(path: Path, root: Path | None) -> None:
    if _is_inside(path, root):
        raise UsageError(
            f"{path} lies in the model folder, whose templates are never used", "keep it beside the project's settings"
        )


def eject(name: str, folder: Path) -> Path:
    """Copy one of hubpub's templates to `folder`, where a project may change it; returns where it is.

    Raises:
        UsageError: there is no such template, or there is such a file already.
    """
    names = {known: known for known in partial_names()}
    names |= {known.removesuffix(SUFFIX): known for known in names}
    if name not in names:
        near = difflib.get_close_matches(name, names, n=1)
        hint = f"did you mean {near[0]}?" if near else "`hubpub card --list-templates` names them"
        raise UsageError(f"there is no template {name!r}", hint)
    target = folder / names[name]
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("xb") as file:
            file.write((template_folder() / names[name]).read_bytes())
    except FileExistsError as error:
        raise UsageError(
            f"{error.filename or target} is there already", "change that one, or delete it first"
        ) from error
    except OSError as error:
        raise UsageError(f"{target} cannot be written: {error.strerror}", "check the folder's permissions") from error
    return target


def render_template(
    templates: Templates,
    name: str,
    names: Mapping[str, Any],
    *,
    filters: Mapping[str, Callable[..., Any]],
    finalize: Callable[[Any], Any],
) -> str:
    """The text that a template makes of `names`.

    Args:
        templates: which ones.
        name: of the file of a whole card; `templates.file` comes before it.
        names: what they may use.
        filters: what they may call.
        finalize: makes each value fit for Markdown.

    Raises:
        UsageError: a template is wrong, or takes too long; the message names its file and line.
    """
    from jinja2 import TemplateNotFound, TemplateSyntaxError, pass_eval_context

    environment = _own_environment() if templates.are_own else _environment(templates)
    environment.filters.update(filters)
    # One that is given the context is not called while a template is compiled; see _environment.
    environment.finalize = pass_eval_context(lambda _context, value: finalize(value))
    name = templates.file.as_posix() if templates.file else name
    parts: list[str] = []
    size = 0
    try:
        with nullcontext() if templates.are_own else _deadline():
            for part in environment.get_template(name).generate(names):
                parts.append(part)
                size += len(part)
                if size > _LARGEST_CARD:
                    raise _TooLongError(f"it makes a card of more than {_LARGEST_CARD:,} characters")
    except HubpubError:
        raise
    except TemplateSyntaxError as error:
        place = f"{_shown(error.filename or error.name or name)}:{error.lineno}"
        raise UsageError(f"{place}: {error.message}", _MEND) from error
    except TemplateNotFound as error:
        if error.name == name:
            raise no_such_template(name.removesuffix(SUFFIX)) from error
        message = f"there is no template {error.name!r}"
        raise UsageError(f"{_place(error) or _shown(name)}: {message}", _MEND) from error
    except Exception as error:  # whatever an expression of a template may raise
        message, hint = _explained(error, names)
        raise UsageError(f"{_place(error) or _shown(name)}: {message}", hint) from error
    return "".join(parts)


@cache
def _own_environment() -> ImmutableSandboxedEnvironment:
    return _environment(OWN_TEMPLATES)


def _environment(templates: Templates) -> ImmutableSandboxedEnvironment:
    from jinja2 import BaseLoader, ChoiceLoader, FileSystemLoader, FunctionLoader, StrictUndefined

    from hubpub.card.writing.compiled import CompiledTemplates

    folder, file = templates.folder, templates.file
    loaders: list[BaseLoader] = []
    if file is not None:
        loaders.append(FunctionLoader(lambda name: _source(file) if name == file.as_posix() else None))
    if folder is not None:
        loaders.append(FunctionLoader(lambda name: _source(_within(folder, name))))
    return _sandbox()(
        loader=ChoiceLoader([*loaders, FileSystemLoader(template_folder())]),
        undefined=StrictUndefined,
        autoescape=False,  # that escapes for HTML; `finalize` escapes for Markdown
        trim_blocks=True,
        lstrip_blocks=True,
        # No filter is called either while a template is compiled: its code depends on its text alone.
        optimized=False,
        bytecode_cache=CompiledTemplates(template_folder()),
    )


@cache
def _sandbox() -> type[ImmutableSandboxedEnvironment]:
    from jinja2.runtime import Context
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    class Sandbox(ImmutableSandboxedEnvironment):
        """A sandbox in which no single operation makes a huge value."""

        intercepted_binops = frozenset(["*", "**"])

        def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
            numbers = isinstance(left, int | float) and isinstance(right, int | float)
            if numbers and operator == "**" and (abs(left) > 1e6 or abs(right) > 100):
                raise _TooLongError("a power is too large")
            if not numbers and isinstance(left, int | float) + isinstance(right, int | float) == 1:
                times, many = (left, right) if isinstance(left, int | float) else (right, left)
                if hasattr(many, "__len__") and len(many) * times > _LONGEST_VALUE:
                    raise _TooLongError(f"a value is longer than {_LONGEST_VALUE:,}")
            return super().call_binop(context, operator, left, right)

    return Sandbox


def _within(folder: Path, name: str) -> Path | None:
    parts = name.split("/")
    if any(part in ("", ".", "..") or "\\" in part for part in parts):
        return None
    path = folder.joinpath(*parts)
    return path if path.resolve().suffix == _ENDING else None


def _source(path: Path | None) -> tuple[str, str, Callable[[], bool]] | None:
    if path is None or not path.is_file():
        return None
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST_TEMPLATE + 1)
        if len(content) > _LARGEST_TEMPLATE:
            raise UsageError(f"{path} has more than {_LARGEST_TEMPLATE:,} bytes", "a template is text; make it smaller")
        return content.decode("utf-8"), str(path), lambda: False
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}", "check its permissions") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not UTF-8 at byte {error.start}", "save it as UTF-8") from error


@contextmanager
def _deadline() -> Iterator[None]:
    """Stop a template that loops for too long: each line of it that runs looks at the clock of the processor."""
    end = time.thread_time() + _SECONDS

    def in_template(_frame: FrameType, _event: str, _argument: Any) -> Any:
        if time.thread_time() > end:
            raise _TooLongError(f"it takes more than {_SECONDS:g} seconds")
        return in_template

    def called(frame: FrameType, _event: str, _argument: Any) -> Any:
        return in_template if "__jinja_template__" in frame.f_globals else None

    before = sys.gettrace()
    sys.settrace(called)
    try:
        yield
    finally:
        sys.settrace(before)


def _place(error: BaseException) -> str | None:
    """The file and line of the template in which an error arose; jinja2 puts them into the traceback."""
    traceback, place = error.__traceback__, None
    while traceback is not None:
        if "__jinja_exception__" in traceback.tb_frame.f_globals:
            place = f"{_shown(traceback.tb_frame.f_code.co_filename)}:{traceback.tb_lineno}"
        traceback = traceback.tb_next
    return place


def _shown(file: str) -> str:
    """One of hubpub's templates by its name, another one by its path."""
    path, own = Path(file), template_folder()
    return path.relative_to(own).as_posix() if path.is_relative_to(own) else file


def _explained(error: Exception, names: Mapping[str, Any]) -> tuple[str, str]:
    message = _OBJECT.sub(lambda found: found[1], " ".join(str(error).split())[:300]) or type(error).__name__
    unknown = _UNKNOWN.search(message)
    if unknown is None:
        return message, _MEND
    if unknown[1]:
        known, word = list(names), unknown[1]
    else:
        known, word = [name for value in names.values() for name in dir(value) if name[:1] != "_"], unknown[2]
    near = difflib.get_close_matches(word, known, n=1)
    return message, f"did you mean {near[0]}?" if near else _MEND


def tidy(text: str) -> str:
    """The text without the blank lines that conditions and loops of templates leave."""
    text = re.sub(r"\n{2,}(?=<!-- hubpub:end )", "\n", text)
    return re.sub(r"\n{3,}", "\n\n", text).strip("\n") + "\n"
