"""What becomes of sample texts in a tokenizer: each is encoded and decoded once, in a child process."""

from __future__ import annotations

import shutil
import tempfile
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from hubpub.model.tokenizer import TokenizerFiles
from hubpub.model.walk import FileEntry

if TYPE_CHECKING:
    from hubpub.model.child import Answer

_SECONDS = 120.0
_PROCESSOR_SECONDS = 30
_MEMORY = 3 << 30
_MOST_SPECIAL = 500


@dataclass(frozen=True, slots=True)
class Sample:
    """A text as it came out.

    Attributes:
        name: of the language or the kind of text.
        error: why it was not encoded; None if it was.
        tokens: how many there are.
        unknown: how many of them stand for what is unknown.
        decoded: what decoding makes of them; None when that is longer than any sample.
        offsets: what is odd about the places of the tokens in the text.
    """

    name: str
    error: str | None = None
    tokens: int = 0
    unknown: int = 0
    decoded: str | None = None
    offsets: str | None = None

    @property
    def nothing(self) -> bool:
        """Whether nothing of the text is left: no token, or only unknown ones."""
        return self.error is None and self.tokens == self.unknown


@dataclass(frozen=True, slots=True)
class Trial:
    """What became of the samples.

    Attributes:
        failure: why there was no trial, as the end of a sentence; None when there was.
        endless: whether that is because it took too much processor time.
        error: why the library does not load the file.
        samples: each text.
        split: special tokens that are not encoded as themselves, with the ids that come out.
        english: whether the vocabulary has words of English.
        level_bytes: how many of the 256 bytes have a token as in byte-level vocabularies.
        fallback_bytes: how many of them have a token of the kind <0x0A>.
    """

    failure: str | None = None
    endless: bool = False
    error: str | None = None
    samples: tuple[Sample, ...] = ()
    split: tuple[tuple[str, tuple[int, ...]], ...] = ()
    english: bool = False
    level_bytes: int = 0
    fallback_bytes: int = 0


def try_tokenizer(
    found: TokenizerFiles, entry: FileEntry, directory: Path | None, open_file: Callable[[str], BinaryIO]
) -> Trial:
    """Encode the samples with the tokenizer.json of `found`.

    Args:
        found: the tokenizer.
        entry: its tokenizer.json.
        directory: the model's directory, when it is one of this machine.
        open_file: opens a file of the model; its content is copied when there is no directory.
    """
    digest = found.tokenizer_json
    special = [token.content for token in digest.added if token.special][:_MOST_SPECIAL] if digest is not None else []
    request = {
        "special": special,
        "unknown": digest.unk_token if digest is not None else None,
        "seconds": _PROCESSOR_SECONDS,
    }
    if directory is not None:
        return _trial(_ask({**request, "path": str(directory / entry.path)}))
    with tempfile.TemporaryDirectory(prefix="hubpub-tokenizer-") as home:
        copy = Path(home, "tokenizer.json")
        try:
            with open_file(entry.path) as source, copy.open("wb") as target:
                shutil.copyfileobj(source, target)
        except OSError as error:
            return Trial(failure=f"cannot be read: {error.strerror or error}")
        return _trial(_ask({**request, "path": str(copy)}))


def _ask(request: Mapping[str, Any]) -> Answer:
    from hubpub.model.child import ask

    return ask("hubpub.model.children.tokenizer:encode_samples", request, seconds=_SECONDS, memory=_MEMORY)


def _trial(answer: Answer) -> Trial:
    if answer.failure is not None:
        return Trial(failure=answer.failure, endless=answer.timed_out and "processor" in answer.failure)
    value = answer.value
    if "error" in value:
        return Trial(error=value["error"])
    return Trial(
        samples=tuple(Sample(name, **sample) for name, sample in value["samples"].items()),
        split=tuple((token, tuple(ids)) for token, ids in value["split"]),
        english=value["english"],
        level_bytes=value["bytes"]["level"],
        fallback_bytes=value["bytes"]["fallback"],
    )


def same_text(first: str, second: str) -> bool:
    """Whether two texts differ in nothing but spaces, case, accents and compatibility forms.

    These are what normalizers may take away on purpose.
    """
    return _bare(first) == _bare(second)


def _bare(text: str) -> str:
    folded = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in folded if not (char.isspace() or unicodedata.combining(char)))
