"""TOKEN: the vocabulary itself, and whether it is the one that is used."""

from __future__ import annotations

from collections.abc import Iterator

from hubpub.core.findings import Problem, Severity
from hubpub.core.wording import counted, listed
from hubpub.model.embedding import position_room
from hubpub.model.folder import ModelFolder
from hubpub.model.kind import ModelKind
from hubpub.model.tokenizer import TOKENIZER_CONFIG, TOKENIZER_JSON, TokenizerFiles
from hubpub.model.tokenizer_class import GENERIC, class_of, is_former_class
from hubpub.model.vocabulary import shown
from hubpub.rules.registry import model_rules
from hubpub.rules.token_subjects import DOCS, SAVE_AGAIN, known, room_of, tokenizers

_JSON_SOURCE = "https://github.com/huggingface/tokenizers"
# Lengths from here on mean "no limit": transformers writes 1e30, others write a billion.
_NO_LIMIT = 10_000_000
_FEW_ORDINARY = 10
_SMALL = 300
_LARGE_MODEL = 1000


@model_rules.rule(
    "TOKEN008",
    "tokenizer-class-unknown",
    Severity.ERROR,
    summary="tokenizer_class names a class that is neither in transformers nor in the folder.",
    why="AutoTokenizer takes the generic class in its place without a word, and without what the named class would "
    "have done; where there is no tokenizer.json it raises.",
    bad='"tokenizer_class": "MyTokenizer", without auto_map',
    good='"tokenizer_class": "PreTrainedTokenizerFast", or an auto_map that names the code',
    hint="name the class that loads it (PreTrainedTokenizerFast for a bare tokenizer.json), or save it with its code",
    source=DOCS,
)
def tokenizer_class_unknown(folder: ModelFolder) -> Iterator[Problem]:
    """Classes that transformers 5 dropped still work with tokenizer.json, and are no finding there."""
    for found in tokenizers(folder):
        name, path = found.tokenizer_class, found.directory + TOKENIZER_CONFIG
        if name is None or class_of(name) is not None or _own_code(folder, found):
            continue
        if is_former_class(name) and found.tokenizer_json is not None:
            continue
        yield Problem(f"{path}: tokenizer_class {shown(name)} is no class of transformers", path=path)


def _own_code(folder: ModelFolder, found: TokenizerFiles) -> bool:
    """Whether the folder, or another library, brings the class; custom code is CODE's."""
    configs = (found.config, folder.json(f"{found.directory}config.json"))
    maps = [config.get("auto_map") for config in configs if config is not None]
    if any(isinstance(each, list) or (isinstance(each, dict) and "AutoTokenizer" in each) for each in maps):
        return True
    return folder.kind not in (ModelKind.TRANSFORMERS, ModelKind.SENTENCE_TRANSFORMERS, ModelKind.ADAPTER)


@model_rules.rule(
    "TOKEN009",
    "tokenizer-not-used",
    Severity.ERROR,
    summary="There is a vocabulary, and the class that is loaded does not read it.",
    why="AutoTokenizer takes a class by tokenizer_class and model_type, and each class reads its own file names. When "
    "it finds none of them transformers 5 makes a toy tokenizer out of nothing, without an error: every word becomes "
    "[UNK]. Published models do just that.",
    bad='vocab.txt beside {"model_type": "albert"}: AlbertTokenizer reads spiece.model and tokenizer.json',
    good="tokenizer.json, which every class reads; or the file that the class reads",
    hint="load it with the class that it was made with, and save it: tokenizer.save_pretrained(FOLDER)",
    source=DOCS,
)
def tokenizer_not_used(folder: ModelFolder) -> Iterator[Problem]:
    """Only where the class and its files are known, and where no tokenizer.json is there, which all classes read."""
    for found in tokenizers(folder):
        chosen = found.chosen
        if chosen is None or chosen.files is None or found.tokenizer_json is not None or not found.vocabularies:
            continue
        if found.tokenizer_class is not None and class_of(found.tokenizer_class) is None:
            continue
        names = [path.removeprefix(found.directory) for path in found.vocabularies]
        if not any(chosen.reads(name) for name in names):
            if chosen.name != GENERIC and chosen.toy is None:
                continue
            reads = listed([*chosen.vocabularies, TOKENIZER_JSON], len(chosen.vocabularies) + 1)
            toy = f": a toy tokenizer of {counted(chosen.toy, 'token')} would be made" if chosen.toy else ""
            path = found.vocabularies[0]
            yield Problem(f"{path} is not read by {chosen.name}, which reads {reads}{toy}", path=path)
        elif chosen.algorithm == "BPE" and "vocab.json" in names and "merges.txt" in chosen.files:
            path = f"{found.directory}merges.txt"
            if path not in found.files and not any(chosen.reads(name) for name in names if name != "vocab.json"):
                yield Problem(f"{path} is missing: vocab.json is of no use to {chosen.name} without it", path=path)


