"""A table of cases as a data set of nnU-Net."""

import csv
import json
import os

import numpy as np
import pytest
import SimpleITK as sitk

from HTSegmentationLib import cli
from HTSegmentationLib.cohort.manifest import read_manifest
from HTSegmentationLib.ct.geometry import empty_like, same_grid
from HTSegmentationLib.errors import OutputError, UsageError
from HTSegmentationLib.training import cases as training_cases
from HTSegmentationLib.training.folds import make_folds
from HTSegmentationLib.training.nnunet import case as case_module
from HTSegmentationLib.training.nnunet.export import ExportRefused, export_dataset
from HTSegmentationLib.training.nnunet.labels import LabelScheme
from HTSegmentationLib.training.nnunet.settings import DatasetSettings

from ... import needs
from ...phantom import as_scan, head_array

COLUMNS = ("case_id", "image", "reference", "ht_type", "patient_id", "fold")
THREE = LabelScheme.parsed("1=ICH,2=PHE,3=IVH")


@pytest.fixture(autouse=True)
def no_folders_of_nnunet(monkeypatch):
    for name in ("nnUNet_raw", "nnUNet_preprocessed", "nnUNet_results"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="module")
def heads(tmp_path_factory):
    """Four heads with label maps of 1 to 3 and with masks of 255, made once; tests do not change them."""
    folder = tmp_path_factory.mktemp("heads")
    for seed in range(4):
        array, bleed = head_array(seed=seed)
        scan = as_scan(array).image
        sitk.WriteImage(scan, folder / f"ct{seed}.nii.gz")
        labels = bleed.astype(np.uint8)
        labels[9:][labels[9:] > 0] = 2
        labels[8, 60:70, 60 : 62 + 4 * seed] = 3
        for name, values in ((f"labels{seed}", labels), (f"mask{seed}", bleed * np.uint8(255)), (f"none{seed}", labels * 0)):
            image = sitk.GetImageFromArray(values)
            image.CopyInformation(scan)
            sitk.WriteImage(image, folder / f"{name}.nii.gz")
    return folder


@pytest.fixture
def table(heads, tmp_path):
    """Writes a table of these heads; cells by keyword replace the usual ones, in the order of the rows."""

    def write(kind="labels", count=4, **columns):
        rows = [
            {
                "case_id": f"Case-{n}",
                "image": os.path.relpath(heads / f"ct{n}.nii.gz", tmp_path),
                "reference": os.path.relpath(heads / f"{kind}{n}.nii.gz", tmp_path),
                "ht_type": "PH1",
                **{name: cells[n] for name, cells in columns.items()},
            }
            for n in range(count)
        ]
        path = tmp_path / "cohort.csv"
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS, restval="")
            writer.writeheader()
            writer.writerows(rows)
        return read_manifest(path, needs_roi=False)

    return write


@pytest.fixture
def raw(tmp_path):
    folder = tmp_path / "nnUNet räw"
    folder.mkdir()
    return folder


def settings(**values):
    return DatasetSettings(**({"dataset_id": 501, "name": "HT", "scheme": THREE, "folds": 2} | values))


def export(manifest, raw, **values):
    how = {key: values.pop(key) for key in ("force", "jobs") if key in values}
    return export_dataset(manifest, raw, settings(**values), **({"jobs": 1} | how))


