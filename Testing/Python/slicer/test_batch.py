"""The batch: its words, its table of cases, and cases on real MRML, one of which cannot be done."""

import csv
import io
import json
import types

import numpy as np
import pytest
import SimpleITK as sitk

from HTSegmentationLib.threshold.parameter_files import save_parameters
from HTSegmentationLib.threshold.robust.parameters import RobustParameters

from ..phantom import as_scan, box_roi

BOX = "5,45,-10,30,-12,22"


def arguments(*words):
    from HTSegmentationModule.batch.arguments import parse

    return parse([str(word) for word in words])


def cases_of(text, tmp_path, name="cases.csv", encoding="utf-8"):
    from HTSegmentationModule.batch.cases import readCases

    file = tmp_path / name
    file.write_bytes(text.encode(encoding))
    return readCases(file)


def write_image(path, image):
    sitk.WriteImage(image, str(path))
    return path


class StorageFiles:
    """Reads and writes with MRML's own storage nodes, as Slicer's readers do; no application is needed."""

    def __init__(self, slicer, scene):
        self.slicer, self.scene = slicer, scene
        self.scenes = []

    def read(self, node, storage, path):
        storage = self.scene.AddNode(storage)
        storage.SetFileName(str(path))
        assert storage.ReadData(node)
        return node

    def volume(self, path, name):
        from HTSegmentationModule.batch.files import requireHeader

        requireHeader(path)
        node = self.scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", name)
        return self.read(node, self.slicer.vtkMRMLVolumeArchetypeStorageNode(), path)

    def markups(self, path):
        from HTSegmentationModule.batch.files import requireFile

        requireFile(path)
        node = self.scene.AddNewNodeByClass("vtkMRMLMarkupsROINode", "R")
        return [self.read(node, self.slicer.vtkMRMLMarkupsROIJsonStorageNode(), path)]

    def saveSegmentation(self, node, path):
        from HTSegmentationModule.batch.files import whole

        with whole(path) as temporary:
            storage = self.scene.AddNode(self.slicer.vtkMRMLSegmentationStorageNode())
            storage.SetFileName(str(temporary))
            assert storage.WriteData(node)

    def saveScene(self, path):
        self.scenes.append(path)
        path.write_text("scene")


@pytest.fixture
def batchLogic(logic, parameters):
    """The logic with a parameter node that needs no application; as in Slicer, a cleared scene leaves it empty."""
    logic.getParameterNode = parameters
    return logic


@pytest.fixture
def run(slicer, scene, batchLogic):
    """Runs a batch; gives exit status, standard output, standard error, rows of the table, files."""
    from HTSegmentationModule.batch.one_case import OneCase
    from HTSegmentationModule.batch.run import runCases

    def runWords(*words):
        batch = arguments(*words)
        if batch.folder:
            batch.folder.mkdir(exist_ok=True)
        files = StorageFiles(slicer, scene)
        out, err = io.StringIO(), io.StringIO()
        status = runCases(batch, OneCase(batch, batchLogic, files), out=out, err=err)
        rows = []
        if batch.table:
            with batch.table.open(encoding="utf-8", newline="") as table:
                rows = list(csv.DictReader(table))
        return types.SimpleNamespace(
            status=status, out=out.getvalue().splitlines(), err=err.getvalue().splitlines(), rows=rows, files=files
        )

    return runWords


@pytest.fixture
def data(tmp_path, phantom, slicer, scene, addBox):
    """A folder with a scan, its truth, and one ROI as box, as mask and drawn in Slicer."""
    array, bleed = phantom
    scan = as_scan(array)
    write_image(tmp_path / "head.nrrd", scan.image)
    truth = sitk.GetImageFromArray(bleed.astype(np.uint8))
    truth.CopyInformation(scan.image)
    write_image(tmp_path / "truth.nii.gz", truth)
    write_image(tmp_path / "roi.nii.gz", box_roi(scan).on_grid(scan.image))
    storage = slicer.vtkMRMLMarkupsROIJsonStorageNode()
    storage.SetFileName(str(tmp_path / "R.mrk.json"))
    assert storage.WriteData(addBox())
    scene.Clear(0)
    (tmp_path / "broken.nrrd").write_text("NRRD0004\n")
    return tmp_path


