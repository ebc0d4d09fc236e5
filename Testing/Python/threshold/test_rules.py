import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from HTSegmentationLib.errors import ParameterError
from HTSegmentationLib.threshold.rules import PUBLISHED_RULES, Rule, require_valid_rules, rule_number, sd_range


@pytest.mark.parametrize(
    ("sd", "window"),
    [
        (0.0, (35, 65)),
        (0.001, (40, 70)),
        (2.3, (40, 70)),
        (2.31, (45, 75)),
        (6.0, (45, 75)),
        (6.01, (50, 80)),
        (11.0, (50, 80)),
        (11.01, (55, 85)),
        (80.0, (55, 85)),
    ],
)
def test_published_table_gives_the_window_of_table_1(sd, window):
    rule = PUBLISHED_RULES[rule_number(PUBLISHED_RULES, sd)]
    assert (rule.lower_hu, rule.upper_hu) == window


@given(st.floats(min_value=0, max_value=1e6))
def test_exactly_one_row_fires_for_every_sd(sd):
    lower = [-1.0] + [rule.sd_up_to for rule in PUBLISHED_RULES[:-1]]
    fired = [low < sd <= rule.sd_up_to for low, rule in zip(lower, PUBLISHED_RULES, strict=True)]
    assert sum(fired) == 1
    assert fired[rule_number(PUBLISHED_RULES, sd)]


def test_ranges_read_as_in_the_paper():
    words = [sd_range(PUBLISHED_RULES, number) for number in range(5)]
    assert words == ["SD = 0", "0 < SD <= 2.3", "2.3 < SD <= 6", "6 < SD <= 11", "SD > 11"]


@pytest.mark.parametrize(
    ("rules", "complaint"),
    [
        ((), "empty"),
        ((Rule(5, 50, 80), Rule(5, 50, 80), Rule(math.inf, 50, 80)), "rise"),
        ((Rule(5, 50, 80),), "last row"),
        ((Rule(-1, 50, 80), Rule(math.inf, 50, 80)), "0 HU or more"),
        ((Rule(math.nan, 50, 80), Rule(math.inf, 50, 80)), "0 HU or more"),
        ((Rule(math.inf, 80, 50),), "row 1.*below"),
        ((Rule(1, 50, 80), Rule(math.inf, 50, 900)), "row 2.*900 HU"),
        ((Rule(math.inf, math.nan, 80),), "nan HU"),
    ],
)
def test_bad_tables_are_refused_with_the_reason(rules, complaint):
    with pytest.raises(ParameterError, match=complaint):
        require_valid_rules(rules)
