"""The files of a tokenizer without tokenizer.json: which of them holds the vocabulary, and what is in it."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from hubpub.model.jsonfile import JsonProblem, parse_json
from hubpub.model.sentencepiece import NotSentencePieceError, parse_sentencepiece
from hubpub.model.tokenizer_class import TokenizerClass
from hubpub.model.vocabulary import (
    VOCABULARY_LIMIT,
    Vocabulary,
    Wanted,
    read_merges,
    read_tekken,
    read_tiktoken,
    read_vocab_json,
    read_vocab_txt,
    unknown_in_merges,
    vocabulary_of,
)

_EXACT = ("vocab.json", "vocab.txt")
_IN_ORDER = ("vocab.json", "vocab.txt", "tekken.json")

Read = Callable[[str, int], bytes]


@dataclass(frozen=True, slots=True)
class VocabularyFile:
    """A file that holds the vocabulary where there is no tokenizer.json.

    Attributes:
        path: of the file.
        vocabulary: what is in it.
        exact: whether its numbers are the ids that the model sees; transformers moves those of SentencePiece models
            for some classes, and adds tokens to them.
        unknown_merges: how many tokens of merges.txt it does not have, where that is beside it.
        unknown_merge: the first of them.
        merges_problem: what is wrong with merges.txt.
    """

    path: str
    vocabulary: Vocabulary
    exact: bool
    unknown_merges: int = 0
    unknown_merge: str | None = None
    merges_problem: JsonProblem | None = None


def read_vocabulary_file(
    directory: str, names: Collection[str], chosen: TokenizerClass | None, wanted: Wanted, read: Read
) -> VocabularyFile | None:
    """The vocabulary among the files of one directory; None when none of them is one whose format is known.

    Args:
        directory: "" or "dir/".
        names: of the files in it.
        chosen: the class that reads them, if known.
        wanted: what to look up.
        read: the first bytes of a path.
    """
    candidates = [name for name in (*_IN_ORDER, *sorted(names)) if name in names and _format(name)]
    if chosen is not None and chosen.files:
        candidates = [name for name in candidates if chosen.reads(name)]
    if not candidates:
        return None
    name = candidates[0]
    data = read(directory + name, VOCABULARY_LIMIT + 1)
    if len(data) > VOCABULARY_LIMIT:
        problem = JsonProblem(f"has more than {VOCABULARY_LIMIT:,} bytes; so much is not read")
        return VocabularyFile(directory + name, Vocabulary(problem=problem), exact=False)
    vocabulary = read_vocabulary(name, data, wanted)
    found = VocabularyFile(directory + name, vocabulary, exact=name in _EXACT)
    if name == "vocab.json" and "merges.txt" in names and vocabulary.problem is None and vocabulary.size:
        return _with_merges(found, data, read(directory + "merges.txt", VOCABULARY_LIMIT))
    return found


def _with_merges(found: VocabularyFile, data: bytes, merges_data: bytes) -> VocabularyFile:
    merges = read_merges(merges_data)
    if isinstance(merges, JsonProblem):
        return VocabularyFile(found.path, found.vocabulary, found.exact, merges_problem=merges)
    unknown = unknown_in_merges(parse_json(data).value.keys(), merges)
    if isinstance(unknown, JsonProblem):
        return VocabularyFile(found.path, found.vocabulary, found.exact, merges_problem=unknown)
    return VocabularyFile(found.path, found.vocabulary, found.exact, *unknown)


def _format(name: str) -> str | None:
    if name in ("vocab.json", "vocab.txt", "tekken.json"):
        return name
    if name.endswith(".tiktoken") or name == "tiktoken.model":
        return "tiktoken"
    if name.endswith((".model", ".spm")) or name.startswith("tokenizer.model"):
        return "sentencepiece"
    return None


def read_vocabulary(name: str, data: bytes, wanted: Wanted) -> Vocabulary:
    """What is in a vocabulary file of that name."""
    kind = _format(name)
    if kind == "vocab.txt":
        return read_vocab_txt(data, wanted)
    if kind in ("vocab.json", "tekken.json"):
        document = parse_json(data)
        if document.value is None:
            return Vocabulary(problem=document.problem)
        return read_vocab_json(document.value, wanted) if kind == "vocab.json" else read_tekken(document.value)
    # The tokenizer.model of Llama 3 is no SentencePiece model, which begins with a piece, but a list as of tiktoken.
    if kind == "tiktoken" or (not data.startswith(b"\n") and read_tiktoken(data[:4096].rpartition(b"\n")[0]).size):
        return read_tiktoken(data)
    try:
        model = parse_sentencepiece(data)
    except NotSentencePieceError as error:
        return Vocabulary(problem=JsonProblem(str(error)))
    return vocabulary_of({piece: at for at, piece in enumerate(model.pieces)}, wanted, size=len(model.pieces))
