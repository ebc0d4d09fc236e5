"""The tables hold what other software computes from the same results, and nothing is left out without a word."""

import json
import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from synthetic_results import make_rows, write_results

from HTSegmentationLib.cohort.evaluation import evaluate, read_results
from HTSegmentationLib.cohort.evaluation.evaluate import count_words, write_tables
from HTSegmentationLib.cohort.evaluation.words import evaluation_words, table_words


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    """(folder, evaluation) of two methods on 60 cases; some failed, some have no reference."""
    folder = tmp_path_factory.mktemp("two")
    for seed, method in enumerate(("adaptive", "global")):
        rows = make_rows(60, method=method, failed=0.05, without_reference=0.05, seed=seed)
        write_results(folder / method, rows)
    return folder, evaluate([read_results(folder / "adaptive"), read_results(folder / "global")])


def frame(folder, method):
    found = pd.read_csv(folder / method / "results.csv")
    return found[found["status"] == "done"]


def row_of(table, **wanted):
    found = [row for row in table.rows if all(row.get(name) == value for name, value in wanted.items())]
    assert len(found) == 1, (wanted, len(found))
    return found[0]


@pytest.mark.parametrize("method", ["adaptive", "global"])
@pytest.mark.parametrize("group", ["Total", "HI2", "PH"])
def test_table_2_is_what_pandas_computes(two, method, group):
    folder, evaluation = two
    cases = frame(folder, method)
    cases = cases if group == "Total" else cases[cases["ht_type"] == group]
    row = row_of(evaluation.table("performance"), method=method, group=group)
    assert row["n"] == cases["dice"].count()
    for name, column in (("dice", "dice"), ("auc", "auc_roi"), ("sensitivity", "sensitivity_roi")):
        assert row[f"{name}_mean"] == pytest.approx(cases[column].mean())
        assert row[f"{name}_sd"] == pytest.approx(cases[column].std())


def test_published_rows_stand_last_and_say_that_they_are_published(two):
    table = two[1].table("performance")
    sources = [row["source"] for row in table.rows]
    assert sources == sorted(sources, key=lambda source: source.startswith("published"))
    assert [row["group"] for row in table.rows if row["source"].startswith("published")] == ["Total", "HI2", "PH"]
    lines = table_words(table)
    heading = next(number for number, line in enumerate(lines) if "published, adaptive-threshold paper, Table 2" in line)
    assert "0.66 (0.17)" in lines[heading + 1]
    assert "0.61 (0.18)" in lines[heading + 2]
    assert "0.73 (0.14)" in lines[heading + 3]


def test_published_values_never_enter_a_computed_one(tmp_path):
    rows = [
        {"case_id": f"c{n}", "status": "done", "ht_type": "PH", "method": "adaptive", "dice": 0.1 * n} for n in range(1, 4)
    ]
    found = evaluate([read_results(write_results(tmp_path, rows))])
    own = row_of(found.table("performance"), method="adaptive", group="Total")
    assert (own["n"], own["dice_mean"], own["dice_sd"]) == (3, pytest.approx(0.2), pytest.approx(0.1))
    assert "HI2" not in {row["group"] for row in found.table("performance").rows}


def test_paired_tests_are_scipys(two):
    folder, evaluation = two
    both = (
        frame(folder, "adaptive")
        .merge(frame(folder, "global"), on="case_id", suffixes=("", "_2"))
        .dropna(subset=["dice", "dice_2"])
    )
    row = row_of(evaluation.table("paired"), measurement="DSC", group="Total", first="adaptive", second="global")
    assert row["n"] == len(both)
    assert row["mean_difference"] == pytest.approx((both["dice"] - both["dice_2"]).mean())
    assert row["t_p"] == pytest.approx(stats.ttest_rel(both["dice"], both["dice_2"]).pvalue)
    assert row["wilcoxon_p"] == pytest.approx(stats.wilcoxon(both["dice"], both["dice_2"]).pvalue, rel=1e-6)
    assert row["difference_low"] < row["mean_difference"] < row["difference_high"]
    assert row["first_better"] + row["second_better"] + row["equal"] == pytest.approx(1)


def test_groups_are_compared_by_mann_and_whitney(two):
    folder, evaluation = two
    cases = frame(folder, "adaptive").dropna(subset=["dice"])
    hi, ph = (cases[cases["ht_type"] == kind]["dice"] for kind in ("HI2", "PH"))
    row = row_of(evaluation.table("groups"), method="adaptive")
    assert row["p"] == pytest.approx(stats.mannwhitneyu(hi, ph).pvalue)


