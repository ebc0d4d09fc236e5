"""htseg evaluate: what goes in, what comes out, and what it says when it cannot."""

import json
import subprocess
import sys

import numpy as np
import pytest
import SimpleITK as sitk
from synthetic_results import make_rows, write_results

from HTSegmentationLib.cli import main


@pytest.fixture
def batches(tmp_path):
    """Folders of two methods."""
    return [write_results(tmp_path / method, make_rows(14, method=method, failed=0.1)) for method in ("adaptive", "global")]


def mask_folder(folder, shift):
    folder.mkdir()
    for number, name in enumerate(("a", "b")):
        array = np.zeros((4, 12, 12), np.uint8)
        array[1:3, 2 + shift : 7 + shift, 2 : 6 + number] = 1
        sitk.WriteImage(sitk.GetImageFromArray(array), str(folder / f"{name}.nii.gz"))
    return folder


def test_tables_are_printed_and_written(batches, tmp_path, capsys):
    out = tmp_path / "tables"
    assert main(["evaluate", str(batches[0]), "--compare", str(batches[1]), "--output", str(out)]) == 0
    words = capsys.readouterr().out
    assert "published, adaptive-threshold paper, Table 2" in words
    assert "Methods compared case by case" in words
    assert f"Tables written to {out}" in words
    assert (out / "performance.csv").read_text().startswith("method,group,")
    assert json.loads((out / "tables.json").read_text())["methods"][1]["name"] == "global"


def test_json_alone_goes_to_stdout(batches, capsys):
    assert main(["evaluate", str(batches[0]), "--json", "-"]) == 0
    stored = json.loads(capsys.readouterr().out)
    assert stored["tables"]["performance"]["rows"][0]["method"] == "adaptive"


def test_names_are_given_taken_from_methods_or_from_folders(batches, tmp_path, capsys):
    twin = write_results(tmp_path / "later", make_rows(14, seed=4))
    paths = [str(batches[0]), "--compare", str(twin), f"Mine={batches[1]}"]
    assert main(["evaluate", *paths, "--json", "-"]) == 0
    methods = json.loads(capsys.readouterr().out)["methods"]
    assert [method["name"] for method in methods] == ["adaptive", "later", "Mine"]


def test_masks_against_references_leave_results_that_can_be_evaluated_again(tmp_path, capsys):
    masks, truth = mask_folder(tmp_path / "masks", 1), mask_folder(tmp_path / "truth", 0)
    (tmp_path / "cohort.csv").write_text("case_id,image,ht_type\na,truth/a.nii.gz,ph2\nb,truth/b.nii.gz,HI2\n")
    out = tmp_path / "out"
    words = [
        "--masks",
        f"mine={masks}",
        "--references",
        str(truth),
        "--manifest",
        str(tmp_path / "cohort.csv"),
        "--jobs",
        "1",
    ]
    raters = ["--rater", f"R1={truth}", f"R2={masks}"]
    assert main(["evaluate", *words, *raters, "--output", str(out), "--json", "-"]) == 0
    first = json.loads(capsys.readouterr().out)
    assert [row["group"] for row in first["tables"]["performance"]["rows"]][:3] == ["Total", "HI2", "PH2"]
    assert first["tables"]["performance"]["rows"][0]["dice_mean"] == pytest.approx(0.8)
    assert first["tables"]["raters"]["rows"][0]["n"] == 2
    assert main(["evaluate", str(out), "--json", "-"]) == 0
    second = json.loads(capsys.readouterr().out)
    assert second["tables"]["performance"] == first["tables"]["performance"]


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        ([], 2, "give the RESULTS of a batch, or --masks with --references"),
        (["x", "--masks", "y", "--references", "z"], 2, "one of the two"),
        (["--masks", "y"], 2, "--masks and --references go together"),
        (["{0}", "--rois", "y"], 2, "--rois goes with --masks"),
        (["{0}", "--report", "r.docx"], 2, "reports are written as .html or .pdf"),
        (["{0}", "--rater", "{1}"], 2, "give each rater a name"),
        (["{0}", "--compare", "{0}"], 2, "called the same"),
        (["{0}", "--group-by", "site"], 2, "no table has the column"),
        (["none"], 1, "there is no such file or folder"),
        (["{0}", "--report", "none/r.html"], 1, "there is no folder none"),
    ],
)
def test_wrong_usage_is_told_in_one_line(batches, capsys, words, status, message):
    assert main(["evaluate", *(word.format(*batches) for word in words)]) == status
    said = capsys.readouterr()
    assert message in said.err
    assert len(said.err.splitlines()) == 1
    assert said.out == ""


def test_the_results_of_a_batch_are_never_overwritten(batches, tmp_path, capsys):
    masks, truth = mask_folder(tmp_path / "masks", 1), mask_folder(tmp_path / "truth", 0)
    before = (batches[0] / "results.csv").read_bytes()
    words = ["evaluate", "--masks", str(masks), "--references", str(truth), "--output", str(batches[0])]
    assert main(words) == 2
    assert "would be overwritten" in capsys.readouterr().err
    assert main(["evaluate", str(batches[0] / "results.csv"), "--json", str(batches[0] / "results.csv")]) == 2
    assert (batches[0] / "results.csv").read_bytes() == before


def test_help_answers_without_numpy():
    code = (
        "import sys, HTSegmentationLib.cli as cli\n"
        "try:\n    cli.main(['evaluate', '--help'])\nexcept SystemExit: pass\n"
        "print(sorted({'numpy', 'SimpleITK', 'matplotlib', 'jinja2', 'reportlab'} & set(sys.modules)), file=sys.stderr)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stderr.strip() == "[]"


def test_tables_need_no_package_of_the_report(batches):
    blocked = ("matplotlib", "jinja2", "reportlab", "pandas", "pyarrow")
    code = (
        f"import sys\nfor name in {blocked}: sys.modules[name] = None\n"
        f"import HTSegmentationLib.cli as cli\nsys.exit(cli.main(['evaluate', {str(batches[0])!r}]))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert "0.66 (0.17)" in run.stdout
