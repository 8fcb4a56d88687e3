"""META: the licence, as the metadata, the LICENSE file and the base model name it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hubpub.card.facts.licence_text import licence_files
from hubpub.card.facts.model_identity import parents_of
from hubpub.card.hub_lists import is_permissive, licence_alias, licence_family, nearest_licence
from hubpub.card.metadata.edits import set_text
from hubpub.core.findings import Problem, Severity
from hubpub.core.pattern import Pattern
from hubpub.core.rule import Fixable, Needs
from hubpub.rules.meta_values import fix, is_given, metadata, missing, put, quoted, rejected, texts
from hubpub.rules.placing import at_path
from hubpub.rules.registry import CardSubject, card_rules

if TYPE_CHECKING:
    from hubpub.model.folder import ModelFolder

_LICENCES = "https://github.com/huggingface/hub-docs/blob/main/docs/hub/repositories-licenses.md"
_MIT = (
    "MIT License\n\nPermission is hereby granted, free of charge, to any person obtaining a copy of this software and "
    'associated documentation files (the "Software"), to deal in the Software without restriction'
)
# The Hub links these from the model's page; other names it takes for an address.
_LINKED_FILES = ("LICENSE", "LICENSE.md")
_ADDRESS = Pattern(r"[A-Za-z][\w+.-]*:|//|www\.")
_ANY_LICENCE_FILE = Pattern(r"licen[sc]e|copying|notice.*licen|terms|use[-_]policy", re.IGNORECASE)


@card_rules.rule(
    "META011",
    "licence-missing",
    Severity.WARNING,
    summary="The metadata names no licence.",
    why="Nobody may use a model whose licence is unknown. In the Hub's own user study people cared most about it; two "
    "thirds of 949 real cards name none, and the Hub's maintainers once counted 286 models that hold a LICENSE file "
    "and do not say so in their metadata.",
    bad="---\npipeline_tag: fill-mask\nlanguage: en\n---",
    good="---\nlicense: mit\npipeline_tag: fill-mask\nlanguage: en\n---",
    hint="add license: with an id of the Hub's list, such as apache-2.0",
    source=_LICENCES,
    fixable=Fixable.SAFE,
    files={"LICENSE": _MIT},
)
def licence_missing(subject: CardSubject) -> Iterator[Problem]:
    """Readable metadata without a licence; the fix takes the one that the LICENSE file holds."""
    data = metadata(subject)
    if data is None or is_given(subject, "license"):
        return
    held = _held(subject.folder)
    if len(held) != 1:
        yield missing(subject, "the metadata names no licence")
        return
    ((name, licence),) = held.items()
    conflict = any(True for _ in _conflicts(subject, data, licence))
    mend = None if conflict else put(subject, {"license": licence}, safe=True)
    yield missing(subject, f"the metadata names no licence; {name} is {licence}", f"add license: {licence}", mend)


@card_rules.rule(
    "META012",
    "licence-unknown",
    Severity.ERROR,
    summary="The licence is not one of the Hub's ids.",
    why='The Hub rejects the push: "license" must be one of its 83 ids, which are in lower case and not those of SPDX. '
    "MIT in capitals is the most frequent case, 14 of 949 real cards.",
    bad="---\nlicense: MIT\n---",
    good="---\nlicense: mit\n---",
    hint="take an id of the Hub's list, or other with license_name and license_link",
    source=_LICENCES,
    fixable=Fixable.SAFE,
)
def licence_unknown(subject: CardSubject) -> Iterator[Problem]:
    """Every licence that the Hub would refuse, with the id that was meant."""
    for issue in rejected(subject, "license"):
        name = issue.value if isinstance(issue.value, str) else None
        meant = nearest_licence(name) if name else None
        message = f"the Hub knows no licence {quoted(issue.value)}"
        if name is None or meant is None:
            yield at_path(subject, issue.path, message)
            continue
        edits = set_text(subject.card.text, subject.card.front_matter, issue.path, meant)
        safe = licence_alias(name) == meant
        mend = fix(subject, f"replace {quoted(name)} by {meant}", edits, safe=safe)
        yield at_path(subject, issue.path, message, f"did you mean {meant}?", mend)


@card_rules.rule(
    "META013",
    "licence-other-incomplete",
    Severity.WARNING,
    summary="The licence is other, and the metadata does not say which.",
    why="`other` says only that the licence is none of the Hub's list: people have to know its name (license_name) and "
    "where to read it (license_link). The Hub's maintainers once counted 349 models that say neither.",
    bad="---\nlicense: other\nlicense_name: acme-community-1.0\n---",
    good="---\nlicense: other\nlicense_name: acme-community-1.0\nlicense_link: LICENSE\n---",
    hint="add license_name, an id of your own, and license_link: LICENSE, or the address of the text",
    source=_LICENCES,
    fixable=Fixable.SAFE,
    files={"LICENSE": "Acme Community Licence 1.0"},
)
def licence_other_incomplete(subject: CardSubject) -> Iterator[Problem]:
    """`license: other` without a name or a link; the fix links the LICENSE file."""
    data = metadata(subject)
    if data is None or "other" not in texts(data.get("license")):
        return
    absent = [key for key in ("license_name", "license_link") if not is_given(subject, key)]
    if absent:
        file = next((name for name in _LINKED_FILES if subject.folder and name in subject.folder.root_names), None)
        mend = put(subject, {"license_link": file}, safe=True) if absent == ["license_link"] and file else None
        yield at_path(subject, ("license",), f"the licence is other, without {' and '.join(absent)}", fix=mend)


@card_rules.rule(
    "META014",
    "licence-link-missing-target",
    Severity.ERROR,
    summary="license_link names a file that is not in the folder.",
    why="The Hub links the licence on the model's page; whoever follows the link finds nothing, and has no licence.",
    bad="---\nlicense: other\nlicense_name: acme-community-1.0\nlicense_link: LICENCE\n---",
    good="---\nlicense: other\nlicense_name: acme-community-1.0\nlicense_link: LICENSE\n---",
    hint="add the file, or give the address of the licence",
    source="https://github.com/huggingface/hub-docs/blob/main/modelcard.md",
    fixable=Fixable.SAFE,
    needs=Needs.FOLDER,
    files={"LICENSE": "Acme Community Licence 1.0"},
)
def licence_link_missing_target(subject: CardSubject) -> Iterator[Problem]:
    """A `license_link` that is neither an address nor one of the folder's files."""
    data, folder = metadata(subject), subject.folder
    link = data.get("license_link") if data else None
    if folder is None or not isinstance(link, str) or not link.strip() or _ADDRESS.match(link):
        return
    if folder.entry(link.removeprefix("./").partition("#")[0]) is not None:
        return
    name = next((name for name in _LINKED_FILES if name in folder.root_names), None)
    mend = None
    if name:
        edits = set_text(subject.card.text, subject.card.front_matter, ("license_link",), name)
        mend = fix(subject, f"link {name}", edits, safe=True)
    message = f"license_link names {quoted(link)}, which is not in the folder"
    yield at_path(subject, ("license_link",), message, f"did you mean {name}?" if name else None, mend)