def test_volumes_agree_with_numpy(two):
    folder, evaluation = two
    cases = frame(folder, "adaptive").dropna(subset=["reference_volume_ml"])
    mask, true = cases["volume_ml"].to_numpy(), cases["reference_volume_ml"].to_numpy()
    row = row_of(evaluation.table("concordance"), method="adaptive", group="Total")
    ccc = 2 * np.cov(mask, true, bias=True)[0, 1] / (mask.var() + true.var() + (mask.mean() - true.mean()) ** 2)
    assert row["ccc"] == pytest.approx(ccc)
    assert row["ccc_low"] < ccc < row["ccc_high"]
    assert row["pearson"] == pytest.approx(np.corrcoef(mask, true)[0, 1])
    assert (row["slope"], row["intercept_ml"]) == pytest.approx(tuple(np.polyfit(true, mask, 1)))
    assert row["volumes"] > row["n"]  # a mask without a reference has a volume
    limits = row_of(evaluation.table("limits"), method="adaptive", group="Total")
    assert limits["bias_ml"] == pytest.approx((mask - true).mean())
    assert limits["upper_limit_ml"] == pytest.approx((mask - true).mean() + 1.96 * (mask - true).std(ddof=1))
    assert limits["mae_mean"] == pytest.approx(np.abs(mask - true).mean())
    assert limits["disagreement"] == pytest.approx(((mask - true) / ((mask + true) / 2)).mean())


def test_the_volume_error_of_abc2_is_that_of_the_references_own_diameters(two):
    folder, evaluation = two
    by_id = {}
    for method in ("adaptive", "global"):
        for case in frame(folder, method).dropna(subset=["reference_abc2_ml"]).to_dict("records"):
            by_id.setdefault(case["case_id"], abs(case["reference_abc2_ml"] - case["reference_volume_ml"]))
    table = evaluation.table("volume_error")
    row = row_of(table, method="ABC/2 of the reference (Tada)")
    assert row["Total n"] == len(by_id)
    assert row["Total mean"] == pytest.approx(np.mean(list(by_id.values())))
    assert row_of(table, method="adaptive")["seconds_mean"] == pytest.approx(1.7, abs=0.05)
    assert row_of(table, method="Tada formula (IPH and IVH)")["Total mean"] == 9.167


def test_agreement_words_count_as_the_paper_does(tmp_path):
    dices = [0.0, 0.2, 0.21, 0.4, 0.6, 0.61, 0.8, 0.81]
    rows = [
        {"case_id": str(n), "status": "done", "ht_type": "", "method": "adaptive", "dice": d} for n, d in enumerate(dices)
    ]
    row = row_of(evaluate([read_results(write_results(tmp_path, rows))]).table("agreement"), method="adaptive")
    words = ("none", "slight", "fair", "moderate", "substantial", "almost_perfect")
    assert [row[word] for word in words] == [1, 1, 2, 1, 2, 1]
    assert row["share"] == pytest.approx(3 / 8)


def test_lesions_are_pooled_over_scans(two):
    folder, evaluation = two
    cases = frame(folder, "adaptive").dropna(subset=["reference_lesions"])
    row = row_of(evaluation.table("lesions"), method="adaptive", group="Total")
    assert row["sensitivity"] == pytest.approx(cases["lesions_found"].sum() / cases["reference_lesions"].sum())
    assert row["false_mean"] == pytest.approx(cases["false_positive_lesions"].mean())


def test_rules_that_fired_are_counted_with_their_windows(two):
    folder, evaluation = two
    cases = frame(folder, "adaptive")
    for row in evaluation.table("rules").rows:
        of_rule = cases[cases["rule_number"] == row["rule"]]
        assert row["cases"] == len(of_rule)
        if len(of_rule):
            assert set(of_rule["threshold_lower_hu"]) == {float(row["window"].split()[0])}
    assert sum(row["share"] for row in evaluation.table("rules").rows) == pytest.approx(1)


