"""hubpub: the release gate for model repositories.

The verbs of the command line as functions; each imports what it needs when it is called.

    import hubpub

    report = hubpub.check("./model")
    receipt = hubpub.push("./model", "acme/model", tag="v1.0.0")
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hubpub.core.report import Report
    from hubpub.publish.plan import Plan
    from hubpub.publish.prepare import PushOptions
    from hubpub.publish.receipt import Receipt

__version__ = "0.1.0.dev0"
__all__ = ["check", "lint", "plan", "push", "render"]


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
    from hubpub.card.facts import card_facts
    from hubpub.card.render import render_card
    from hubpub.core.settings import CardSettings
    from hubpub.model.folder import ModelFolder

    return render_card(card_facts(ModelFolder.open(path), repo_id=repo_id, settings=CardSettings()))


def plan(
    path: Path | str, repo_id: str, *, hub: str | None = None, tag: str | None = None, depth: str = "deep"
) -> Plan:
    """What `push` would do; nothing is sent or created.

    Raises:
        HubpubError: what would stop the push; see `hubpub.core.errors`.
    """
    from hubpub.publish.client import HubClient
    from hubpub.publish.prepare import prepare
    from hubpub.publish.target import find_target

    return prepare(_options(path, repo_id, tag, depth, private=False), HubClient(find_target(hub)), _silent).plan


def push(
    path: Path | str,
    repo_id: str,
    *,
    hub: str | None = None,
    tag: str | None = None,
    private: bool = False,
    depth: str = "deep",
) -> Receipt:
    """Publish the model folder at `path` in one verified commit.

    Args:
        path: the model folder; it is not changed.
        repo_id: namespace/name; the repo is created if needed.
        hub: URL of a hub; None takes `HF_ENDPOINT`, else the public Hub. The token is huggingface_hub's.
        tag: set on the verified commit.
        private: the repo must be private.
        depth: how far the check goes, as for `check`.

    Raises:
        HubpubError: with the next step and the exit code of the command line; see `hubpub.core.errors`.
    """
    from hubpub.publish.client import HubClient
    from hubpub.publish.push import push as publish
    from hubpub.publish.target import find_target

    return publish(_options(path, repo_id, tag, depth, private=private), HubClient(find_target(hub)), _silent)


def _options(path: Path | str, repo_id: str, tag: str | None, depth: str, *, private: bool) -> PushOptions:
    from hubpub.core.rule import Depth
    from hubpub.publish.prepare import PushOptions
    from hubpub.publish.target import parse_repo_id

    namespace, name = parse_repo_id(repo_id)
    return PushOptions(path=Path(path), name=name, namespace=namespace, tag=tag, private=private, depth=Depth(depth))


def _silent(_message: str) -> None:
    """A library does not narrate."""
