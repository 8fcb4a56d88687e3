"""The training data as files tell of it: what `datasets` saved, a dataset card, or plain files by split.

Splits come from names as `datasets` takes them,
https://huggingface.co/docs/datasets/repository_structure#split-pattern-hierarchy. Nothing is unpickled.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from hubpub.core.pattern import Pattern
from hubpub.model.arrow_stream import read_arrow_rows
from hubpub.model.data_config import parse_data_config
from hubpub.model.data_facts import DataFacts
from hubpub.model.dataset_info import DataSet, Split, parse_dataset_card, parse_dataset_info
from hubpub.model.files import MOST_FILES, Fact, Files, Unread, line_of
from hubpub.model.hubpub_run import read_recorded_runs
from hubpub.model.parquet import read_parquet
from hubpub.model.picture_folders import PICTURES, picture_set
from hubpub.model.signatures import LFS_POINTER_LIMIT, lfs_pointer
from hubpub.model.tables import LARGEST_TABLE, Column, Table, read_table
from hubpub.model.walk import FileEntry

_CARD_LIMIT = 1 << 20
_DICT_LIMIT = 1 << 16
_MOST_COUNTED = 4 << 30  # bytes of all files in which rows are counted
_SAMPLED = 16 << 20  # bytes of a file that is there beyond that, for its columns
_COMPRESSION = 10
_FORMS = {
    "csv": "csv",
    "tsv": "tsv",
    "tab": "tsv",
    "json": "json",
    "jsonl": "jsonl",
    "ndjson": "jsonl",
    "txt": "text",
    "text": "text",
    "parquet": "parquet",
    "pq": "parquet",
    "arrow": "arrow",
    "feather": "arrow",
}
_PICKLES = frozenset(["pkl", "pickle", "p", "pck", "joblib", "pt", "pth"])
_EXTENSION = Pattern(r".*?\.([a-z0-9]{1,8})(\.gz)?", re.IGNORECASE)
_ALSO_COMPRESSED = Pattern(
    r".*\.(?:zst|bz2|xz|zip|tar|7z|tgz)", re.IGNORECASE, clues=(".zst", ".bz2", ".xz", ".zip", ".tar", ".7z", ".tgz")
)
# Lie beside data, and are none.
_NOT_DATA = Pattern(
    r"(?:readme|licen[sc]e|requirements|citation|notice|changelog|dataset_infos?|dataset_dict|state|package|metadata"
    r"|config|settings|croissant|.*[-_.](?:config|schema))(?:[-_.].*)?|.*_results\.json|results_.*\.json|trainer_state\.json"
    r"|wandb-.*\.json|hubpub_run\.json|emissions\.csv|(?:special_tokens_map|tokenizer|tokenizer_config|vocab|added_tokens|args|.*_args)\.json"
    r"|(?:vocab|merges)\.txt|\..*",
    re.IGNORECASE,
)
# The keywords and separators of datasets/data_files.py.
_KEYWORDS = {
    "train": ("train", "training"),
    "validation": ("validation", "valid", "dev", "val"),
    "test": ("test", "testing", "eval", "evaluation"),
}
_SEPARATOR = r"[-._ 0-9/]"
_SPLITS = {
    split: Pattern(rf"(?:.*{_SEPARATOR})?(?:{'|'.join(words)})(?:{_SEPARATOR}.*)?", re.IGNORECASE)
    for split, words in _KEYWORDS.items()
}
_SHARD = Pattern(r"(?:.*/)?data/(\w{1,60})-\d{5}-of-\d{5,}[^/]*", clues=("-of-",))


def find_data(files: Files, *, plain: bool) -> DataFacts:
    """What the files tell of training data; see `read_data_facts`."""
    found = _Found(files)
    saved = found.saved_sets()
    found.infos(saved)
    found.recorded()
    found.mixtures()
    if plain:
        found.cards()
        found.plain_files(saved)
    return DataFacts(tuple(found.sets), tuple(found.pickled), tuple(found.unread))


@dataclass
class _Found:
    """Collects what one set of files tells."""

    files: Files
    sets: list[DataSet] = field(default_factory=list)
    pickled: list[str] = field(default_factory=list)
    unread: list[Unread] = field(default_factory=list)
    left: int = _MOST_COUNTED

    def saved_sets(self) -> tuple[str, ...]:
        """Take what save_to_disk() wrote; the directories, with a slash at their ends."""
        states = [
            entry.path.rpartition("/")[0] for entry in self.files.named(Pattern(r"state\.json", clues=("state.json",)))
        ]
        directories = [path for path in states if self._beside(path, "dataset_info.json") in self.files.by_path]
        groups: dict[str, list[str]] = {}
        for directory in directories:
            parent = directory.rpartition("/")[0]
            whole_set = self._beside(parent, "dataset_dict.json") in self.files.by_path
            groups.setdefault(parent if whole_set and directory else directory, []).append(directory)
        for top, members in sorted(groups.items()):
            self._saved(top, self._in_order(top, members))
        return tuple(self._beside(directory, "") for directory in directories)

    @staticmethod
    def _beside(directory: str, name: str) -> str:
        return f"{directory}/{name}" if directory else name

    def _in_order(self, top: str, members: list[str]) -> list[str]:
        path = self._beside(top, "dataset_dict.json")
        splits = self.files.json(path, limit=_DICT_LIMIT).get("splits") if path in self.files.by_path else None
        names = [name for name in splits if isinstance(name, str)] if isinstance(splits, list) else []
        order = {self._beside(top, name): place for place, name in enumerate(names)}
        return sorted(members, key=lambda member: (order.get(member, len(order)), member))

    def _saved(self, top: str, members: list[str]) -> None:
        splits: list[Split] = []
        columns: tuple[Column, ...] = ()
        facts: tuple[Fact, ...] = ()
        name = None
        for directory in members:
            state_path, info_path = self._beside(directory, "state.json"), self._beside(directory, "dataset_info.json")
            state, info = self.files.json(state_path), self.files.json(info_path)
            if not isinstance(state.value, dict):
                self.unread.append(Unread(state_path, state.problem.message if state.problem else "is empty"))
                continue
            described = parse_dataset_info(info.value, info_path)
            first = described[0] if described else DataSet(info_path, "")
            columns, facts, name = columns or first.columns, facts or first.facts, name or first.name
            label = line_of(state.value.get("_split"), 100) or (
                directory.rpartition("/")[2] if directory != top else "train"
            )
            splits.append(self._saved_split(label, directory, state_path, state.value.get("_data_files"), first))
        if splits:
            self.sets.append(
                DataSet(self._beside(top, ""), "saved data set", name, None, tuple(splits), columns, facts)
            )

    def _saved_split(self, name: str, directory: str, state: str, listed: object, info: DataSet) -> Split:
        """A split with the rows of its files; where they are not there, with those that its description has."""
        names = [one.get("filename") for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
        paths = [self._beside(directory, one) for one in names[:MOST_FILES] if isinstance(one, str) and "/" not in one]
        here = [path for path in paths if path in self.files.by_path]
        size = sum(self.files.by_path[path].size for path in here) or None
        if here and len(here) == len(names):
            rows = 0
            for path in here:
                counted = self._rows(path)
                if counted is None:
                    break
                rows += counted
            else:
                return Split(name, rows, size, state, "_data_files", tuple(here))
        told = next((split for split in info.splits if split.name == name), None)
        if told is None:
            return Split(name, None, size, state, "_split", tuple(here))
        return Split(name, told.rows, told.bytes, told.path, told.key, tuple(here))

    def _rows(self, path: str) -> int | None:
        try:
            return read_arrow_rows(self.files.opener(path))
        except (OSError, ValueError) as error:
            self.unread.append(Unread(path, _reason(error)))
            return None

    def infos(self, saved: tuple[str, ...]) -> None:
        """Take the dataset_info.json that are not part of a saved data set."""
        for entry in self.files.named(Pattern(r"dataset_infos?\.json", clues=("dataset_info",))):
            if self._beside(entry.path.rpartition("/")[0], "") in saved:
                continue
            document = self.files.json(entry.path)
            if document.value is None:
                self.unread.append(Unread(entry.path, document.problem.message if document.problem else "is empty"))
            # llama-factory's registry of data sets has the same name, and no features
            self.sets += parse_dataset_info(document.value, entry.path)

    def recorded(self) -> None:
        """Take what training code has recorded of its data."""
        runs, _ = read_recorded_runs(self.files)
        self.sets += [one for run in runs for one in run.data]

    def mixtures(self) -> None:
        """Take the lists of files that sentence-transformers' own training scripts save."""
        for entry in self.files.named(Pattern(r"data_config\.json", clues=("data_config",))):
            self.sets += parse_data_config(self.files.json(entry.path, top=list).value, entry.path)

    def cards(self) -> None:
        """Take the dataset cards."""
        for entry in self.files.named(Pattern(r"README\.md", re.IGNORECASE, clues=("readme.md",))):
            text = self.files.start(entry.path, _CARD_LIMIT).decode("utf-8", "replace")
            self.sets += parse_dataset_card(text, entry.path)

    def plain_files(self, saved: tuple[str, ...]) -> None:
        """Take the files that hold rows, as one data set for each form."""
        groups: dict[str, list[FileEntry]] = {}
        pictures: list[FileEntry] = []
        for entry in self.files.entries:
            match = _EXTENSION.fullmatch(entry.name) if entry.name.count(".") <= 1 else _last_extension(entry.name)
            if match is None or entry.path.startswith(tuple(filter(None, saved))) or "" in saved:
                continue
            if match[1].lower() in _PICKLES:
                self.pickled.append(entry.path)
            elif match[1].lower() in PICTURES:
                pictures.append(entry)
            elif _NOT_DATA.fullmatch(entry.name):
                continue
            elif (form := _FORMS.get(match[1].lower())) is not None:
                groups.setdefault(form, []).append(entry)
            elif _ALSO_COMPRESSED.fullmatch(entry.name):
                self.unread.append(
                    Unread(entry.path, "is compressed or packed otherwise than with gzip: it is not opened")
                )
        for form, entries in groups.items():
            self._plain(form, entries)
        shown = picture_set(pictures, _split_of, _order)
        self.sets += [shown] if shown else []

    def _plain(self, form: str, entries: list[FileEntry]) -> None:
        for entry in entries[MOST_FILES:]:
            self.unread.append(Unread(entry.path, f"is one of more than {MOST_FILES} files of its kind"))
        names = split_names([entry.path for entry in entries[:MOST_FILES]])
        splits: dict[str, list[tuple[FileEntry, Table]]] = {}
        for entry in entries[:MOST_FILES]:
            table = self._table(entry, form)
            if table is not None:
                splits.setdefault(names[entry.path], []).append((entry, table))
        if not splits:
            return
        columns: dict[str, Column] = {}
        for _, table in (pair for pairs in splits.values() for pair in pairs):
            for column in table.columns:
                known = columns.setdefault(column.name, column)
                columns[column.name] = column if known.type == "null" else known
        made = tuple(_plain_split(name, splits[name]) for name in sorted(splits, key=_order))
        top = _common([path for split in made for path in split.files])
        self.sets.append(DataSet(top, form, None, None, made, tuple(columns.values())))

    def _table(self, entry: FileEntry, form: str) -> Table | None:
        start = self.files.start(entry.path, LFS_POINTER_LIMIT)
        if lfs_pointer(start):
            self.unread.append(Unread(entry.path, "is a git-LFS pointer"))
            return None
        compressed = start.startswith(b"\x1f\x8b")  # not every file that is called .gz is one
        most = max(min(LARGEST_TABLE, self.left), _SAMPLED)
        if form not in ("parquet", "arrow"):
            self.left -= min(LARGEST_TABLE, entry.size * (_COMPRESSION if compressed else 1))
        opener = self.files.opener(entry.path)
        readers: dict[str, Callable[[], Table]] = {
            "parquet": partial(read_parquet, opener),
            "arrow": lambda: Table(read_arrow_rows(opener)),
        }
        try:
            table = readers.get(form, partial(read_table, opener, form, compressed=compressed, most=most))()
        except (OSError, ValueError) as error:
            self.unread.append(Unread(entry.path, _reason(error)))
            return None
        if table.note is not None:
            self.unread.append(Unread(entry.path, table.note))
        return table


