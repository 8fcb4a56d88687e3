"""Receipt: what a push did, as plain data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hubpub.core.report import Report
from hubpub.publish.load_check import Loaded
from hubpub.publish.plan import Plan
from hubpub.publish.proposal import Proposal

RECEIPT_SCHEMA = "hubpub.receipt/1"


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a push did.

    Attributes:
        plan: what was to be done.
        report: the findings that did not stop it.
        commit: the commit that holds the release; with `published` False, the one that held it already.
        published: whether a commit was made.
        verified: files that the hub serves at `commit` exactly as they are here.
        tag: the tag on that commit, if one was asked for.
        seconds: wall time.
        proposal: the pull request, where the release was proposed and not published.
        loaded: what was tried of the model as the hub serves it; None when that was not asked for.
    """

    plan: Plan
    report: Report
    commit: str
    published: bool
    verified: int
    tag: str | None
    seconds: float
    proposal: Proposal | None = None
    loaded: Loaded | None = None

    def to_json(self) -> dict[str, Any]:
        """The receipt in the schema `hubpub.receipt/1`."""
        plan = self.plan
        return {
            "schema": RECEIPT_SCHEMA,
            "endpoint": plan.endpoint,
            "repo_id": plan.repo_id,
            "url": plan.url,
            "revision": plan.revision,
            "published": self.published,
            "commit": self.commit,
            "parent": plan.base,
            "created_repo": plan.creates_repo,
            "gated": plan.gated,
            "tag": self.tag,
            "pull_request": self.proposal.to_json() if self.proposal else None,
            "verified": self.verified,
            "loaded": self.loaded.to_json() if self.loaded else None,
            "files": {
                "added": [file.path for file in plan.add],
                "replaced": [file.path for file in plan.replace],
                "unchanged": [file.path for file in plan.unchanged],
                "kept": list(plan.kept),
                "deleted": [item.path for item in plan.delete],
            },
            "manifest": [
                {"path": file.path, "size": file.size, "sha256": file.sha256}
                for file in sorted(plan.files, key=lambda file: file.path)
            ],
            "left_out": [{"path": item.path, "size": item.size, "reason": item.reason} for item in plan.left_out],
            "bytes": plan.bytes_to_send,
            "card": plan.card.to_json(),
            "report": self.report.to_json(),
            "seconds": round(self.seconds, 3),
        }
