"""Load a model as its users would, and run it once: safetensors only, no remote code, nothing from the network.

Every step answers for itself, so that one that fails says which it was.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

PROMPTS = ("The quick brown fox", "Hello, how are you?", "1, 2, 3,")
NEW_TOKENS = 8
_LONGEST = 48
_TASKS = {
    "ForSequenceClassification": "text-classification",
    "ForTokenClassification": "token-classification",
    "ForMaskedLM": "fill-mask",
    "ForCausalLM": "text-generation",
    "LMHeadModel": "text-generation",
    "Model": "feature-extraction",
}


class NotTriedError(Exception):
    """This step cannot be tried here, which says nothing about the model."""


def load(request: Mapping[str, Any]) -> dict[str, Any]:
    """Load and run `request["directory"]`.

    Args:
        request: "directory"; "library", "transformers" or "sentence-transformers"; "class", of that library; "text",
            whether there is a tokenizer; "single", whether the weights are to be computed with in single precision.

    Returns:
        {"steps": [{"step": name, "error": line or None, "skip": line or None}], "not_finite": name of an output,
        "empty": whether all that is generated is nothing, "tokens": of the tokenizer}, or {"absent": library}.
    """
    try:
        import torch
        import transformers  # noqa: F401 -- whether it can be
    except ImportError as error:
        return {"absent": error.name or "torch"}
    quiet()
    torch.manual_seed(0)
    run = Run(request["directory"], request["class"], request["text"], request["single"])
    with torch.inference_mode():
        (run.sentences if request["library"] == "sentence-transformers" else run.transformers)()
    return {"steps": run.steps, "not_finite": run.not_finite, "empty": run.empty, "tokens": run.tokens}


def quiet() -> None:
    """Let libraries keep to themselves what they would log."""
    import transformers

    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    transformers.logging.disable_progress_bar()  # type: ignore[no-untyped-call]


class Run:
    """The steps, one after the other; a step that fails ends those that need it."""

    def __init__(self, directory: str, name: str | None, text: bool, single: bool) -> None:
        self.directory = directory
        self.name = name or ""
        self.text = text
        self.single = single
        self.steps: list[dict[str, Any]] = []
        self.not_finite: str | None = None
        self.empty = False
        self.tokens: int | None = None
        self.model: Any = None
        self.tokenizer: Any = None
        self.source: dict[str, Any] = {"trust_remote_code": False, "local_files_only": True}

    def transformers(self) -> None:
        """Configuration, tokenizer, model, one forward pass, a few tokens, the pipeline of its task."""
        if not self.step("config", self._config):
            return
        tokenized = not self.text or self.step("tokenizer", self._tokenizer)
        if self.step("model", self._model) and self.step("forward", self._forward) and tokenized and self.text:
            self.step("generate", self._generate)
            self.step("pipeline", self._pipeline)

    def sentences(self) -> None:
        """A sentence-transformer, and the embedding of one sentence."""
        if self.step("sentence-transformers", self._sentence_transformer):
            self.step("encode", self._encode)

    def step(self, name: str, do: Callable[[], None]) -> bool:
        """Try one, and keep what became of it; whether it went well."""
        step: dict[str, Any] = {"step": name, "error": None, "skip": None}
        self.steps.append(step)
        try:
            do()
        except MemoryError:
            raise
        except (NotTriedError, ImportError, PermissionError) as error:
            step["skip"] = self.line(error)
        except Exception as error:
            step["error"] = f"{type(error).__name__}: {self.line(error)}"
        return step["error"] is None and step["skip"] is None

    def line(self, error: Exception) -> str:
        """The last line of what was said, without the paths of this machine."""
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        text = lines[-1] if lines else type(error).__name__
        return text.replace(self.directory, ".").replace(str(Path.cwd()), ".")[:300]

    def _config(self) -> None:
        from transformers import AutoConfig

        AutoConfig.from_pretrained(self.directory, **self.source)

    def _tokenizer(self) -> None:
        from transformers import AutoTokenizer

        self.tokenizer = AutoTokenizer.from_pretrained(self.directory, **self.source)
        self.tokens = len(self.tokenizer)

    def _model(self) -> None:
        import torch
        import transformers

        self.model = getattr(transformers, self.name).from_pretrained(
            self.directory,
            dtype=torch.float32 if self.single else "auto",
            use_safetensors=True,
            **self.source,
        )
        self.model.eval()

    def _forward(self) -> None:
        inputs = self._inputs()
        try:
            output = self.model(**inputs)
        except Exception as error:
            if self.model.main_input_name == "input_ids" and self._takes_only_text():
                raise
            raise NotTriedError(f"no made-up input fits {self.name}: {self.line(error)}") from error
        self.not_finite = not_finite(dict(output.items()) if hasattr(output, "items") else {"output": output})

    def _takes_only_text(self) -> bool:
        modalities = self.model.input_modalities
        return modalities == "text" or set(modalities) == {"text"}

    def _inputs(self) -> dict[str, Any]:
        import torch

        main = self.model.main_input_name
        config = self.model.config
        if main == "input_ids" and self.tokenizer is not None:
            inputs = {key: value for key, value in self._encoded(PROMPTS[0]).items() if key != "token_type_ids"}
            if getattr(config, "is_encoder_decoder", False):
                inputs["decoder_input_ids"] = inputs["input_ids"]
            return inputs
        vision = getattr(config, "vision_config", None) or config
        if main == "pixel_values":
            size = getattr(vision, "image_size", None) or 224
            height, width = size if isinstance(size, list | tuple) else (size, size)
            return {main: torch.rand(1, getattr(vision, "num_channels", None) or 3, height, width)}
        if main == "input_values":
            return {main: torch.rand(1, 16_000) - 0.5}
        raise NotTriedError(f"{main} of {self.name} cannot be made up")

    def _encoded(self, text: str) -> dict[str, Any]:
        encoded = dict(self.tokenizer(text, return_tensors="pt", truncation=True, max_length=_LONGEST))
        if not encoded["input_ids"].numel():
            raise ValueError("the tokenizer makes no token of a sentence")
        return encoded

    def _generate(self) -> None:
        if not self.model.can_generate() or not self._takes_only_text():
            return
        texts = [self._generated(prompt) for prompt in PROMPTS]
        self.empty = not any(text.strip() for text in texts)

    def _generated(self, prompt: str) -> str:
        if self.tokenizer.chat_template:
            chat = [{"role": "user", "content": prompt}]
            inputs = dict(
                self.tokenizer.apply_chat_template(
                    chat, add_generation_prompt=True, return_tensors="pt", return_dict=True
                )
            )
        else:
            inputs = self._encoded(prompt)
        inputs.pop("token_type_ids", None)
        tokens = self.model.generate(**inputs, max_new_tokens=NEW_TOKENS, do_sample=False, num_beams=1)[0]
        if not self.model.config.is_encoder_decoder:
            tokens = tokens[inputs["input_ids"].shape[1] :]
        return str(self.tokenizer.decode(tokens, skip_special_tokens=True))

    def _pipeline(self) -> None:
        import transformers

        pipeline: Any = transformers.pipeline
        task = next((task for end, task in _TASKS.items() if self.name.endswith(end)), None)
        if task is None or not self._takes_only_text() or self.model.config.is_encoder_decoder:
            return
        text = PROMPTS[0]
        if task == "fill-mask":
            if self.tokenizer.mask_token is None:
                raise NotTriedError("the tokenizer has no mask token")
            text = f"{text} {self.tokenizer.mask_token}"
        settings = {"max_new_tokens": NEW_TOKENS} if task == "text-generation" else {}
        pipeline(task, model=self.model, tokenizer=self.tokenizer, device="cpu")(text, **settings)

    def _sentence_transformer(self) -> None:
        import sentence_transformers

        self.model = getattr(sentence_transformers, self.name)(
            self.directory,
            device="cpu",
            model_kwargs={"use_safetensors": True},
            **self.source,
        )

    def _encode(self) -> None:
        self.not_finite = not_finite({"output": encoded(self.model)})


def encoded(model: Any) -> Any:
    """What a model of sentence-transformers makes of sentences, as a tensor: embeddings, or the scores of pairs."""
    if hasattr(model, "predict"):
        return model.predict([(PROMPTS[0], PROMPTS[1])], convert_to_tensor=True, show_progress_bar=False)
    made = model.encode(list(PROMPTS[:2]), convert_to_tensor=True, show_progress_bar=False)
    return made.to_dense() if made.is_sparse else made


def not_finite(outputs: Mapping[str, Any]) -> str | None:
    """The first output that holds NaN or infinity; a mask of negative infinity among finite values is none."""
    import torch

    for name, value in outputs.items():
        for tensor in value if isinstance(value, list | tuple) else (value,):
            if not isinstance(tensor, torch.Tensor) or not tensor.is_floating_point() or not tensor.numel():
                continue
            if tensor.isnan().any() or tensor.isposinf().any() or not tensor.isfinite().any():
                return name
    return None
