"""What the small files say of special tokens: which token has which role, and which ids the model's configs name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from hubpub.model.jsonfile import JsonFile, json_object
from hubpub.model.vocabulary import Wanted

ROLES = ("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token")
_LISTS = ("extra_special_tokens", "additional_special_tokens")
_ID_KEYS = (
    "bos_token_id",
    "eos_token_id",
    "pad_token_id",
    "sep_token_id",
    "decoder_start_token_id",
    "forced_bos_token_id",
    "forced_eos_token_id",
)


@dataclass(frozen=True, slots=True)
class Role:
    """A special token by its role.

    Attributes:
        name: "eos_token", or "extra_special_tokens" for one without a role.
        content: the token.
        file: the name of the file that says so.
    """

    name: str
    content: str
    file: str


@dataclass(frozen=True, slots=True)
class Declared:
    """An added token that one of the companions of tokenizer.json names, with the id that it gives it."""

    content: str
    id: int
    file: str


@dataclass(frozen=True)
class SpecialTokens:
    """The special tokens of one tokenizer, as its small files name them.

    Attributes:
        roles: what transformers takes, each role once, and the tokens without a role.
        elsewhere: roles that special_tokens_map.json gives to another token than tokenizer_config.json.
        declared: added tokens by id, of tokenizer_config.json or added_tokens.json.
    """

    roles: tuple[Role, ...] = ()
    elsewhere: tuple[tuple[Role, Role], ...] = ()
    declared: tuple[Declared, ...] = ()

    def role(self, name: str) -> Role | None:
        """The token of a role."""
        return next((role for role in self.roles if role.name == name), None)


def read_special_tokens(config: JsonFile | None, companion: JsonFile | None, added: JsonFile | None) -> SpecialTokens:
    """The special tokens that the files name.

    As in `PreTrainedTokenizerBase._from_pretrained` of transformers 5: special_tokens_map.json and added_tokens.json
    count only where tokenizer_config.json has no added_tokens_decoder, and then before it.

    Args:
        config: tokenizer_config.json.
        companion: special_tokens_map.json.
        added: added_tokens.json.
    """
    first = {role.name: role for role in _roles(config, "tokenizer_config.json")}
    second = {role.name: role for role in _roles(companion, "special_tokens_map.json")}
    decoder = config.get("added_tokens_decoder") if config else None
    taken = first if isinstance(decoder, dict) else first | second
    disagree = [(first[name], second[name]) for name in first.keys() & second.keys()]
    listed = list(_listed(config, "tokenizer_config.json"))
    if not isinstance(decoder, dict):
        listed += _listed(companion, "special_tokens_map.json")
    known = {role.content for role in taken.values()}
    further = {role.content: role for role in reversed(listed) if role.content not in known}
    return SpecialTokens(
        roles=(*taken.values(), *reversed(further.values())),
        elsewhere=tuple(sorted((pair for pair in disagree if pair[0].content != pair[1].content), key=_name)),
        declared=tuple(_declared(decoder, added)),
    )


def _name(pair: tuple[Role, Role]) -> str:
    return pair[0].name


def _roles(document: JsonFile | None, file: str) -> Iterator[Role]:
    for name in ROLES if document else ():
        content = _content(document.get(name))  # type: ignore[union-attr]
        if content:
            yield Role(name, content, file)


def _listed(document: JsonFile | None, file: str) -> Iterator[Role]:
    for name in _LISTS if document else ():
        value = document.get(name)  # type: ignore[union-attr]
        for entry in value if isinstance(value, list) else value.values() if isinstance(value, dict) else ():
            content = _content(entry)
            if content:
                yield Role(name, content, file)


def _content(value: Any) -> str | None:
    """A token is a string or, with its settings, an object."""
    if isinstance(value, dict):
        value = value.get("content")
    return value if isinstance(value, str) else None


def _declared(decoder: Any, added: JsonFile | None) -> Iterator[Declared]:
    if isinstance(decoder, dict):
        for key, entry in decoder.items():
            content = _content(entry)
            if content and key.isascii() and key.isdigit() and len(key) < 10:
                yield Declared(content, int(key), "tokenizer_config.json")
    elif added is not None and isinstance(added.value, dict):
        for content, number in added.value.items():
            if content and type(number) is int and number >= 0:
                yield Declared(content, number, "added_tokens.json")


@dataclass(frozen=True, slots=True)
class ModelIds:
    """The ids of special tokens that the model's configurations name.

    Attributes:
        config: by key, of config.json; of its text_config where the top has no vocabulary.
        generation: by key, of generation_config.json.
    """

    config: Mapping[str, tuple[int, ...]]
    generation: Mapping[str, tuple[int, ...]]

    def effective(self, key: str) -> tuple[tuple[int, ...], str]:
        """The ids that generation uses, and the file that gives them: generation_config.json comes first."""
        if key in self.generation:
            return self.generation[key], "generation_config.json"
        return self.config.get(key, ()), "config.json"

    @property
    def present(self) -> list[str]:
        """The keys that either file has, in a fixed order."""
        return [key for key in _ID_KEYS if key in self.config or key in self.generation]


def read_model_ids(config: JsonFile | None, generation: JsonFile | None) -> ModelIds:
    """The ids of special tokens in config.json and generation_config.json; -1 and null mean none."""
    top = json_object(config)
    text = top.get("text_config")
    if "vocab_size" not in top and isinstance(text, dict):
        top = {**text, **{key: value for key, value in top.items() if value is not None}}
    return ModelIds(dict(_ids(top)), dict(_ids(json_object(generation))))


def _ids(document: Mapping[str, Any]) -> Iterator[tuple[str, tuple[int, ...]]]:
    for key in _ID_KEYS:
        value = document.get(key)
        ids = tuple(each for each in (value if isinstance(value, list) else [value]) if type(each) is int and each >= 0)
        if ids:
            yield key, ids


def wanted_of(special: SpecialTokens, ids: ModelIds) -> Wanted:
    """What has to be looked up in the vocabulary to judge these."""
    tokens = {role.content for role in special.roles} | {token.content for token in special.declared}
    tokens |= {role.content for pair in special.elsewhere for role in pair}
    numbers = {each for by_key in (ids.config, ids.generation) for values in by_key.values() for each in values}
    return Wanted(frozenset(tokens), frozenset(numbers | {token.id for token in special.declared}))