# The words


def test_one_case_is_asked_for_as_from_htseg_segment(tmp_path):
    words = ("head.nrrd", "--roi-box", "-10,50,-20,40,30,80", "--method", "global", "--assume-hu", "--scene")
    batch = arguments(*words, "--output", tmp_path / "bleed.seg.nrrd")
    ((case, outputs),) = batch.cases
    assert case.box == (-10, 50, -20, 40, 30, 80)
    assert (batch.method, batch.assumeHU, batch.table) == ("global", True, None)
    assert (outputs.mask, outputs.scene) == (tmp_path / "bleed.seg.nrrd", tmp_path / "bleed.mrb")


def test_the_dashes_that_keep_slicer_from_reading_on_are_skipped(tmp_path):
    batch = arguments("--", "head.nrrd", "--roi", "R.mrk.json", "--output", tmp_path / "a.nii.gz")
    assert batch.cases[0][0].rois == ("R.mrk.json",)


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("head.nrrd",),
        ("head.nrrd", "--roi", "r.nrrd"),
        ("head.nrrd", "--roi", "r.nrrd", "--output", "a.nrrd", "--nonsense"),
        ("--cases", "cases.csv", "head.nrrd", "more.nrrd", "--output-dir", "out"),
    ],
)
def test_wrong_words_end_with_status_2_and_usage(words, capsys):
    with pytest.raises(SystemExit) as leave:
        arguments(*words)
    assert leave.value.code == 2
    assert "usage: Slicer --no-main-window --python-script HTSegmentationBatch.py" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("head.nrrd", "--output", "a.nrrd"), "give the region of interest by --roi or by --roi-box"),
        (("head.nrrd", "--roi", "r.nrrd", "--roi-box", BOX, "--output", "a.nrrd"), "one of the two"),
        (("head.nrrd", "--roi-box", BOX, "--roi-slices", "1-3", "--output", "a.nrrd"), "--roi-slices goes with"),
        (("head.nrrd", "--roi", "r.nrrd", "--output", "a.png"), "a.png"),
        (("head.nrrd", "--roi", "r.nrrd", "--output", "head.nrrd"), "it is an input"),
        (("head.nrrd", "--roi", "r.nrrd", "--output", "a.nrrd", "--table", "a.nrrd"), "another output"),
        (("head.nrrd", "--roi", "r.nrrd", "--output", "a.nrrd", "--json", "-"), "give the name of a file"),
        (("head.nrrd", "--roi", "r.nrrd", "--output", "a.nrrd", "--output-dir", "."), "goes with --cases"),
        (("--cases", "cases.csv"), "--cases needs --output-dir"),
        (("--cases=cases.csv", "--output-dir", ".", "--roi", "r.nrrd"), "--roi: meant for one case"),
        (("--cases", "cases.csv", "--output-dir", ".", "--output", "a.nrrd"), "--output: meant for one case"),
    ],
)
def test_words_that_do_not_go_together_are_refused_in_one_line(words, sentence, monkeypatch, tmp_path):
    from HTSegmentationLib.errors import UsageError

    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError) as refusal:
        arguments(*words)
    assert sentence in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert refusal.value.exit_code == 2


# The table of cases


def test_paths_are_relative_to_the_table_and_several_rois_are_separated_by_a_bar(tmp_path):
    cases, unused = cases_of("case_id,image,roi,reference,age\na-1,ct/a.nrrd,r1.mrk.json | r2.nrrd,,70\n", tmp_path)
    assert cases[0].image == str(tmp_path / "ct" / "a.nrrd")
    assert cases[0].rois == (str(tmp_path / "r1.mrk.json"), str(tmp_path / "r2.nrrd"))
    assert cases[0].reference is None
    assert unused == ["age"]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_tables_are_read_as_spreadsheet_programs_of_any_country_write_them(delimiter, tmp_path):
    lines = [
        ["Case_ID", " image ", "ROI"],
        ["a", "a.nrrd", "a.mrk.json"],
        ["", "", ""],
        ["ä"[:0] + "b", "b.nrrd", "b.mrk.json"],
    ]
    text = "".join(delimiter.join(line) + "\r\n" for line in lines)
    cases, _ = cases_of(text, tmp_path, encoding="utf-8-sig")
    assert [case.name for case in cases] == ["a", "b"]


