"""What the values of references mean."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from HTSegmentationLib.errors import UsageError
from HTSegmentationLib.training.nnunet.labels import LabelScheme


def test_labels_count_from_one_without_a_gap_and_values_of_one_name_become_one_label():
    scheme = LabelScheme.parsed("2=ICH, 7 = PHE,4=ICH")
    assert scheme.as_json() == {"background": 0, "ICH": 1, "PHE": 2}
    assert scheme.applied(np.array([[0, 2, 4, 7]], np.uint16)).tolist() == [[0, 1, 1, 2]]


def test_what_is_to_be_ignored_has_the_largest_label_as_nnunet_wants_it():
    scheme = LabelScheme.parsed("1=Ignore,2=ICH")
    assert scheme.as_json() == {"background": 0, "ICH": 1, "ignore": 2}


def test_without_names_every_value_is_the_one_label():
    assert LabelScheme().applied(np.array([0, 255, 0], np.uint8)).tolist() == [0, 1, 0]
    assert LabelScheme().as_json() == {"background": 0, "hemorrhage": 1}


@given(st.dictionaries(st.integers(1, 255), st.sampled_from("ABCDE"), min_size=1))
def test_every_named_value_becomes_the_label_of_its_name(named):
    scheme = LabelScheme.parsed(",".join(f"{value}={name}" for value, name in named.items()))
    labels = scheme.as_json()
    assert sorted(labels.values()) == list(range(len(set(named.values())) + 1))
    made = scheme.applied(np.array([0, *named], np.uint8)).tolist()
    assert made == [0, *(labels[name] for name in named.values())]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("ICH", "'ICH' is not VALUE=NAME"),
        ("0=ICH", "'0=ICH' is not VALUE=NAME"),
        ("1=ICH,", "'' is not VALUE=NAME"),
        ("300=ICH", "a value from 1 to 255"),
        ("1=", "'' cannot be a label's name"),
        ("1=Background", "and not 'background'"),
        ("1==cmd", "'=cmd' cannot be a label's name"),
        ("1=ICH,1=PHE", "the value 1 has two names"),
        ("1=ignore", "nothing is left to be learned"),
    ],
)
def test_labels_that_nnunet_could_not_use_are_refused(text, words):
    with pytest.raises(UsageError, match=words):
        LabelScheme.parsed(text)