@model_rules.rule(
    "TOKEN010",
    "vocabulary-too-small",
    Severity.ERROR,
    summary="The vocabulary is a toy: next to nothing but special tokens, beside a model of many thousands.",
    why="This is what a tokenizer looks like that transformers made of nothing because the real one was not there when "
    "it was loaded, and that was saved again: every word becomes [UNK].",
    bad="tokenizer.json of 5 tokens beside a model with vocab_size 30,522",
    good="tokenizer.json of 30,522 tokens",
    hint="find the tokenizer that the model was trained with, and save it into the folder",
    source=DOCS,
)
def vocabulary_too_small(folder: ModelFolder) -> Iterator[Problem]:
    """Vocabularies of characters or bytes are small by nature, whatever the size of the embedding."""
    for found in tokenizers(folder):
        vocabulary, room = known(found), room_of(folder, found)
        if vocabulary is None or room is None or room.rows <= _LARGE_MODEL or vocabulary.length >= room.rows:
            continue
        digest = found.tokenizer_json
        short = digest.model.short if digest else found.fallback.vocabulary.short if found.fallback else 0
        ordinary = digest.ordinary if digest is not None else vocabulary.length
        toy = ordinary < _FEW_ORDINARY
        few = vocabulary.length < max(_SMALL, room.rows // 100) and short * 2 < ordinary
        word_level = digest is not None and digest.algorithm == "WordLevel"
        if toy or few:
            yield Problem(
                f"{vocabulary.path} has {counted(vocabulary.length, 'token')}, and the model {room.rows:,} "
                f"({room.what} in {room.path})",
                path=vocabulary.path,
                severity=Severity.INFO if word_level and not toy else None,
            )


@model_rules.rule(
    "TOKEN011",
    "post-processor-ids",
    Severity.ERROR,
    summary="The post-processor adds special tokens under ids that are not theirs.",
    why="What is put before and behind every text is then another token than at training, with no sign of it: the text "
    "of the token is right, only its id is wrong.",
    bad='TemplateProcessing: "[CLS]" has the id 101, and in the vocabulary it has 2',
    good="the same id in both",
    hint=SAVE_AGAIN,
    source=_JSON_SOURCE,
)
def post_processor_ids(folder: ModelFolder) -> Iterator[Problem]:
    """Each special token of TemplateProcessing, BertProcessing and RobertaProcessing."""
    for found in tokenizers(folder):
        digest, vocabulary = found.tokenizer_json, known(found)
        if digest is None or vocabulary is None:
            continue
        moved = {token.content for token in digest.added if token.id != token.declared}
        for token, number in dict.fromkeys(digest.posted):
            real = digest.ids.get(token)
            if real == number or token in moved:
                continue
            name = f"{vocabulary.path}: the post-processor adds {shown(token)} as id {number:,}"
            if real is not None:
                yield Problem(f"{name}, and its id is {real:,}", path=vocabulary.path)
            elif number > vocabulary.largest:
                yield Problem(f"{name}, which is neither a token nor an id of the vocabulary", path=vocabulary.path)


@model_rules.rule(
    "TOKEN012",
    "vocabulary-ids",
    Severity.WARNING,
    summary="Two tokens share an id, or the ids are no whole numbers.",
    why="Of two tokens with one id only one can ever be decoded, and the model cannot tell them apart; the file was "
    "most likely put together by hand. Ids that are no whole numbers do not load at all.",
    bad='"vocab": {"a": 0, "b": 0}',
    good='"vocab": {"a": 0, "b": 1}',
    hint=SAVE_AGAIN,
    source=_JSON_SOURCE,
)
def vocabulary_ids(folder: ModelFolder) -> Iterator[Problem]:
    """Ids that nothing has are normal: vocabularies are trimmed."""
    for found in tokenizers(folder):
        digest, fallback = found.tokenizer_json, found.fallback
        vocabulary = digest.model if digest is not None else fallback.vocabulary if fallback is not None else None
        path = found.directory + TOKENIZER_JSON if digest is not None or fallback is None else fallback.path
        if vocabulary is None:
            continue
        if digest is not None and vocabulary.problem is not None:
            yield Problem(f"{path} {vocabulary.problem.message}", path=path, severity=Severity.ERROR)
        elif vocabulary.shared_count and path.endswith(".json"):
            named = listed([f"{shown(a)} and {shown(b)} ({number:,})" for number, a, b in vocabulary.shared])
            more = vocabulary.shared_count - len(vocabulary.shared)
            rest = f" and {more:,} more" if more > 0 else ""
            yield Problem(f"{path} gives one id to two tokens: {named}{rest}", path=path)


@model_rules.rule(
    "TOKEN013",
    "tokenizer-inconsistent",
    Severity.ERROR,
    summary="The parts of a tokenizer model do not fit together: merges or the unknown token are not in its "
    "vocabulary.",
    why="The tokenizers library refuses to load it, or fails at the first unknown word.",
    bad='"merges": ["a b"] without "ab" in the vocabulary',
    good="every token that a merge names or makes is in the vocabulary",
    hint=SAVE_AGAIN,
    source=_JSON_SOURCE,
)
def tokenizer_inconsistent(folder: ModelFolder) -> Iterator[Problem]:
    """Merges of tokenizer.json, or of merges.txt where there is none; the unknown token of WordPiece and Unigram."""
    for found in tokenizers(folder):
        digest, fallback = found.tokenizer_json, found.fallback
        if digest is not None and known(found) is not None:
            path = found.directory + TOKENIZER_JSON
            if digest.misfit:
                yield Problem(f"{path} {digest.misfit}", path=path)
            elif digest.unknown_merges:
                yield _unknown_merges(path, digest.unknown_merges, digest.unknown_merge, path)
        elif digest is None and fallback is not None:
            path = f"{found.directory}merges.txt"
            if fallback.merges_problem is not None:
                problem = fallback.merges_problem
                yield Problem(f"{path} {problem.message}", path, problem.line)
            elif fallback.unknown_merges:
                yield _unknown_merges(path, fallback.unknown_merges, fallback.unknown_merge, fallback.path)


def _unknown_merges(path: str, number: int, example: str | None, vocabulary: str) -> Problem:
    count = counted(number, "token")
    where = "its vocabulary" if path == vocabulary else vocabulary
    return Problem(f"{path}: the merges name or make {count} that {where} does not have: {shown(example)}", path=path)


@model_rules.rule(
    "TOKEN016",
    "max-length-past-positions",
    Severity.WARNING,
    summary="The tokenizer lets texts be longer than the model has positions for.",
    why="Texts are cut to model_max_length when truncation is asked for; a model with learnt positions raises an index "
    "error on the first one that is longer than its table.",
    bad="model_max_length 1,024 with a position table of 512 rows",
    good="model_max_length 512",
    hint="set tokenizer.model_max_length to what the model takes, and save the tokenizer again",
    source=DOCS,
)
def max_length_past_positions(folder: ModelFolder) -> Iterator[Problem]:
    """Only against a table of learnt positions in the weights: rotary and relative positions have no such end."""
    for found in tokenizers(folder):
        limit = found.config.get("model_max_length") if found.config is not None else None
        room = position_room(folder.weights, found.directory)
        if room is None or not isinstance(limit, int | float) or not room.rows < limit < _NO_LIMIT:
            continue
        path = found.directory + TOKENIZER_CONFIG
        yield Problem(
            f"{path}: model_max_length is {int(limit):,}, and the model has {room.rows:,} positions ({room.what} in "
            f"{room.path})",
            path=path,
        )


@model_rules.rule(
    "TOKEN017",
    "truncation-left-in",
    Severity.WARNING,
    summary="tokenizer.json cuts every text to a length that the model does not need.",
    why="The tokenizers library keeps the truncation of the last call, and saves it. Servers and runtimes that read "
    "tokenizer.json themselves (text-embeddings-inference, Transformers.js, ONNX pipelines) then cut every text, in "
    "silence.",
    bad='"truncation": {"max_length": 128} beside a model of 512 positions',
    good='"truncation": null',
    hint="tokenizer.backend_tokenizer.no_truncation() (and no_padding()) before save_pretrained",
    source=_JSON_SOURCE,
)
def truncation_left_in(folder: ModelFolder) -> Iterator[Problem]:
    """A truncation to what the model takes is meant; sentence-transformers is made with a shorter one on purpose."""
    if folder.kind is not ModelKind.TRANSFORMERS:
        return
    found = folder.tokenizer
    digest = found.tokenizer_json
    most = _takes(folder, found)
    if digest is None or not digest.truncation or most is None or digest.truncation * 2 > most:
        return
    path = TOKENIZER_JSON
    yield Problem(
        f"{path} cuts every text to {counted(digest.truncation, 'token')}, and the model takes {most:,}", path=path
    )


def _takes(folder: ModelFolder, found: TokenizerFiles) -> int | None:
    """How many tokens the model takes, as its configuration and its tokenizer say; the smaller of both."""
    positions = folder.config.get("max_position_embeddings") if folder.config is not None else None
    limit = found.config.get("model_max_length") if found.config is not None else None
    said = [each for each in (positions, limit) if isinstance(each, int | float) and 0 < each < _NO_LIMIT]
    return int(min(said)) if said else None


@model_rules.rule(
    "TOKEN018",
    "tokenizer-class-algorithm",
    Severity.WARNING,
    summary="The class that is loaded builds another kind of tokenizer than tokenizer.json holds.",
    why="From transformers 5 on the classes of models build their tokenizer anew from the vocabulary, by their own "
    "algorithm, whatever tokenizer.json says: WordPiece with a byte-level vocabulary turns words into other ids than "
    "those of the training, or fails.",
    bad="tokenizer_class BertTokenizer (WordPiece) with a tokenizer.json of BPE",
    good='"tokenizer_class": "PreTrainedTokenizerFast", which takes tokenizer.json as it is',
    hint="set tokenizer_class to PreTrainedTokenizerFast in tokenizer_config.json, or save the tokenizer with its "
    "own class",
    source=DOCS,
)
def tokenizer_class_algorithm(folder: ModelFolder) -> Iterator[Problem]:
    """WordPiece and WordLevel cut a text into the same words, and BPE may stand for either of SentencePiece's two."""
    for found in tokenizers(folder):
        digest, chosen, vocabulary = found.tokenizer_json, found.chosen, known(found)
        if digest is None or chosen is None or vocabulary is None or chosen.algorithm is None:
            continue
        if digest.algorithm is None or chosen.algorithm == digest.algorithm:
            continue
        yield Problem(
            f"{vocabulary.path} holds a {digest.algorithm} model, and {chosen.name} builds {chosen.algorithm} from it",
            path=vocabulary.path,
        )


@model_rules.rule(
    "TOKEN020",
    "vocabulary-unreadable",
    Severity.ERROR,
    summary="The file that holds the vocabulary is not what its name says.",
    why="The tokenizer does not load: there is no tokenizer.json to fall back to.",
    bad="spiece.model cut short, vocab.txt in another encoding than UTF-8, tekken.json without a vocabulary",
    good="the file as it was when the model was trained",
    hint="copy the file again from where it is whole, and compare its size",
    source=DOCS,
)
def vocabulary_unreadable(folder: ModelFolder) -> Iterator[Problem]:
    """vocab.txt, SentencePiece models, tiktoken and tekken files; vocab.json that is no JSON is TOKEN002's."""
    for found in tokenizers(folder):
        fallback = found.fallback
        if fallback is None or fallback.path in folder.lfs_pointers:
            continue
        problem = fallback.vocabulary.problem
        if problem is None or (problem.message.startswith("is not JSON") and fallback.path == "vocab.json"):
            continue
        severity = None if problem.fatal else Severity.WARNING
        path = fallback.path
        yield Problem(f"{path} {problem.message}", path, problem.line, problem.column, severity=severity)
