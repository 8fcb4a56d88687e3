"""Saved plans: a plan as a file that can be looked at, signed off, and published later, or not at all."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hubpub.core.documents import read_document
from hubpub.core.errors import UsageError
from hubpub.core.files import check_replaceable, replace_file
from hubpub.core.findings import Severity
from hubpub.core.rule import Depth
from hubpub.publish.card import CardSource
from hubpub.publish.expected import Expected
from hubpub.publish.plan import PLAN_SCHEMA, Plan
from hubpub.publish.prepare import PushOptions
from hubpub.publish.target import parse_repo_id
from hubpub.publish.visibility import GATINGS


@dataclass(frozen=True, slots=True)
class SavedPlan:
    """A plan that was read from a file.

    Attributes:
        options: what was to be published, and where to.
        endpoint: the hub that it was made for; None for the local one, whose address changes.
        expected: what the folder and the hub must still be.
    """

    options: PushOptions
    endpoint: str | None
    expected: Expected

    def check_hub(self, endpoint: str, *, local: bool = False) -> None:
        """Return if this is the hub that the plan was made for: a file does not decide where the token goes.

        Raises:
            UsageError: it is another one.
        """
        if local and self.endpoint is None:
            return
        if self.endpoint is None:
            raise UsageError("the plan was made for the local hub", "give --hub local")
        if self.endpoint != endpoint:
            raise UsageError(f"the plan was made for {self.endpoint}, not {endpoint}", f"give --hub {self.endpoint}")


def plan_document(plan: Plan, options: PushOptions, *, local: bool = False) -> dict[str, Any]:
    """The plan in the schema `hubpub.plan/1`, with what is needed to publish it later."""
    return plan.to_json() | {
        "folder": str(options.path.absolute()),
        "hub": "local" if local else None,
        "options": {
            "include": list(options.include),
            "exclude": list(options.exclude),
            "ignore": list(options.ignore),
            "fail_on": options.fail_on.value,
            "depth": options.depth.value,
            "card": options.card.value if options.card else None,
            "private": options.private,
            "delete_stale": options.delete_stale,
            "pull_request": options.pull_request,
            "gated": options.gated,
        },
    }


def check_outside(path: Path, folder: Path) -> None:
    """Return if a file can be written to, and is not in the model folder, where it would be published itself.

    Raises:
        UsageError: it cannot, or it is.
    """
    check_replaceable(path)
    if path.parent.resolve().is_relative_to(folder.resolve()):
        raise UsageError(f"{path} is in the model folder, and would be published with it", "write it somewhere else")


def save_outside(path: Path, folder: Path, document: dict[str, Any]) -> None:
    """Write a document to a file that is not in the model folder.

    Raises:
        UsageError: it is in the folder, or cannot be written.
    """
    check_outside(path, folder)
    replace_file(path, (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode("utf-8", "backslashreplace"))


def read_plan(path: Path) -> SavedPlan:
    """The plan in a file.

    Raises:
        UsageError: it cannot be read, or is not a plan that `hubpub plan --out` wrote.
    """
    document = read_document(path, PLAN_SCHEMA, "hubpub plan PATH --out FILE")
    try:
        options = document["options"]
        namespace, name = parse_repo_id(document["repo_id"])
        files = document["add"] + document["replace"] + document["unchanged"]
        return SavedPlan(
            options=PushOptions(
                path=Path(document["folder"]),
                name=name,
                namespace=namespace,
                revision=_text(document["revision"]),
                tag=_text_or_none(document["tag"]),
                private=options["private"] is True,
                new_repos_private=document["private"] is True,
                title=_text(document["title"]),
                card=CardSource(options["card"]) if options["card"] is not None else None,
                include=_texts(options["include"]),
                exclude=_texts(options["exclude"]),
                ignore=_texts(options["ignore"]),
                fail_on=Severity(options["fail_on"]),
                depth=Depth(options["depth"]),
                delete_stale=options["delete_stale"] is True,
                pull_request=options.get("pull_request") is True,
                gated=_gating(options.get("gated")),
            ),
            endpoint=None if document["hub"] == "local" else _text(document["endpoint"]),
            expected=Expected(
                repo_id=document["repo_id"],
                base=_text_or_none(document["base"]),
                files={_text(file["path"]): (int(file["size"]), _text(file["sha256"])) for file in files},
                delete=frozenset(_text(item["path"]) for item in document["delete"]),
            ),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UsageError(
            f"{path} lacks what is needed to publish it ({error})", "save it with `hubpub plan PATH --out FILE`"
        ) from error


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("a text is missing")
    return value


def _text_or_none(value: object) -> str | None:
    return None if value is None else _text(value)


def _gating(value: object) -> str | None:
    if value not in (None, *GATINGS):
        raise ValueError("unknown gating")
    return _text_or_none(value)


def _texts(values: object) -> tuple[str, ...]:
    if not isinstance(values, list):
        raise TypeError("a list is missing")
    return tuple(_text(value) for value in values)
