"""Compile, audit and render chat templates, in the environment that transformers renders them in.

The environment is that of `transformers.utils.chat_template_utils._cached_compile_jinja_template` (5.23), made anew
because importing transformers takes a second. It differs where a template could do harm or hide: the date is
fixed, what the sandbox refuses is noted, and powers and repetitions are measured before they are computed.
"""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable
from datetime import datetime
from types import TracebackType
from typing import Any, NoReturn

import jinja2
from jinja2 import meta, nodes
from jinja2.exceptions import SecurityError
from jinja2.ext import Extension, loopcontrols
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment, modifies_known_mutable
from jinja2.utils import Namespace

from hubpub.model.children.template_audit import audit
from hubpub.model.children.template_chats import ordinary_chats
from hubpub.model.children.template_triggers import find_triggered

SECONDS = 1.5
"""Processor time that compiling a template and rendering all conversations may take; real ones take 0.1 s."""

ALL_SECONDS = 4.0
"""Processor time that all templates of a folder may take; the rest is then not looked at."""

LARGEST_TEXT = 4 << 20
"""Characters that a conversation of some words may become."""

TODAY = datetime(2003, 2, 1, 12)  # so that every other year in what a template writes is its own
_LATER = datetime(2099, 12, 31, 12)
_LARGEST_REPETITION = 16 << 20
_LONGEST_MESSAGE = 300
_KEPT_TEXT = 100_000


class OutOfBoundsError(BaseException):
    """A template takes too much; no `except Exception` of a library may hold it up."""


class _Refusal(jinja2.TemplateError):
    """The template called raise_exception."""


class _Generation(Extension):
    """`{% generation %}`, which marks what the assistant says and changes nothing of it."""

    tags = {"generation"}  # noqa: RUF012 -- jinja's own declaration

    def parse(self, parser: Parser) -> nodes.Node:
        line = next(parser.stream).lineno
        body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        return nodes.CallBlock(self.call_method("_said"), [], [], body).set_lineno(line)

    def _said(self, caller: Callable[[], str]) -> str:
        return caller()


class _TemplateDict:
    """`dict` without the attributes of the class."""

    def __call__(self, *args: Any, **kwargs: Any) -> dict[Any, Any]:
        return dict(*args, **kwargs)

    def fromkeys(self, *args: Any) -> dict[Any, Any]:
        return dict.fromkeys(*args)


class _TemplateNamespace(Namespace):
    """A namespace that takes no underscored names."""

    def __init__(*args: Any, **kwargs: Any) -> None:
        own, rest = args[0], args[1:]
        attributes = dict(*rest, **kwargs)
        for name in attributes:
            _check_name(name)
        Namespace.__init__(own, attributes)

    def __setitem__(self, name: str, value: Any) -> None:
        _check_name(name)
        super().__setitem__(name, value)


def _check_name(name: Any) -> None:
    if isinstance(name, str) and name.startswith("_"):
        raise jinja2.TemplateRuntimeError(f"a namespace may not have the underscored attribute {name!r}")


class TemplateEnvironment(ImmutableSandboxedEnvironment):
    """The environment of transformers, which notes what its sandbox refuses."""

    intercepted_binops = frozenset(["**", "*"])

    def __init__(self) -> None:
        super().__init__(trim_blocks=True, lstrip_blocks=True, extensions=[_Generation, loopcontrols])
        self.today = TODAY
        self.refused: dict[str, None] = {}
        self.filters["tojson"] = _tojson
        self.globals["raise_exception"] = _raise_exception
        self.globals["strftime_now"] = lambda format: self.today.strftime(format)  # noqa: A006
        self.globals["dict"] = _TemplateDict()
        self.globals["namespace"] = _TemplateNamespace

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """As jinja's own, noting a refusal; changing a list or dictionary is not an attack."""
        safe = super().is_safe_attribute(obj, attr, value)
        if not safe and not modifies_known_mutable(obj, attr) and len(self.refused) < 20:
            self.refused[attr[:100]] = None
        return safe

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """As jinja's own, unless the result would be huge; what runs in C cannot be interrupted.

        Raises:
            OutOfBoundsError: it would.
        """
        if operator == "**" and isinstance(left, int) and isinstance(right, int):
            bits = left.bit_length() * max(right, 0)
            if bits > 1 << 20:
                raise OutOfBoundsError(f"computes a power of {bits // 3.32:,.0f} digits")
        if operator == "*":
            if isinstance(left, int) and isinstance(right, int) and left.bit_length() + right.bit_length() > 1 << 22:
                raise OutOfBoundsError("computes numbers of a million digits")
            for repeated, times in ((left, right), (right, left)):
                if isinstance(repeated, str | bytes | list | tuple) and isinstance(times, int):
                    length = len(repeated) * times
                    if length > _LARGEST_REPETITION:
                        raise OutOfBoundsError(f"repeats a text or list to a length of {length:,}")
        return super().call_binop(context, operator, left, right)


def _raise_exception(message: Any) -> NoReturn:
    raise _Refusal(str(message))


