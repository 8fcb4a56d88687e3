"""TOKEN: ids of tokens against the embedding, the vocabulary and each other."""

from __future__ import annotations

from collections.abc import Iterator

from hubpub.core.findings import Problem, Severity
from hubpub.core.wording import counted, listed
from hubpub.model.folder import ModelFolder
from hubpub.model.special_tokens import Role
from hubpub.model.tokenizer import TokenizerFiles, takes_text
from hubpub.model.tokenizer_class import generates_text
from hubpub.model.vocabulary import shown
from hubpub.rules.registry import model_rules
from hubpub.rules.token_subjects import (
    DOCS,
    SAVE_AGAIN,
    file_of,
    id_of,
    known,
    of_other_media,
    room_of,
    token_of,
    tokenizers,
)

_GENERATION_DOCS = "https://huggingface.co/docs/transformers/main_classes/text_generation"
_TEMPLATE_LIMIT = 1 << 20


@model_rules.rule(
    "TOKEN003",
    "tokens-past-embedding",
    Severity.ERROR,
    summary="The tokenizer has tokens that the model's embedding has no row for.",
    why="Nothing is said when model and tokenizer are loaded; the first text with such a token ends in an index error, "
    "and on a GPU in a device-side assertion that kills the process. It happens when tokens were added and "
    "resize_token_embeddings was forgotten, or when the tokenizer is another model's.",
    bad="tokenizer.json with 32,020 tokens beside an embedding of 32,000 rows",
    good="as many rows as tokens, or more (rows are often padded to a multiple of 64)",
    hint="model.resize_token_embeddings(len(tokenizer)), train the new rows, and save both; or save the right "
    "tokenizer",
    source=DOCS,
)
def tokens_past_embedding(folder: ModelFolder) -> Iterator[Problem]:
    """The embedding's rows come from the weights where they show it, else from vocab_size of config.json."""
    for found in tokenizers(folder):
        vocabulary, room = known(found), room_of(folder, found)
        if vocabulary is None or room is None or folder.json(f"{found.directory}config.json") is None:
            continue
        digest = found.tokenizer_json
        added = digest.added if digest is not None else ()
        past = [token for token in added if max(token.id, token.declared) >= room.rows]
        number = max(vocabulary.largest + 1 - room.rows, len(past))
        if number <= 0:
            continue
        contents = [token.content for token in past]
        harmless = len(past) >= number and all(of_other_media(content) for content in contents)
        named = f" ({listed([shown(content) for content in contents])})" if contents else ""
        largest = max([vocabulary.largest, *(token.declared for token in past)])
        yield Problem(
            f"{vocabulary.path} has {counted(number, 'token')} past the {room.rows:,} rows of the embedding "
            f"({room.what} in {room.path}): its largest id is {largest:,}{named}",
            path=vocabulary.path,
            severity=Severity.INFO if harmless else None,
        )


@model_rules.rule(
    "TOKEN004",
    "special-token-unknown",
    Severity.ERROR,
    summary="A special token is named that the vocabulary does not have.",
    why="transformers adds it when it loads the tokenizer, behind all others: without a word the token gets an id that "
    "the model was never trained on and that is usually past its embedding.",
    bad='tokenizer_config.json: "pad_token": "[PADX]", and no such token in tokenizer.json',
    good='"pad_token": "[PAD]", as in tokenizer.json',
    hint="name a token of the vocabulary; or add it, resize the embedding and save model and tokenizer again",
    source=DOCS,
)
def special_token_unknown(folder: ModelFolder) -> Iterator[Problem]:
    """Where the embedding has room for it, it is only a note: padding with an untrained row does no harm."""
    for found in tokenizers(folder):
        digest, vocabulary = found.tokenizer_json, known(found)
        if vocabulary is None or not vocabulary.exact or (digest is None and found.chosen is None):
            continue
        room = room_of(folder, found)
        declared = {token.content for token in found.special.declared}
        unknown: dict[str, Role] = {}
        for role in found.special.roles:
            if id_of(found, role.content) is None and role.content not in declared:
                unknown.setdefault(role.content, role)
        for number, role in enumerate(unknown.values(), vocabulary.length):
            past = room is not None and number >= room.rows
            behind = f", past the {room.rows:,} rows of the embedding" if past and room is not None else ""
            path = file_of(found, role)
            yield Problem(
                f"{path} names {shown(role.content)} as {role.name}, which is not in {vocabulary.path}: "
                f"it is added on load as id {number:,}{behind}",
                path=path,
                severity=None if past else Severity.INFO,
            )


