"""The house rules that a test can hold."""

import ast
import subprocess
import sys
from pathlib import Path

import HTSegmentationLib

LIBRARY = Path(HTSegmentationLib.__file__).parent
MODULE = Path(__file__).parents[2] / "HTSegmentation"
ROOMS = [
    "version",
    "errors",
    "remark",
    "progress",
    "files",
    "machine",
    "ct",
    "roi",
    "segmenter",
    "measure",
    "threshold",
    "networks",
    "inference",
    "suggest",
    "methods",
    "simulate",
    "export",
    "cohort",
    "training",
    "commands",
    "cli",
]
FORBIDDEN = {"slicer", "qt", "vtk", "ctk", "vtkmodules", "PythonQt"}
ONLY_WHERE_USED = {
    "torch",
    "monai",
    "nnunetv2",
    "pydicom",
    "matplotlib",
    "dask",
    "distributed",
    "pandas",
    "jinja2",
    "safetensors",
    "reportlab",
    "pyarrow",
}


FOR_NNUNET = LIBRARY / "training" / "nnunet" / "trainers"
"""nnU-Net imports what lies there in a process of its own; nothing here does."""


def imports(file):
    """(module, whether at file scope) of every import in a file."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names = [node.module]
        for name in names:
            yield name, node.col_offset == 0


def room(file):
    return file.relative_to(LIBRARY).parts[0].removesuffix(".py")


def library_files():
    files = sorted(LIBRARY.rglob("*.py"))
    assert len(files) > 20
    return files


def test_the_library_knows_nothing_of_slicer_and_qt():
    for file in library_files():
        for name, _ in imports(file):
            assert name.split(".")[0] not in FORBIDDEN, f"{file} imports {name}"


def test_slow_and_optional_packages_are_imported_where_they_are_used():
    for file in library_files():
        for name, at_file_scope in imports(file):
            optional = name.split(".")[0] in ONLY_WHERE_USED and FOR_NNUNET not in file.parents
            assert not (optional and at_file_scope), f"{file} imports {name} at its top"
            assert "nnunet.trainers." not in name or FOR_NNUNET in file.parents, f"{file} imports nnU-Net's own"


def test_a_room_imports_only_rooms_to_its_left():
    for file in library_files():
        own = room(file)
        if own in ("__init__", "__main__"):
            continue
        for name, _ in imports(file):
            parts = name.split(".")
            if parts[0] == "HTSegmentationLib" and len(parts) > 1 and parts[1] != own:
                assert ROOMS.index(parts[1]) < ROOMS.index(own), f"{file} imports {name}"


def test_help_answers_without_numpy_or_simpleitk():
    code = (
        "import sys, HTSegmentationLib.cli as cli\n"
        "try:\n    cli.main(['segment', '--help'])\nexcept SystemExit: pass\n"
        "print(sorted({'numpy', 'SimpleITK', 'scipy', 'pydicom'} & set(sys.modules)), file=sys.stderr)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stderr.strip() == "[]"


def test_no_array_view_outlives_its_image():
    """A view does not keep its image alive: of an image without a name, it shows freed memory."""
    for file in [*library_files(), *sorted(MODULE.rglob("*.py"))]:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "GetArrayViewFromImage":
                assert isinstance(node.args[0], ast.Name | ast.Attribute), f"{file}, line {node.lineno}"


def test_no_file_is_longer_than_a_reader_bears():
    long = {
        str(file): count for file in library_files() if (count := len(file.read_text(encoding="utf-8").splitlines())) > 300
    }
    assert not long
