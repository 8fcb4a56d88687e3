"""USAGE: what snippets use of transformers and it has no longer."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from hubpub.card.code.python_snippets import Call, PythonOfCard, Snippet, python_of
from hubpub.card.code.removed_api import other_framework, pins_an_earlier_version, removed_api
from hubpub.core.findings import Edit, Fix, Problem, Severity
from hubpub.core.rule import Fixable
from hubpub.rules.placing import problem_at
from hubpub.rules.registry import CardSubject, card_rules

_MIGRATION = "https://github.com/huggingface/transformers/blob/main/MIGRATION_GUIDE_V5.md"
_FORMER_PACKAGES = {"pytorch_transformers": "transformers", "pytorch_pretrained_bert": "transformers"}
_FROM_OTHERS = ("from_tf", "from_flax")
# Tokenizers of pages with boxes still have methods of these names, with arguments of their own.
_OWN_METHODS = ("LayoutLM", "LayoutXLM", "MarkupLM", "Tapas", "Udop")
_ENTITY_ARGUMENTS = ("grouped_entities", "ignore_subwords")


@card_rules.rule(
    "USAGE006",
    "removed-api",
    Severity.WARNING,
    summary="A snippet uses what transformers has no longer.",
    why="It fails for everyone who installs transformers today: AutoModelWithLMHead, AutoModelForVision2Seq, AdamW and "
    "some 400 other names are gone, and from_pretrained refuses use_auth_token and load_in_8bit. 74 of 949 real cards "
    "have such a snippet. Cards that pin an earlier version are left alone.",
    bad="```python\nfrom transformers import AutoModelForVision2Seq\n\nmodel = "
    'AutoModelForVision2Seq.from_pretrained("acme/x")\n```',
    good="```python\nfrom transformers import AutoModelForImageTextToText\n\nmodel = "
    'AutoModelForImageTextToText.from_pretrained("acme/x")\n```',
    hint="use what the present transformers has, or pin the version that the snippet was written for",
    source=_MIGRATION,
    fixable=Fixable.SAFE,
)
def removed_names(subject: CardSubject) -> Iterator[Problem]:
    """Imported names, once each; arguments and methods, at every call."""
    if pins_an_earlier_version(subject.card):
        return
    python, api = python_of(subject.card), removed_api()
    told = set()
    for name, snippet, node in _names_of_transformers(python):
        gone = name in api.names or name in api.renamed
        if gone and name not in told:
            told.add(name)
            new = api.renamed.get(name)
            message = f"transformers {api.version} has no {name}"
            fix = _rename(subject, python, name, new) if new else None
            instead = new or api.instead.get(name)
            yield _problem(subject, snippet, node, message, hint=f"use {instead}" if instead else None, fix=fix)
    for imported in python.imports:
        package = imported.name.partition(".")[0]
        if package in _FORMER_PACKAGES and package not in told:
            told.add(package)
            message = f"{package} is the former name of {_FORMER_PACKAGES[package]}, and no longer maintained"
            yield _problem(subject, imported.snippet, imported.node, message)
    for call in python.calls:
        yield from _removed_arguments(subject, call)
        yield from _removed_method(subject, call)


def _names_of_transformers(python: PythonOfCard) -> Iterator[tuple[str, Snippet, ast.expr | ast.alias]]:
    """The names of transformers that the snippets import, or take as an attribute of the package."""
    for imported in python.imports:
        if imported.name.startswith("transformers."):
            yield imported.name.rpartition(".")[2], imported.snippet, imported.node
    stars = any(imported.name == "transformers.*" for imported in python.imports)
    for call in python.calls:
        parts = call.name.split(".")
        if parts[0] == "transformers" and len(parts) > 1 and not any(part.endswith("()") for part in parts):
            yield parts[1], call.snippet, call.node  # a method of what a class has made does not name the class
        elif stars and parts[0] not in python.bound:
            yield parts[0], call.snippet, call.node


def _removed_arguments(subject: CardSubject, call: Call) -> Iterator[Problem]:
    api = removed_api()
    owner = _argument_owner(call)
    for argument, new in api.arguments.get(owner, {}).items():
        keyword = call.keywords.get(argument)
        if keyword is None or (new and new in call.keywords):
            continue
        what = f"{call.owner}.{call.last}" if owner == "model" else owner
        hint = f"call it {new}" if new else None
        if argument.startswith("load_in_"):
            hint = f"pass quantization_config=BitsAndBytesConfig({argument}=True)"
        fix = _rename_keyword(subject, call, argument, new) if new else None
        yield _problem(subject, call.snippet, keyword, f"{what} no longer takes {argument}", hint=hint, fix=fix)
    if _is_pipeline(call) and _task_of(call) in ("ner", "token-classification"):
        for argument in _ENTITY_ARGUMENTS:
            if argument in call.keywords:
                yield _problem(
                    subject,
                    call.snippet,
                    call.keywords[argument],
                    f"the pipeline no longer takes {argument}",
                    hint='pass aggregation_strategy="simple"',
                )


def _argument_owner(call: Call) -> str:
    if call.root != "transformers":
        return ""
    if call.last == "from_pretrained" and ("Model" in call.owner or "For" in call.owner):
        return "model"
    return call.last if call.last in ("Trainer", "TrainingArguments") else ""


def _removed_method(subject: CardSubject, call: Call) -> Iterator[Problem]:
    """Methods of a tokenizer that transformers made."""
    methods = removed_api().methods
    owner = call.name.rpartition(".")[0]
    of_tokenizer = owner.startswith("transformers.") and "Tokenizer" in owner and owner.endswith(".from_pretrained()")
    of_tokenizer = of_tokenizer and not any(name in owner for name in _OWN_METHODS)
    if call.last not in methods or not of_tokenizer or not isinstance(call.node.func, ast.Attribute):
        return
    fix = None
    if methods[call.last] == "":
        start, end = call.snippet.span(call.node.func.value)[1], call.snippet.span(call.node.func)[1]
        safe = bool(call.node.args) and isinstance(call.node.args[0], ast.Constant | ast.JoinedStr)
        edit = Edit(subject.path, start, end, "")
        fix = Fix("call the tokenizer itself", safe or call.last == "batch_encode_plus", (edit,))
    hint = "call the tokenizer itself: tokenizer(...)"
    yield _problem(subject, call.snippet, call.node.func, f"tokenizers no longer have {call.last}", hint=hint, fix=fix)


@card_rules.rule(
    "USAGE011",
    "pipeline-task-unsupported",
    Severity.ERROR,
    summary="A snippet asks for a pipeline that transformers does not have.",
    why="transformers 5 has no pipelines for summarization, translation, question answering and visual question "
    "answering any more: the call raises a KeyError. 60 of 949 real cards have one. A task that was never there is a "
    "warning.",
    bad='```python\nfrom transformers import pipeline\n\nask = pipeline("question-answering", model="acme/x")\n```',
    good="```python\nfrom transformers import AutoModelForQuestionAnswering\n\n"
    'model = AutoModelForQuestionAnswering.from_pretrained("acme/x")\n```',
    hint="load model and tokenizer and call them, or pin transformers<5",
    source=_MIGRATION + "#pipelines",
)
def pipeline_task_unsupported(subject: CardSubject) -> Iterator[Problem]:
    """Every call of transformers' pipeline with such a task."""
    if pins_an_earlier_version(subject.card):
        return
    python, api = python_of(subject.card), removed_api()
    custom = "PIPELINE_REGISTRY" in subject.card.text
    for call in python.calls:
        task = _task_of(call, python)
        if task is None or not _is_pipeline(call) or "trust_remote_code" in call.keywords:
            continue
        node = call.keywords.get("task", call.node)
        base = "translation" if task.startswith("translation_") else task
        if base in api.removed_tasks:
            message = f"transformers {api.version} has no pipeline for {task[:80]} any more"
            yield _problem(subject, call.snippet, node, message)
        elif task not in api.tasks and not custom and "pipeline_class" not in call.keywords:
            message = f"transformers {api.version} has no pipeline for {task[:80]!r}"
            yield _problem(subject, call.snippet, node, message, severity=Severity.WARNING)


