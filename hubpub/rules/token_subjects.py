"""What the rules about tokenizers look at, and how they name it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from hubpub.model.embedding import Room, token_room
from hubpub.model.folder import ModelFolder
from hubpub.model.kind import ModelKind
from hubpub.model.special_tokens import Role
from hubpub.model.tokenizer import TOKENIZER_JSON, TokenizerFiles

DOCS = "https://huggingface.co/docs/transformers/main_classes/tokenizer"
SAVE_AGAIN = "save the tokenizer again, from where it is whole: tokenizer.save_pretrained(FOLDER)"

_MOST_DIRECTORIES = 8
_OTHER_MEDIA = re.compile(r"image|audio|video|vision|speech|img|pixel", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Known:
    """The vocabulary of a tokenizer, whichever file it is in.

    Attributes:
        path: of that file.
        length: how many tokens there are, added ones included.
        largest: the largest id.
        exact: whether the ids are those that the model sees.
    """

    path: str
    length: int
    largest: int
    exact: bool


def tokenizers(folder: ModelFolder) -> Iterator[TokenizerFiles]:
    """The tokenizers of a folder: at its top, and those of its parts (diffusers, sentence-transformers)."""
    for directory in folder.tokenizer_directories[:_MOST_DIRECTORIES]:
        found = folder.tokenizer_in(directory)
        if found.files:
            yield found


def known(found: TokenizerFiles) -> Known | None:
    """The vocabulary of a tokenizer; None when none can be read."""
    digest = found.tokenizer_json
    if digest is not None:
        if not digest.vocabulary or digest.model.problem is not None:
            return None
        return Known(found.directory + TOKENIZER_JSON, digest.length, digest.largest, exact=True)
    fallback = found.fallback
    if fallback is None or fallback.vocabulary.problem is not None or not fallback.vocabulary.size:
        return None
    vocabulary = fallback.vocabulary
    if not fallback.exact:
        return Known(fallback.path, vocabulary.size, vocabulary.largest, exact=False)
    further = {token.id for token in found.special.declared if token.content not in vocabulary.ids}
    largest = max(vocabulary.largest, max(further, default=-1))
    return Known(fallback.path, vocabulary.size + len(further), largest, exact=True)


def id_of(found: TokenizerFiles, content: str) -> int | None:
    """The id of a token that one of the small files names; None when there is no such token or its id is not known."""
    digest = found.tokenizer_json
    if digest is not None:
        return digest.ids.get(content)
    if found.fallback is None or not found.fallback.exact:
        return None
    declared = {token.content: token.id for token in found.special.declared}
    return found.fallback.vocabulary.ids.get(content, declared.get(content))


def token_of(found: TokenizerFiles, number: int) -> str | None:
    """The token of an id that one of the configurations names; None when it is not known."""
    digest = found.tokenizer_json
    if digest is not None:
        return digest.tokens.get(number)
    declared = {token.id: token.content for token in found.special.declared}
    if found.fallback is None or not found.fallback.exact:
        return declared.get(number)
    return found.fallback.vocabulary.tokens.get(number, declared.get(number))


def room_of(folder: ModelFolder, found: TokenizerFiles) -> Room | None:
    """How many tokens the model beside a tokenizer can take; None when nothing says, or when it takes no tokens."""
    if folder.kind in (ModelKind.DIFFUSERS, ModelKind.ADAPTER):
        return None
    config = folder.json(f"{found.directory}config.json")
    # Wav2Vec2 and its like hear sound and write characters: they have no token embedding to run past.
    architectures = config.get("architectures") if config is not None else None
    if isinstance(architectures, list) and any(str(name).endswith("CTC") for name in architectures):
        return None
    return token_room(folder.weights, found.directory, config)


def of_other_media(content: str) -> bool:
    """Whether a token stands for an image or a sound, which a text-only edition of a model has no use for."""
    return _OTHER_MEDIA.search(content) is not None


def file_of(found: TokenizerFiles, role: Role) -> str:
    """The path of the file that gives a role."""
    return found.directory + role.file
