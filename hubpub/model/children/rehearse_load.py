"""Load a model by its repo id from the hub of a rehearsal, as its users will, and tell of each step.

The steps are those of `hubpub.model.children.load`, on a repo in place of a folder, with what only this one asks:
whether the tokenizer has the vocabulary of the files, whether a tensor was left out, and the pipeline by the id.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from hubpub.model.children.load import NEW_TOKENS, PROMPTS, NotTriedError, Run, encoded, not_finite, quiet
from hubpub.model.children.rehearse_reasons import NO_REPO, missing
from hubpub.model.guard import Guard

_NAMED = 3
_RATE = 16_000
_OTHER_SHAPES = "ignore_mismatched_sizes"
_PIXELS = 64
# A tokenizer that has less of the vocabulary than this has found no file, and made one up.
_REAL_SHARE = 0.9
_IN_WORDS = {"missing_keys": "missing from the files", "unexpected_keys": "in the files and not in the class"}


def load(request: Mapping[str, Any], tell: Callable[[Mapping[str, Any]], None], guard: Guard) -> None:
    """Load and run `request["repo"]`, and tell {"starting": name}, then {"step", "error", "skip", "note", "seconds"}.

    Args:
        request: "repo"; "kind"; "class", that config.json names; "task", of pipelines, or None; "text", whether there
            is a tokenizer; "single", whether to compute in single precision; "tokens", how many the files have, or
            None; "trust", whether code of the repo may run; "revision", if it is not to be the newest commit;
            "absent", how it is said that another repo is not there, if not as in a rehearsal.
        tell: is given the events.
        guard: what was refused.
    """
    tell({"starting": "libraries"})
    try:
        import torch

        quiet()
    except ImportError as error:
        tell(_event("libraries", skip=f"needs {error.name or 'torch'}, which is not installed"))
        return
    torch.manual_seed(0)
    run = ById(request, tell, guard)
    with torch.inference_mode():
        {"adapter": run.adapter, "sentence-transformers": run.sentences}.get(request["kind"], run.transformers)()


class ById(Run):
    """The same steps on a repo of a hub."""

    def __init__(self, request: Mapping[str, Any], tell: Callable[[Mapping[str, Any]], None], guard: Guard) -> None:
        super().__init__(request["repo"], request["class"], request["text"], request["single"])
        revision = request.get("revision")
        self._at = {"revision": revision} if revision else {}
        self.source = {"trust_remote_code": request["trust"], **self._at}
        self.task: str | None = request["task"]
        self.expected: int | None = request["tokens"]
        self.info: Mapping[str, Any] = {}
        self._absent: str = request.get("absent", NO_REPO)
        self._tell = tell
        self._guard = guard
        self._note = ""

    def step(self, name: str, do: Callable[[], None]) -> bool:
        """As in the other one, told before and after."""
        self._tell({"starting": name})
        self._note, started = "", time.monotonic()
        done = super().step(name, lambda: self._try(do))
        last = self.steps[-1]
        note, seconds = self._note, time.monotonic() - started
        self._tell(_event(name, last["error"], last["skip"], note, seconds))
        return done

    def _try(self, do: Callable[[], None]) -> None:
        """What needs something that is not there tells nothing of the model."""
        before = len(self._guard.refusals)
        try:
            do()
        except NotTriedError:
            raise
        except Exception as error:
            if lacking := missing(error, self.directory, self._guard.refusals[before:], absent=self._absent):
                raise NotTriedError(lacking) from error
            raise

    def line(self, error: Exception) -> str:
        """The first line of what was said, and the last where there are more: the paths are those of a repo."""
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        return " … ".join(dict.fromkeys([*lines[:1], *lines[-1:]]))[:400] or type(error).__name__

    def transformers(self) -> None:
        """Configuration, tokenizer, model, its tensors, a forward pass, a few tokens, and the pipeline."""
        if not self.step("AutoConfig", self._config):
            return
        tokenized = not self._reads_text() or self.step("AutoTokenizer", self._tokenizer)
        if not self.step("model", self._model):
            return
        self.step("tensors", self._tensors)
        if self.step("forward pass", self._forward) and tokenized and self._generates():
            self.step("generate", self._generate)
        if self.task:
            self.step("pipeline", self._pipeline)

    def adapter(self) -> None:
        """Configuration, base model and adapter in one, the tokenizer, and a few tokens."""
        if not self.step("PeftConfig", self._peft_config):
            return
        if not self.step("model", self._peft_model):
            return
        if not (self.text and self.step("AutoTokenizer", self._tokenizer)):
            return
        if self.step("forward pass", self._forward) and self._generates():
            self.step("generate", self._generate)

    def sentences(self) -> None:
        """A model of sentence-transformers, its tokenizer, and two embeddings or the score of a pair."""
        tokenized = not self.text or self.step("AutoTokenizer", self._tokenizer)
        if self.step("model", self._sentence_transformer) and tokenized:
            self.step("predict" if hasattr(self.model, "predict") else "encode", self._encode)

    def _reads_text(self) -> bool:
        import transformers

        made = getattr(transformers, self.name, None)
        return self.text or getattr(made, "main_input_name", None) == "input_ids"

    def _generates(self) -> bool:
        return bool(self.model.can_generate()) and self._takes_only_text()

    def _config(self) -> None:
        from transformers import AutoConfig

        config = AutoConfig.from_pretrained(self.directory, **self.source)
        self._note = f"model_type {config.model_type}"

    def _tokenizer(self) -> None:
        super()._tokenizer()
        tokens, expected = self.tokens or 0, self.expected
        name = type(self.tokenizer).__name__
        if expected is None and not self.text:
            raise ValueError(f"the repo holds no vocabulary: {name} was made up, with {tokens:,} tokens")
        if expected is not None and tokens < expected * _REAL_SHARE:
            raise ValueError(f"{name} has {tokens:,} tokens, and the files of the repo have {expected:,}")
        self._note = f"{name}, {tokens:,} tokens" + (", as the files say" if tokens == expected else "")

    def _model(self) -> None:
        import torch
        import transformers

        loader = getattr(transformers, self.name, None)
        if loader is None and self.source["trust_remote_code"]:
            loader = transformers.AutoModel
        if loader is None:
            raise NotTriedError(f"transformers {transformers.__version__} has no class {self.name}")
        settings = {"dtype": torch.float32 if self.single else "auto", "output_loading_info": True, **self.source}
        try:
            self.model, self.info = loader.from_pretrained(self.directory, **settings)
        except RuntimeError as error:
            if _OTHER_SHAPES not in str(error):
                raise
            # transformers logs which they are, and raises without them
            _, info = loader.from_pretrained(self.directory, ignore_mismatched_sizes=True, **settings)
            raise ValueError(_mismatched(info)) from error
        self.model.eval()
        self._note = f"{type(self.model).__name__}, {self._parameters()} parameters"

    def _parameters(self) -> str:
        return f"{sum(each.numel() for each in self.model.parameters()):,}"

    def _tensors(self) -> None:
        found = [
            f"{len(self.info[kind])} {words}: {_listed(self.info[kind])}"
            for kind, words in _IN_WORDS.items()
            if self.info.get(kind)
        ]
        if self.info.get("mismatched_keys"):
            found.append(_mismatched(self.info))
        if found:
            raise ValueError("; ".join(found))
        self._note = "none missing, unexpected or of another shape"

    def _forward(self) -> None:
        super()._forward()
        if self.not_finite:
            raise ValueError(f"{self.not_finite} is NaN or infinite")
        self._note = "finite"

    def _generate(self) -> None:
        texts = [self._generated(prompt) for prompt in PROMPTS]
        said = next((text for text in texts if text.strip()), None)
        self._note = "nothing but special tokens" if said is None else repr(said)[:60]

    def _peft_config(self) -> None:
        from peft import PeftConfig

        config = PeftConfig.from_pretrained(self.directory, **self._at)
        self._note = f"{getattr(config.peft_type, 'value', config.peft_type)} of {config.base_model_name_or_path}"

    def _peft_model(self) -> None:
        import warnings

        import peft

        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            self.model = getattr(peft, self.name).from_pretrained(self.directory, **self._at)
        # how PEFT says it: "Found missing adapter keys while loading the checkpoint: [...]"
        for warning in caught:
            if "missing adapter keys" in str(warning.message):
                raise ValueError(str(warning.message).splitlines()[0][:300])
        self.model.eval()
        self._note = f"{type(self.model).__name__}, {self._parameters()} parameters with its base"

    def _sentence_transformer(self) -> None:
        import sentence_transformers

        self.model = getattr(sentence_transformers, self.name)(self.directory, device="cpu", **self.source)
        self._note = f"{self.name}, {self._parameters()} parameters"

    def _encode(self) -> None:
        made = encoded(self.model)
        if not_finite({"output": made}):
            raise ValueError("what it gives is NaN or infinite")
        scores = made.shape[1] if made.ndim > 1 else 1
        pairs = f"{scores} scores of a pair" if scores > 1 else f"the score of a pair, {made.flatten()[0].item():.3f}"
        self._note = pairs if hasattr(self.model, "predict") else f"2 embeddings of {made.shape[1]} dimensions"

    def _pipeline(self) -> None:
        import transformers
        from transformers import pipelines

        if self.task not in pipelines.SUPPORTED_TASKS:
            raise NotTriedError(f"transformers {transformers.__version__} has no pipeline for {self.task}")
        make: Any = transformers.pipeline
        made = make(self.task, model=self.directory, device="cpu", **self.source)
        settings = {"max_new_tokens": NEW_TOKENS} if self.task == "text-generation" else {}
        result = made(self._input(made), **settings)
        self._note = f'pipeline("{self.task}"): {_short(result)}'

    def _input(self, made: Any) -> Any:
        """What is made up for the task; text, where that is what it takes."""
        task = self.task or ""
        if task == "fill-mask":
            if made.tokenizer.mask_token is None:
                raise NotTriedError("the tokenizer has no mask token")
            return f"{PROMPTS[0]} {made.tokenizer.mask_token}"
        if task in ("text-classification", "token-classification", "text-generation", "feature-extraction"):
            return PROMPTS[0]
        if task in ("image-classification", "image-feature-extraction", "object-detection", "image-segmentation"):
            from PIL import Image

            return Image.new("RGB", (_PIXELS, _PIXELS), (120, 80, 40))
        if task in ("audio-classification", "automatic-speech-recognition"):
            import numpy

            return {"raw": numpy.zeros(_RATE, dtype=numpy.float32), "sampling_rate": _RATE}
        raise NotTriedError(f"no made-up input fits the pipeline of {task}")


def _event(
    step: str, error: str | None = None, skip: str | None = None, note: str = "", seconds: float = 0
) -> dict[str, Any]:
    return {"step": step, "error": error, "skip": skip, "note": note, "seconds": round(seconds, 3)}


def _mismatched(info: Mapping[str, Any]) -> str:
    """Which tensors do not have the shape that config.json gives them."""
    names = []
    for each in info["mismatched_keys"]:
        name, *shapes = each if isinstance(each, tuple) else (each,)
        stored, made = ([*map(list, shapes), None, None])[:2]
        names.append(f"{name} ({stored} in the files, {made} by config.json)" if made else name)
    return f"{len(names)} of another shape: {_listed(names)}"


def _listed(names: Any) -> str:
    known = sorted(map(str, names))
    return ", ".join(known[:_NAMED]) + (f" and {len(known) - _NAMED} more" if len(known) > _NAMED else "")


def _short(result: Any) -> str:
    """What a pipeline gave, in one line: its first answer."""
    while isinstance(result, list) and result:
        result = result[0]
    if isinstance(result, dict):
        return ", ".join(
            f"{key} {value:.3g}" if isinstance(value, float) else f"{key} {value!r}"[:48]
            for key, value in list(result.items())[:2]
        )
    return type(result).__name__ if not isinstance(result, int | float) else f"{result:.3g}"
