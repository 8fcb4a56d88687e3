"""An inspection as text: a summary, then the tensors as a tree or a table, then the files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hubpub.core.wording import size
from hubpub.model.inspection import Inspection, Module
from hubpub.model.safetensors import Tensor
from hubpub.report.excerpt import printable
from hubpub.report.text import Style, plain

_MOST_FILES = 40


def render_inspection(inspection: Inspection, *, depth: int = 3, tensors: bool = False, style: Style = plain) -> str:
    """The inspection as text that ends in a newline.

    Args:
        inspection: what to show.
        depth: levels of modules to show.
        tensors: whether each tensor has a line of its own.
        style: colours.
    """
    blocks = [list(_summary(inspection, style))]
    if inspection.modules.parameters:
        rows = [("module", "parameters", "size", "dtype", "shape"), *_rows(inspection.modules, depth, "", tensors)]
        blocks.append(_table(rows, style))
    blocks.append(list(_files(inspection)))
    return "\n".join("".join(line.rstrip() + "\n" for line in block) for block in blocks)


def _summary(inspection: Inspection, style: Style) -> Iterator[str]:
    facts = inspection.facts
    named = ", ".join(facts["architectures"]) or "-"
    rows = [("kind", " ".join(filter(None, (facts["kind"], facts["model_type"]))))]
    rows.append(("architecture", named))
    if facts["parameters"]:
        by_dtype = ", ".join(f"{number:,} {dtype}" for dtype, number in facts["parameters_by_dtype"].items())
        rows.append(("parameters", f"{facts['parameters']:,} ({short(facts['parameters'])}): {by_dtype}"))
    rows.append(("weights", f"{', '.join(facts['weight_formats']) or 'none'}, {size(facts['weight_bytes'])}"))
    if inspection.memory:
        memory = ", ".join(f"{name} {size(needed)}" for name, needed in inspection.memory.items())
        rows.append(("memory", f"{memory} (parameters alone)"))
    tokens = f", {facts['vocabulary']:,} entries" if facts["vocabulary"] else ""
    rows.append(("tokenizer", (", ".join(facts["tokenizer_files"]) or "none") + tokens))
    for name, value in rows:
        yield f"{style(f'{name:<13}', 'cyan')} {printable(value)}"


def _rows(module: Module, depth: int, indent: str, tensors: bool) -> Iterator[tuple[str, str, str, str, str]]:
    for child in module.children.values():
        name = f"{indent}{child.name}{f'  x {child.repeats}' if child.repeats > 1 else ''}"
        yield name, short(child.parameters), size(child.bytes), _dtypes(child), ""
        if depth > 1:
            yield from _rows(child, depth - 1, indent + "  ", tensors)
    if tensors:
        yield from (_tensor(indent + name, tensor) for name, tensor in module.tensors.items())


def _tensor(name: str, tensor: Tensor) -> tuple[str, str, str, str, str]:
    shape = " x ".join(map(str, tensor.shape)) or "scalar"
    return name, short(tensor.elements), size(tensor.end - tensor.begin), tensor.dtype, shape


def _dtypes(module: Module) -> str:
    names = " ".join(sorted(module.dtypes))
    return names if len(module.dtypes) == 1 else f"{names} ({module.bits:.1f} bits)"


def _table(rows: Sequence[tuple[str, ...]], style: Style) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = []
    for number, row in enumerate(rows):
        name, *rest = (printable(cell) for cell in row)
        right = "  ".join(cell.rjust(width) for cell, width in zip(rest[:2], widths[1:3], strict=True))
        left = "  ".join(cell.ljust(width) for cell, width in zip(rest[2:], widths[3:], strict=True))
        line = f"{name.ljust(widths[0])}  {right}  {left}"
        lines.append(style(line, "cyan") if number == 0 else line)
    return lines


def _files(inspection: Inspection) -> Iterator[str]:
    total = sum(length for _, length in inspection.files)
    yield f"{len(inspection.files):,} files, {size(total)}"
    largest = sorted(inspection.files, key=lambda file: (-file[1], file[0]))[:_MOST_FILES]
    for path, length in largest:
        yield f"{size(length):>10}  {printable(path)}"
    if len(inspection.files) > len(largest):
        yield f"{'':>10}  and {len(inspection.files) - len(largest):,} smaller ones"
    if inspection.left_out:
        yield f"left out of a release: {printable(', '.join(inspection.left_out[:10]))}"


def short(number: int) -> str:
    """As people say it: 22.7M, 8.03B."""
    for unit, least in (("T", 10**12), ("B", 10**9), ("M", 10**6), ("K", 10**3)):
        if number >= least:
            return f"{number / least:.3g}{unit}"
    return str(number)
