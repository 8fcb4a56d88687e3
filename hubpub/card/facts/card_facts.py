"""What the card can say of a model without asking anybody: plain data, all of it read from the folder's files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hubpub.card.answers.card_input import CardInput
from hubpub.card.facts.chat import ChatFacts
from hubpub.card.facts.data_summary import DataSetSummary
from hubpub.card.facts.quantisation import QuantisedFile
from hubpub.card.facts.run_summary import RunSummary
from hubpub.card.facts.sourced import Value
from hubpub.card.facts.tokenizer import TokenizerFacts
from hubpub.card.facts.training import TrainingRun
from hubpub.card.facts.usage import Usage
from hubpub.model.run_facts import RunFacts

if TYPE_CHECKING:
    from hubpub.model.citation_file import Citation


@dataclass(frozen=True, slots=True)
class CardFacts:
    """What is known of a model; None and empty where the files say nothing.

    Attributes:
        name: of the repo, else of the folder.
        repo_id: where it is to be published.
        kind: the value of its ModelKind.
        library_name: the Hub's id of the library that loads it.
        pipeline_tag: the Hub's id of its task.
        model_type: its family, as transformers names it.
        architecture: its class.
        parameters: how many, counted in the headers of the weights.
        dtypes: parameters by data type, as safetensors (or ggml) names it.
        weight_bytes: size of the weights.
        context_length: tokens that fit into the model.
        vocabulary: entries of the vocabulary that the model has room for.
        hidden_size: width of its layers.
        layers: how many; those of the encoder where there is a decoder as well.
        decoder_layers: how many the decoder has.
        embedding_size: dimensions of the vectors that a sentence-transformers model makes.
        labels: what it tells apart, by id.
        base_model: the repo that it was made from.
        base_model_relation: how, as the Hub names it.
        quantization: the method, as transformers names it.
        license: the Hub's id.
        language: language codes.
        datasets: ids of the training data sets.
        peft_task: `task_type` of an adapter.
        adapter: settings of an adapter.
        training: what the training run left, as rules and metadata need it.
        versions: of the libraries that saved it.
        license_name: the title of a LICENSE file that holds none of the Hub's licences, as an id.
        license_link: that file, or the address that a person gave.
        mask_token: what stands for the word to be guessed.
        run: all that files tell of the training run, its evaluations and emissions.
        answers: what people told because no file can.
        active_parameters: those that one token of a mixture of experts takes part of.
        base_model_revision: the commit or branch of the base model.
        quantization_settings: how it was quantised.
        quantised_files: its GGUF files.
        tokenizer: its tokenizer.
        chat: what its chat template can do.
        generation: defaults of generation.
        preprocessing: what is done to images and sound.
        modules: of an embedding model.
        prompts: of an embedding model.
        summary: the training run as the card tells it.
        data: the training data, as files in the folder describe it.
        pickled_data: files of training data that only unpickling would open.
        unread_data: files of training data that tell nothing, each with the reason.
        citation: what CITATION.cff asks to be cited.
        pictures: to be shown, each with path, alt, caption and section (the id of a section).
        sources: where each fact comes from, by the name of its field: `config.json: hidden_size`. The names of what is
            in a field are joined by dots, `tokenizer.vocabulary`; those of `summary` begin with `run.`.
        usage: how it is loaded and called.
    """

    name: str
    repo_id: str | None = None
    kind: str = "other"
    library_name: str | None = None
    pipeline_tag: str | None = None
    model_type: str | None = None
    architecture: str | None = None
    parameters: int | None = None
    dtypes: tuple[tuple[str, int], ...] = ()
    weight_bytes: int = 0
    context_length: int | None = None
    vocabulary: int | None = None
    hidden_size: int | None = None
    layers: int | None = None
    decoder_layers: int | None = None
    embedding_size: int | None = None
    labels: tuple[str, ...] = ()
    base_model: str | None = None
    base_model_relation: str | None = None
    quantization: str | None = None
    license: str | None = None
    language: tuple[str, ...] = ()
    datasets: tuple[str, ...] = ()
    peft_task: str | None = None
    adapter: tuple[Value, ...] = ()
    training: TrainingRun = field(default_factory=TrainingRun)
    versions: tuple[tuple[str, str], ...] = ()
    license_name: str | None = None
    license_link: str | None = None
    mask_token: str | None = None
    run: RunFacts = field(default_factory=RunFacts, hash=False, repr=False)
    answers: CardInput = field(default_factory=CardInput, hash=False)
    active_parameters: int | None = None
    base_model_revision: str | None = None
    quantization_settings: tuple[Value, ...] = ()
    quantised_files: tuple[QuantisedFile, ...] = ()
    tokenizer: TokenizerFacts = field(default_factory=TokenizerFacts)
    chat: ChatFacts | None = None
    generation: tuple[Value, ...] = ()
    preprocessing: tuple[Value, ...] = ()
    modules: tuple[Value, ...] = ()
    prompts: tuple[Value, ...] = ()
    summary: RunSummary = field(default_factory=RunSummary)
    data: tuple[DataSetSummary, ...] = ()
    pickled_data: tuple[str, ...] = ()
    unread_data: tuple[str, ...] = ()
    citation: Citation | None = None
    pictures: tuple[Any, ...] = ()
    sources: Mapping[str, str] = field(default_factory=dict)
    usage: Usage = field(default_factory=Usage)

    @property
    def load_id(self) -> str:
        """What a snippet loads."""
        return self.repo_id or self.name

    @property
    def chat_template(self) -> bool:
        """Whether a template formats conversations for it."""
        return self.chat is not None
