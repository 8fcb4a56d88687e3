"""hubpub: the release gate for model repositories.

The verbs of the command line as functions; each imports what it needs when it is called.

    import hubpub

    report = hubpub.check("./model")
    receipt = hubpub.push("./model", "acme/model", tag="v1.0.0")
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hubpub.published import plan_rollback, release_notes, rollback, verify
from hubpub.publishing import plan, push, push_plan

if TYPE_CHECKING:
    from hubpub.core.report import Report
    from hubpub.rehearsal.result import Rehearsal

__version__ = "0.1.0.dev0"
__all__ = [
    "check",
    "lint",
    "plan",
    "plan_rollback",
    "push",
    "push_plan",
    "rehearse",
    "release_notes",
    "render",
    "rollback",
    "verify",
]


def check(path: Path | str, *, depth: str = "quick", exclude: Sequence[str] = (), ignore: Sequence[str] = ()) -> Report:
    """Check the saved model folder at `path`.

    Args:
        path: the model folder.
        depth: "quick" reads headers and small files, "deep" every byte, "load" also loads and runs the model.
        exclude: globs of files not to look at.
        ignore: rules not to run, by code, prefix or name.

    Raises:
        UsageError: there is no model folder at `path`, or no such rule.
    """
    from hubpub.core.rule import Depth
    from hubpub.model.folder import ModelFolder
    from hubpub.rules.run import check_folder

    return check_folder(ModelFolder.open(path, exclude=exclude), target=str(path), depth=Depth(depth), ignore=ignore)


def lint(path: Path | str, *, ignore: Sequence[str] = ()) -> Report:
    """Lint the model card at `path`: a README.md, or a model folder that has one.

    Raises:
        UsageError: there is no card at `path`, or no such rule.
    """
    from hubpub.card.source import find_card
    from hubpub.rules.run import lint_card

    content, name, folder = find_card(Path(path))
    return lint_card(content, path=name, target=str(path), folder=folder, ignore=ignore)


def render(path: Path | str, *, repo_id: str | None = None) -> str:
    """The model card that the folder at `path` can fill; `repo_id` is what its usage snippets name.

    Raises:
        UsageError: there is no model folder at `path`.
    """
    from hubpub.card.writing.render import render_folder_card
    from hubpub.core.settings import CardSettings
    from hubpub.model.folder import ModelFolder

    return render_folder_card(ModelFolder.open(path), repo_id=repo_id, settings=CardSettings())


def rehearse(
    path: Path | str,
    repo_id: str | None = None,
    *,
    bases: Mapping[str, Path | str] | None = None,
    run_card_code: bool = False,
    load: bool = True,
    snippets: bool = True,
    timeout: float = 300.0,
    memory: int | None = None,
    depth: str = "deep",
    keep: bool = False,
) -> Rehearsal:
    """Publish the model folder at `path` to a throw-away hub, load it from there by its id, run its card's snippets.

    Args:
        path: the model folder; it is not changed.
        repo_id: namespace/name; None takes that which the card is for, else "rehearsal" and the folder's name.
        bases: further folders to publish first, by repo id, such as the base model of an adapter.
        run_card_code: run Python that hubpub did not write too: in a child, without token and network.
        load: make the load checks.
        snippets: run the card's code blocks.
        timeout: seconds for each check and each block.
        memory: bytes for each child; None takes what the model asks for.
        depth: how far the check before publishing goes, as for `check`.
        keep: keep the throw-away hub's data.

    Raises:
        HubpubError: there is no such folder. What fails in the rehearsal is in the result.
    """
    from hubpub.core.rule import Depth
    from hubpub.publish.prepare import PushOptions
    from hubpub.publish.target import parse_repo_id
    from hubpub.rehearsal.repo import rehearsed_repo
    from hubpub.rehearsal.run import RehearseOptions
    from hubpub.rehearsal.run import rehearse as run

    namespace, name = parse_repo_id(repo_id or rehearsed_repo(Path(path), None))
    options = RehearseOptions(
        push=PushOptions(path=Path(path), name=name, namespace=namespace, depth=Depth(depth)),
        bases=tuple((base, Path(folder)) for base, folder in (bases or {}).items()),
        run_card_code=run_card_code,
        seconds=timeout,
        memory=memory,
        keep=keep,
        load=load,
        snippets=snippets,
    )
    return run(options)