def split_names(paths: list[str]) -> dict[str, str]:
    """The split that each file belongs to, by its path: all of them to "train" when no name tells of a split."""
    sharded = {path: match[1] for path in paths if (match := _SHARD.fullmatch(path))}
    if len(sharded) == len(paths):
        return sharded
    named = {path: _split_of(path) for path in paths}
    told = [split for split in named.values() if split]
    return {path: split or ("train" if not told else "other") for path, split in named.items()}


def _split_of(path: str) -> str | None:
    """The split that a path names; the file's own name counts before its directories, the nearest first."""
    parts = path.split("/")
    for part in reversed(parts):
        for split, pattern in _SPLITS.items():
            if pattern.fullmatch(part):
                return split
    return None


def _order(split: str) -> tuple[bool | str, ...]:
    """The key that sorts splits: those for training first, then those for validation, then those for tests."""
    return (*(split != known for known in _KEYWORDS), split)


def _last_extension(name: str) -> re.Match[str] | None:
    """Of "a.b.csv" the last extension, and of "a.b.csv.gz" that before."""
    stem = name[:-3] if name.lower().endswith(".gz") else name
    return _EXTENSION.fullmatch("x." + stem.rpartition(".")[2] + name[len(stem) :])


def _plain_split(name: str, pairs: list[tuple[FileEntry, Table]]) -> Split:
    counts = [table.rows for _, table in pairs]
    rows = None if None in counts else sum(count for count in counts if count is not None)
    size = sum(entry.size for entry, _ in pairs)
    return Split(name, rows, size, pairs[0][0].path, "", tuple(entry.path for entry, _ in pairs))


def _common(paths: list[str]) -> str:
    """The file, when it is one; else the directory that all are in, with a slash at its end, or ""."""
    if len(paths) == 1:
        return paths[0]
    parts = [path.split("/")[:-1] for path in paths]
    shared: list[str] = []
    for level in zip(*parts, strict=False):
        if len(set(level)) > 1:
            break
        shared.append(level[0])
    return "/".join(shared) + "/" if shared else ""


def _reason(error: Exception) -> str:
    if isinstance(error, OSError):
        return f"cannot be read: {error.strerror or error}"
    return str(error)
