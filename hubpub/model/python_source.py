"""What a Python file of a model folder defines, imports, and would do, read from its syntax tree; nothing is run.

Calls are recognised by the full name that imports give them (`import os as o; o.system` is `os.system`), and what runs
on import is followed into functions of the same file that are called there.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

LARGEST = 1 << 20
_MOST_NODES = 200_000

_RUNS_COMMANDS = (
    *("os.system", "os.popen", "os.exec", "os.spawn", "os.posix_spawn", "os.startfile", "os.fork", "pty.spawn"),
    *("subprocess.", "commands.getoutput", "asyncio.create_subprocess", "multiprocessing.Process", "pip.main"),
    *("pip._internal.main", "platform.popen", "webbrowser.open"),
)
_RUNS_CODE = (
    "eval",
    "exec",
    "runpy.",
    "code.interact",
    "builtins.eval",
    "builtins.exec",
    "marshal.loads",
    "types.CodeType",
)
_UNPICKLES = (
    "pickle.load",
    "pickle.loads",
    "pickle.Unpickler",
    "cPickle.",
    "dill.load",
    "cloudpickle.load",
    "joblib.load",
)
_CONNECTS = (
    *("socket.", "urllib.request.", "urllib.urlopen", "http.client.", "ftplib.", "smtplib.", "telnetlib."),
    *("requests.", "httpx.", "aiohttp.", "urllib3.", "paramiko."),
)
_CHANGES_FILES = (
    *("os.remove", "os.unlink", "os.rmdir", "os.removedirs", "os.rename", "os.replace", "os.chmod", "os.symlink"),
    *("shutil.rmtree", "shutil.move", "shutil.copy", "shutil.chown"),
)
_LOADS_LIBRARIES = ("ctypes.", "cffi.", "_ctypes.")

# What it does -> names that do it; one that ends in a dot stands for all below it.
EFFECTS = {
    "runs commands": _RUNS_COMMANDS,
    "runs code that it puts together": _RUNS_CODE,
    "unpickles": _UNPICKLES,
    "opens connections": _CONNECTS,
    "changes files": _CHANGES_FILES,
    "loads native libraries": _LOADS_LIBRARIES,
}
# Harmless members of what is named as a whole above.
_HARMLESS = frozenset(
    [
        *("subprocess.CalledProcessError", "subprocess.TimeoutExpired", "subprocess.SubprocessError"),
        *("requests.exceptions", "socket.gethostname", "ctypes.c_", "ctypes.sizeof", "ctypes.Structure"),
    ]
)


@dataclass(frozen=True, slots=True)
class Effect:
    """A call that does more than compute.

    Attributes:
        what: it does, a key of `EFFECTS`.
        name: what is called, in full.
        line: where, 1-based.
        on_import: whether importing the file runs it.
    """

    what: str
    name: str
    line: int
    on_import: bool


@dataclass(frozen=True, slots=True)
class PythonSource:
    """A file of Python.

    Attributes:
        names: what it defines or imports at its top level.
        open_ended: whether it imports everything from somewhere (`from .x import *`), so that `names` is not all.
        siblings: (line, module) of each relative import, with the module's path from the file, as "x" or "sub/x".
        packages: the top-level packages that it imports unconditionally at its top level.
        effects: calls that do more than compute, in the order of the lines.
        problem: (line, message) of the syntax error; None when it parses.
        unseen: why it was not looked at; None when it was.
    """

    names: frozenset[str] = frozenset()
    open_ended: bool = False
    siblings: tuple[tuple[int, str], ...] = ()
    packages: frozenset[str] = frozenset()
    effects: tuple[Effect, ...] = ()
    problem: tuple[int, str] | None = None
    unseen: str | None = None


def read_python(content: bytes) -> PythonSource:
    """What the bytes of a Python file say; never raises."""
    if len(content) > LARGEST:
        return PythonSource(unseen=f"it has more than {LARGEST >> 20} MB")
    try:
        tree = ast.parse(content)
    except SyntaxError as error:
        return PythonSource(problem=(error.lineno or 1, error.msg))
    except (ValueError, RecursionError, MemoryError) as error:
        return PythonSource(problem=(1, str(error) or "it is nested too deeply"))
    if sum(1 for _ in zip(ast.walk(tree), range(_MOST_NODES + 1), strict=False)) > _MOST_NODES:
        return PythonSource(unseen=f"its syntax tree has more than {_MOST_NODES:,} nodes")
    try:
        reading = _Reading(tree)
        effects = sorted(reading.effects(), key=lambda effect: (effect.line, effect.name))
    except RecursionError:
        return PythonSource(unseen="it is nested too deeply")
    return PythonSource(
        frozenset(reading.names),
        reading.open_ended,
        tuple(reading.siblings),
        frozenset(reading.packages),
        tuple(effects),
    )


@dataclass
class _Reading:
    """Collects from one tree."""

    tree: ast.Module
    names: set[str] = field(default_factory=set)
    open_ended: bool = False
    siblings: list[tuple[int, str]] = field(default_factory=list)
    packages: set[str] = field(default_factory=set)
    _aliases: dict[str, str] = field(default_factory=dict)
    _functions: dict[str, ast.AST] = field(default_factory=dict)

    def __post_init__(self) -> None:
        top = set(map(id, self.tree.body))
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                self._import(node, at_top=id(node) in top)
            elif isinstance(node, ast.ImportFrom):
                self._import_from(node, at_top=id(node) in top)
            elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                self._functions.setdefault(node.name, node)
        for node in _run_on_import(self.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                self.names.add(node.name)
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                self.names.add(node.id)
            elif isinstance(node, ast.Import | ast.ImportFrom):
                self.names |= {(alias.asname or alias.name).partition(".")[0] for alias in node.names}

    def _import(self, node: ast.Import, *, at_top: bool) -> None:
        for alias in node.names:
            self._aliases[alias.asname or alias.name.partition(".")[0]] = (
                alias.name if alias.asname else alias.name.partition(".")[0]
            )
            if at_top:
                self.packages.add(alias.name.partition(".")[0])

    def _import_from(self, node: ast.ImportFrom, *, at_top: bool) -> None:
        module = node.module or ""
        if node.level:
            above = "../" * (node.level - 1)
            names = [module] if module else [alias.name for alias in node.names if alias.name != "*"]
            self.siblings += [(node.lineno, above + name.replace(".", "/")) for name in names]
        else:
            for alias in node.names:
                self._aliases[alias.asname or alias.name] = f"{module}.{alias.name}"
            if at_top:
                self.packages.add(module.partition(".")[0])
        self.open_ended = self.open_ended or any(alias.name == "*" for alias in node.names)

    def effects(self) -> Iterator[Effect]:
        """Every call with an effect, once, and whether importing the file gets there; not what only a script does."""
        on_import = self._reached()
        script = self._script()
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Call) and id(node) not in script and (found := self._effect(node)) is not None:
                what, name = found
                yield Effect(what, name, node.lineno, id(node) in on_import)

    def _script(self) -> set[int]:
        guarded = (
            inner
            for node in ast.walk(self.tree)
            if isinstance(node, ast.If) and _only_as_a_script(node.test)
            for inner in node.body
        )
        return {id(node) for inner in guarded for node in ast.walk(inner)}

    def _reached(self) -> set[int]:
        """The nodes that run on import: those at the top, and in functions of this file that are called from there."""
        reached: set[int] = set()
        pending: list[ast.AST] = [self.tree]
        entered: set[str] = set()
        while pending:
            for node in _run_on_import(pending.pop()):
                reached.add(id(node))
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                    name = node.func.id
                    if name in self._functions and name not in entered:
                        entered.add(name)
                        pending += self._functions[name].body  # type: ignore[attr-defined]
        return reached

    def _effect(self, call: ast.Call) -> tuple[str, str] | None:
        name = self._full_name(call.func)
        if name is None:
            return None
        if name in ("open", "io.open", "builtins.open") and _writes(call):
            return "changes files", name
        if name in ("__import__", "importlib.import_module", "getattr") and self._hides(name, call):
            return "runs code that it puts together", name
        if name == "torch.load" and not _has_true(call, "weights_only"):
            return "unpickles", name
        if name.endswith((".write_text", ".write_bytes")) and name.startswith("pathlib."):
            return "changes files", name
        if any(name.startswith(harmless) for harmless in _HARMLESS):
            return None
        for what, names in EFFECTS.items():
            if any(_names(listed, name) for listed in names):
                return what, name
        return None

    def _full_name(self, node: ast.expr) -> str | None:
        """`os.system` of `o.system` after `import os as o`; of `__import__("os").system` too."""
        parts: list[str] = []
        while True:
            if isinstance(node, ast.Attribute):
                parts.append(node.attr)
                node = node.value
            elif isinstance(node, ast.Call) and self._full_name(node.func) in ("__import__", "importlib.import_module"):
                module = node.args[0] if node.args else None
                if not isinstance(module, ast.Constant) or not parts:
                    return ".".join(["__import__", *reversed(parts)]) if not parts else None
                parts.append(str(module.value))
                break
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "getattr":
                # getattr(os, "system")(...) is a call of os.system
                if len(node.args) < 2 or not isinstance(node.args[1], ast.Constant):
                    return None
                parts.append(str(node.args[1].value))
                node = node.args[0]
            elif isinstance(node, ast.Name):
                parts.append(self._aliases.get(node.id, node.id))
                break
            else:
                return None
        return ".".join(reversed(parts))

    def _hides(self, name: str, call: ast.Call) -> bool:
        """Whether what is imported or looked up is put together, on a module that can do harm."""
        position = 1 if name == "getattr" else 0
        if len(call.args) <= position or isinstance(call.args[position], ast.Constant):
            return False
        if name != "getattr":
            return not isinstance(call.args[position], ast.Name | ast.Attribute | ast.JoinedStr)
        target = self._full_name(call.args[0])
        return target in ("os", "subprocess", "builtins", "__builtins__", "sys.modules", "posix", "nt")


def _run_on_import(root: ast.AST) -> Iterator[ast.AST]:
    """The nodes below `root` that run when it does: bodies of functions do not, their decorators and defaults do."""
    pending = [root]
    while pending:
        node = pending.pop()
        yield node
        if isinstance(node, ast.If) and _only_as_a_script(node.test):
            pending += node.orelse
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            pending += [*node.args.defaults, *(value for value in node.args.kw_defaults if value)]
            pending += [] if isinstance(node, ast.Lambda) else node.decorator_list
        else:
            pending += ast.iter_child_nodes(node)


def _only_as_a_script(test: ast.expr) -> bool:
    """`__name__ == "__main__"`, or a test for type checkers."""
    text = ast.unparse(test)
    return "__main__" in text or text in ("TYPE_CHECKING", "typing.TYPE_CHECKING", "False")


def _writes(call: ast.Call) -> bool:
    mode = call.args[1] if len(call.args) > 1 else next((key.value for key in call.keywords if key.arg == "mode"), None)
    return isinstance(mode, ast.Constant) and any(letter in str(mode.value) for letter in "wax+")


def _has_true(call: ast.Call, keyword: str) -> bool:
    values = [key.value for key in call.keywords if key.arg == keyword]
    return bool(values) and isinstance(values[0], ast.Constant) and values[0].value is True


def _names(listed: str, name: str) -> bool:
    if listed.endswith("."):
        return name.startswith(listed)
    last = listed.rpartition(".")[2]
    return name == listed or (last in ("exec", "spawn", "posix_spawn", "copy") and name.startswith(listed))
