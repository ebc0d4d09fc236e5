"""What 3D Slicer builds and installs is what lies in this repository, and its index can read what it says of itself."""

import json
import os
import re
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULE, LIBRARY = ROOT / "HTSegmentation", ROOT / "HTSegmentationLib"
INSTALLED = "lib/Slicer-0.0/qt-scripted-modules"


def without_comments(cmake_file):
    return re.sub(r"#.*", "", cmake_file.read_text(encoding="utf-8"))


def listed(cmake_file, variable):
    """The entries of a list in a CMake file."""
    found = re.findall(rf"set\({variable}\s+([^)]*)\)", without_comments(cmake_file))
    assert len(found) == 1, f"{cmake_file} sets {variable} {len(found)} times"
    return found[0].split()


def on_disk(folder, pattern="*"):
    """Paths, relative to the folder, of the files that belong into it."""
    files = (path for path in folder.rglob(pattern) if path.is_file() and "__pycache__" not in path.parts)
    return {path.relative_to(folder).as_posix() for path in files} - {"CMakeLists.txt"}


def extension_value(name):
    """What the extension says of itself, read as the index of extensions reads it: as text, in quotes, on one line."""
    found = re.findall(rf'set\s*\(EXTENSION_{name}\s*"([^"]+)"\)', (ROOT / "CMakeLists.txt").read_text(encoding="utf-8"))
    assert len(found) == 1, f"EXTENSION_{name} is not one text in quotes"
    return found[0]


def local_file(url):
    """The file of this repository that a raw address stands for."""
    base = extension_value("HOMEPAGE").replace("github.com", "raw.githubusercontent.com")
    assert url.startswith(f"{base}/main/"), f"{url} is not on the main branch of this repository"
    return ROOT / url.removeprefix(f"{base}/main/")


def tool(name):
    """A program of this environment or of the system."""
    return shutil.which(name, path=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]))


@pytest.mark.parametrize(
    ("folder", "variable", "pattern"),
    [
        (MODULE, "MODULE_PYTHON_SCRIPTS", "*.py"),
        (LIBRARY, "HTSegmentationLib_PYTHON_SCRIPTS", "*.py"),
        (MODULE, "MODULE_PYTHON_RESOURCES", "*"),
        (LIBRARY, "HTSegmentationLib_PYTHON_RESOURCES", "*"),
    ],
)
def test_every_file_is_listed_and_every_listed_file_is_there(folder, variable, pattern):
    entries = listed(folder / "CMakeLists.txt", variable)
    there = on_disk(folder, pattern)
    if pattern == "*":
        there = {name for name in there if not name.endswith(".py")}
    assert sorted(there - set(entries)) == [], f"not listed in {folder.name}/CMakeLists.txt, so not installed"
    assert sorted(set(entries) - there) == [], f"listed in {folder.name}/CMakeLists.txt, but not there"
    assert len(entries) == len(set(entries))


def test_slicer_finds_one_module_beside_which_no_python_file_lies():
    # Slicer takes each Python file of a module folder for a module, and complains of those that are none.
    assert [path.name for path in MODULE.glob("*.py")] == ["HTSegmentation.py"]


def test_the_description_for_the_index_names_this_project():
    files = list(ROOT.glob("*.json"))
    assert len(files) == 1
    description = json.loads(files[0].read_text(encoding="utf-8"))
    project = re.search(r"project\s*\(\s*([^\s)]+)", (ROOT / "CMakeLists.txt").read_text(encoding="utf-8"))
    assert files[0].stem == project[1] == "HTSegmentation"
    assert b"\r" not in files[0].read_bytes()
    known = {"$schema", "build_dependencies", "build_subdirectory", "category", "scm_revision", "scm_url", "tier"}
    assert set(description) == known
    assert description["category"] == extension_value("CATEGORY") == "Segmentation"
    assert description["scm_url"] == extension_value("HOMEPAGE") + ".git"
    # The index refuses repositories whose name does not tell that they are for Slicer.
    assert "slicer" in description["scm_url"].rsplit("/", 1)[-1].lower()