def test_failed_cases_are_in_the_words_the_tables_and_the_json(two, tmp_path):
    folder, evaluation = two
    failed = pd.read_csv(folder / "adaptive" / "results.csv").query("status == 'failed'")["case_id"].tolist()
    assert failed
    words = "\n".join(evaluation_words(evaluation))
    assert f"adaptive: 60 cases, {len(failed)} failed and not in the tables" in words
    write_tables(evaluation, tmp_path)
    stored = json.loads((tmp_path / "tables.json").read_text())
    assert [entry["case_id"] for entry in stored["methods"][0]["failed"]] == failed
    for case_id in failed:
        assert case_id in words
        assert case_id in (tmp_path / "failures.csv").read_text()
    assert sorted(path.stem for path in tmp_path.glob("*.csv")) == sorted(stored["tables"])


def test_failed_cases_count_as_zero_when_asked(tmp_path):
    rows = [{"case_id": "a", "status": "done", "ht_type": "PH", "method": "adaptive", "dice": 0.8, "volume_ml": 1.0}]
    rows += [{"case_id": "b", "status": "failed", "error": "no brain", "ht_type": "PH", "method": "adaptive"}]
    rows += [{"case_id": "c", "status": "done", "ht_type": "PH", "method": "adaptive", "volume_ml": 2.0}]
    found = read_results(write_results(tmp_path, rows))
    left_out, counted = evaluate([found]), evaluate([found], failed_as_zero=True)
    assert row_of(left_out.table("performance"), method="adaptive", group="Total")["dice_mean"] == pytest.approx(0.8)
    row = row_of(counted.table("performance"), method="adaptive", group="Total")
    assert (row["n"], row["dice_mean"], row["auc_n"]) == (2, pytest.approx(0.4), 0)
    assert "counted as DSC 0" in counted.remarks[0]
    assert "c" in counted.remarks[1]
    assert "without a reference" in counted.remarks[1]


def test_a_failed_case_whose_record_has_no_reference_is_not_counted_as_zero(tmp_path):
    rows = [{"case_id": name, "status": "failed", "error": "lost", "method": "adaptive", "ht_type": ""} for name in "ab"]
    folder = write_results(tmp_path, rows)
    (folder / "records").mkdir()
    (folder / "records" / "a.json").write_text(json.dumps({"inputs": {"reference": None}}))
    (folder / "records" / "b.json").write_text(json.dumps({"inputs": {"reference": {"path": "truth.nii.gz"}}}))
    row = row_of(
        evaluate([read_results(folder)], failed_as_zero=True).table("performance"), method="adaptive", group="Total"
    )
    assert (row["n"], row["dice_mean"]) == (1, 0.0)


def test_heidelberg_classes_are_united_as_the_papers_do(tmp_path):
    rows = make_rows(24, groups=("HI1", "HI2", "PH1", "PH2", ""))
    table = evaluate([read_results(write_results(tmp_path, rows))]).table("performance")
    own = [row for row in table.rows if row["source"] == "this cohort"]
    assert [row["group"] for row in own] == ["Total", "HI1", "HI2", "HI", "PH1", "PH2", "PH"]
    n = {row["group"]: row["n"] for row in own}
    assert n["HI"] == n["HI1"] + n["HI2"]
    assert n["PH"] == n["PH1"] + n["PH2"]
    assert n["Total"] == n["HI"] + n["PH"] + sum(row["ht_type"] == "" for row in rows)


def test_any_column_makes_groups(tmp_path):
    rows = [row | {"site": "Lyon" if n % 3 else "Total"} for n, row in enumerate(make_rows(12))]
    found = evaluate([read_results(write_results(tmp_path, rows, extra=("site",)))], group_by="site")
    assert [group.name for group in found.cohort.groups] == ["Total", "Lyon", "Total (group)"]


def test_many_kinds_are_cut_to_the_largest_groups_and_that_is_said(tmp_path):
    rows = [row | {"ht_type": f"kind {n % 30}"} for n, row in enumerate(make_rows(90))]
    found = evaluate([read_results(write_results(tmp_path, rows))])
    assert len(found.cohort.groups) == 13
    assert any("Of 30 groups the 12 largest are shown" in remark for remark in found.remarks)


def test_without_an_roi_the_next_domain_is_taken_and_that_is_said(tmp_path):
    rows = [{name: value for name, value in row.items() if not name.endswith("_roi")} for row in make_rows(6)]
    found = evaluate([read_results(write_results(tmp_path, rows))])
    assert found.cohort.domain == "brain"
    assert any("not in the ROI as published" in remark for remark in found.remarks)
    assert "in the brain" in found.table("performance").note


