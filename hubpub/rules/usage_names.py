"""USAGE: names that a snippet uses: that they are defined, and that one is told how to install where they come from."""

from __future__ import annotations

import builtins
import re
from collections.abc import Iterator

from hubpub.card.code.python_snippets import python_of
from hubpub.card.document import Card
from hubpub.card.hub_lists import libraries
from hubpub.core.findings import Problem, Severity
from hubpub.core.pattern import Pattern
from hubpub.rules.registry import CardSubject, card_rules

_NOTEBOOK = frozenset({"_", "__", "In", "Out", "display", "get_ipython", "reveal_type"})
# What a reader brings along: snippets use it without saying where it is from.
_INPUTS = Pattern(
    r"(?:my_?|your_?|input_?|test_?|train_?|eval_?|raw_?|some_?|sample_?|example_?)?"
    r"(?:text|sentence|image|img|audio|video|wave(?:form)?|speech|data|dataset|ds|df|dataframe|example|sample|batch|input"
    r"|query|question|context|document|doc|prompt|message|label|id|name|token|path|file|url|x|y|array|frame|list|row|item"
    r"|device|logger|args|config|output|result)(?:s|es|_\w{1,20}|\d)?",
    re.IGNORECASE,
)
_OF_TRANSFORMERS = re.compile(r"Auto(?:Model|Tokenizer|Processor|Config|ImageProcessor|FeatureExtractor)\w{0,50}")
# Import name -> what to install, where the names differ; None where transformers brings it, or every reader has it.
_PACKAGES = {
    "auto_gptq": "auto-gptq",
    "awq": "autoawq",
    "bitsandbytes": "bitsandbytes",
    "ctranslate2": "ctranslate2",
    "farm": "farm",
    "faster_whisper": "faster-whisper",
    "FlagEmbedding": "FlagEmbedding",
    "haystack": "farm-haystack",
    "llama_cpp": "llama-cpp-python",
    "mlx_lm": "mlx-lm",
    "nemo": "nemo_toolkit",
    "onnxruntime": "onnxruntime",
    "open_clip": "open_clip_torch",
    "optimum": "optimum",
    "pyannote": "pyannote.audio",
    "qwen_vl_utils": "qwen-vl-utils",
    "sentence_transformers": "sentence-transformers",
    "simpletransformers": "simpletransformers",
    "TTS": "coqui-tts",
    "trl": "trl",
    "ultralytics": "ultralytics",
    "unsloth": "unsloth",
    "vllm": "vllm",
}
_AT_HAND = frozenset({"transformers", "keras", "pytorch", "tensorflow", "tokenizers", "sklearn", "torch"})
_INSTALLS = Pattern(
    r"\b(?:pip3?|conda|mamba|uv|poetry|pixi)[^\n]{0,40}[ \t](?:install|add)\b|\brequirements\.txt\b|\bpip install\b"
    r"|\benvironment\.ya?ml\b|\bpyproject\.toml\b|\buv (?:sync|pip|run)\b|\bsetup\.py\b",
    re.IGNORECASE,
)


@card_rules.rule(
    "USAGE007",
    "undefined-name",
    Severity.WARNING,
    summary="A snippet calls something that no snippet imports or defines.",
    why="Whoever copies it gets a NameError: a forgotten `import torch`, another class than the imported one. Snippets "
    "of a card build on each other, so a name counts wherever the card defines it; a card without imports is taken "
    "for fragments, and what readers bring along (`text`, `image`) for theirs.",
    bad='```python\nfrom transformers import AutoModel\n\nmodel = AutoModel.from_pretrained("acme/x")\n'
    "model(torch.tensor([[1, 2]]))\n```",
    good='```python\nimport torch\nfrom transformers import AutoModel\n\nmodel = AutoModel.from_pretrained("acme/x")\n'
    "model(torch.tensor([[1, 2]]))\n```",
    hint="import or define it in the snippet",
    source="https://docs.astral.sh/ruff/rules/undefined-name/",
)
def undefined_name(subject: CardSubject) -> Iterator[Problem]:
    """Names that are called, or of which an attribute is taken, and that nothing in the card binds."""
    python = python_of(subject.card)
    if python.has_star_import or any(snippet.parsed.tree is None for snippet in python.snippets):
        return  # what is not read may define it
    importing = {id(imported.snippet) for imported in python.imports}
    first = min((imported.snippet.code.block.start for imported in python.imports), default=None)
    for name, (snippet, node) in python.used.items():
        if name in python.bound or hasattr(builtins, name) or name in _NOTEBOOK or name not in python.operated:
            continue
        starts_before = first is None or (id(snippet) not in importing and snippet.code.block.start < first)
        if starts_before or _INPUTS.fullmatch(name) or _is_explained(subject.card, name):
            continue
        line, column = subject.card.lines.place(snippet.span(node)[0])
        yield Problem(f"the snippet uses {name[:80]}, which nothing imports or defines", subject.path, line, column)


def _is_explained(card: Card, name: str) -> bool:
    """Whether the text around the code speaks of the name; those of transformers have to be imported all the same."""
    if _OF_TRANSFORMERS.fullmatch(name):
        return False
    word = re.compile(rf"(?<!\w){re.escape(name)}(?!\w)")
    return any(word.search(block.text) for block in card.blocks if block.kind in ("text", "html", "table", "heading"))


@card_rules.rule(
    "USAGE008",
    "install-line-missing",
    Severity.INFO,
    summary="A snippet imports a library that the card does not say how to install.",
    why="The import name is often not what pip wants (`import open_clip` is open_clip_torch), and readers find out by "
    "ModuleNotFoundError. Only libraries of the Hub's list and common companions are named.",
    bad="```python\nfrom gliner import GLiNER\n```",
    good="```bash\npip install gliner\n```\n\n```python\nfrom gliner import GLiNER\n```",
    hint="add a line that installs it, with the version that you used",
    source="https://github.com/huggingface/huggingface.js/blob/main/packages/tasks/src/model-libraries-snippets.ts",
)
def install_line_missing(subject: CardSubject) -> Iterator[Problem]:
    """The first import of each such library."""
    card = subject.card
    seen = set()
    for imported in python_of(card).imports:
        package = imported.name.partition(".")[0]
        if package in seen or package in _AT_HAND or not _is_library(package):
            continue
        seen.add(package)
        if not _is_installed(card, package):
            wanted = _PACKAGES.get(package)
            line, column = card.lines.place(imported.snippet.span(imported.node)[0])
            yield Problem(
                f"the card does not say how to install {package}",
                subject.path,
                line,
                column,
                hint=f"add a line such as pip install {wanted}" if wanted else None,
            )


def _is_library(package: str) -> bool:
    return package in _PACKAGES or package in libraries() or package.replace("_", "-") in libraries()


def _is_installed(card: Card, package: str) -> bool:
    """Whether a line that installs something is in the card, and names the library or a file with what is needed."""
    names = {package, package.replace("_", "-"), _PACKAGES.get(package) or package}
    wanted = re.compile("|".join(re.escape(name) for name in names), re.IGNORECASE)
    for found in _INSTALLS.finditer(card.text):
        if found[0].lower().startswith(("requirements", "environment", "pyproject", "setup", "uv")):
            return True
        # a command may go on over several lines
        if wanted.search(card.text, found.start(), found.end() + 400):
            return True
    return False
