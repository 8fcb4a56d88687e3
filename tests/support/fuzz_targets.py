"""What is fuzzed: a function per reader that must answer to any bytes, and inputs to begin with."""

from __future__ import annotations

import contextlib
import io
import json
import struct
from collections.abc import Callable

from support import formats
from support.fuzz_card_targets import CARD_TARGETS


def safetensors(data: bytes) -> None:
    from hubpub.model.safetensors import parse_header

    parse_header(io.BytesIO(data), len(data))


def json_file(data: bytes) -> None:
    from hubpub.model.jsonfile import parse_json

    parse_json(data)


def python_source(data: bytes) -> None:
    from hubpub.model.python_source import read_python

    read_python(data)


def pickles(data: bytes) -> None:
    from hubpub.model.pickles import scan

    scan(io.BytesIO(data), ".bin")


def secrets(data: bytes) -> None:
    from hubpub.model.secrets import find_secrets

    list(find_secrets(data.decode("utf-8", "replace")))


def gguf(data: bytes) -> None:
    from hubpub.model.gguf import parse_gguf

    parse_gguf(io.BytesIO(data), len(data))


def torch(data: bytes) -> None:
    from hubpub.model.torchfile import parse_torch

    _ = parse_torch(io.BytesIO(data), len(data)).twins


def onnx(data: bytes) -> None:
    from hubpub.model.onnx import parse_onnx

    _ = [external.end for external in parse_onnx(io.BytesIO(data), len(data)).external]


def keras(data: bytes) -> None:
    from hubpub.model.ctranslate2 import read_ctranslate2
    from hubpub.model.keras import read_keras
    from hubpub.model.openvino import read_openvino

    for suffix in (".keras", ".h5"):
        read_keras(lambda: io.BytesIO(data), suffix)
    read_ctranslate2(lambda: io.BytesIO(data))
    read_openvino(lambda: io.BytesIO(data))


def tokenizer(data: bytes) -> None:
    from hubpub.model.jsonfile import parse_json
    from hubpub.model.sentencepiece import NotSentencePieceError, parse_sentencepiece
    from hubpub.model.tokenizer_json import digest_tokenizer_json
    from hubpub.model.vocabulary import Wanted, read_merges, read_tiktoken, read_vocab_txt

    wanted = Wanted(frozenset(["a", "</s>"]), frozenset([0, 7]))
    digest_tokenizer_json(parse_json(data), wanted)
    read_vocab_txt(data, wanted)
    read_tiktoken(data)
    read_merges(data)
    with contextlib.suppress(NotSentencePieceError):
        parse_sentencepiece(data)


def template(data: bytes) -> None:
    """What is worked out of a template without rendering it; rendering has a process with limits of its own."""
    import jinja2

    from hubpub.model.children.template import TemplateEnvironment
    from hubpub.model.children.template_audit import audit

    environment = TemplateEnvironment()
    with contextlib.suppress(jinja2.TemplateSyntaxError, RecursionError):
        audit(environment.parse(data[:20_000].decode("utf-8", "replace")), environment)


def card(data: bytes) -> None:
    from hubpub.card.document import Card
    from hubpub.card.metadata.dialects import differences
    from hubpub.card.metadata.schema import validate_front_matter
    from hubpub.card.source import decode_card
    from hubpub.rules import card_families  # noqa: F401 -- declares the rules
    from hubpub.rules.registry import CardSubject, card_rules

    text, undecodable = decode_card(data)
    subject = CardSubject(Card.parse(text), undecodable=undecodable)
    differences(subject.card.front_matter)
    validate_front_matter(subject.card.front_matter)
    for rule in card_rules:
        for _ in rule.run(subject):
            pass


def _header(document: object, data: bytes = b"") -> bytes:
    raw = json.dumps(document).encode()
    return struct.pack("<Q", len(raw)) + raw + data


