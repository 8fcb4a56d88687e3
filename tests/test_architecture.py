"""The arrows of docs/architecture.md, held by a test."""

from __future__ import annotations

import ast
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "hubpub"

# room -> rooms that it may import, besides itself
ARROWS = {
    "core": set(),
    "model": {"core"},
    "card": {"model", "core"},
    "rules": {"card", "model", "core"},
    "publish": {"rules", "card", "model", "core"},
    "rehearsal": {"publish", "hub", "card", "model", "core"},
    "fix": {"core"},
    "training": {"model", "core"},
    "pictures": {"model", "core"},
    "report": {"rehearsal", "publish", "card", "model", "core"},
    "hub": {"card.metadata.schema", "card.html", "core"},
    "preview": {"rules", "card", "model", "core"},
    "cli": {
        "rehearsal",
        "publish",
        "rules",
        "report",
        "card",
        "model",
        "core",
        "hub",
        "fix",
        "pictures",
        "preview",
    },
}

# the same for the rooms of card/; "" are the modules that lie in it directly
INSIDE_CARD = {
    "metadata": set(),
    "": {"metadata"},
    "code": {""},
    "online": {""},
    "answers": {"", "metadata"},
    "facts": {"", "metadata", "code", "answers"},
    "writing": {"", "metadata", "answers", "facts"},
    "merge": {"", "metadata"},
}
FOR_ALL_OF_CARD = {"hub_lists", "sanitise"}


def imports(path: Path) -> set[str]:
    """The modules of hubpub that a file imports anywhere in it, without the leading `hubpub.`."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.partition(".")[0] == "hubpub":
            found |= {module_of(node.module, name.name) for name in node.names}
        elif isinstance(node, ast.Import):
            found |= {name.name.removeprefix("hubpub.") for name in node.names if name.name.startswith("hubpub.")}
    return found - {""}  # the package itself, for its version


def module_of(package: str, name: str) -> str:
    """What `from package import name` imports: `name` may be a module itself."""
    within = package.removeprefix("hubpub").removeprefix(".")
    dotted = f"{within}.{name}".removeprefix(".")
    place = PACKAGE.joinpath(*dotted.split("."))
    return dotted if place.with_suffix(".py").is_file() or place.is_dir() else within


@pytest.mark.parametrize("room", sorted(ARROWS))
def test_a_room_imports_only_what_its_arrows_allow(room: str) -> None:
    allowed = ARROWS[room] | {room}
    for path in (PACKAGE / room).rglob("*.py"):
        for module in imports(path):
            assert any(module == name or module.startswith(name + ".") for name in allowed), f"{path.name}: {module}"


@pytest.mark.parametrize("room", sorted(INSIDE_CARD))
def test_the_rooms_of_a_card_stand_on_each_other(room: str) -> None:
    allowed = INSIDE_CARD[room] | {room}
    for path in (PACKAGE / "card" / room).glob("*.py"):
        for module in imports(path):
            part, _, rest = module.removeprefix("card.").partition(".")
            if module.startswith("card.") and part not in FOR_ALL_OF_CARD:
                assert (part if rest else "") in allowed, f"{path.name}: {module}"


def test_no_modules_of_a_card_import_each_other_in_a_circle() -> None:
    """Not even for types, or inside functions."""
    paths = [path for path in (PACKAGE / "card").rglob("*.py") if path.name != "__init__.py"]
    TopologicalSorter(
        {".".join(path.relative_to(PACKAGE).with_suffix("").parts): imports(path) for path in paths}
    ).prepare()


def folders(path: Path) -> set[str]:
    return {folder.name for folder in path.iterdir() if (folder / "__init__.py").is_file()}


def test_every_folder_of_the_package_is_a_room() -> None:
    assert folders(PACKAGE) == set(ARROWS)
    assert folders(PACKAGE / "card") | {""} == set(INSIDE_CARD)


HEAVY = (
    "huggingface_hub",
    "transformers",
    "torch",
    "dulwich",
    "starlette",
    "uvicorn",
    "jinja2",
    "matplotlib",
    "picklescan",
    "requests",
)


@pytest.mark.parametrize(
    "arguments",
    [
        ("--help",),
        ("push", "--help"),
        ("plan", "--help"),
        ("verify", "--help"),
        ("rollback", "--help"),
        ("serve", "--help"),
        ("preview", "--help"),
        ("rehearse", "--help"),
        ("lint", "README.md"),
    ],
    ids=[
        "help",
        "push help",
        "plan help",
        "verify help",
        "rollback help",
        "serve help",
        "preview help",
        "rehearse help",
        "lint",
    ],
)
def test_a_light_command_imports_nothing_heavy(arguments: tuple[str, ...]) -> None:
    code = (
        "import sys; from hubpub.cli.main import main\n"
        "try: main(sys.argv[1:])\n"
        "except SystemExit: pass\n"
        f"print('LOADED', *sorted(set({HEAVY!r}) & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True, cwd=PACKAGE.parent
    )
    assert done.stdout.splitlines()[-1] == "LOADED"
