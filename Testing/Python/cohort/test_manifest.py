"""Tables of cases as spreadsheet programs write them, and everything that can be wrong with them."""

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from HTSegmentationLib.cohort.manifest import ManifestError, read_manifest
from HTSegmentationLib.cohort.manifest.case_ids import id_problem, made_id
from HTSegmentationLib.errors import UsageError


@pytest.fixture
def folder(tmp_path):
    """A folder with files of two cases; what is in them does not matter here."""
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        for file in ("ct.nii.gz", "roi.nii.gz", "roi 2.mrk.json", "truth.nii.gz"):
            (tmp_path / name / file).touch()
    return tmp_path


def read(folder, content, encoding="utf-8", needs_roi=True):
    path = folder / "cohort.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
    return read_manifest(path, needs_roi=needs_roi)


def texts(manifest):
    return [str(problem) for problem in manifest.problems]


def test_paths_are_relative_to_the_table_and_other_columns_are_kept(folder):
    table = "case_id,image,roi,reference,ht_type,Age\nA,a/ct.nii.gz,a/roi.nii.gz|a/roi 2.mrk.json,a/truth.nii.gz,ph1,70\n"
    manifest = read(folder, table)
    case = manifest.cases[0]
    assert manifest.problems == ()
    assert case.image == folder / "a" / "ct.nii.gz"
    assert case.roi == (folder / "a" / "roi.nii.gz", folder / "a" / "roi 2.mrk.json")
    assert (case.reference, case.ht_type, dict(case.extra)) == (folder / "a" / "truth.nii.gz", "PH1", {"Age": "70"})
    assert manifest.columns == ("case_id", "image", "roi", "reference", "ht_type", "Age")
    assert manifest.extra_columns == ("Age",)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_every_spreadsheet_program_can_write_it(folder, delimiter, encoding, line_end):
    rows = [["Case ID", "IMAGE", " Roi ", "HT Type", ""], ["A", "a/ct.nii.gz", "a/roi.nii.gz", "größer", ""], [""] * 5]
    text = line_end.join(delimiter.join(cells) for cells in rows) + line_end
    manifest = read(folder, text, encoding)
    assert (texts(manifest), manifest.remarks) == ([], ())
    assert (manifest.cases[0].case_id, manifest.cases[0].ht_type) == ("A", "größer")


def test_a_first_line_may_name_the_separator(folder):
    assert read(folder, "sep=|\r\ncase_id|image|roi\r\nA|a/ct.nii.gz|a/roi.nii.gz\r\n").problems == ()


def test_windows_text_is_read_and_said(folder):
    manifest = read(folder, "case_id,image,roi,ward\nA,a/ct.nii.gz,a/roi.nii.gz,Köln\n", "cp1252")
    assert manifest.cases[0].extra == {"ward": "Köln"}
    assert [remark.code for remark in manifest.remarks] == ["manifest-code-page"]


def test_a_quoted_cell_may_hold_line_breaks_and_rows_are_counted_as_a_spreadsheet_does(folder):
    table = 'case_id,image,roi,note\nA,a/ct.nii.gz,a/roi.nii.gz,"two\nlines"\n\nB,b/none.nii.gz,b/roi.nii.gz,\n'
    manifest = read(folder, table)
    assert manifest.cases[0].extra["note"] == "two\nlines"
    assert [problem.row for problem in manifest.problems] == [4]