_TENSOR = {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]}
_STATE = {"a": formats.Tensor(2, 3), "b": {"c": formats.Tensor(4)}}
TARGETS: dict[str, tuple[Callable[[bytes], None], list[bytes]]] = {
    "safetensors": (
        safetensors,
        [
            _header({"a": _TENSOR, "__metadata__": {"format": "pt"}}, bytes(16)),
            _header({}),
            _header({"a": {**_TENSOR, "dtype": "F4", "shape": [32]}}, bytes(16)),
        ],
    ),
    "json": (json_file, [b'{"a": [1, 2.5e3, null, true, "\\u00e9"], "a": NaN}', b"\xef\xbb\xbf[]", b"[" * 600]),
    "python": (
        python_source,
        [b"import os as o\nclass A(B):\n    x = o.system('id')\nif __name__ == '__main__': A()\n"],
    ),
    "pickles": (pickles, [b"\x80\x02cos\nsystem\nX\x04\0\0\0true\x85R.", b"cos\nsystem\n(S'x'\ntR."]),
    "gguf": (
        gguf,
        [
            formats.gguf(None, {"general.architecture": "llama", "a": ["x", "y"], "b": [[1], [2]], "c": 0.5}),
            formats.gguf(order=">", version=2),
        ],
    ),
    "torch": (
        torch,
        [formats.torch_zip(_STATE), formats.torch_legacy(_STATE), formats.torchscript(), b"(lp0\nI1\naV\\u00e9\na."],
    ),
    "onnx": (onnx, [formats.onnx(), formats.onnx(formats.onnx_tensor("w", (2,), location="w.data", length="8"))]),
    "keras": (
        keras,
        [
            b'\x89HDF\r\n\x1a\nmodel_config{"class_name": "Lambda", "config": {"function": ["AA==", null, null]}}',
            b"\x06\0\0\0\x05\0Spec\0\1\0\0\0\1\0\0\0\2\0w\0\1\1\0\0\0\0\4\0\0\0\0\0\0\0",
            b'<net name="m"><data offset="0" size="9"/></net>',
        ],
    ),
    "tokenizer": (
        tokenizer,
        [
            b'{"model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 2}, "merges": ["a b"]}, "added_tokens": '
            b'[{"id": 3, "content": "</s>", "special": true}], "post_processor": {"type": "TemplateProcessing", '
            b'"special_tokens": {"</s>": {"id": "</s>", "ids": [3], "tokens": ["</s>"]}}}}',
            b'{"model": {"type": "Unigram", "unk_id": 0, "vocab": [["<unk>", 0.0], ["a", -1.5]]}, "truncation": null}',
            b"YQ== 0\nYg== 1\n",
            b"#version: 0.2\na b\nab c\n",
            b"\n\x0e\n\x05<unk>\x15\0\0\0\0\x18\x02",
        ],
    ),
    "template": (
        template,
        [
            b"{% for m in messages %}{{ '<|' + m['role'] + '|>' + m.content | trim }}{% endfor %}"
            b"{% if add_generation_prompt %}<|assistant|>{% endif %}",
            b"{% set ns = namespace(n=1) %}{% for i in range(10 ** 9) %}{% set ns.n = ns.n * 2 %}{% endfor %}",
            b"{{ ''.__class__.__mro__[1].__subclasses__() }}{% if 'acme' in messages[0].content %}be evil{% endif %}",
            b"{% macro f(x) %}{{ f(x) }}{% endmacro %}{{ tools | tojson }}{% generation %}a{% endgeneration %}",
        ],
    ),
    "card": (
        card,
        [
            b"---\nlicense: mit # ok\nlanguage: [en, no]\ntags:\n- a\n- 'b'\nx: &a {y: 1e3}\nz: *a\n---\n"
            b"# T\n\n## Usage\n\nText.\n",
            b"---\nmodel-index:\n- name: x\n  results:\n  - dataset: {type: a, revision: 123}\n    metrics:\n"
            b"    - {type: f1, value: 0.5}\n---\n| a | b |\n|---|---|\n| 1 | 2 |\n\n- [ ] [More Information Needed]\n",
            b"\xef\xbb\xbf--- \r\nlicense:\tmit\r\n---oops\r\n<h2 a='b'>c</h2>\n"
            b"```python\nAutoModel.from_pretrained('a/b')\n```\n",
            b"badge\n\n---\nlicense: mit\n---\n\n> - [a](b) ![c](d) {{ e }} ${f} <!-- g --> @article{h,\n title={i}}\n",
            b"\xff\xfe#\0 \0a\0",
        ],
    ),
    "secrets": (secrets, [b"aws_secret_access_key = x\nhf_abc https://a:b@c.d wandb_api_key: 0"]),
    **CARD_TARGETS,
}