def _is_pipeline(call: Call) -> bool:
    return call.name in ("transformers.pipeline", "transformers.pipelines.pipeline")


def _task_of(call: Call, python: PythonOfCard | None = None) -> str | None:
    """The task that a call of `pipeline` asks for, where it says so."""
    node: ast.expr | None = call.keywords["task"].value if "task" in call.keywords else None
    if node is None and call.node.args:
        node = call.node.args[0]
    if python is not None:
        return python.text_of(node)
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


@card_rules.rule(
    "USAGE015",
    "tf-flax-removed",
    Severity.WARNING,
    summary="A snippet uses TensorFlow or Flax through transformers.",
    why="transformers 5 knows PyTorch only: every TF and Flax class is gone, and tensors of those kinds are refused. "
    "55 of 949 real cards have such a snippet, often as a second one beside PyTorch's.",
    bad='```python\nfrom transformers import TFAutoModel\n\nmodel = TFAutoModel.from_pretrained("acme/x")\n```',
    good='```python\nfrom transformers import AutoModel\n\nmodel = AutoModel.from_pretrained("acme/x")\n```',
    hint="show the snippet for PyTorch, or pin transformers<5",
    source=_MIGRATION,
    fixable=Fixable.UNSAFE,
)
def tf_flax_removed(subject: CardSubject) -> Iterator[Problem]:
    """One problem per block: its first class of another framework, or the first argument that asks for one."""
    if pins_an_earlier_version(subject.card):
        return
    python = python_of(subject.card)
    told = set()
    for name, snippet, node in _names_of_transformers(python):
        framework = other_framework(name)
        if framework and id(snippet) not in told:
            told.add(id(snippet))
            message = f"transformers {removed_api().version} has no {name}: it has no {framework} models any more"
            yield _problem(subject, snippet, node, message, fix=_to_torch(subject, python, snippet))
    for call in python.calls:
        if call.root != "transformers" or id(call.snippet) in told:
            continue
        kind = call.keywords.get("return_tensors")
        value = kind.value if kind else None
        if kind is not None and isinstance(value, ast.Constant) and value.value in ("tf", "jax"):
            told.add(id(call.snippet))
            message = f"transformers {removed_api().version} makes no tensors of kind {value.value!r}"
            yield _problem(subject, call.snippet, kind, message, hint='ask for "pt" or "np"')
        for argument in _FROM_OTHERS:
            passed = call.keywords.get(argument)
            if passed is not None and isinstance(passed.value, ast.Constant) and passed.value.value is True:
                told.add(id(call.snippet))
                message = f"transformers {removed_api().version} ignores {argument} and reads PyTorch's weights only"
                yield _problem(subject, call.snippet, passed, message, hint="publish the weights as safetensors")