@model_rules.rule(
    "TOKEN005",
    "special-id-out-of-range",
    Severity.ERROR,
    summary="A configuration gives a special token an id that the model does not have.",
    why="A padding id past the embedding raises when the model is built or first padded; generation never stops at an "
    "end-of-text id that cannot come.",
    bad='config.json: "pad_token_id": 99999 in a model of 30,522 tokens',
    good='"pad_token_id": 0, the id of the tokenizer\'s padding token',
    hint="set it to the tokenizer's id, e.g. model.config.pad_token_id = tokenizer.pad_token_id, and save the model "
    "again",
    source=_GENERATION_DOCS,
)
def special_id_out_of_range(folder: ModelFolder) -> Iterator[Problem]:
    """Against the embedding; every id for a model that generates, only the padding for others."""
    for found in _text_models(folder):
        room = room_of(folder, found)
        if room is None:
            continue
        generates = _generates(folder, found)
        for key in found.model_ids.present:
            if key != "pad_token_id" and not generates:
                continue
            places = {found.model_ids.effective(key)}
            if key == "pad_token_id":
                places.add((found.model_ids.config.get(key, ()), "config.json"))
            for ids, file in sorted(places, key=lambda place: place[1]):
                path = found.directory + file
                for number in (number for number in ids if number >= room.rows):
                    message = (
                        f"{path}: {key} is {number:,}, and the model has {counted(room.rows, 'token')} ({room.what}"
                    )
                    yield Problem(f"{message} in {room.path})", path=path)


@model_rules.rule(
    "TOKEN006",
    "end-of-text-disagrees",
    Severity.ERROR,
    summary="Generation does not stop at the tokenizer's end-of-text token.",
    why="The model was trained to end with the tokenizer's eos_token; generate() looks at eos_token_id of "
    "generation_config.json, else of config.json. If that is another token, answers run on until the length limit.",
    bad='tokenizer: "<|im_end|>" (4); generation_config.json: "eos_token_id": 2',
    good='"eos_token_id": 4, or a list with both: [4, 2]',
    hint="model.generation_config.eos_token_id = tokenizer.eos_token_id (or a list with it), and save the model again",
    source=_GENERATION_DOCS,
)
def end_of_text_disagrees(folder: ModelFolder) -> Iterator[Problem]:
    """A list that includes it is right, and so is another token that the chat template closes turns with."""
    for found in _text_models(folder):
        role = found.special.role("eos_token")
        wanted = id_of(found, role.content) if role is not None else None
        if role is None or wanted is None or not _generates(folder, found):
            continue
        ids, file = found.model_ids.effective("eos_token_id")
        room = room_of(folder, found)
        if not ids or wanted in ids or (room is not None and max(ids) >= room.rows):
            continue
        path = found.directory + file
        tokens = [token_of(found, number) for number in ids]
        if _closes_turns(_template(folder, found), role.content, tokens):
            continue
        stops = listed([f"{number} ({shown(token)})" for number, token in zip(ids, tokens, strict=True)])
        yield Problem(
            f"{path}: eos_token_id is {stops}, and the tokenizer's eos_token is {shown(role.content)} ({wanted}, "
            f"{file_of(found, role)})",
            path=path,
        )


def _closes_turns(template: str, eos: str, stops: list[str | None]) -> bool:
    """Whether the chat template ends turns with one of the tokens that generation stops at, and not with `eos`."""
    if not template or eos in template or "eos_token" in template:
        return False
    return any(token is not None and token in template for token in stops)


def _template(folder: ModelFolder, found: TokenizerFiles) -> str:
    path = f"{found.directory}chat_template.jinja"
    if folder.entry(path) is not None:
        return folder.text(path, _TEMPLATE_LIMIT)
    template = found.config.get("chat_template") if found.config is not None else None
    if isinstance(template, list):
        return "\n".join(str(each.get("template", "")) for each in template if isinstance(each, dict))
    return template if isinstance(template, str) else ""


@model_rules.rule(
    "TOKEN007",
    "special-tokens-disagree",
    Severity.WARNING,
    summary="The files do not agree on a special token.",
    why="The model skips or finds the padding by config.json, the tokenizer pads by its own: where they differ a "
    "classifier reads the padding as the last word. Libraries take a role from different files, too.",
    bad='tokenizer: "<pad>" (0); config.json: "pad_token_id": 3',
    good='"pad_token_id": 0',
    hint="set the ids in config.json and generation_config.json to those of the tokenizer, and save again",
    source=DOCS,
)
def special_tokens_disagree(folder: ModelFolder) -> Iterator[Problem]:
    """Padding for every text model, the start of a text for those that generate, roles for all."""
    for found in tokenizers(folder):
        for first, second in found.special.elsewhere:
            path = file_of(found, second)
            yield Problem(
                f"{path} names {shown(second.content)} as {second.name}, and {file_of(found, first)} "
                f"{shown(first.content)}",
                path=path,
            )
    for found in _text_models(folder):
        if _reads_padding(folder):
            padding = found.model_ids.config.get("pad_token_id", ())
            yield from _other_id(folder, found, "pad_token", padding, "config.json")
        if _generates(folder, found):
            yield from _other_id(folder, found, "bos_token", *found.model_ids.effective("bos_token_id"))


def _reads_padding(folder: ModelFolder) -> bool:
    """Whether the model looks for the padding id: heads do, bare encoders go by the attention mask.

    CLIP's text model has 1 in its configuration, a default that nothing reads, and its tokenizer pads with 49,407.
    """
    name = next(iter(folder.architectures), "")
    at_top = folder.config is not None and folder.config.get("pad_token_id") is not None
    return at_top and ("For" in name or "LMHead" in name)