@card_rules.rule(
    "META015",
    "licence-file-mismatch",
    Severity.WARNING,
    summary="The LICENSE file holds another licence than the metadata names.",
    why="One of the two is wrong, and people who keep to one may break the other; what counts in court is the text.",
    bad="---\nlicense: apache-2.0\n---",
    good="---\nlicense: mit\n---",
    hint="name the licence that you mean in both places",
    source=_LICENCES,
    needs=Needs.FOLDER,
    files={"LICENSE": _MIT},
)
def licence_file_mismatch(subject: CardSubject) -> Iterator[Problem]:
    """A LICENSE file with the text of a licence that is none of those named."""
    data = metadata(subject)
    named = [licence_alias(name) or name for name in texts(data.get("license") if data else None)]
    if not named or {"other", "unknown"} & set(named):
        return
    for file, licence in _held(subject.folder).items():
        if not any(_same_family(name, licence) for name in named):
            message = f"the metadata names the licence {', '.join(named)}, but {file} is {licence}"
            yield at_path(subject, ("license",), message)


@card_rules.rule(
    "META016",
    "licence-base-model-conflict",
    Severity.WARNING,
    summary="The licence is freer than that of the base model.",
    why="Llama, Gemma, OpenRAIL and non-commercial licences bind what is made from the model. Unsloth's template, for "
    "one, writes apache-2.0 whatever the base model is: both cards of the 949 with this conflict came from it.",
    bad="---\nlicense: apache-2.0\nbase_model: meta-llama/Llama-3.1-8B\n---",
    good="---\nlicense: llama3.1\nbase_model: meta-llama/Llama-3.1-8B\n---",
    hint="name the licence of the base model, or other with license_name and license_link",
    source="https://github.com/unslothai/unsloth/blob/main/unsloth/save.py",
)
def licence_base_model_conflict(subject: CardSubject) -> Iterator[Problem]:
    """A permissive licence on what was made from a model of a family whose licence goes along."""
    data = metadata(subject)
    named = [licence_alias(name) or name for name in texts(data.get("license") if data else None)]
    if data is None or not named or not all(map(is_permissive, named)):
        return
    for base, family, licence in _conflicts(subject, data, named[0]):
        theirs = "a licence of its own" if licence == "other" else licence
        message = f"the licence is {', '.join(named)}, but {base} belongs to {family}, which is under {theirs}"
        yield at_path(subject, ("license",), message, None if licence == "other" else f"did you mean {licence}?")


def _held(folder: ModelFolder | None) -> Mapping[str, str]:
    """The LICENSE file with its licence; nothing when it is not a common one, or others may say for what it counts."""
    if folder is None:
        return {}
    found = licence_files(folder)
    if len(found) != 1 or any(name not in found and _ANY_LICENCE_FILE.search(name) for name in folder.root_names):
        return {}
    return {name: licence for name, licence in found.items() if licence}


def _same_family(named: str, found: str) -> bool:
    """`gpl` is any version of it, and the text of bsd-3-clause-clear begins as that of bsd-3-clause."""
    return named.startswith(found) or found.startswith(named)


def _conflicts(subject: CardSubject, data: Mapping[str, Any], licence: str) -> Iterator[tuple[str, str, str]]:
    if not is_permissive(licence):
        return
    bases: Sequence[str] = texts(data.get("base_model"))
    if not bases and subject.folder is not None:
        parents = parents_of(subject.folder, subject.repo_id)
        bases = parents.names if parents else ()
    for base in bases:
        family = licence_family(base)
        if family:
            yield base, *family
