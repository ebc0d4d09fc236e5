"""Lists, shows, installs, verifies and removes the models of networks."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from HTSegmentationLib.inference.models.store import InstalledModel

HELP = "list, install and verify models"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the command's own arguments."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    actions.add_parser("list", help="the installed models")
    show = actions.add_parser("show", help="everything that a model says of itself")
    show.add_argument("name", metavar="NAME")
    install = actions.add_parser("install", help="install a model")
    install.add_argument(
        "source",
        metavar="FOLDER_OR_ARCHIVE",
        help="a model folder, a folder that nnU-Net trained, a MONAI Bundle, a zip or tar.gz of one, or an https address",
    )
    install.add_argument("--sha256", metavar="HEX", help="SHA-256 of the archive; needed with an address")
    install.add_argument("--name", metavar="NAME", help="name of an nnU-Net model or a MONAI Bundle")
    blast_ct = actions.add_parser("import-blast-ct", help="install BLAST-CT from the folder that its authors publish")
    blast_ct.add_argument("folder", metavar="FOLDER", help="the folder with config.json and model_1.pt to model_3.pt")
    blast_ct.add_argument("--models", type=_numbers, default=(1, 2, 3), metavar="1,2,3", help="which of them to average")
    for action in (install, blast_ct):
        action.add_argument("--force", action="store_true", help="replace an installed model of the same name")
    verify = actions.add_parser("verify", help="check weights and architecture")
    verify.add_argument("name", metavar="NAME", nargs="?", help="all models when left out")
    remove = actions.add_parser("remove", help="remove a model")
    remove.add_argument("name", metavar="NAME")
    for action in actions.choices.values():
        action.add_argument("--json", metavar="FILE", help="the result as JSON; - for stdout instead of words")
        # The same flag stands before the action; without a default of its own it keeps what was said there.
        action.add_argument("--debug", action="store_true", default=argparse.SUPPRESS, help=argparse.SUPPRESS)


def run(options: argparse.Namespace) -> int:
    """Runs the command; 1 when a verified model is damaged."""
    from HTSegmentationLib.commands.console import deliver
    from HTSegmentationLib.files import require_writable

    if options.json not in (None, "-"):
        require_writable(options.json)
    actions = {"list": _list, "show": _show, "verify": _verify, "remove": _remove}
    record, words = actions.get(options.action, _install)(options)
    deliver(record, words, options.json)
    return int(not record.get("sound", True))


def _list(options: argparse.Namespace) -> tuple[dict[str, Any], list[str]]:  # noqa: ARG001
    from HTSegmentationLib.inference.models.place import models_folder
    from HTSegmentationLib.inference.models.store import installed_models

    entries = installed_models()
    words = _columns([(entry.name, _title(entry) + ", comes with HTSegmentation" * entry.bundled) for entry in entries])
    own = sum(not entry.bundled for entry in entries)
    words += ["", f"{own or 'No'} model{'' if own == 1 else 's'} in {models_folder()}"]
    return {"folder": str(models_folder()), "models": [_record(entry) for entry in entries]}, words


def _show(options: argparse.Namespace) -> tuple[dict[str, Any], list[str]]:
    entry = _installed(options.name)
    if entry.model is None:
        return _record(entry), _columns([(entry.name, _title(entry))])
    description = entry.model.description
    labels = ", ".join(f"{label.value} {label.name}" for label in description.labels)
    network = description.nnunet.configuration if description.nnunet else description.architecture.name
    lines = {
        "Model": f"{description.title}, version {description.version}",
        "Method": entry.name,
        "Network": f"{network}, {len(description.weights)} file{'' if len(description.weights) == 1 else 's'} of weights",
        "Labels": labels,
        "Intended use": description.intended_use,
        "Warning": description.warning,
        "Licence": description.licence,
        "Citation": description.citation,
        "Folder": str(entry.folder),
    }
    words = _columns([(name, text) for name, text in lines.items() if text])
    return _record(entry) | {"description": description.as_dict()}, words


def _install(options: argparse.Namespace) -> tuple[dict[str, Any], list[str]]:
    from HTSegmentationLib.commands.console import ProgressLine
    from HTSegmentationLib.commands.words import remark_lines
    from HTSegmentationLib.inference.models.install import import_blast_ct, install

    progress = ProgressLine()
    try:
        if options.action == "install":
            how = {"sha256": options.sha256, "name": options.name, "force": options.force}
            entry = install(options.source, **how, progress=progress)
        else:
            entry = import_blast_ct(options.folder, options.models, force=options.force, progress=progress)
    finally:
        progress.clear()
    words = [f"{_title(entry)} is installed as {entry.name} in {entry.folder}"]
    words += [f"Use it by: htseg segment CT --method {entry.name} --output MASK", *remark_lines(entry.remarks)]
    return _record(entry), words


def _verify(options: argparse.Namespace) -> tuple[dict[str, Any], list[str]]:
    from HTSegmentationLib.commands.words import remark_lines
    from HTSegmentationLib.errors import HTSegError
    from HTSegmentationLib.inference.models.folder import verify_model
    from HTSegmentationLib.inference.models.store import installed_models

    entries = installed_models() if options.name is None else [_installed(options.name)]
    records, rows, said = [], [], ()
    for entry in entries:
        fault, remarks = entry.fault, ()
        if entry.model is not None:
            try:
                remarks = verify_model(entry.model)
            except HTSegError as error:
                fault = str(error)
        records.append(_record(entry) | {"fault": fault, "remarks": [remark.as_dict() for remark in remarks]})
        rows.append((entry.name, f"damaged: {fault}" if fault else "all weights are as they were"))
        said = remarks or said
    words = [*_columns(rows), *remark_lines(said)] or ["No model is installed."]
    return {"sound": not any(record["fault"] for record in records), "models": records}, words


def _remove(options: argparse.Namespace) -> tuple[dict[str, Any], list[str]]:
    from HTSegmentationLib.inference.models.store import remove_model

    folder = remove_model(options.name)
    return {"removed": str(folder)}, [f"{folder} is removed"]


def _installed(name: str) -> InstalledModel:
    from HTSegmentationLib.errors import UsageError
    from HTSegmentationLib.inference.models.store import installed_models

    entries = {entry.name: entry for entry in installed_models()}
    if name not in entries:
        raise UsageError(f"no model {name!r} is installed; installed are {', '.join(entries) or 'none'}")
    return entries[name]


def _columns(rows: list[tuple[str, str]]) -> list[str]:
    """Names and texts in columns; names of models may be longer than those of measurements."""
    width = max((len(name) for name, _ in rows), default=0) + 2
    return [f"{name:<{width}}{text}" for name, text in rows]


def _title(entry: InstalledModel) -> str:
    return f"damaged: {entry.fault}" if entry.model is None else entry.model.description.title


def _record(entry: InstalledModel) -> dict[str, Any]:
    record: dict[str, Any] = {"name": entry.name, "folder": str(entry.folder), "fault": entry.fault}
    record["bundled"] = entry.bundled
    if entry.model is not None:
        description = entry.model.description
        record |= {"title": description.title, "kind": description.kind, "version": description.version}
    return record | {"remarks": [remark.as_dict() for remark in entry.remarks]}


def _numbers(text: str) -> tuple[int, ...]:
    words = text.split(",")
    if not all(word.isdecimal() and word in ("1", "2", "3") for word in words) or len(set(words)) != len(words):
        raise argparse.ArgumentTypeError(f"{text!r} must be some of 1, 2 and 3, each once, as 1,3")
    return tuple(map(int, words))
