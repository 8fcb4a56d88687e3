"""WEIGHT: the formats of other libraries, and files in pieces."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from hubpub.core.findings import Problem, Severity
from hubpub.core.report import Skip
from hubpub.core.wording import counted, listed
from hubpub.model.folder import ModelFolder
from hubpub.model.series import find_pieces, tensorflow_data
from hubpub.rules.registry import model_rules
from hubpub.rules.wording import malformed

_SAVED_MODEL_READ = 4 << 20

# How a file of the format begins, and at which byte.
_MAGIC = {
    "tflite": (b"TFL3", 4),
    "numpy": (b"PK", 0),
}


@model_rules.rule(
    "WEIGHT049",
    "keras-code",
    Severity.WARNING,
    summary="A Keras model carries code that runs when it is loaded.",
    why="A Lambda layer holds Python byte code: Keras 3 refuses to load it unless safe_mode is switched off, older "
    "versions run it without asking, and byte code of one version of Python crashes in another.",
    bad="keras.layers.Lambda(lambda t: t * 2)",
    good="a layer of its own class, registered with keras.saving.register_keras_serializable",
    hint="replace the Lambda layer by a layer of its own class and save the model again",
    source="https://keras.io/api/layers/core_layers/lambda/",
)
def keras_code(folder: ModelFolder) -> Iterator[Problem | Skip]:
    """Each layer with code, and each object of a module that runs commands, which is an error."""
    for path, file in folder.keras.items():
        if file.unseen is not None:
            yield Skip(f"WEIGHT049 on {path}", file.unseen)
        hostile = [code for code in file.code if code.hostile]
        if hostile:
            names = listed([f"{code.what} with {code.hostile}" for code in hostile])
            yield Problem(f"{path} runs {names} when it is loaded", path=path, severity=Severity.ERROR)
        elif file.code:
            names = listed([code.what for code in file.code])
            yield Problem(f"{path} runs the code of {names} when it is loaded", path=path)


@model_rules.rule(
    "WEIGHT050",
    "weights-not-the-format",
    Severity.ERROR,
    summary="A weight file of Keras, Flax, TFLite or NumPy is empty, cut short, or holds something else.",
    why="It cannot be loaded. A download that failed leaves an error page or an empty file under the right name.",
    bad="tf_model.h5 that holds the HTML of an error page",
    good="tf_model.h5 that begins with the signature of HDF5",
    hint="save or copy the file again, and compare its size",
    source="https://support.hdfgroup.org/documentation/hdf5/latest/_f_m_t3.html",
)
def weights_not_the_format(folder: ModelFolder) -> Iterator[Problem]:
    """Every such file, by its first bytes."""
    for path, file in folder.keras.items():
        yield from malformed(path, file.problems)
    for name in ("flax", "tflite", "numpy", "tensorflow", "coreml", "nemo"):
        magic, at = _MAGIC.get(name, (b"", 0))
        for path in folder.weight_files(name):
            begin = folder.start(path)
            if not begin:
                yield Problem(f"{path} has 0 bytes", path=path)
            elif not begin[at:].startswith(magic):
                yield Problem(f"{path} does not begin as {name} weights do", path=path)


@model_rules.rule(
    "WEIGHT051",
    "tensorflow-incomplete",
    Severity.ERROR,
    summary="Files of a TensorFlow checkpoint or SavedModel are missing.",
    why="The variables of a SavedModel are in variables.index and its data files; it does not load without.",
    bad="saved_model.pb and variables/variables.index without variables.data-00000-of-00001",
    good="all three",
    hint="copy the whole folder that was saved",
    source="https://www.tensorflow.org/guide/saved_model#the_savedmodel_format_on_disk",
)
def tensorflow_incomplete(folder: ModelFolder) -> Iterator[Problem]:
    """Each series of data files with gaps or without an index, and each index or SavedModel without data."""
    names = {entry.path for entry in folder.files}
    stems = set()
    for data in tensorflow_data(folder.release_files):
        stems.add(data.stem)
        missing = data.missing(3)
        if data.stem + ".index" not in names:
            missing = [data.stem + ".index", *missing]
        if missing:
            yield Problem(f"{listed(missing)} missing beside {data.stem}.data", path=missing[0])
    for entry in folder.release_files:
        directory, name = entry.path.removesuffix(entry.name), entry.name
        if entry.path in folder.lfs_pointers:
            continue
        if name == "variables.index" and entry.path.removesuffix(".index") not in stems:
            yield Problem(f"{entry.path} has no variables.data file beside it", path=entry.path)
        elif name == "saved_model.pb" and f"{directory}variables/variables.index" not in names:
            needs = b"VarHandleOp" in folder.start(entry.path, _SAVED_MODEL_READ)
            if needs and f"{directory}variables/variables" not in stems:
                yield Problem(f"{entry.path} has variables, but no variables/ beside it", path=entry.path)


@model_rules.rule(
    "WEIGHT052",
    "openvino-incomplete",
    Severity.ERROR,
    summary="An OpenVINO model lacks its .bin or .xml, or they do not fit each other.",
    why="The .xml says where in the .bin each tensor is; OpenVINO reads nothing without the other, or past its end.",
    bad="openvino_model.xml without openvino_model.bin",
    good="both, as they were exported",
    hint="export the model again and publish both files",
    source="https://docs.openvino.ai/2025/documentation/openvino-ir-format.html",
)
def openvino_incomplete(folder: ModelFolder) -> Iterator[Problem | Skip]:
    """Each .xml that is a model of OpenVINO, and each openvino_*.bin."""
    if not any(entry.suffix == ".xml" or entry.name.startswith("openvino_") for entry in folder.release_files):
        return
    from hubpub.model.openvino import is_openvino

    for entry in folder.release_files:
        stem = entry.path.removesuffix(entry.suffix)
        if entry.path in folder.lfs_pointers:
            continue
        if entry.suffix == ".bin" and entry.name.startswith("openvino_"):
            if folder.entry(stem + ".xml") is None:
                yield Problem(f"{entry.path} has no {stem}.xml beside it", path=entry.path)
        elif entry.suffix == ".xml" and is_openvino(folder.start(entry.path)):
            yield from _openvino(folder, entry.path, stem + ".bin")


def _openvino(folder: ModelFolder, path: str, data: str) -> Iterator[Problem | Skip]:
    from hubpub.model.openvino import read_openvino

    found = read_openvino(partial(folder.open_file, path))
    entry = folder.entry(data)
    if found.unseen is not None:
        yield Skip(f"WEIGHT052 on {path}", found.unseen)
    elif not found.whole:
        yield Problem(f"{path} is cut short: it does not end with </net>", path=path)
    elif entry is None:
        if found.needed:
            yield Problem(f"{path} needs {found.needed:,} bytes of {data}, which is not in the folder", path=path)
    elif entry.size < found.needed and data not in folder.lfs_pointers:
        yield Problem(f"{path} needs {found.needed:,} bytes of {data}, which has {entry.size:,}", path=path)


@model_rules.rule(
    "WEIGHT053",
    "ctranslate2-malformed",
    Severity.ERROR,
    summary="A model.bin of CTranslate2 is cut short.",
    why="CTranslate2, and faster-whisper with it, refuses to load it.",
    bad="model.bin of which a copy stopped halfway",
    good="every variable that its head promises, to the last byte",
    hint="convert or copy the model again, and compare its size",
    source="https://opennmt.net/CTranslate2/conversion.html",
)
def ctranslate2_malformed(folder: ModelFolder) -> Iterator[Problem]:
    """Each model.bin of CTranslate2, by walking over its variables."""
    if "ctranslate2" not in folder.weights.files:
        return
    from hubpub.model.ctranslate2 import read_ctranslate2

    for path in folder.weight_files("ctranslate2"):
        found = read_ctranslate2(partial(folder.open_file, path))
        if found.spec.endswith("Spec"):  # else it is another format that begins with a small number
            yield from malformed(path, found.problems)


@model_rules.rule(
    "WEIGHT054",
    "file-in-pieces",
    Severity.ERROR,
    summary="A file was cut into pieces, which nothing can load.",
    why="Libraries look for the whole file. The Hub takes files of up to 50 GB in one piece, and every format has "
    "shards of its own for larger ones.",
    bad="model.safetensors.part-aa, model.safetensors.part-ab",
    good="model.safetensors, or shards with an index",
    hint="join them first: cat model.safetensors.part-* > model.safetensors; for more than 50 GB save shards",
    source="https://huggingface.co/docs/hub/storage-limits#repository-limitations-and-recommendations",
)
def file_in_pieces(folder: ModelFolder) -> Iterator[Problem]:
    """One finding for each file in pieces; beside the whole file they are only left over."""
    for pieces in find_pieces(folder.release_files):
        what = f"{pieces.paths[0]} is one of {counted(len(pieces.paths), 'piece')} of"
        if len(pieces.paths) == 1:
            what = f"{pieces.paths[0]} is a piece of"
        if pieces.whole is not None and folder.entry(pieces.whole) is not None:
            yield Problem(
                f"{what} {pieces.whole}, which is there as a whole",
                path=pieces.paths[0],
                hint="delete the pieces",
                severity=Severity.WARNING,
            )
        else:
            yield Problem(f"{what} {pieces.whole or 'one file'}: they must be joined first", path=pieces.paths[0])
