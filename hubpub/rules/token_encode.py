"""TOKEN: what becomes of texts, tried in a child process, and whether the slow tokenizer's files agree."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hubpub.core.findings import Problem, Severity
from hubpub.core.report import Skip
from hubpub.core.rule import Depth
from hubpub.core.wording import counted, listed
from hubpub.model.children.tokenizer import SAMPLES
from hubpub.model.folder import ModelFolder
from hubpub.model.jsonfile import TOKENIZER_LIMIT, read_json
from hubpub.model.tokenizer import TOKENIZER_JSON
from hubpub.model.tokenizer_json import TokenizerJson, without_collector
from hubpub.model.vocabulary import VOCABULARY_LIMIT, shown
from hubpub.rules.registry import model_rules
from hubpub.rules.token_subjects import DOCS, SAVE_AGAIN, known, tokenizers

if TYPE_CHECKING:
    from hubpub.model.tokenizer_trial import Sample, Trial
    from hubpub.model.vocabulary_compare import Difference

_JSON_SOURCE = "https://github.com/huggingface/tokenizers"
_LONGEST_SHOWN = 40


@model_rules.rule(
    "TOKEN019",
    "slow-and-fast-disagree",
    Severity.ERROR,
    summary="The files of the slow tokenizer say something else than tokenizer.json.",
    why="transformers takes tokenizer.json; llama.cpp, CTranslate2, fairseq and older versions take vocab.txt, "
    "vocab.json or the SentencePiece model. The same text gets different ids, and one of the two is not what the "
    "model was trained with.",
    bad="vocab.txt of another model beside tokenizer.json",
    good="both written by one save_pretrained, or tokenizer.json alone",
    hint="delete the file that is not the model's, or save the tokenizer again",
    source=DOCS,
    depth=Depth.DEEP,
)
def slow_and_fast_disagree(folder: ModelFolder) -> Iterator[Problem]:
    """Token by token; SentencePiece models may be shifted as a whole, as transformers does for some classes."""
    from hubpub.model.vocabulary_compare import COMPARED, compare, fast_vocabulary

    for found in tokenizers(folder):
        if found.tokenizer_json is None or known(found) is None:
            continue
        fast = found.directory + TOKENIZER_JSON
        names = [name for name in COMPARED if folder.entry(found.directory + name) is not None]
        names = [name for name in names if found.directory + name not in folder.lfs_pointers]
        if not names:
            continue
        with without_collector():
            document = read_json(lambda path=fast: folder.open_file(path), limit=TOKENIZER_LIMIT).value  # type: ignore[misc]
            if not isinstance(document, dict):
                continue
            by_token = fast_vocabulary(document)
            for name in names:
                path = found.directory + name
                difference = compare(name, folder.start(path, VOCABULARY_LIMIT), document, by_token)
                if difference is not None:
                    yield Problem(_disagreement(path, fast, difference), path=path)


def _disagreement(path: str, fast: str, difference: Difference) -> str:
    if difference.problem is not None:
        return f"{path} {difference.problem}, and {fast} beside it is whole"
    what = "merge" if path.endswith("merges.txt") else "token"
    number = f"{difference.number:,} of {counted(difference.total, what)}"
    here = "is not there" if difference.here is None else f"is {difference.here:,}"
    there = "is not" if difference.there is None else f"is {difference.there:,}"
    return f"{path} disagrees with {fast} on {number}: {shown(difference.example)} {here}, and there it {there}"


@model_rules.rule(
    "TOKEN030",
    "tokenizer-does-not-load",
    Severity.ERROR,
    summary="The tokenizers library cannot load tokenizer.json, or fails to encode a text with it.",
    why="AutoTokenizer raises the same error, in the words of a parser that do not name the cause.",
    bad='"pre_tokenizer": {"type": "NoSuchThing"}',
    good="tokenizer.json as the library wrote it",
    hint=SAVE_AGAIN,
    source=_JSON_SOURCE,
    depth=Depth.DEEP,
)
def tokenizer_does_not_load(folder: ModelFolder) -> Iterator[Problem | Skip]:
    """With the installed version of the library; what TOKEN013 has told is not told again."""
    for path, digest, trial in _trials(folder):
        if trial.failure is not None:
            if not trial.endless:
                yield Skip(f"round trip of sample texts with {path}", f"it {trial.failure}")
        elif trial.error is not None:
            yield Problem(f"{path} does not load: {trial.error}", path=path)
        elif digest.algorithm != "WordLevel" or trial.english:
            failed = [sample for sample in trial.samples if sample.error is not None]
            if failed:
                names = listed([sample.name for sample in failed])
                yield Problem(f"{path} cannot encode {_texts(len(failed))} ({names}): {failed[0].error}", path=path)
    for found in tokenizers(folder):
        if found.tokenizer_json is None and found.fallback is not None:
            yield Skip(f"round trip of sample texts with {found.fallback.path}", "only tokenizer.json is tried")


@model_rules.rule(
    "TOKEN031",
    "text-becomes-unknown",
    Severity.ERROR,
    summary="Plain English becomes nothing but unknown tokens, or no tokens, though the vocabulary has English words.",
    why="The model sees the same few ids for every text. It happens when the pre-tokenizer or the lower-casing is "
    "missing, so that no word is found in the vocabulary.",
    bad="a WordPiece vocabulary of lower-case words without a pre-tokenizer: the whole sentence is one [UNK]",
    good="the normalizer and pre-tokenizer that the vocabulary was made with",
    hint=SAVE_AGAIN,
    source=_JSON_SOURCE,
    depth=Depth.DEEP,
)
def text_becomes_unknown(folder: ModelFolder) -> Iterator[Problem]:
    """Vocabularies of proteins, molecules or music have no English words, and are not judged."""
    for path, _, trial in _trials(folder):
        english = _sample(trial, "English")
        if english is None or not english.nothing or not trial.english:
            continue
        lost = [sample.name for sample in trial.samples if sample.name in SAMPLES and sample.nothing]
        became = "no tokens" if not english.tokens else f"{counted(english.unknown, 'unknown token')} and no other"
        yield Problem(f"{path} turns English into {became} (as well as {len(lost) - 1} other sample texts)", path=path)


@model_rules.rule(
    "TOKEN032",
    "text-is-lost",
    Severity.ERROR,
    summary="A tokenizer that works on bytes does not give back what it was given.",
    why="Byte-level and byte-fallback tokenizers can write every text; if decoding gives another text, the decoder, a "
    "normalizer or tokens are missing, and every answer of the model is garbled.",
    bad='a byte-level tokenizer.json with "decoder": null: "Hello world" comes back as "HelloĠworld"',
    good='"decoder": {"type": "ByteLevel"}',
    hint=SAVE_AGAIN,
    source=_JSON_SOURCE,
    depth=Depth.DEEP,
)
def text_is_lost(folder: ModelFolder) -> Iterator[Problem]:
    """Spaces, case, accents and compatibility forms may be lost; bytes that were never seen in training may be too."""
    for path, digest, trial in _trials(folder):
        if not (digest.byte_level or digest.byte_fallback):
            continue
        lost = [sample for sample in trial.samples if _differs(sample)]
        if not lost:
            continue
        have = trial.level_bytes if digest.byte_level else trial.fallback_bytes
        example = lost[0]
        text = SAMPLES[example.name]
        back = shown(str(example.decoded), _LONGEST_SHOWN)
        names = listed([sample.name for sample in lost])
        missing = f", as {256 - have} of 256 bytes have no token" if have < 256 else ""
        yield Problem(
            f"{path} does not give back {_texts(len(lost))} ({names}){missing}: {shown(text, _LONGEST_SHOWN)} comes "
            f"back as "
            f"{back}",
            path=path,
            severity=Severity.INFO if have < 256 and not (trial.english and example.name == "English") else None,
        )


@model_rules.rule(
    "TOKEN033",
    "offsets-not-sane",
    Severity.WARNING,
    summary="The places of the tokens in the text are out of order, or outside of it.",
    why="Question answering, named entities and highlighting cut the answer out of the text by these offsets.",
    bad="a token from 12 to 19 in a text of 15 characters",
    good="every token begins where or after the one before it begins, and ends within the text",
    hint="check the normalizer and the pre-tokenizer of tokenizer.json, or save the tokenizer again",
    source=_JSON_SOURCE,
    depth=Depth.DEEP,
)
def offsets_not_sane(folder: ModelFolder) -> Iterator[Problem]:
    """For all sample texts."""
    for path, _, trial in _trials(folder):
        odd = [sample for sample in trial.samples if sample.offsets is not None]
        if odd:
            names = listed([sample.name for sample in odd])
            yield Problem(f"{path} gives odd offsets for {_texts(len(odd))} ({names}): {odd[0].offsets}", path=path)


@model_rules.rule(
    "TOKEN034",
    "special-token-split",
    Severity.ERROR,
    summary="A special token is not encoded as itself.",
    why="Chat templates and prompts write special tokens as text; if the tokenizer takes them to pieces, the model "
    "never sees them.",
    bad='"<|im_end|>" is encoded as "<", "|", "im", ...',
    good='"<|im_end|>" is encoded as its own id',
    hint="add it as a special token (tokenizer.add_special_tokens) and save the tokenizer again",
    source=_JSON_SOURCE,
    depth=Depth.DEEP,
)
def special_token_split(folder: ModelFolder) -> Iterator[Problem]:
    """Every added token that is marked as special."""
    for path, _, trial in _trials(folder):
        if trial.split:
            named = listed([f"{shown(token)} becomes {list(ids)}" for token, ids in trial.split])
            yield Problem(
                f"{path} does not encode {counted(len(trial.split), 'special token')} as one: {named}", path=path
            )


@model_rules.rule(
    "TOKEN035",
    "tokenizer-endless",
    Severity.ERROR,
    summary="Encoding a few short texts takes longer than half a minute of processor time.",
    why="A regular expression or a token in tokenizer.json takes time without bounds: every program that encodes a "
    "text with it hangs, a server with the first request.",
    bad='"pre_tokenizer": {"type": "Split", "pattern": {"Regex": "(a+)+$"}}',
    good="the pattern of the model that the tokenizer was made from",
    hint="look at the patterns of the normalizer and the pre-tokenizer, or save the tokenizer again",
    source=_JSON_SOURCE,
    depth=Depth.DEEP,
)
def tokenizer_endless(folder: ModelFolder) -> Iterator[Problem]:
    """Processor time, so that a busy machine does not count."""
    for path, _, trial in _trials(folder):
        if trial.endless:
            yield Problem(f"{path} takes too long to encode a few short texts: it {trial.failure}", path=path)


def _trials(folder: ModelFolder) -> Iterator[tuple[str, TokenizerJson, Trial]]:
    """Path, facts and trial of each tokenizer.json that a QUICK rule has not found to be broken."""
    for found in tokenizers(folder):
        digest = found.tokenizer_json
        if digest is None or known(found) is None or digest.misfit or digest.unknown_merges:
            continue
        trial = folder.tokenizer_trial(found.directory)
        if trial is not None:
            yield found.directory + TOKENIZER_JSON, digest, trial


def _sample(trial: Trial, name: str) -> Sample | None:
    return next((sample for sample in trial.samples if sample.name == name), None)


def _differs(sample: Sample) -> bool:
    text = SAMPLES.get(sample.name)
    if text is None or sample.decoded is None:
        return False
    # CLIP's end of a word, which its class takes away after decoding.
    from hubpub.model.tokenizer_trial import same_text

    return not same_text(sample.decoded.replace("</w>", " "), text)


def _texts(number: int) -> str:
    return counted(number, "sample text")
