"""Parameters of a threshold method from and to JSON and TOML files."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

from HTSegmentationLib.errors import InputError, ParameterError, UsageError
from HTSegmentationLib.files import to_json, write_text
from HTSegmentationLib.threshold.parameters import ParameterTable

_LARGEST_FILE_BYTES = 1_000_000
"""A parameter file has some hundred bytes; anything this large is another file."""

_Parameters = TypeVar("_Parameters", bound=ParameterTable)


def load_parameters(path: str | Path, kind: type[_Parameters]) -> _Parameters:
    """Reads parameters; what the file does not name keeps its published value.

    Args:
        path: A ``.json`` or ``.toml`` file.
        kind: :class:`AdaptiveParameters`, :class:`GlobalParameters` or ``RobustParameters``.

    Raises:
        InputError: The file cannot be read, is no JSON or TOML, or holds a name or value that is not allowed.
        UsageError: The file's name ends in neither ``.json`` nor ``.toml``.

    Example:
        >>> load_parameters("site.toml", AdaptiveParameters)   # doctest: +SKIP
    """
    file = Path(path)
    is_toml = _is_toml(file)
    try:
        if file.stat().st_size > _LARGEST_FILE_BYTES:
            raise InputError(file, "it is too large for a parameter file", "check that it is the right file")
        text = file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(file, (error.strerror or str(error)).lower(), "check the name and the permissions") from error
    except UnicodeDecodeError as error:
        raise InputError(file, "it is not text", "give a JSON or TOML file") from error
    try:
        values = _parse_toml(text) if is_toml else json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(file, f"it is not {'TOML' if is_toml else 'JSON'}: {error}", "correct it there") from error
    if not isinstance(values, dict):
        raise InputError(file, "it holds no table of parameters", "write names and values, as in the documentation")
    try:
        return kind.from_dict(values)
    except ParameterError as error:
        raise InputError(file, str(error), "correct it in the file") from error


def save_parameters(path: str | Path, parameters: ParameterTable, comment: Sequence[str] = ()) -> None:
    """Writes parameters, whole or not at all.

    Args:
        path: Ends in ``.json`` or ``.toml``.
        parameters: The parameters.
        comment: Lines on top of the file, for people; TOML alone has room for them.

    Raises:
        OutputError: The file cannot be written.
        UsageError: The file's name ends in neither ``.json`` nor ``.toml``, or a comment goes with ``.json``.
    """
    file = Path(path)
    values = parameters.as_dict()
    if comment and not _is_toml(file):
        raise UsageError(f"{file}: JSON has no room for a comment; give a name that ends in .toml")
    header = "".join(f"# {line}\n" for line in comment) + ("\n" if comment else "")
    write_text(file, header + _toml(values) if _is_toml(file) else to_json(values))


def _is_toml(file: Path) -> bool:
    ending = file.suffix.lower()
    if ending not in (".json", ".toml"):
        raise UsageError(f"{file}: a parameter file ends in .json or .toml")
    return ending == ".toml"


def _parse_toml(text: str) -> dict[str, Any]:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    return tomllib.loads(text)


def _toml(values: dict[str, Any]) -> str:
    """Our own flat table as TOML: numbers and strings stand as in JSON; None is left out, as TOML has no word for it."""
    single = [f"{name} = {json.dumps(value)}" for name, value in values.items() if not isinstance(value, list | None)]
    tables = [
        f"\n[[{name}]]\n" + "\n".join(f"{key} = {json.dumps(item)}" for key, item in row.items() if item is not None)
        for name, rows in values.items()
        if isinstance(rows, list)
        for row in rows
    ]
    return "\n".join(single + tables) + "\n"