def content(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_data_set_holds_what_nnunet_wants_and_nothing_is_left_beside_it(table, raw):
    dataset = export(table(), raw, licence="CC BY 4.0", reference="made on the spot")
    assert dataset.folder == raw / "Dataset501_HT"
    assert [path.name for path in raw.iterdir()] == ["Dataset501_HT"]
    names = [f"HT_{number:03d}" for number in range(1, 5)]
    assert sorted(content(dataset.folder)) == sorted(
        ["cases.csv", "dataset.json", "splits_final.json"]
        + [f"imagesTr/{name}_0000.nii.gz" for name in names]
        + [f"labelsTr/{name}.nii.gz" for name in names]
    )
    description = json.loads((dataset.folder / "dataset.json").read_text())
    assert description.pop("converted_by").startswith("htsegmentation ")
    assert description == {
        "name": "HT",
        "reference": "made on the spot",
        "licence": "CC BY 4.0",
        "channel_names": {"0": "CT"},
        "labels": {"background": 0, "ICH": 1, "PHE": 2, "IVH": 3},
        "numTraining": 4,
        "file_ending": ".nii.gz",
    }
    assert dataset.remarks == ()


def test_scans_and_references_are_voxel_for_voxel_those_of_the_table_on_one_grid(table, raw, heads):
    dataset = export(table(), raw)
    for seed, name in enumerate(dataset.names.values()):
        image = sitk.ReadImage(dataset.folder / "imagesTr" / f"{name}_0000.nii.gz")
        labels = sitk.ReadImage(dataset.folder / "labelsTr" / f"{name}.nii.gz")
        for made, source in ((image, f"ct{seed}"), (labels, f"labels{seed}")):
            given = sitk.ReadImage(heads / f"{source}.nii.gz")
            assert np.array_equal(sitk.GetArrayFromImage(made), sitk.GetArrayFromImage(given))
            assert np.allclose(made.GetOrigin(), given.GetOrigin())
        for part in ("GetOrigin", "GetSpacing", "GetDirection", "GetSize"):
            assert getattr(image, part)() == getattr(labels, part)()


def test_nnunets_own_checks_find_nothing_wrong(table, raw):
    needs.deep_learning()
    needs.package("nnunetv2", "its own checks were not asked")
    from nnunetv2.experiment_planning.verify_dataset_integrity import check_cases, verify_labels
    from nnunetv2.imageio.simpleitk_reader_writer import SimpleITKIO
    from nnunetv2.utilities.label_handling.label_handling import LabelManager

    dataset = export(table(), raw)
    assert LabelManager(dataset.labels, None).all_labels == [0, 1, 2, 3]
    for name in dataset.names.values():
        labels = str(dataset.folder / "labelsTr" / f"{name}.nii.gz")
        assert verify_labels(labels, SimpleITKIO, [0, 1, 2, 3])
        assert check_cases([str(dataset.folder / "imagesTr" / f"{name}_0000.nii.gz")], labels, 1, SimpleITKIO)


def test_a_tilted_dicom_series_is_put_right_and_that_stands_in_the_table_of_cases(
    table, raw, heads, tmp_path, real_folder, real_scan
):
    reference = empty_like(real_scan.image)
    reference[200:220, 200:220, 10:12] = 1
    sitk.WriteImage(reference, tmp_path / "drawn.nii.gz")
    others = [os.path.relpath(heads / name, tmp_path) for name in ("ct1.nii.gz", "mask1.nii.gz")]
    manifest = table(count=2, image=[str(real_folder), others[0]], reference=["drawn.nii.gz", others[1]])
    dataset = export(manifest, raw, scheme=LabelScheme.parsed("1=hemorrhage,255=hemorrhage"))
    image = sitk.ReadImage(dataset.folder / "imagesTr" / "HT_001_0000.nii.gz")
    assert same_grid(image, real_scan.image)
    assert np.abs(sitk.GetArrayFromImage(image) - sitk.GetArrayFromImage(real_scan.image)).max() < 0.01
    rows = list(csv.DictReader((dataset.folder / "cases.csv").open()))
    assert rows[0]["remarks"].split() == [remark.code for remark in real_scan.remarks]
    assert any(remark.text.startswith("HT_001: ") for remark in dataset.remarks)


def test_names_and_paths_of_the_table_stand_in_no_file_but_the_table_of_cases(table, raw):
    dataset = export(table(), raw)
    for name, data in content(dataset.folder).items():
        if name != "cases.csv":
            import gzip

            plain = gzip.decompress(data) if name.endswith(".gz") else data
            assert b"Case-" not in plain
            assert b"heads" not in plain


def test_the_table_of_cases_says_which_is_which_and_runs_no_formula(table, raw):
    dataset = export(table(ht_type=["=1+1", "HI2", "", "PH2"]), raw)
    rows = list(csv.DictReader((dataset.folder / "cases.csv").open()))
    assert [row["case_id"] for row in rows] == ["Case-0", "Case-1", "Case-2", "Case-3"]
    assert [row["nnunet_name"] for row in rows] == list(dataset.names.values())
    assert [row["ht_type"] for row in rows] == ["'=1+1", "HI2", "", "PH2"]
    image = sitk.ReadImage(dataset.folder / "labelsTr" / "HT_002.nii.gz")
    voxels = int((sitk.GetArrayFromImage(image) == 3).sum())
    assert float(rows[1]["IVH_ml"]) == pytest.approx(voxels * np.prod(image.GetSpacing()) / 1000)


def test_folds_are_those_of_a_training_here_and_patients_stay_together(table, raw, tmp_path):
    manifest = table(patient_id=["a", "b", "a", "c"])
    dataset = export(manifest, raw, folds=3, seed=5)
    splits = json.loads((dataset.folder / "splits_final.json").read_text())
    known = training_cases.read_training_cases(tmp_path / "cohort.csv", jobs=1)
    wanted = [{dataset.names[name] for name in fold.held_out} for fold in make_folds(known, 3, 5)]
    assert [set(split["val"]) for split in splits] == wanted
    assert all(set(split["train"]) | set(split["val"]) == set(dataset.names.values()) for split in splits)
    assert any({"HT_001", "HT_003"} <= set(split["val"]) for split in splits)
    assert sorted(dataset.fold_sizes) == [1, 1, 2]


def test_masks_of_one_value_become_the_label_hemorrhage(table, raw):
    dataset = export(table("mask"), raw, scheme=LabelScheme())
    assert dataset.labels == {"background": 0, "hemorrhage": 1}
    labels = sitk.ReadImage(dataset.folder / "labelsTr" / "HT_001.nii.gz")
    assert np.unique(sitk.GetArrayViewFromImage(labels)).tolist() == [0, 1]


def test_values_that_leave_gaps_are_renumbered_and_that_is_said(table, raw):
    dataset = export(table(), raw, scheme=LabelScheme.parsed("1=ICH,2=ICH,3=IVH"))
    labels = sitk.ReadImage(dataset.folder / "labelsTr" / "HT_001.nii.gz")
    assert np.unique(sitk.GetArrayViewFromImage(labels)).tolist() == [0, 1, 2]
    assert "values became 2 to 1, 3 to 2" in dataset.remarks[0].text


def test_all_cases_that_cannot_be_used_are_told_at_once_and_nothing_is_in_the_data_sets_place(table, raw, heads, tmp_path):
    shifted = sitk.ReadImage(heads / "labels1.nii.gz")
    shifted.SetOrigin([4.0, 0.0, 0.0])
    sitk.WriteImage(shifted, tmp_path / "shifted.nii.gz")
    names = ["none0.nii.gz", tmp_path / "shifted.nii.gz", "labels2.nii.gz", "ct2.nii.gz"]
    manifest = table(reference=[os.path.relpath(heads / name, tmp_path) for name in names])
    with pytest.raises(ExportRefused) as refused:
        export(manifest, raw, scheme=LabelScheme.parsed("1=ICH,2=PHE"))
    texts = [str(problem) for problem in refused.value.problems]
    assert [text.split(":")[0] for text in texts] == [f"row {n} (Case-{n - 2})" for n in (2, 3, 4, 5)]
    for text, words in zip(texts, ("holds nothing", "different grids", "the values 3", "it holds values from"), strict=True):
        assert words in text
    assert not (raw / "Dataset501_HT").exists()


def test_what_the_table_alone_shows_is_told_before_any_scan_is_read(table, raw, monkeypatch):
    monkeypatch.setattr(case_module, "read_ct", lambda *_, **__: pytest.fail("a scan was read"))
    with pytest.raises(ExportRefused) as refused:
        export(table(case_id=["../evil", "a", "A", "b"], reference=["", "", "", ""]), raw)
    assert len(refused.value.problems) == 4
    with pytest.raises(UsageError, match="4 patients are too few for 5 folds"):
        export(table(), raw, folds=5)
    with pytest.raises(UsageError, match="patient 'a' is in the folds 1 and 2"):
        export(table(patient_id=["a", "a", "b", "c"], fold=["1", "2", "1", "2"]), raw)
    assert list(raw.iterdir()) == []


def test_values_without_names_are_asked_for(table, raw):
    with pytest.raises(ExportRefused, match="holds the values 1, 2, 3; say what they are"):
        export(table(), raw, scheme=LabelScheme())


def test_a_label_that_no_reference_holds_is_refused(table, raw):
    with pytest.raises(UsageError, match="no reference holds SAH; nothing could be learned of it"):
        export(table(), raw, scheme=LabelScheme.parsed("1=ICH,2=PHE,3=IVH,4=SAH"))


def test_masks_whose_single_values_differ_are_not_taken_for_one_label(table, raw, heads, tmp_path):
    ones = sitk.Cast(sitk.ReadImage(heads / "mask0.nii.gz") > 0, sitk.sitkUInt8)
    sitk.WriteImage(ones, tmp_path / "ones.nii.gz")
    masks = ["ones.nii.gz", *(os.path.relpath(heads / f"mask{n}.nii.gz", tmp_path) for n in (1, 2, 3))]
    with pytest.raises(UsageError, match=r"different values \(1 in 1, 255 in 3\)"):
        export(table(reference=masks), raw, scheme=LabelScheme())


def test_a_scan_that_stands_there_twice_is_refused(table, raw, heads, tmp_path):
    images = [os.path.relpath(heads / f"ct{n}.nii.gz", tmp_path) for n in (0, 1, 1, 3)]
    with pytest.raises(ExportRefused, match=r"row 4 \(Case-2\): its scan is that of Case-1 \(row 3\)"):
        export(table(image=images), raw)


def test_scans_without_a_lesion_are_taken_where_they_are_allowed(table, raw, heads, tmp_path):
    references = [
        os.path.relpath(heads / name, tmp_path) for name in ("none0.nii.gz", *(f"labels{n}.nii.gz" for n in (1, 2, 3)))
    ]
    dataset = export(table(reference=references), raw, allow_empty=True)
    assert dataset.volumes_ml["ICH"][0] == 0


@pytest.mark.parametrize("where", ["raw", "nnUNet_results"])
def test_an_id_that_another_data_set_has_is_refused(table, raw, tmp_path, monkeypatch, where):
    place = raw
    if where != "raw":
        place = tmp_path / "results"
        monkeypatch.setenv(where, str(place))
    (place / "Dataset501_Other").mkdir(parents=True)
    with pytest.raises(UsageError, match="it has the ID 501 already"):
        export(table(), raw)


def test_a_data_set_that_is_there_is_replaced_only_when_asked_for(table, raw, tmp_path, monkeypatch):
    first = content(export(table(), raw).folder)
    with pytest.raises(UsageError, match="it is there already"):
        export(table(), raw)
    monkeypatch.setenv("nnUNet_preprocessed", str(tmp_path))
    (tmp_path / "Dataset501_HT").mkdir()
    dataset = export(table(count=3), raw, force=True)
    assert len(dataset.names) == 3
    assert "HT_004_0000.nii.gz" not in {path.name for path in dataset.folder.rglob("*")}
    assert any(remark.code == "preprocessed-before" for remark in dataset.remarks)
    assert [path.name for path in raw.iterdir()] == ["Dataset501_HT"]
    assert content(export(table(), raw, force=True).folder) == first


def test_a_full_disk_ends_it_and_the_data_set_before_stays(table, raw, monkeypatch):
    before = content(export(table(), raw).folder)

    def full(path, image):
        raise OutputError(path, "no space left on device", "free space or choose another place")

    monkeypatch.setattr(case_module, "write_image", full)
    with pytest.raises(OutputError, match="no space left"):
        export(table("mask"), raw, scheme=LabelScheme(), force=True)
    assert content(raw / "Dataset501_HT") == before


def test_a_run_that_was_stopped_goes_on_and_reads_again_only_what_changed(table, raw, monkeypatch, tmp_path, heads):
    def stop(stage, fraction):
        if fraction > 0.6:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export_dataset(table(), raw, settings(), jobs=1, progress=stop)
    assert not (raw / "Dataset501_HT").exists()
    read, real = [], case_module.read_ct
    monkeypatch.setattr(case_module, "read_ct", lambda path, **how: (read.append(path.name), real(path, **how))[1])
    resumed = content(export(table(), raw).folder)
    assert read == ["ct3.nii.gz"]
    assert resumed == content(export(table(), raw, force=True).folder)


def test_several_processes_write_the_same_as_one(table, raw):
    alone = content(export(table(count=2), raw).folder)
    assert content(export(table(count=2), raw, jobs=2, force=True).folder) == alone


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"dataset_id": 0}, "the data set's ID is 0"),
        ({"dataset_id": 1000}, "the data set's ID is 1000"),
        ({"name": "a_b"}, "the data set's name is 'a_b'"),
        ({"name": "../x"}, "the data set's name is"),
        ({"folds": 1}, "a cross-validation has 2 or more"),
        ({"seed": -1}, "the seed is -1"),
    ],
)
def test_settings_that_nnunet_could_not_use_are_refused(values, words):
    with pytest.raises(UsageError, match=words):
        settings(**values)


def test_the_command_exports_and_says_what_comes_next(table, raw, capsys):
    manifest = table()
    words = ["nnunet", "export", str(manifest.path), "--output", str(raw), "--id", "7", "--name", "HT", "--folds", "2"]
    assert cli.main([*words, "--jobs", "1"]) == 2
    told = capsys.readouterr()
    assert told.err.count("say what they are") == 4
    assert cli.main([*words, "--jobs", "1", "--labels", "1=ICH,2=PHE,3=IVH"]) == 0
    said = capsys.readouterr().out
    assert "4 in " in said
    assert "nnUNetv2_plan_and_preprocess -d 7 --verify_dataset_integrity" in said
    assert cli.main([*words, "--jobs", "1", "--labels", "1=ICH,2=PHE,3=IVH", "--force", "--json", "-"]) == 0
    assert json.loads(capsys.readouterr().out)["fold_sizes"] == [2, 2]
