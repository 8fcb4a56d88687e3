"""FILE: what the files of the folder are, before anything is read from them."""

from __future__ import annotations

from collections.abc import Iterator

from hubpub.core.findings import Problem, Severity
from hubpub.core.wording import counted, size
from hubpub.model.folder import ModelFolder
from hubpub.model.leftovers import Leftover, LeftoverKind
from hubpub.model.walk import EntryKind, FileEntry
from hubpub.rules.registry import model_rules

_UPLOADS = "https://github.com/huggingface/huggingface_hub/issues/2883"
_LEAVE_OUT = "delete it, or leave it to push, which does not publish it"


@model_rules.rule(
    "FILE001",
    "symlink-leaves-folder",
    Severity.ERROR,
    summary="A symlink leads out of the model folder.",
    why="Uploading follows symlinks: what gets published is a file that nobody meant to publish (measured with "
    "huggingface_hub 2.4: a link to /etc/passwd uploads its content), and elsewhere the link is broken.",
    bad="notes.txt -> /etc/passwd",
    good="notes.txt is a file",
    hint="copy the file into the folder in place of the link",
    source=_UPLOADS,
)
def symlink_leaves_folder(folder: ModelFolder) -> Iterator[Problem]:
    """Every link out, and one sentence for the snapshot of a Hugging Face cache, which is made of them."""
    found = _others(folder, EntryKind.ESCAPING_SYMLINK)
    in_cache = [entry for entry in found if "/blobs/" in f"/{entry.target}"]
    if len(in_cache) > 1 and len(in_cache) == len(found):
        yield Problem(
            f"{counted(len(found), 'file')} of this folder are symlinks into a download cache: {in_cache[0].path} "
            f"leads to {in_cache[0].target}",
            path=in_cache[0].path,
            hint="pass a real copy: cp -rL FOLDER COPY, or hf download --local-dir",
        )
        return
    for entry in found:
        yield Problem(f"{entry.path} is a symlink to {entry.target}, outside of the folder", path=entry.path)


@model_rules.rule(
    "FILE002",
    "broken-symlink",
    Severity.ERROR,
    summary="A symlink leads nowhere.",
    why="The file that it stands for is missing; uploaders drop the link without a word, so the release is incomplete.",
    bad="model.safetensors -> ../runs/7/model.safetensors, which was deleted",
    good="model.safetensors is a file",
    hint="put the file in place of the link, or delete the link",
    source=_UPLOADS,
)
def broken_symlink(folder: ModelFolder) -> Iterator[Problem]:
    """Every link without a target."""
    for entry in _others(folder, EntryKind.BROKEN_SYMLINK):
        yield Problem(f"{entry.path} is a symlink to {entry.target}, which does not exist", path=entry.path)


@model_rules.rule(
    "FILE003",
    "not-a-regular-file",
    Severity.ERROR,
    summary="An entry is a FIFO, socket or device.",
    why="It has no content to publish, and a tool that opens a FIFO waits for ever.",
    bad="pipe (made by mkfifo)",
    good="only files and directories",
    hint="delete it",
    source="https://docs.python.org/3/library/stat.html",
)
def not_a_regular_file(folder: ModelFolder) -> Iterator[Problem]:
    """Everything that is neither file, directory nor symlink."""
    for entry in _others(folder, EntryKind.FIFO, EntryKind.SOCKET, EntryKind.DEVICE):
        yield Problem(f"{entry.path} is a {entry.kind.value}, not a file", path=entry.path)


@model_rules.rule(
    "FILE004",
    "unreadable-file",
    Severity.ERROR,
    summary="A file or directory cannot be read.",
    why="It can be neither checked nor published.",
    bad="model.safetensors with mode 0000",
    good="every file is readable by whoever publishes",
    hint="give yourself permission to read it (chmod u+r), or delete it",
    source="https://docs.python.org/3/library/os.html#os.access",
)
def unreadable_file(folder: ModelFolder) -> Iterator[Problem]:
    """Every file and directory that this process may not read."""
    for entry in _others(folder, EntryKind.UNREADABLE_FILE, EntryKind.UNREADABLE_DIRECTORY):
        noun = "directory" if entry.kind is EntryKind.UNREADABLE_DIRECTORY else "file"
        hint = "give yourself permission to read it (chmod u+rx), or delete it" if noun == "directory" else None
        yield Problem(f"{entry.path} is a {noun} that may not be read", path=entry.path, hint=hint)