def _tojson(
    x: Any,
    ensure_ascii: bool = False,
    indent: int | None = None,
    separators: tuple[str, str] | None = None,
    sort_keys: bool = False,
) -> str:
    return json.dumps(x, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


def examine(request: dict[str, Any]) -> list[dict[str, Any]]:
    """What becomes of chat templates, in the order of the request.

    Args:
        request: "templates", a list of objects with "text" and "tokens", the special tokens by variable name;
            "render", whether to render them or only to look at what they say.
    """
    found = []
    for template in request["templates"]:
        if time.process_time() > ALL_SECONDS:
            found.append({"unseen": True})
        else:
            found.append(_examine(template["text"], template["tokens"], request["render"]))
    return found


def _examine(text: str, tokens: dict[str, str], render: bool) -> dict[str, Any]:
    environment = TemplateEnvironment()
    found: dict[str, Any] = {"chats": {}}
    try:
        with _Clock():  # inside, so that it is stopped before anything is caught
            tree = environment.parse(text)
            found["audit"] = audit(tree, environment)
            if render:
                code = environment.compile(tree)
                template = environment.template_class.from_code(environment, code, environment.make_globals(None))
                _render_all(Renderer(template, environment, tokens), tree, found)
    except OutOfBoundsError as error:
        _Clock.stop()  # the alarm may have rung once more on the way
        found["exhausted"] = {"message": str(error), "line": _line(error.__traceback__)}
    except MemoryError as error:
        found["exhausted"] = {"message": "takes too much memory", "line": _line(error.__traceback__)}
    except jinja2.TemplateSyntaxError as error:
        found["broken"] = {"message": _short(error.message), "line": error.lineno}
    except RecursionError:
        found["broken"] = {"message": "is nested too deeply", "line": None}
    except Exception as error:  # from the compiler, of what a hostile template holds
        found["broken"] = {"message": _short(error), "line": getattr(error, "lineno", None)}
    found["refused"] = list(environment.refused)
    return found


class Renderer:
    """A compiled template, and what it is rendered with."""

    def __init__(self, template: jinja2.Template, environment: TemplateEnvironment, tokens: dict[str, str]) -> None:
        self.environment = environment
        self._template = template
        self._tokens = tokens

    def unset(self, tree: nodes.Template) -> set[str]:
        """The variables that nobody sets unless the caller of apply_chat_template does."""
        known = {*ordinary_chats()["user"], *self._tokens, *self.environment.globals}
        return meta.find_undeclared_variables(tree) - known

    def render(self, variables: dict[str, Any]) -> dict[str, Any]:
        """What becomes of a conversation: its "text", why it was "refused", or how it "failed" in which "line".

        Raises:
            OutOfBoundsError: it takes too much.
        """
        try:
            text = self._template.render({**self._tokens, **variables})
        except _Refusal as error:
            return {"refused": _short(error)}
        except SecurityError as error:
            return {"failed": _short(error), "line": _line(error.__traceback__), "security": True}
        except RecursionError as error:
            raise OutOfBoundsError("calls itself without end") from error
        except MemoryError:
            raise
        except Exception as error:  # a template may fail in every way that Python has
            message = _short(error) if str(error) else type(error).__name__
            return {"failed": message, "line": _line(error.__traceback__)}
        if len(text) > LARGEST_TEXT:
            raise OutOfBoundsError(f"writes {len(text):,} characters for a conversation of a few words")
        return {"text": text}


def _render_all(renderer: Renderer, tree: nodes.Template, found: dict[str, Any]) -> None:
    """Fill `found` as far as it goes: what was rendered before the template went out of bounds is kept."""
    texts = []
    for name, variables in ordinary_chats().items():
        outcome = found["chats"][name] = renderer.render(variables)
        texts.append(outcome.get("text", ""))
        if "text" in outcome:
            outcome["text"] = outcome["text"][:_KEPT_TEXT]
    if "failed" in found["chats"]["user"]:
        unset = renderer.unset(tree)
        found["unset"] = sorted(unset)
        found["chats"]["given"] = renderer.render({**dict.fromkeys(unset, ""), **ordinary_chats()["user"]})
    renderer.environment.today = _LATER
    later = renderer.render(ordinary_chats()["user go"])
    renderer.environment.today = TODAY
    found["triggered"] = find_triggered(renderer.render, found["audit"]["literals"], texts, later.get("text", ""))
    # What ordinary conversations hold too is not hidden, unless by chance.
    ordinary = "\0".join(texts)
    triggers = found["audit"]["triggers"]
    found["audit"]["triggers"] = [one for one in triggers if one["by chance"] or one["text"] not in ordinary]


class _Clock:
    """Raises OutOfBoundsError in whatever runs when SECONDS of processor time are over.

    What runs in C without an end is beyond it; then the system ends the process.
    """

    def __enter__(self) -> None:
        if hasattr(signal, "setitimer"):
            signal.signal(signal.SIGPROF, self._ring)
            # Once more a little later, should a library swallow the first.
            signal.setitimer(signal.ITIMER_PROF, SECONDS, 0.2)
            _limit_processor(SECONDS)

    def __exit__(self, *_: object) -> None:
        self.stop()

    @staticmethod
    def stop() -> None:
        """No more alarms."""
        if hasattr(signal, "setitimer"):
            signal.setitimer(signal.ITIMER_PROF, 0)

    @staticmethod
    def _ring(*_: object) -> NoReturn:
        raise OutOfBoundsError(f"takes more than {SECONDS:g} seconds of processor time")


def _limit_processor(seconds: float) -> None:
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    soft = int(time.process_time() + 2 * seconds) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (soft if hard == resource.RLIM_INFINITY else min(soft, hard), hard))


def _line(traceback: TracebackType | None) -> int | None:
    """The line of the template in which an exception was raised."""
    line = None
    while traceback is not None:
        template = traceback.tb_frame.f_globals.get("__jinja_template__")
        if template is not None:
            line = template.get_corresponding_lineno(traceback.tb_lineno)
        elif "__jinja_exception__" in traceback.tb_frame.f_globals:  # jinja has put it in order
            line = traceback.tb_lineno
        traceback = traceback.tb_next
    return line


def _short(error: object) -> str:
    return " ".join(str(error).split())[:_LONGEST_MESSAGE]