def test_three_methods_bring_kruskal_and_dunn(tmp_path):
    methods = [
        read_results(write_results(tmp_path / name, make_rows(20, method=name, seed=seed)), name)
        for seed, name in enumerate(("adaptive", "global", "other"))
    ]
    found = evaluate(methods)
    table = found.table("several_methods")
    dices = [[case.number("dice") for case in method.cases] for method in methods]
    total = [row for row in table.rows if row["group"] == "Total"]
    assert len(total) == 3
    assert total[0]["overall_p"] == pytest.approx(stats.kruskal(*dices).pvalue)
    adjusted = [row["wilcoxon_adjusted_p"] for row in found.table("paired").rows if row["group"] == "Total"][:3]
    raw = [row["wilcoxon_p"] for row in found.table("paired").rows if row["group"] == "Total"][:3]
    assert adjusted == pytest.approx(list(stats.false_discovery_control(raw)))


def test_labels_have_a_table_of_their_own(tmp_path):
    rows = [
        row | {"dice__edema": 0.5 + 0.1 * (n % 3), "volume_ml__edema": 2.0 + n, "reference_volume_ml__edema": 2.5 + n}
        for n, row in enumerate(make_rows(9))
    ]
    extra = ("dice__edema", "volume_ml__edema", "reference_volume_ml__edema")
    found = read_results(write_results(tmp_path, rows, extra=extra))
    assert found.labels == ("edema",)
    table = evaluate([found]).table("classes")
    row = row_of(table, method="adaptive", label="edema", group="Total")
    assert row["dice_median"] == pytest.approx(0.6)
    assert row["ccc"] == pytest.approx(1 - 0.25 / (2 * np.var(np.arange(9)) + 0.25))
    assert [row["label"] for row in table.rows if row["source"].startswith("published")] == ["ICH", "PHE", "IVH"]


def test_growth_is_tabulated_where_there_is_an_earlier_scan(tmp_path):
    rows = [
        row | {"growth_ml": 2.0 * n, "expansion_6ml_or_33percent": n > 3, "expansion_12_5ml": n > 6}
        for n, row in enumerate(make_rows(9))
    ]
    extra = ("growth_ml", "expansion_6ml_or_33percent", "expansion_12_5ml")
    table = evaluate([read_results(write_results(tmp_path, rows, extra=extra))]).table("growth")
    row = row_of(table, group="Total")
    assert (row["n"], row["growth_ml_mean"], row["expansion_6ml_or_33percent"], row["expansion_12_5ml"]) == (9, 8.0, 5, 2)


COHORTS = {
    "empty": [],
    "one case": make_rows(1),
    "one group": make_rows(8, groups=("PH",)),
    "no groups": make_rows(8, groups=()),
    "no reference": make_rows(8, without_reference=1.0),
    "all failed": make_rows(8, failed=1.0),
    "all the same": [make_rows(1)[0] | {"case_id": f"c{n}"} for n in range(6)],
    "empty masks": [row | {"volume_ml": 0.0, "reference_volume_ml": 0.0, "dice": 1.0} for row in make_rows(6)],
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", COHORTS)
@pytest.mark.parametrize("methods", [1, 3])
def test_odd_cohorts_make_tables_without_a_number_that_is_none(name, methods, tmp_path):
    found = [read_results(write_results(tmp_path / f"m{n}", COHORTS[name]), f"m{n}") for n in range(methods)]
    evaluation = evaluate(found, failed_as_zero=name == "all failed")
    lines = evaluation_words(evaluation)
    assert not any("nan" in line.lower().split() or "inf" in line.split() for line in lines)
    write_tables(evaluation, tmp_path)
    stored = json.loads((tmp_path / "tables.json").read_text())
    numbers = [value for table in stored["tables"].values() for row in table["rows"] for value in row.values()]
    assert all(math.isfinite(value) for value in numbers if isinstance(value, float))


def test_the_same_results_give_the_same_files(two, tmp_path):
    folder, first = two
    second = evaluate([read_results(folder / "adaptive"), read_results(folder / "global")])
    for name, evaluation in (("a", first), ("b", second)):
        (tmp_path / name).mkdir()
        write_tables(evaluation, tmp_path / name)
    files = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert len(files) > 10
    for name in files:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_long_lists_of_failures_are_counted_in_words(tmp_path):
    found = read_results(write_results(tmp_path, make_rows(40, failed=1.0)))
    words = count_words(found)
    assert "40 failed" in words
    assert words.count("the scan holds no brain") == 20
    assert "and 20 more" in words
    assert len(evaluate([found]).table("failures").rows) == 40