@model_rules.rule(
    "FILE005",
    "lfs-pointer",
    Severity.ERROR,
    summary="A file is a git-LFS pointer instead of the file itself.",
    why="A clone without git-lfs leaves text stubs of some 130 bytes in place of large files. Published, they "
    "break every load; one was found in a package on PyPI as the model itself.",
    bad="model.safetensors of 134 bytes that begins with: version https://git-lfs.github.com/spec/v1",
    good="model.safetensors holds the tensors",
    hint="fetch the real file: git lfs pull, or hf download",
    source="https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md",
)
def lfs_pointer(folder: ModelFolder) -> Iterator[Problem]:
    """Every pointer, with the size of what it stands for."""
    weights = {entry.path for entries in folder.weights.files.values() for entry in entries}
    for path, pointer in folder.lfs_pointers.items():
        noun = "the weights" if path in weights else "the file"
        yield Problem(f"{path} is a git-LFS pointer: {noun} of {size(pointer.size)} are not here", path=path)


@model_rules.rule(
    "FILE006",
    "training-state-left-in",
    Severity.WARNING,
    summary="State of the training is still in the folder.",
    why="Optimizer state is twice the size of the model and of no use to those who load it; checkpoints, logs and "
    "training_args.bin carry paths and names of the training machine.",
    bad="optimizer.pt, scheduler.pt and checkpoint-500/ beside model.safetensors",
    good="only what loads the model",
    hint=_LEAVE_OUT,
    source="https://github.com/huggingface/transformers/blob/main/src/transformers/trainer.py",
)
def training_state_left_in(folder: ModelFolder) -> Iterator[Problem]:
    """One finding for each file or directory as a whole."""
    yield from _leftovers(folder, LeftoverKind.TRAINING)


@model_rules.rule(
    "FILE007",
    "cache-or-junk-left-in",
    Severity.WARNING,
    summary="Caches, version control data, or traces of editors and desktops are in the folder.",
    why="They say something about the machine and nothing about the model; a published package on PyPI carries the "
    "whole .cache/huggingface of its download.",
    bad=".cache/huggingface/, .DS_Store, __pycache__/, README.md.orig",
    good="only what loads and documents the model",
    hint=_LEAVE_OUT,
    source="https://github.com/github/gitignore",
)
def cache_or_junk_left_in(folder: ModelFolder) -> Iterator[Problem]:
    """One finding for each file or directory as a whole."""
    yield from _leftovers(folder, LeftoverKind.JUNK)


@model_rules.rule(
    "FILE008",
    "symlinked-directory",
    Severity.ERROR,
    summary="A symlink leads to a directory, or in a circle.",
    why="Uploaders do not enter directories through symlinks, so what is behind it would silently be missing; a "
    "link to a parent makes other tools run for ever.",
    bad="onnx -> ../onnx-export, loop -> .",
    good="onnx/ is a directory",
    hint="put the directory in place of the link, or delete the link",
    source=_UPLOADS,
)
def symlinked_directory(folder: ModelFolder) -> Iterator[Problem]:
    """Every link to a directory inside the folder, and every loop."""
    for entry in _others(folder, EntryKind.DIRECTORY_SYMLINK, EntryKind.LOOPING_SYMLINK):
        noun = "in a circle" if entry.kind is EntryKind.LOOPING_SYMLINK else "to a directory"
        yield Problem(f"{entry.path} is a symlink {noun}: {entry.target}", path=entry.path)


@model_rules.rule(
    "FILE009",
    "unusable-name",
    Severity.ERROR,
    summary="A file name is not UTF-8 or holds control characters.",
    why="Git and the Hub's API carry paths as UTF-8 text; such a file cannot be committed, or cannot be downloaded "
    "again.",
    bad="a name with a line break in it",
    good="letters, digits, dots, hyphens and underscores",
    hint="rename it",
    source="https://huggingface.co/docs/huggingface_hub/guides/upload",
)
def unusable_name(folder: ModelFolder) -> Iterator[Problem]:
    """Every file or directory with such a name, shown with escapes."""
    for entry in _others(folder, EntryKind.UNUSABLE_NAME):
        yield Problem(f"{entry.path} has a name that cannot be published", path=entry.path)


def _others(folder: ModelFolder, *kinds: EntryKind) -> list[FileEntry]:
    return [entry for entry in folder.others if entry.kind in kinds and folder.leftover(entry.path) is None]


def _leftovers(folder: ModelFolder, kind: LeftoverKind) -> Iterator[Problem]:
    tops: dict[str, tuple[Leftover, int, int]] = {}
    for path, length in [*((entry.path, entry.size) for entry in folder.files), *((path, 0) for path in folder.pruned)]:
        found = folder.leftover(path)
        if found is not None and found.kind is kind:
            _, files, total = tops.get(found.top, (found, 0, 0))
            tops[found.top] = (found, files + (not path.endswith("/")), total + length)
    for top, (found, files, total) in tops.items():
        amount = f" ({counted(files, 'file')}, {size(total)})" if files > 1 else ""
        yield Problem(f"{top} is {found.what}{amount}: {found.reason}", path=top)