def test_the_extension_describes_itself_in_one_sentence_and_needs_no_other():
    assert extension_value("DESCRIPTION").count(".") == 1
    assert extension_value("DESCRIPTION").endswith(".")
    assert extension_value("DEPENDS") == "NA"


def test_icons_are_square_pictures_of_128_pixels():
    extension_icon = local_file(extension_value("ICONURL"))
    for icon in (extension_icon, MODULE / "Resources" / "Icons" / "HTSegmentation.png"):
        content = icon.read_bytes()
        assert content.startswith(b"\x89PNG\r\n\x1a\n"), f"{icon} is no PNG"
        assert struct.unpack(">II", content[16:24]) == (128, 128), f"{icon} has another size"
    assert (MODULE / "Resources" / "Icons" / "HTSegmentation.svg").read_text(encoding="utf-8").startswith("<svg")


def test_screenshots_of_the_extension_are_there():
    for url in extension_value("SCREENSHOTURLS").split():
        assert local_file(url).is_file(), f"{url} will not be found"


def test_the_licence_lies_where_the_index_looks_for_it():
    assert "Apache License" in (ROOT / "LICENSE").read_text(encoding="utf-8")[:200]


@pytest.fixture(scope="module")
def build(tmp_path_factory):
    """The build tree and the installed tree that CMake makes, with stand-ins for Slicer's own commands."""
    cmake, ninja = tool("cmake"), tool("ninja")
    if cmake is None or ninja is None:
        reason = "cmake and ninja are needed to try the CMake files: pip install cmake ninja"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    folder = tmp_path_factory.mktemp("cmake")
    # Nothing is compiled, so any program will do as compiler.
    compilers = [f"-DCMAKE_{language}_COMPILER{rest}" for language in ("C", "CXX") for rest in (f"={cmake}", "_FORCED=1")]
    compilers += ["-DCMAKE_C_COMPILER_ID_RUN=1", "-DCMAKE_CXX_COMPILER_ID_RUN=1"]
    slicer = f"-DSlicer_DIR={ROOT / 'Testing' / 'CMake' / 'FakeSlicer'}"
    for command in (
        [cmake, "-S", ROOT, "-B", folder / "build", "-G", "Ninja", f"-DCMAKE_MAKE_PROGRAM={ninja}", slicer, *compilers],
        [cmake, "--install", folder / "build", "--prefix", folder / "installed"],
    ):
        run = subprocess.run(command, capture_output=True, text=True, check=False)
        assert run.returncode == 0, run.stdout + run.stderr
        assert "Warning" not in run.stderr, run.stderr
    return folder


@pytest.mark.parametrize("tree", ["build", "installed"])
def test_cmake_puts_library_module_and_resources_side_by_side(build, tree):
    there = on_disk(build / tree / INSTALLED)
    wanted = on_disk(MODULE) | {f"HTSegmentationLib/{name}" for name in on_disk(LIBRARY)}
    assert there == wanted


def test_the_installed_library_works_from_where_cmake_puts_it(build):
    folder = build / "installed" / INSTALLED
    code = f"import sys; sys.path.insert(0, {str(folder)!r}); import HTSegmentationLib.cli as cli; print(cli.__file__); "
    command = [sys.executable, "-I", "-c", code + "cli.main(['--version'])"]
    run = subprocess.run(command, capture_output=True, text=True, check=False, cwd=build)
    assert run.returncode == 0, run.stderr
    assert str(folder) in run.stdout
    assert "htseg" in run.stdout


def test_cmake_registers_the_self_tests_and_the_batch_test(build):
    tests = (build / "build" / "tests.txt").read_text().split("\n")
    assert tests[:-1] == [
        f"unittest {(MODULE / 'HTSegmentation.py').as_posix()}",
        f"script {(ROOT / 'Testing' / 'Slicer' / 'BatchInSlicer.py').as_posix()}",
    ]


def test_cmake_packages_the_extension_under_its_name(build):
    assert (build / "build" / "packaged.txt").read_text().strip() == "HTSegmentation"
