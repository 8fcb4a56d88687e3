"""FILE: names and numbers of files, as other systems and the Hub see them."""

from __future__ import annotations

from collections.abc import Iterator

from hubpub.core.findings import Problem, Severity
from hubpub.core.wording import counted, listed, size
from hubpub.model.folder import ModelFolder
from hubpub.model.names import collisions, crowded, not_composed, too_long, unportable
from hubpub.rules.registry import model_rules

_WINDOWS = "https://learn.microsoft.com/windows/win32/fileio/naming-a-file"
_LIMITS = "https://huggingface.co/docs/hub/storage-limits#repository-limitations-and-recommendations"

MOST_FILES = 100_000
MOST_ENTRIES = 10_000
LARGEST_FILE = 500 * 10**9
LARGE_FILE = 200 * 10**9


@model_rules.rule(
    "FILE010",
    "case-collision",
    Severity.WARNING,
    summary="Two paths are the same where upper and lower case, or the form of accents, do not count.",
    why="On Windows and macOS one of them replaces the other when the repo is cloned or downloaded, and which one is "
    "left to chance.",
    bad="Model.safetensors and model.safetensors",
    good="names that differ in more than case",
    hint="rename or delete one of them",
    source=_WINDOWS,
)
def case_collision(folder: ModelFolder) -> Iterator[Problem]:
    """Each group once; of directories that collide not also the files in them."""
    for same in collisions(entry.path for entry in folder.release_files):
        yield Problem(f"{listed(same)} are one and the same on Windows and macOS", path=same[0])


@model_rules.rule(
    "FILE011",
    "name-not-portable",
    Severity.WARNING,
    summary="A name that Windows cannot hold, or that begins or ends with a space.",
    why="A clone on Windows stops at the first such name, with all later files missing.",
    bad="aux.json, epoch=3:step=10.safetensors",
    good="letters, digits, dots, hyphens and underscores",
    hint="rename it",
    source=_WINDOWS,
)
def name_not_portable(folder: ModelFolder) -> Iterator[Problem]:
    """Every file; a directory with such a name once."""
    told: set[str] = set()
    for entry in folder.release_files:
        reason = unportable(entry.path)
        if reason is None:
            continue
        parts = entry.path.split("/")
        ends = (end for end in range(1, len(parts) + 1) if unportable("/".join(parts[:end])) is not None)
        top = "/".join(parts[: next(ends, len(parts))])
        if top not in told:
            told.add(top)
            yield Problem(f"{top} {reason}", path=top)


@model_rules.rule(
    "FILE012",
    "name-not-composed",
    Severity.WARNING,
    summary="A name is written with decomposed characters: a letter and its accent apart.",
    why="It looks the same as the composed name and is another one: code that opens the name as people type it finds "
    "nothing. It comes from a macOS disk of the old format or an archive made there.",
    bad="Modèle.md with e and U+0300",
    good="Modèle.md with U+00E8",
    hint="rename it in the composed form (NFC)",
    source="https://unicode.org/reports/tr15/",
)
def name_not_composed(folder: ModelFolder) -> Iterator[Problem]:
    """Every file; one that collides with its composed twin is FILE010's."""
    told = {path for same in collisions(entry.path for entry in folder.release_files) for path in same}
    for entry in folder.release_files:
        if not_composed(entry.path) and entry.path not in told:
            yield Problem(f"{entry.path} has a name with decomposed characters", path=entry.path)


@model_rules.rule(
    "FILE013",
    "name-too-long",
    Severity.WARNING,
    summary="A name or path is longer than other systems allow.",
    why="The download fails there with an error about the name, after everything else has arrived.",
    bad="a name of 300 bytes",
    good="names below 255 bytes, paths well below 1,000",
    hint="shorten it",
    source="https://en.wikipedia.org/wiki/Comparison_of_file_systems#Limits",
)
def name_too_long(folder: ModelFolder) -> Iterator[Problem]:
    """Every file."""
    for entry in folder.release_files:
        if (reason := too_long(entry.path)) is not None:
            shown = entry.path if len(entry.path) <= 120 else f"{entry.path[:80]}...{entry.path[-37:]}"
            yield Problem(f"{shown} {reason}", path=shown)