@pytest.mark.parametrize(
    "name", ["", "..", "../a", "a/b", "a\\b", "a b", "-a", ".a", "a.", "CON", "nul.x", "ä", "x" * 101, "a:b"]
)
def test_a_case_that_cannot_be_part_of_a_file_name_is_refused_before_any_work(name, tmp_path):
    from HTSegmentationLib.errors import InputError

    with pytest.raises(InputError, match=r"row 2.*case_id"):
        cases_of(f"case_id,image,roi\n{name},a.nrrd,r.nrrd\n", tmp_path)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "it is empty"),
        ("case_id,image\na,b\n", "there is no column roi"),
        ("case_id,image,roi\n", "no case below"),
        ("case_id,image,roi,roi\na,b,c,d\n", "'roi' stands there 2 times"),
        ("case_id,image,roi\na,b,c\nA,b,c\n", "2 rows have the case_id"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused_in_one_line(text, sentence, tmp_path):
    from HTSegmentationLib.errors import InputError

    with pytest.raises(InputError, match=sentence) as refusal:
        cases_of(text, tmp_path, encoding="latin-1")
    assert "\n" not in str(refusal.value)


def test_a_table_that_is_not_there_is_named(tmp_path):
    from HTSegmentationLib.errors import InputError
    from HTSegmentationModule.batch.cases import readCases

    with pytest.raises(InputError, match=r"none\.csv: "):
        readCases(tmp_path / "none.csv")


def test_no_file_of_one_case_can_be_written_over_an_input_of_another(tmp_path):
    from HTSegmentationLib.errors import UsageError

    (tmp_path / "cases.csv").write_text("case_id,image,roi\na,a.nrrd,b.seg.nrrd\nb,b.nrrd,r.nrrd\n")
    with pytest.raises(UsageError, match=r"b\.seg\.nrrd: it is an input"):
        arguments("--cases", tmp_path / "cases.csv", "--output-dir", tmp_path)


# The cases


def test_a_broken_case_stops_no_other_and_the_status_tells_of_it(run, data):
    (data / "cases.csv").write_text(
        "case_id,image,roi,reference\n"
        "box,head.nrrd,R.mrk.json,truth.nii.gz\n"
        "broken,broken.nrrd,R.mrk.json,\n"
        "mask,head.nrrd,roi.nii.gz,truth.nii.gz\n"
    )
    done = run("--cases", data / "cases.csv", "--output-dir", data / "out", "--scene")
    assert done.status == 1
    assert [line.split(":")[0] for line in done.out] == ["1/3 box", "2/3 broken", "3/3 mask", done.out[-1].split(":")[0]]
    assert done.out[-1].startswith("2 of 3 cases done; table in ")
    assert len(done.err) == 1
    assert "broken.nrrd" in done.err[0]
    assert [row["status"] for row in done.rows] == ["done", "failed", "done"]
    assert sorted(path.name for path in (data / "out").iterdir()) == [
        "box.mrb", "box.seg.nrrd", "mask.mrb", "mask.seg.nrrd", "results.csv",
    ]  # fmt: skip


def test_box_drawn_in_slicer_mask_and_numbers_give_the_same_volume(run, data):
    (data / "cases.csv").write_text(
        "case_id,image,roi,reference\nbox,head.nrrd,R.mrk.json,truth.nii.gz\nmask,head.nrrd,roi.nii.gz,truth.nii.gz\n"
    )
    many = run("--cases", data / "cases.csv", "--output-dir", data / "out")
    one = run(data / "head.nrrd", "--roi-box", BOX, "--output", data / "one.seg.nrrd", "--table", data / "one.csv")
    volumes = {row["VolumeMl"] for row in many.rows + one.rows}
    assert many.status == one.status == 0
    assert len(volumes) == 1
    assert float(volumes.pop()) == pytest.approx(7.04, abs=0.1)
    assert all(float(row["Dice"]) > 0.98 for row in many.rows)
    assert one.rows[0]["Dice"] == ""


def test_the_mask_written_holds_the_voxels_that_the_table_counts(run, data):
    words = (data / "head.nrrd", "--roi", data / "R.mrk.json", "--table", data / "t.csv")
    slicers = run(*words, "--output", data / "a.seg.nrrd")
    own = run(*words, "--output", data / "a.nii.gz", "--json", data / "a.json", "--write-ct", data / "ct.nrrd")
    image = sitk.ReadImage(str(data / "a.nii.gz"))
    millilitres = np.prod(image.GetSpacing()) * sitk.GetArrayViewFromImage(image).sum() / 1000
    part = sitk.ReadImage(str(data / "a.seg.nrrd"))
    assert sitk.GetArrayViewFromImage(part).sum() == sitk.GetArrayViewFromImage(image).sum()
    assert part.GetMetaData("Segment0_Name") == "Hemorrhage"
    assert "SCT^50960005^Hemorrhage" in part.GetMetaData("Segment0_Tags")
    assert float(slicers.rows[0]["VolumeMl"]) == float(own.rows[0]["VolumeMl"]) == pytest.approx(millilitres)
    record = json.loads((data / "a.json").read_text())
    assert record["measurements"]["volume_ml"] == pytest.approx(millilitres)
    assert (sitk.GetArrayFromImage(sitk.ReadImage(str(data / "ct.nrrd"))) == sitk.GetArrayFromImage(
        sitk.ReadImage(str(data / "head.nrrd")))).all()  # fmt: skip


def test_an_roi_is_cut_to_the_slices_asked_for(run, data):
    words = (data / "head.nrrd", "--table", data / "t.csv", "--roi")
    whole = run(*words, data / "roi.nii.gz", "--output", data / "a.seg.nrrd")
    part = run(*words, data / "roi.nii.gz", "--roi-slices", "8-9", "--output", data / "a.seg.nrrd")
    assert 0 < float(part.rows[0]["VolumeMl"]) < float(whole.rows[0]["VolumeMl"])


def test_shifted_values_are_read_by_the_library_and_give_the_same_result(run, data):
    head = sitk.ReadImage(str(data / "head.nrrd"))
    write_image(data / "shifted.nrrd", head + 1024)
    words = ("--roi", data / "R.mrk.json", "--output", data / "a.seg.nrrd", "--table", data / "t.csv")
    plain = run(data / "head.nrrd", *words)
    shifted = run(data / "shifted.nrrd", "--hu-offset", "-1024", *words)
    assert plain.rows[0]["VolumeMl"] == shifted.rows[0]["VolumeMl"]


def test_a_parameter_file_changes_the_result(run, data):
    (data / "site.toml").write_text("manual_lower_hu = 60\nmanual_upper_hu = 64\nclosing_diameter_voxels = 0\n")
    words = (data / "head.nrrd", "--roi", data / "R.mrk.json", "--output", data / "a.seg.nrrd", "--table", data / "t.csv")
    published = run(*words)
    site = run(*words, "--parameters", data / "site.toml")
    assert float(site.rows[0]["LowerHu"]) == 60
    assert float(site.rows[0]["VolumeMl"]) < float(published.rows[0]["VolumeMl"])


def test_a_parameter_file_of_the_robust_threshold_changes_its_result(run, data):
    wanted = RobustParameters(most_contrast_hu=40.0, bound_share=0.9, part_gap_mm=5.0)
    save_parameters(data / "site.toml", wanted)
    words = (data / "head.nrrd", "--roi", data / "R.mrk.json", "--output", data / "a.seg.nrrd", "--table", data / "t.csv")
    words += ("--method", "robust", "--json", data / "a.json")
    fitted = run(*words)
    site = run(*words, "--parameters", data / "site.toml")
    assert json.loads((data / "a.json").read_text())["parameters"] == wanted.as_dict()
    assert float(site.rows[0]["VolumeMl"]) < float(fitted.rows[0]["VolumeMl"])


@pytest.mark.parametrize(
    ("image", "roi", "sentence"),
    [
        ("", "R.mrk.json", "it has no image"),
        ("head.nrrd", "", "it has no ROI"),
        ("none.nrrd", "R.mrk.json", "there is no such file or folder"),
        ("head.nrrd", "none.mrk.json", "none.mrk.json"),
        ("head.nrrd", "none.nii.gz", "there is no such file"),
        ("head.nrrd", "empty.nii.gz", "no voxel"),
        ("truth.nii.gz", "R.mrk.json", "HU"),
    ],
)
def test_what_keeps_a_case_from_being_done_is_told_in_one_line(run, data, image, roi, sentence):
    empty = sitk.ReadImage(str(data / "truth.nii.gz")) * 0
    write_image(data / "empty.nii.gz", empty)
    (data / "cases.csv").write_text(f"case_id,image,roi\na,{image},{roi}\nb,head.nrrd,R.mrk.json\n")
    done = run("--cases", data / "cases.csv", "--output-dir", data / "out")
    assert done.status == 1
    assert len(done.err) == 1
    assert sentence in done.rows[0]["error"]
    assert done.rows[1]["status"] == "done"
    assert sorted(path.name for path in (data / "out").iterdir()) == ["b.seg.nrrd", "results.csv"]


def test_the_scene_is_empty_after_each_case(run, data, scene):
    run(data / "head.nrrd", "--roi", data / "R.mrk.json", "--output", data / "a.seg.nrrd")
    for kind in ("vtkMRMLScalarVolumeNode", "vtkMRMLSegmentationNode", "vtkMRMLMarkupsNode", "vtkMRMLTableNode"):
        assert scene.GetNumberOfNodesByClass(kind) == 0


def test_what_nobody_foresaw_fails_one_case_only(tmp_path):
    from HTSegmentationModule.batch.run import runCases

    (tmp_path / "cases.csv").write_text("case_id,image,roi\na,a,r\nb,b,r\nc,c,r\n")
    batch = arguments("--cases", tmp_path / "cases.csv", "--output-dir", tmp_path)

    def segmentCase(case, outputs):
        if case.name == "b":
            raise KeyError("surprise\nin two lines")
        return {"VolumeMl": 1.0}

    out, err = io.StringIO(), io.StringIO()
    assert runCases(batch, segmentCase, out=out, err=err) == 1
    assert out.getvalue().count("\n") == 4
    assert err.getvalue().count("\n") == 1
    assert "unexpected KeyError" in err.getvalue()


def test_a_table_that_cannot_be_written_is_told_of_and_no_case_is_lost(tmp_path):
    from HTSegmentationModule.batch.run import runCases

    (tmp_path / "cases.csv").write_text("case_id,image,roi\na,a,r\n")
    batch = arguments("--cases", tmp_path / "cases.csv", "--output-dir", tmp_path, "--table", tmp_path / "none" / "t.csv")
    out, err = io.StringIO(), io.StringIO()
    assert runCases(batch, lambda case, outputs: {}, out=out, err=err) == 1
    assert "1 of 1 cases done" in out.getvalue()
    assert "there is no folder" in err.getvalue()


def test_text_in_the_table_is_never_a_formula(tmp_path):
    from HTSegmentationModule.batch.results import writeResults

    writeResults(
        tmp_path / "t.csv", [{"case_id": "a", "status": "failed", "error": "=1+1", "Dice": -0.5, "Hd95Mm": float("nan")}]
    )
    with (tmp_path / "t.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["error"], row["Dice"], row["Hd95Mm"]) == ("'=1+1", "-0.5", "")


def test_a_file_is_there_whole_or_not_at_all(tmp_path):
    from HTSegmentationModule.batch.files import whole

    target = tmp_path / "a.mrb"
    target.write_text("before")

    def fail():
        with whole(target) as temporary:
            temporary.write_text("half")
            raise ValueError

    with pytest.raises(ValueError):  # noqa: PT011  (the one raised above)
        fail()
    assert target.read_text() == "before"
    assert list(tmp_path.iterdir()) == [target]


def test_the_whole_program_says_what_is_wrong_and_gives_a_status(capsys, tmp_path, monkeypatch):
    from HTSegmentationModule.batch.main import main

    monkeypatch.chdir(tmp_path)
    assert main(["--help"]) == 0
    assert "--roi-box" in capsys.readouterr().out
    assert main(["head.nrrd"]) == 2
    assert main(["head.nrrd", "--output", "a.nrrd"]) == 2
    assert capsys.readouterr().err.splitlines()[-1].startswith("HTSegmentationBatch: give the region of interest")
    assert main(["--cases", "none.csv", "--output-dir", "."]) == 2
    assert capsys.readouterr().err.startswith("HTSegmentationBatch: none.csv: ")