def _to_torch(subject: CardSubject, python: PythonOfCard, snippet: Snippet) -> Fix | None:
    """The block with PyTorch's classes; None where it does more with the other framework than load and call."""
    if any(
        imported.snippet is snippet and imported.name.partition(".")[0] in _FRAMEWORKS for imported in python.imports
    ):
        return None
    text, edits = snippet.code.text, []
    if "tf." in text or "jnp." in text:
        return None
    for node in snippet.parsed.nodes:
        written = node.id if isinstance(node, ast.Name) else node.name if isinstance(node, ast.alias) else ""
        framework = other_framework(written)
        if framework and isinstance(node, ast.Name | ast.alias):
            start = snippet.span(node)[0]
            if subject.card.text[start : start + len(written)] != written:
                return None
            torch_name = written.removeprefix("TF").removeprefix("Flax")
            if torch_name in removed_api().names:
                return None
            edits.append(Edit(subject.path, start, start + len(written), torch_name))
        elif isinstance(node, ast.keyword) and node.arg in ("return_tensors", "framework") and _is_other(node.value):
            edits.append(Edit(subject.path, *snippet.span(node.value), '"pt"'))
    return Fix("use PyTorch's classes", False, tuple(edits))


def _is_other(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and value.value in ("tf", "jax")


_FRAMEWORKS = ("tensorflow", "keras", "jax", "flax")


@card_rules.rule(
    "USAGE016",
    "deprecated-kwarg",
    Severity.INFO,
    summary="A snippet uses an argument under its former name.",
    why="transformers still takes torch_dtype= and warns of it; the name is dtype= since 4.56. Other libraries "
    "(diffusers, sentence-transformers) keep the former name, so only calls of transformers are named.",
    bad="```python\nimport torch\nfrom transformers import AutoModel\n\n"
    'model = AutoModel.from_pretrained("acme/x", torch_dtype=torch.float16)\n```',
    good="```python\nimport torch\nfrom transformers import AutoModel\n\n"
    'model = AutoModel.from_pretrained("acme/x", dtype=torch.float16)\n```',
    hint="call it dtype",
    source=_MIGRATION,
    fixable=Fixable.SAFE,
)
def deprecated_kwarg(subject: CardSubject) -> Iterator[Problem]:
    """`torch_dtype=` in calls that load a model or a pipeline of transformers."""
    if pins_an_earlier_version(subject.card):
        return
    for call in python_of(subject.card).calls:
        keyword = call.keywords.get("torch_dtype")
        loads = call.root == "transformers" and (call.last == "from_pretrained" or _is_pipeline(call))
        if keyword is not None and loads and "dtype" not in call.keywords:
            fix = _rename_keyword(subject, call, "torch_dtype", "dtype")
            yield _problem(subject, call.snippet, keyword, "torch_dtype is now called dtype", fix=fix)


def _rename_keyword(subject: CardSubject, call: Call, old: str, new: str) -> Fix | None:
    start = call.snippet.span(call.keywords[old])[0]
    if subject.card.text[start : start + len(old)] != old:
        return None
    return Fix(f"call {old} {new}", True, (Edit(subject.path, start, start + len(old), new),))


def _rename(subject: CardSubject, python: PythonOfCard, old: str, new: str) -> Fix | None:
    """Call a name of transformers by its present one, wherever the snippets have it."""
    edits = []
    for snippet in python.snippets:
        for node in snippet.parsed.nodes:
            if not isinstance(node, ast.Name | ast.alias | ast.Attribute) or _written(node) != old:
                continue
            start, end = snippet.span(node)
            at = end - len(old) if isinstance(node, ast.Attribute) else start
            if subject.card.text[at : at + len(old)] != old:
                return None
            edits.append(Edit(subject.path, at, at + len(old), new))
    return Fix(f"use {new}", True, tuple(edits)) if edits else None


def _written(node: ast.Name | ast.alias | ast.Attribute) -> str:
    if isinstance(node, ast.Name):
        return node.id
    return node.attr if isinstance(node, ast.Attribute) else node.name


def _problem(
    subject: CardSubject,
    snippet: Snippet,
    node: ast.expr | ast.keyword | ast.alias,
    message: str,
    *,
    hint: str | None = None,
    fix: Fix | None = None,
    severity: Severity | None = None,
) -> Problem:
    return problem_at(subject, message, snippet.span(node)[0], hint=hint, fix=fix, severity=severity)
