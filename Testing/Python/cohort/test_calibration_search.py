"""The search for the best rule table is exact, keeps its promises, and becomes a table that every command reads."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from HTSegmentationLib.cohort.calibration.folds import Cases, fitted, stratified_folds
from HTSegmentationLib.cohort.calibration.rule_table import as_rules
from HTSegmentationLib.cohort.calibration.search import FittedTable, best_tables
from HTSegmentationLib.cohort.calibration.windows import candidate_windows, published_windows
from HTSegmentationLib.threshold.rules import PUBLISHED_RULES, require_valid_rules, rule_number


def brute_force(sds, dice, published, most_rows, fewest_cases, least_gain):
    """The best score over every way to choose disjoint stretches of SDs and a window for each."""
    levels = sorted(set(sds))
    stretches = [(i, j) for i in range(len(levels)) for j in range(i + 1, len(levels) + 1) if levels[i] > 0 or j == i + 1]
    worth = {}
    for i, j in stretches:
        inside = np.isin(sds, levels[i:j])
        if inside.sum() >= fewest_cases:
            gains = dice[inside] - dice[inside, published[inside]][:, None] - least_gain
            worth[i, j] = gains.sum(axis=0).max()
    best = 0.0
    for count in range(1, most_rows + 1):
        for chosen in itertools.combinations(worth, count):
            if all(one[1] <= other[0] for one, other in itertools.pairwise(sorted(chosen))):
                best = max(best, sum(worth[stretch] for stretch in chosen))
    return best


@st.composite
def problems(draw):
    count, windows = draw(st.integers(1, 8)), draw(st.integers(1, 4))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    sds = random.choice([0.0, 1.0, 2.5, 2.504, 4.0, 6.0, 9.0, 12.0], count)
    return sds, random.random((count, windows)), random.integers(0, windows, count)


@settings(max_examples=150, deadline=None)
@given(problem=problems(), most_rows=st.integers(0, 3), fewest=st.integers(1, 3), margin=st.sampled_from([0.0, 0.05, 0.3]))
def test_no_table_is_better_than_the_one_found(problem, most_rows, fewest, margin):
    sds, dice, published = problem
    tables = best_tables(sds, dice, published, most_rows, fewest_cases=fewest, least_gain=margin)
    assert len(tables) == most_rows + 1
    for rows, table in enumerate(tables):
        assert table.score == pytest.approx(brute_force(sds, dice, published, rows, fewest, margin))
        assert len(table.rows) <= rows


@settings(max_examples=150, deadline=None)
@given(problem=problems(), fewest=st.integers(1, 3), margin=st.sampled_from([0.0, 0.05, 0.3]))
def test_a_table_scores_what_it_says_and_its_rows_keep_their_promises(problem, fewest, margin):
    sds, dice, published = problem
    table = best_tables(sds, dice, published, 3, fewest_cases=fewest, least_gain=margin)[-1]
    chosen = table.windows(sds, published)
    each = np.arange(len(sds))
    moved = np.zeros(len(sds), dtype=bool)
    for row in table.rows:
        fires = row.holds(sds)
        moved |= fires
        assert fires.sum() == row.cases >= fewest
        gain = (dice[fires, row.window] - dice[fires, published[fires]]).mean()
        assert gain == pytest.approx(row.gain)
        assert gain > margin
    assert table.score == pytest.approx((dice[each, chosen] - dice[each, published]).sum() - margin * moved.sum())


@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), count=st.integers(5, 40))
def test_the_rule_table_fires_the_windows_of_the_search_for_every_sd(seed, count):
    random = np.random.default_rng(seed)
    sds = np.round(random.choice([0.0, 1.0], count, p=[0.1, 0.9]) * random.gamma(4, 1.5, count), 3)
    windows = candidate_windows()
    dice = random.random((count, len(windows)))
    table = best_tables(sds, dice, published_windows(sds), 4)[-1]
    rules = as_rules(table)
    require_valid_rules(rules)
    tried = np.concatenate([sds, random.uniform(0, 15, 50), [0.0, 2.3, 6.0, 11.0, 40.0]])
    chosen = windows[table.windows(tried, published_windows(tried))]
    fired = [rules[rule_number(rules, sd)] for sd in tried]
    assert [(rule.lower_hu, rule.upper_hu) for rule in fired] == [tuple(window) for window in chosen]
    assert sum(rule.classification.startswith("fitted on") for rule in rules) == len(table.rows)


def test_without_cases_of_sd_zero_their_published_row_stays():
    sds = np.linspace(3, 9, 10)
    windows = candidate_windows()
    dice = np.zeros((10, len(windows)))
    dice[:, 100] = 1
    table = best_tables(sds, dice, published_windows(sds), 1)[1]
    rules = as_rules(table)
    assert [rule.sd_up_to for rule in rules] == [0, math.inf]
    assert rules[0] == PUBLISHED_RULES[0]
    assert rules[1].classification == "fitted on 10 cases"


def test_an_unfitted_table_is_the_published_one():
    assert as_rules(FittedTable()) == PUBLISHED_RULES


def test_the_published_windows_are_among_the_candidates():
    sds = np.array([0.0, 2.3, 2.31, 6.0, 11.0, 11.1])
    lower = candidate_windows()[published_windows(sds)][:, 0]
    assert lower.tolist() == [35, 40, 45, 45, 50, 55]


@settings(max_examples=60, deadline=None)
@given(
    sizes=st.lists(st.integers(0, 15), min_size=1, max_size=4).filter(any), folds=st.integers(2, 6), seed=st.integers(0, 99)
)
def test_folds_spread_every_group_evenly(sizes, folds, seed):
    groups = [str(group) for group, size in enumerate(sizes) for _ in range(size)]
    found = stratified_folds(groups, folds, seed)
    assert found.tolist() == stratified_folds(groups, folds, seed).tolist()
    for group in ["all", *map(str, range(len(sizes)))]:
        inside = found if group == "all" else found[np.array(groups) == group]
        counts = np.bincount(inside, minlength=folds)
        assert counts.max() - counts.min() <= 1


def test_noise_alone_does_not_leave_the_published_table():
    """Over many draws of Dice without any true difference between windows, a fitted row is the exception."""
    left = 0
    for seed in range(20):
        random = np.random.default_rng(seed)
        sds = random.gamma(4, 1.5, 30)
        case = random.normal(0.65, 0.15, (30, 1))
        dice = (case + random.normal(0, 0.05, (30, 287))).clip(0, 1)
        left += bool(fitted(Cases(sds, dice, published_windows(sds), ["HI2", "PH"] * 15), seed).rows)
    assert left <= 2
