"""ModelFolder: everything that is known of a saved model folder, read when asked for and at most once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from hubpub.model.chat import ChatTemplate, read_templates
from hubpub.model.chat_tokens import ChatTokens, chat_tokens
from hubpub.model.folder_files import FolderFiles
from hubpub.model.jsonfile import INDEX_LIMIT, TOKENIZER_LIMIT, JsonFile
from hubpub.model.kind import ModelKind, model_kind
from hubpub.model.safetensors import Header, read_header
from hubpub.model.shapes import Promises
from hubpub.model.stored import promises
from hubpub.model.tokenizer import TOKENIZER_CONFIG, TOKENIZER_JSON, TokenizerFiles, read_tokenizer
from hubpub.model.tokenizer_cache import digest_once
from hubpub.model.tokenizer_json import TokenizerJson, digest_tokenizer_json, without_collector
from hubpub.model.vocabulary import Wanted
from hubpub.model.walk import FileEntry
from hubpub.model.weights import Weights, read_weights

# The readers of single formats, and what only a deeper check asks, are imported when they are needed: a check of a
# small folder takes no longer to start for each of them.
if TYPE_CHECKING:
    from hubpub.model.adapter import Adapter
    from hubpub.model.architecture import Architecture
    from hubpub.model.chat_examination import Examination
    from hubpub.model.custom_code import CustomCode
    from hubpub.model.data_facts import DataFacts
    from hubpub.model.files import Unread
    from hubpub.model.gguf import GgufFile
    from hubpub.model.keras import KerasFile
    from hubpub.model.load import Loading
    from hubpub.model.onnx import OnnxFile
    from hubpub.model.predictions import Predictions
    from hubpub.model.reading import Reading
    from hubpub.model.run_facts import RunFacts
    from hubpub.model.tensors import TensorFile
    from hubpub.model.tokenizer_trial import Trial
    from hubpub.model.torchfile import TorchFile


@dataclass(frozen=True)
class ModelFolder(FolderFiles):
    """A saved model folder: its files, and what each of them tells."""

    _tokenizers: dict[str, TokenizerFiles] = field(default_factory=dict, repr=False, compare=False)
    _trials: dict[str, Trial] = field(default_factory=dict, repr=False, compare=False)

    @property
    def config(self) -> JsonFile | None:
        """config.json."""
        return self.json("config.json")

    @property
    def generation_config(self) -> JsonFile | None:
        """generation_config.json."""
        return self.json("generation_config.json")

    @property
    def tokenizer_config(self) -> JsonFile | None:
        """tokenizer_config.json."""
        return self.json("tokenizer_config.json")

    @property
    def adapter_config(self) -> JsonFile | None:
        """adapter_config.json."""
        return self.json("adapter_config.json")

    @property
    def modules(self) -> JsonFile | None:
        """modules.json of sentence-transformers; its document is a list."""
        return self.json("modules.json", top=list)

    @property
    def model_type(self) -> str | None:
        """`model_type` of config.json."""
        value = self.config.get("model_type") if self.config else None
        return value if isinstance(value, str) and value else None

    @property
    def architectures(self) -> tuple[str, ...]:
        """`architectures` of config.json."""
        value = self.config.get("architectures") if self.config else None
        return tuple(name for name in value if isinstance(name, str)) if isinstance(value, list) else ()

    @cached_property
    def kind(self) -> ModelKind:
        """The library or format that the folder is made for."""
        return model_kind(self.root_names, self.config, self.weights.formats)

    @cached_property
    def weights(self) -> Weights:
        """The weights: files, headers, indexes, parameter counts."""
        return read_weights(
            self.release_files,
            header=self._header,
            index=self._index,
            start=self.start,
            torchscript=self._is_torchscript,
        )

    @cached_property
    def adapter(self) -> Adapter | None:
        """The adapter of PEFT; None when the folder is none."""
        if self.kind is not ModelKind.ADAPTER:
            return None
        from hubpub.model.adapter import read_adapter

        header = self.weights.headers.get("adapter_model.safetensors")
        return read_adapter(self.adapter_config, header.tensors if header else {})

    @cached_property
    def promises(self) -> Promises:
        """What config.json promises of the tensors and they do not keep, as far as headers can tell."""
        return promises(self)

    @cached_property
    def architecture(self) -> Architecture | None:
        """What the installed transformers makes of config.json and the tensors; asking takes seconds."""
        from hubpub.model.architecture import compare

        return compare(self)

    @cached_property
    def loading(self) -> Loading | None:
        """What became of loading and running the model in a process of its own; trying takes seconds to minutes."""
        from hubpub.model.load import load

        return load(self)

    def _header(self, path: str) -> Header:
        return read_header(partial(self.open_file, path))

    def _index(self, path: str) -> JsonFile:
        return self.json(path, limit=INDEX_LIMIT) or JsonFile(None)

    @cached_property
    def tensor_files(self) -> dict[str, TensorFile]:
        """Where the numbers of every tensor are, by the path of the file that has them."""
        from hubpub.model.tensors import placed_tensors

        return placed_tensors(self)

    @cached_property
    def readings(self) -> Mapping[str, Reading]:
        """What reading the release files through tells, by path: SHA-256 and the values of tensors."""
        return self.read(self.release_files)

    def read(self, entries: Sequence[FileEntry]) -> dict[str, Reading]:
        """What reading these release files through tells, by path."""
        from hubpub.model.digests import read_all
        from hubpub.model.tensors import value_spans

        return read_all(
            entries,
            spans=value_spans(self.tensor_files),
            open_file=self.open_file,
            directory=self.source.directory,
            progress=self.progress,
        )

    @cached_property
    def gguf(self) -> dict[str, GgufFile]:
        """The header of every GGUF file, by path."""
        if "gguf" not in self.weights.files:
            return {}
        from hubpub.model.gguf import read_gguf

        paths = (entry.path for entry in self.weights.files["gguf"] if entry.path not in self.lfs_pointers)
        return {path: read_gguf(partial(self.open_file, path)) for path in paths}

    @cached_property
    def torch_files(self) -> dict[str, TorchFile]:
        """What every file of torch.save holds, by path; TorchScript archives are not among them."""
        if "pytorch" not in self.weights.files:
            return {}
        from hubpub.model.torchfile import read_torch

        return {path: read_torch(partial(self.open_file, path)) for path in self.weight_files("pytorch")}

    @cached_property
    def onnx(self) -> dict[str, OnnxFile]:
        """What every ONNX file says of itself, by path."""
        if "onnx" not in self.weights.files:
            return {}
        from hubpub.model.onnx import read_onnx

        return {path: read_onnx(partial(self.open_file, path)) for path in self.weight_files("onnx")}

    @cached_property
    def keras(self) -> dict[str, KerasFile]:
        """What every .keras and .h5 file would run, by path."""
        if "keras" not in self.weights.files:
            return {}
        from hubpub.model.keras import read_keras

        return {path: read_keras(partial(self.open_file, path), path) for path in self.weight_files("keras")}

    def weight_files(self, form: str) -> list[str]:
        """The weight files of a format, without those in whose place something else lies: pointers and web pages."""
        paths = [entry.path for entry in self.weights.files.get(form, ()) if entry.path not in self.lfs_pointers]
        return [path for path in paths if (seen := self.text_files.get(path)) is None or seen.stub is None]

    def _is_torchscript(self, path: str) -> bool:
        from hubpub.model.torchfile import is_torchscript

        return is_torchscript(partial(self.open_file, path))

    @cached_property
    def tokenizer(self) -> TokenizerFiles:
        """The tokenizer files directly in the folder."""
        return self.tokenizer_in("")

    @cached_property
    def tokenizer_directories(self) -> tuple[str, ...]:
        """Where tokenizers may be ("" or "dir/"), sorted: the folder itself, and wherever such files are."""
        paths = (entry.path for entry in self.release_files if entry.path.endswith((TOKENIZER_JSON, TOKENIZER_CONFIG)))
        names = ((path, path.rpartition("/")[2]) for path in paths)
        found = {path.removesuffix(name) for path, name in names if name in (TOKENIZER_JSON, TOKENIZER_CONFIG)}
        return tuple(sorted({"", *found}))

    def tokenizer_in(self, directory: str) -> TokenizerFiles:
        """The tokenizer files directly in `directory` ("" or "dir/")."""
        if directory not in self._tokenizers:
            self._tokenizers[directory] = read_tokenizer(
                directory,
                self.release_files,
                tokenizer_json=self._tokenizer_json,
                json_file=self.json,
                read=self.start,
            )
        return self._tokenizers[directory]

    def tokenizer_trial(self, directory: str) -> Trial | None:
        """What becomes of sample texts in the tokenizer.json of `directory`, tried once; None when there is none."""
        entry = self.entry(f"{directory}tokenizer.json")
        found = self.tokenizer_in(directory)
        if entry is None or found.tokenizer_json is None:
            return None
        if directory not in self._trials:
            from hubpub.model.tokenizer_trial import try_tokenizer

            self._trials[directory] = try_tokenizer(found, entry, self.source.directory, self.open_file)
        return self._trials[directory]

    def _tokenizer_json(self, path: str, wanted: Wanted) -> TokenizerJson:
        def digest() -> TokenizerJson:
            with without_collector():
                return digest_tokenizer_json(self.read_again(path, TOKENIZER_LIMIT, dict), wanted)

        directory = self.source.directory
        return digest_once(directory / path, partial(self.open_file, path), wanted, digest) if directory else digest()

    @cached_property
    def run_facts(self) -> RunFacts:
        """What the files tell of the training run, those too that stay out of a release."""
        from hubpub.model.files import Files
        from hubpub.model.run_facts import read_run_facts

        return read_run_facts(Files(self.files, self.open_file))

    @cached_property
    def data_facts(self) -> DataFacts:
        """What `datasets` left in the folder of the training data; plain files are no data here."""
        from hubpub.model.data_facts import read_data_facts
        from hubpub.model.files import Files

        return read_data_facts(Files(self.files, self.open_file), plain=False)

    @cached_property
    def predictions(self) -> tuple[tuple[Predictions, ...], tuple[Unread, ...]]:
        """What the model predicted beside the true labels, and the files of predictions that tell nothing."""
        from hubpub.model.files import Files
        from hubpub.model.predictions import read_predictions

        table = self.config.get("id2label") if self.config else None
        named = table.items() if isinstance(table, dict) else ()
        names = {int(key): label for key, label in named if key.isdecimal() and len(key) < 7 and isinstance(label, str)}
        return read_predictions(Files(self.files, self.open_file), names)

    @cached_property
    def custom_code(self) -> CustomCode:
        """The Python that the model brings along."""
        from hubpub.model.custom_code import read_custom_code

        return read_custom_code([entry.path for entry in self.release_files], json=self.json, start=self.start)

    @cached_property
    def chat_templates(self) -> tuple[ChatTemplate, ...]:
        """The chat templates, from every file that may hold one; those that are used first."""
        return read_templates(self.release_files, json=self.json, start=self.start, gguf=self._gguf_templates)

    def _gguf_templates(self, path: str) -> dict[str, str]:
        return self.gguf[path].chat_templates if path in self.gguf else {}

    @cached_property
    def chat_examinations(self) -> dict[ChatTemplate, Examination]:
        """What becomes of each chat template when it is rendered, in a child process."""
        if not self.chat_templates:
            return {}
        from hubpub.model.chat_examination import examine

        return examine(self.chat_templates, self.chat_tokens_in)

    def chat_tokens_in(self, directory: str) -> ChatTokens:
        """The special tokens of the tokenizer in `directory` ("" or "dir/")."""
        return chat_tokens(directory, self.json)

    def facts(self) -> dict[str, Any]:
        """What a report says about the folder, JSON-ready."""
        weights, tokenizer = self.weights, self.tokenizer
        tried = {name: vars(self).get(name) for name in ("architecture", "loading")}
        return {
            "kind": self.kind.value,
            "model_type": self.model_type,
            "architectures": list(self.architectures),
            "files": len(self.release_files),
            "bytes": sum(entry.size for entry in self.release_files),
            "weight_formats": list(weights.formats),
            "weight_bytes": weights.weight_bytes,
            "parameters": weights.parameters,
            "parameters_by_dtype": weights.parameters_by_dtype,
            "tensors": sum(len(weights.headers[path].tensors) for path in weights.primary),
            "tokenizer_files": list(tokenizer.files),
            "vocabulary": tokenizer.tokenizer_json.vocabulary if tokenizer.tokenizer_json else None,
            **{name: fact.to_json() for name, fact in tried.items() if fact is not None},
        }