def test_all_problems_are_listed_at_once_with_their_rows(folder):
    table = (
        "case_id,image,roi,reference,baseline,baseline_roi\n"
        "../x,a/ct.nii.gz,a/roi.nii.gz,,,\n"
        "A,a/none.nii.gz,,a/ct.nii.gz,,\n"
        "a,a/ct.nii.gz,a/roi.nii.gz|a/none,a/ct.nii.gz,a/ct.nii.gz,\n"
        ",,a/roi.nii.gz,,,a/roi.nii.gz\n"
        "con,b/ct.nii.gz,b/ct.nii.gz,,,,surplus\n"
    )
    found = texts(read(folder, table))
    expected = [
        "row 2 (../x): case_id '../x' cannot be part of a file name",
        "row 3 (A): 2 rows have the case_id 'A'",
        "row 3 (A): image 'a/none.nii.gz': there is no such file",
        "row 3 (A): roi is empty",
        "row 4 (a): 2 rows have the case_id 'a'",
        "row 4 (a): roi 'a/none': there is no such file",
        "row 4 (a): baseline_roi is empty",
        "row 4 (a): reference is the image itself",
        "row 4 (a): baseline is the image itself",
        "row 5: case_id is empty",
        "row 5: image is empty",
        "row 5: there is a baseline_roi but no baseline",
        "row 6 (con): case_id 'con' is a name that Windows keeps",
        "row 6 (con): its cell 7 ('surplus') stands in no named column",
        "row 6 (con): roi is the image itself",
    ]
    assert len(found) == len(expected)
    for text, start in zip(found, expected, strict=True):
        assert text.startswith(start)


def test_missing_and_doubled_columns_are_problems_of_the_table(folder):
    manifest = read(folder, "case_id,ct,Age,age,Age\nA,a/ct.nii.gz,1,2,3\n")
    found = [str(problem) for problem in manifest.table_problems]
    assert found == [
        "row 1: there is no column image; add it",
        "row 1: there is no column roi; add it",
        "row 1: the column 'Age' stands there 2 times; keep one",
    ]


def test_a_method_without_need_of_an_roi_takes_cases_without_one(folder):
    assert read(folder, "case_id,image\nA,a/ct.nii.gz\n", needs_roi=False).problems == ()


def test_a_table_with_problems_is_refused_in_one_line(folder):
    manifest = read(folder, "case_id,image,roi\n" + "".join(f"c{n},no{n},a/roi.nii.gz\n" for n in range(5)))
    assert manifest.ready == ()
    with pytest.raises(UsageError, match=r"row 2 \(c0\).*; and 2 more problems"):
        manifest.require_sound()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "it is empty"),
        (b"case_id,image,roi\n", "no case below its column names"),
        (b"hello\nworld\n", "no column name that is known"),
        (b"PK\x03\x04rest of a workbook", "an Excel workbook"),
        (b"case_id\0,image", "it is no text"),
        (b'case_id,image\nA,"never closed\n', "it is no CSV table"),
    ],
)
def test_what_is_no_table_is_refused_as_wrong_usage(folder, content, message):
    with pytest.raises(ManifestError, match=message) as caught:
        read(folder, content)
    assert caught.value.exit_code == 2
    assert "\n" not in str(caught.value)


def test_a_table_that_is_not_there_is_said(tmp_path):
    with pytest.raises(ManifestError, match="cannot be read"):
        read_manifest(tmp_path / "none.csv", needs_roi=True)


def test_a_name_that_steers_a_terminal_is_shown_without_it(folder):
    manifest = read(folder, "case_id,image,roi\n\x1b[2Jx,a/ct.nii.gz,a/roi.nii.gz\n")
    assert "\x1b" not in texts(manifest)[0] + manifest.cases[0].case_id


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../x", "a/b", "a\\b", "C:x", "NUL", "nul.txt", "=cmd", "-x", "a.", "é", "x" * 101]
)
def test_names_that_are_no_file_names_everywhere_are_refused(name):
    assert id_problem(name) is not None


@given(st.text(max_size=200))
def test_any_text_can_be_made_a_case_id(text):
    assert id_problem(made_id(text)) is None


@settings(deadline=None)
@given(
    st.lists(
        st.text(st.characters(codec="utf-8", exclude_characters="\0", exclude_categories=["Cs"]), max_size=20),
        min_size=1,
        max_size=5,
    )
)
def test_further_cells_come_back_as_they_were_written(tmp_path_factory, cells):
    path = tmp_path_factory.mktemp("table") / "cohort.csv"
    text = io.StringIO(newline="")
    csv.writer(text).writerows([["case_id", "image", *(f"x{n}" for n in range(len(cells)))], ["A", "cohort.csv", *cells]])
    path.write_bytes(text.getvalue().encode())
    case = read_manifest(path, needs_roi=False).cases[0]
    assert list(case.extra.values()) == [cell.strip() for cell in cells]
