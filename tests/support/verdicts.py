"""Cards with what the Hub is known to answer to them: taken, taken with a warning, rejected with a message."""

from __future__ import annotations

RESULT = (
    "model-index:\n- name: x\n  results:\n  - task: {type: t}\n"
    "    dataset: {name: d, type: d%s}\n    metrics: [{type: f1%s}]%s"
)


def block(yaml: str) -> str:
    return f"---\n{yaml}\n---\n# x\n"


ACCEPTED = {
    "a known licence": block("license: apache-2.0"),
    "other licence": block("license: other\nlicense_name: x\nlicense_link: LICENSE"),
    "licences": block("license: [mit, llama3.1]"),
    "languages": block("language: [en, de, yue, nah, code, multilingual]"),
    "one language": block("language: en"),
    "Norwegian": block("language: no"),
    "three letters that are no code": block("language: [zhs, zht]"),
    "bcp47": block("language: pt\nlanguage_bcp47: [pt-PT]"),
    "base model": block("base_model: meta-llama/Llama-3.1-8B"),
    "base models": block("base_model: [a/b, gpt2]"),
    "relations": block("base_model_relation: quantized"),
    "data sets": block("datasets: [squad, stanfordnlp/sst2]"),
    "widget": block("widget:\n- text: Hi"),
    "no results": block("model-index: [{name: x, results: []}]"),
    "results": block(RESULT % ("", ", value: 0.5", "")),
    "a value of 0": block(RESULT % ("", ", value: 0", "")),
    "a source": block(
        RESULT % (", config: c, revision: abc", ", value: 1, config: d", "\n    source: {url: 'https://x.y'}")
    ),
    "gated fields": block("extra_gated_fields: {Company: text}"),
    "a task": block("pipeline_tag: fill-mask"),
    "an unknown library": block("library_name: whatever"),
    "unknown metrics": block("metrics: [made-up]"),
    "an unknown task type": block("model-index: [{name: x, results: [{task: {type: made-up}}]}]"),
    "unknown keys": block("x_foo: {bar: [1]}"),
    "a tab that PyYAML refuses": block("license:\tmit"),
    "a block scalar with a tab, which PyYAML refuses": block("license: mit\nx: |\n  \tcode"),
    "a line separator": block("license: mit\nx: a\u2028b"),
    "a byte order mark": "\ufeff" + block("license: mit"),
    "blank lines above": "\n\n" + block("license: mit"),
    "Windows": block("license: mit").replace("\n", "\r\n"),
    "no line end": "---\nlicense: mit\n---",
    "blanks behind the closing fence": "---\nlicense: mit\n---  \n",
    "a tagged text": block("license: !!str mit"),
    "an alias": block("tags: &t [a]\nother: *t"),
}
WARNED = {
    "no block": "# x\n",
    "nothing": "",
    "unclosed": "---\nlicense: mit\n",
    "closed by ---oops": "---\nlicense: mit\n---oops\n",
    "empty": "---\n---\n",
    "text above": "badge\n---\nlicense: mit\n---\n",
    "four dashes": "----\nlicense: mit\n----\n",
    "blanks behind the opening fence": "--- \nlicense: mit\n---\n",
    "old Mac closing": "---\rlicense: mit\r---\r",
    "an LFS pointer": "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n",
    "an unknown task": block("pipeline_tag: text2text-generation"),
}
REJECTED = {
    "blanks": ("---\n \n---\n", "The YAML metadata of your README.md is invalid."),
    "comments": (block("# docs\n"), "The YAML metadata of your README.md is invalid."),
    "a scalar": (block("words"), "The YAML metadata of your README.md is invalid."),
    "a number": (block("3"), "The YAML metadata of your README.md is invalid."),
    "a list": (block("- license: mit"), '"value" must be of type object'),
    "a flow list": (block("[a]"), '"value" must be of type object'),
    "syntax": (block("model_name: My: model"), "Invalid YAML in README.md: "),
    "an open quote": (block("license: 'mit"), "Invalid YAML in README.md: "),
    "a tab as indentation": (block("a:\n\tb: c"), "Invalid YAML in README.md: "),
    "a duplicate key": (block("license: mit\nlicense: mit"), "Invalid YAML in README.md: duplicated mapping key (3:1)"),
    "a duplicate deep down": (block("a:\n- {b: 1, b: 2}"), "Invalid YAML in README.md: duplicated mapping key"),
    "keys that are one": (block("a: {0x10: x, 16: y}"), "Invalid YAML in README.md: duplicated mapping key"),
    "an unknown tag": (block("x: !!python/tuple [a]"), "Invalid YAML in README.md: unknown tag"),
    "a tag of one's own": (block("x: !env HOME"), "Invalid YAML in README.md: unknown tag"),
    "a tag that does not fit": (block("x: !!int many"), "Invalid YAML in README.md: "),
    "an unknown licence": (block("license: MIT"), '"license" must be one of [apache-2.0, '),
    "a licence of TRL": (block("license: license"), '"license" must be one of ['),
    "one of the licences": (block("license: [mit, Apache-2.0]"), '"license[1]" must be one of ['),
    "a language by name": (
        block("language: english"),
        '"language" with value "english" is not valid. It must be an ISO',
    ),
    "a language with a region": (block("language: [en, pt_pt]"), '"language[1]" with value "pt_pt" is not valid.'),
    "a programming language": (block("language: [c++]"), '"language[0]" with value "c++" is not valid.'),
    "capitals": (block("language: EN"), '"language" with value "EN" is not valid.'),
    "a base model that is a path": (
        block("base_model: /kaggle/input/x"),
        '"base_model" with value "/kaggle/input/x" is not',
    ),
    "a base model that is a URL": (block("base_model: https://huggingface.co/a/b"), '"base_model" with value'),
    "a base model left in a template": (block("base_model: ${base_model}"), '"base_model" with value'),
    "a relation": (block("base_model_relation: fine-tuned"), '"base_model_relation" must be one of [adapter, merge'),
    "a data set that is a path": (
        block("datasets: [/var/hf/images/]"),
        '"datasets[0]" with value "/var/hf/images/" is not',
    ),
    "a data set with a blank": (block("datasets: [SAIL 2017]"), '"datasets[0]" with value "SAIL 2017" is not valid.'),
    "a widget that is a mapping": (block("widget: {text: x}"), '"widget" must be an array'),
    "a widget that is text": (block("widget: x"), '"widget" must be an array'),
    "a nameless result": (block("model-index: [{results: []}]"), '"model-index[0].name" is required'),
    "a model without results": (block("model-index: [{name: x}]"), '"model-index[0].results" is required'),
    "a metric without value": (
        block(RESULT % ("", "", "")),
        '"model-index[0].results[0].metrics[0].value" is required',
    ),
    "a source without URL": (
        block(RESULT % ("", ", value: 1", "\n    source: {name: x}")),
        '"model-index[0].results[0].source.url" is required',
    ),
    "a config that is a number": (
        block(RESULT % (", config: 1", ", value: 1", "")),
        '"model-index[0].results[0].dataset.config" must be a string',
    ),
    "a revision of digits": (
        block(RESULT % (", revision: 5503434551203435120343551203455120345512", ", value: 1", "")),
        '"model-index[0].results[0].dataset.revision" must be a string',
    ),
    "a revision that is a date": (
        block(RESULT % (", revision: 2024-01-02", ", value: 1", "")),
        '"model-index[0].results[0].dataset.revision" must be a string',
    ),
    "a metric's config": (
        block(RESULT % ("", ", value: 1, config: 2", "")),
        '"model-index[0].results[0].metrics[0].config" must be a string',
    ),
    "gated fields in a list": (block("extra_gated_fields: [Company]"), '"extra_gated_fields" must be of type object'),
}
