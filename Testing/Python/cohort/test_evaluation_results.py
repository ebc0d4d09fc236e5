"""Tables of results are read as they were written, and refused with the place of what is wrong."""

import csv

import pytest
from hypothesis import given
from hypothesis import strategies as st
from synthetic_results import make_rows, write_results

from HTSegmentationLib.cohort.cells import one_line, safe_cell, unsafe_cell
from HTSegmentationLib.cohort.evaluation import evaluate, read_results
from HTSegmentationLib.cohort.evaluation.results_file import write_results as write_again
from HTSegmentationLib.errors import InputError, UsageError

from .. import needs


def table(folder, text):
    path = folder / "results.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_folder_and_its_table_read_the_same(tmp_path):
    folder = write_results(tmp_path / "june", make_rows(9, failed=0.3))
    assert read_results(folder) == read_results(folder / "results.csv")
    found = read_results(folder)
    assert (found.name, found.method, len(found.cases)) == ("adaptive", "adaptive", 9)
    assert found.seconds["case-0001"] > 0
    assert {case.failed for case in found.cases} == {True, False}


def test_numbers_come_back_and_empty_cells_are_not_zero(tmp_path):
    rows = make_rows(5, without_reference=0.5, seed=3)
    found = read_results(write_results(tmp_path / "a", rows))
    for row, case in zip(rows, found.cases, strict=True):
        assert case.number("volume_ml") == pytest.approx(row["volume_ml"], abs=1e-6)
        assert case.number("dice") == (pytest.approx(row["dice"], abs=1e-6) if "dice" in row else None)
    assert [case.case_id for case in found.without_reference] == [row["case_id"] for row in rows if "dice" not in row]


def test_parquet_holds_the_same_cases(tmp_path):
    parquet = needs.package("pyarrow.parquet", "Parquet was not tested")
    pyarrow_csv = needs.package("pyarrow.csv", "Parquet was not tested")
    folder = write_results(tmp_path / "a", make_rows(7))
    parquet.write_table(pyarrow_csv.read_csv(folder / "results.csv"), folder / "results.parquet")
    of_csv, of_parquet = read_results(folder), read_results(folder / "results.parquet")
    assert [case.case_id for case in of_csv.cases] == [case.case_id for case in of_parquet.cases]
    assert [case.numbers for case in of_csv.cases] == [case.numbers for case in of_parquet.cases]


def test_a_byte_order_mark_and_quoted_line_ends_are_read(tmp_path):
    path = tmp_path / "results.csv"
    path.write_bytes('\ufeffcase_id,status,error,dice\na,failed,"two\nlines, and a comma",\nb,done,,0.5\n'.encode())
    first, second = read_results(path).cases
    assert first.error == "two lines, and a comma"
    assert second.number("dice") == 0.5


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no column case_id"),
        ("case_id,dice\na,0.5\n", "no column status"),
        ("case_id,status,dice\na,done,half\n", r"row 2, column dice: 'half' is no number"),
        ('case_id,status,dice\na,done,"0,5"\n', "is no number"),
        ("case_id,status\na,done\nb,done\na,done\n", "the case a stands in it twice"),
        ("case_id,status\n,done\n", "row 2 has no case_id"),
        ("case_id,status,dice\na,done\n", "row 2 has more or fewer cells"),
        ("case_id,status\na,done,0.5\n", "row 2 has more or fewer cells"),
    ],
)
def test_what_is_wrong_with_a_table_is_said_with_its_place(tmp_path, text, words):
    with pytest.raises(InputError, match=words):
        read_results(table(tmp_path, text))


def test_what_is_no_table_is_refused(tmp_path):
    (tmp_path / "results.csv").write_bytes(b"\x89PNG\r\n\x1a\n\xff\xfe")
    with pytest.raises(InputError, match="no text in UTF-8"):
        read_results(tmp_path)
    with pytest.raises(InputError, match="no such file or folder"):
        read_results(tmp_path / "none")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"holds no results\.csv"):
        read_results(tmp_path / "empty")


def test_a_record_outside_the_folder_is_never_read(tmp_path):
    folder = write_results(tmp_path / "batch", make_rows(1))
    (folder / "records").mkdir()
    (folder / "batch.json.json").write_text("{}")
    (tmp_path / "secret.json").write_text('{"inputs": {"image": {"path": "/etc/passwd"}}}')
    (folder / "records" / "case-0001.json").write_text('{"inputs": {"image": {"path": "ct.nii.gz"}, "roi": [{"path": 3}]}}')
    found = read_results(folder)
    assert found.files_of("case-0001").image.name == "ct.nii.gz"
    assert found.files_of("case-0001").roi == ()
    for hostile in ("../../secret", "..", "a\0b", "/etc/passwd"):
        assert found.record(hostile) is None


@given(st.text(max_size=30))
def test_no_text_becomes_a_formula_and_every_text_comes_back(text):
    cell = str(safe_cell(text))
    assert unsafe_cell(cell) == text or text.startswith("'")
    if not cell.startswith("'") and cell.startswith(("=", "+", "-", "@", "\t", "\r")):
        float(cell)


@given(st.text(max_size=40))
def test_texts_of_files_never_steer_a_terminal(text):
    assert all(letter.isprintable() for letter in one_line(text))


def test_results_written_again_read_the_same(tmp_path):
    rows = make_rows(6, failed=0.2, seed=2)
    rows[0] |= {"case_id": "=cmd|'/c calc'!A1", "remarks": '-quoted "text", and\na line'}
    first = read_results(write_results(tmp_path / "a", rows))
    write_again(first, tmp_path / "again.csv")
    second = read_results(tmp_path / "again.csv")
    assert [case.numbers for case in first.cases] == [case.numbers for case in second.cases]
    assert [case.texts for case in first.cases] == [case.texts for case in second.cases]
    with (tmp_path / "again.csv").open(newline="") as file:
        assert next(iter(csv.DictReader(file)))["case_id"].startswith("'=")


def test_methods_need_names_of_their_own(tmp_path):
    found = read_results(write_results(tmp_path / "a", make_rows(3)))
    with pytest.raises(UsageError, match="called the same"):
        evaluate([found, found])
    with pytest.raises(UsageError, match="nothing to evaluate"):
        evaluate([])
    with pytest.raises(UsageError, match="no table has the column 'site'"):
        evaluate([found], group_by="site")
    with pytest.raises(UsageError, match="no domain 'skull'"):
        evaluate([found], domain="skull")