def _other_id(
    folder: ModelFolder, found: TokenizerFiles, name: str, ids: tuple[int, ...], file: str
) -> Iterator[Problem]:
    role = found.special.role(name)
    wanted = id_of(found, role.content) if role is not None else None
    room = room_of(folder, found)
    if role is None or wanted is None or not ids or wanted in ids or (room is not None and max(ids) >= room.rows):
        return
    path = found.directory + file
    stated = listed([f"{number} ({shown(token_of(found, number))})" for number in ids])
    yield Problem(
        f"{path}: {name}_id is {stated}, and the tokenizer's {name} is {shown(role.content)} ({wanted}, "
        f"{file_of(found, role)})",
        path=path,
    )


def _text_models(folder: ModelFolder) -> Iterator[TokenizerFiles]:
    """The tokenizer at the top, when the model there is known to take or give text."""
    found = folder.tokenizer
    if found.files and known(found) is not None and takes_text(folder.architectures, folder.model_type):
        yield found


def _generates(folder: ModelFolder, found: TokenizerFiles) -> bool:
    return found.directory == "" and generates_text(folder.architectures)


@model_rules.rule(
    "TOKEN014",
    "added-token-ids",
    Severity.ERROR,
    summary="tokenizer.json gives an added token an id that it does not get.",
    why="The tokenizers library numbers added tokens itself, in their order behind the vocabulary, and only prints a "
    "warning when the file says otherwise: texts are encoded with other ids than the model was trained with.",
    bad='added_tokens: [{"id": 5000, "content": "<x>"}] behind a vocabulary of 167 tokens: "<x>" becomes 167',
    good='[{"id": 167, "content": "<x>"}]',
    hint=SAVE_AGAIN,
    source="https://github.com/huggingface/tokenizers/blob/main/tokenizers/src/tokenizer/added_vocabulary.rs",
)
def added_token_ids(folder: ModelFolder) -> Iterator[Problem]:
    """Ids past the embedding are TOKEN003's."""
    for found in tokenizers(folder):
        digest, vocabulary = found.tokenizer_json, known(found)
        if digest is None or vocabulary is None or digest.model.shared_count:
            continue
        room = room_of(folder, found)
        rows = room.rows if room is not None else None
        for content, first, second in digest.again[:1]:
            more = f", and {len(digest.again) - 1:,} more so" if len(digest.again) > 1 else ""
            yield Problem(
                f"{vocabulary.path} adds {shown(content)} twice, with the ids {first:,} and {second:,}{more}",
                path=vocabulary.path,
            )
        moved = [token for token in digest.added if token.id != token.declared]
        moved = [token for token in moved if rows is None or max(token.id, token.declared) < rows]
        if moved:
            named = listed([f"{shown(token.content)} {token.declared:,} → {token.id:,}" for token in moved])
            yield Problem(
                f"{vocabulary.path} gives {counted(len(moved), 'added token')} another id than it gets on load: "
                f"{named}",
                path=vocabulary.path,
            )


@model_rules.rule(
    "TOKEN015",
    "added-tokens-disagree",
    Severity.WARNING,
    summary="The added tokens of tokenizer_config.json or added_tokens.json are not those of tokenizer.json.",
    why="transformers adds to tokenizer.json what the other file names, and other libraries read only one of them: the "
    "same text gets different ids, depending on who loads it.",
    bad='tokenizer_config.json: "added_tokens_decoder": {"300": {"content": "<x>"}}, and no "<x>" in tokenizer.json',
    good="the same tokens with the same ids in both, as save_pretrained writes them",
    hint=SAVE_AGAIN,
    source=DOCS,
)
def added_tokens_disagree(folder: ModelFolder) -> Iterator[Problem]:
    """One finding a file, about the first few tokens."""
    for found in tokenizers(folder):
        digest, vocabulary = found.tokenizer_json, known(found)
        if digest is None or vocabulary is None:
            continue
        accounted = {token.content for token in digest.added if token.id != token.declared}
        odd = [
            f"{shown(token.content)} is {token.id:,}, not {_or_absent(digest.ids.get(token.content))}"
            for token in found.special.declared
            if digest.ids.get(token.content) != token.id and token.content not in accounted
        ]
        if odd:
            path = found.directory + found.special.declared[0].file
            absent = sum(token.content not in digest.ids for token in found.special.declared)
            room = room_of(folder, found)
            past = room is not None and vocabulary.length <= room.rows < vocabulary.length + absent
            behind = (
                f"; what is absent is added on load, past the {room.rows:,} rows of the embedding"
                if past and room
                else ""
            )
            yield Problem(
                f"{path} disagrees with {vocabulary.path}: {listed(odd)}{behind}",
                path=path,
                severity=Severity.ERROR if past else None,
            )


def _or_absent(number: int | None) -> str:
    return "absent" if number is None else f"{number:,}"