@model_rules.rule(
    "FILE014",
    "hub-limit",
    Severity.WARNING,
    summary="The folder is beyond what the Hub takes: files, entries of a directory, or bytes of a file.",
    why="The Hub advises against more than 100,000 files and 10,000 entries a directory (git slows down beyond), wants "
    "files below 200 GB, and refuses those above 500 GB.",
    bad="a shard of 600 GB",
    good="shards of 5 to 50 GB, as max_shard_size makes them",
    hint="split large files (max_shard_size), and put many small ones into an archive or subdirectories",
    source=_LIMITS,
)
def hub_limit(folder: ModelFolder) -> Iterator[Problem]:
    """What the Hub refuses is an error; what it only advises against a warning, and for single large files info."""
    files = folder.release_files
    if len(files) > MOST_FILES:
        yield Problem(f"the folder holds {len(files):,} files, and the Hub advises at most {MOST_FILES:,}")
    for directory, count in crowded((entry.path for entry in files), MOST_ENTRIES):
        where = directory or "the folder"
        yield Problem(
            f"{where} has {count:,} entries, and the Hub advises at most {MOST_ENTRIES:,}", path=directory or None
        )
    for entry in files:
        if entry.size > LARGEST_FILE:
            message = f"{entry.path} has {size(entry.size)}, and the Hub takes at most {size(LARGEST_FILE)} per file"
            yield Problem(message, path=entry.path, severity=Severity.ERROR)
        elif entry.size > LARGE_FILE:
            message = f"{entry.path} has {size(entry.size)}, and the Hub advises at most {size(LARGE_FILE)} per file"
            yield Problem(message, path=entry.path, severity=Severity.INFO)


_GITIGNORE = ".gitignore"


@model_rules.rule(
    "FILE022",
    "gitignore-hides-files",
    Severity.WARNING,
    summary="The folder's .gitignore names files of the release.",
    why="The Hub applies the .gitignore of an upload: it leaves such files out without an error, and the published "
    "model is incomplete.",
    bad=".gitignore with *.safetensors beside model.safetensors",
    good="no .gitignore in a model folder, or one that names none of its files",
    hint="delete .gitignore, or leave it out: --exclude .gitignore",
    source="https://github.com/huggingface/huggingface_hub/pull/1868",
)
def gitignore_hides_files(folder: ModelFolder) -> Iterator[Problem]:
    """Only that at the root counts on the Hub; leftovers that it names are left out anyway."""
    if _GITIGNORE not in folder.root_names:
        return
    from hubpub.model.gitfiles import LARGEST, ignore_patterns, ignored_by

    patterns = ignore_patterns(folder.text(_GITIGNORE, LARGEST))
    hidden = [
        (entry.path, by)
        for entry in folder.release_files
        if entry.path != _GITIGNORE and (by := ignored_by(entry.path, patterns)) is not None
    ]
    if hidden:
        paths = [path for path, _ in hidden]
        line = hidden[0][1].line
        message = f"{_GITIGNORE} hides {counted(len(paths), 'file')} of the release from the Hub: {listed(paths)}"
        yield Problem(message, path=_GITIGNORE, line=line)


_GITATTRIBUTES = ".gitattributes"
_LARGE = 10 * 10**6
_WEIGHTS = (".safetensors", ".bin", ".gguf", ".onnx", ".pt", ".pth", ".ckpt", ".h5", ".msgpack", ".npz", ".tflite")


@model_rules.rule(
    "FILE023",
    "gitattributes-incomplete",
    Severity.INFO,
    summary=".gitattributes has lines that say nothing, or leaves large binary files in git.",
    why="Those who clone the repo and push again with git store such a file in git itself, which the Hub refuses "
    "above 10 MB.",
    bad=".gitattributes without a line for *.gguf beside a model of 4 GB",
    good="*.gguf filter=lfs diff=lfs merge=lfs -text",
    hint="delete .gitattributes: the Hub writes a complete one",
    source="https://git-scm.com/docs/gitattributes",
)
def gitattributes_incomplete(folder: ModelFolder) -> Iterator[Problem]:
    """One finding for the malformed lines, one for the files that no line covers."""
    if _GITATTRIBUTES not in folder.root_names:
        return
    from hubpub.model.gitfiles import LARGEST, read_attributes

    attributes = read_attributes(folder.text(_GITATTRIBUTES, LARGEST))
    if attributes.malformed:
        number, line = attributes.malformed[0]
        more = len(attributes.malformed) - 1
        rest = f", and {counted(more, 'more line')}" if more else ""
        yield Problem(f"{_GITATTRIBUTES} has a line that sets nothing: {line[:60]}{rest}", _GITATTRIBUTES, number)
    uncovered = [
        entry.path
        for entry in folder.release_files
        if entry.suffix in _WEIGHTS and entry.size > _LARGE and not attributes.is_lfs(entry.path)
    ]
    if uncovered:
        yield Problem(f"{_GITATTRIBUTES} does not send to git-LFS: {listed(uncovered)}", path=_GITATTRIBUTES)
