import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from HTSegmentationLib.errors import HTSegError, InputError, OutputError, ParameterError, UsageError
from HTSegmentationLib.threshold.parameter_files import load_parameters, save_parameters
from HTSegmentationLib.threshold.parameters import AdaptiveParameters, GlobalParameters, SdImage
from HTSegmentationLib.threshold.rules import PUBLISHED_RULES, Rule


def test_defaults_are_the_papers():
    parameters = AdaptiveParameters()
    assert (parameters.first_lower_hu, parameters.first_upper_hu) == (50, 80)
    assert parameters.smoothing_in_plane_mm == parameters.sharpening_mm == 1.0
    assert parameters.closing_diameter_voxels == 4
    assert parameters.rules == PUBLISHED_RULES
    assert (GlobalParameters().lower_hu, GlobalParameters().upper_hu) == (50, 80)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"smoothing_in_plane_mm": -1}, "smoothing_in_plane_mm: -1 must be from 0 to 5 mm"),
        ({"smoothing_through_plane_mm": math.nan}, "nan must be from 0 to 5 mm"),
        ({"sharpening_mm": 0}, "0 must be from 0.1 to 5 mm"),
        ({"sharpening_amount": 99}, "sharpening_amount: 99"),
        ({"closing_diameter_voxels": 2.5}, "whole number of voxels"),
        ({"closing_diameter_voxels": True}, "voxels"),
        ({"first_lower_hu": 80.0, "first_upper_hu": 50.0}, "80 HU.*below.*50 HU"),
        ({"first_upper_hu": 3000.0}, "3000 HU"),
        ({"manual_lower_hu": 40.0}, "give both"),
        ({"manual_lower_hu": 70.0, "manual_upper_hu": 40.0}, "manual threshold"),
    ],
)
def test_values_out_of_range_are_refused_with_unit_and_range(values, words):
    with pytest.raises(ParameterError, match=words):
        AdaptiveParameters(**values)


windows = st.tuples(st.floats(-100, 99), st.floats(100, 300))
rule_tables = st.lists(st.floats(0.001, 50), min_size=0, max_size=6, unique=True).flatmap(
    lambda borders: st.tuples(
        *(
            st.builds(lambda window, border=border: Rule(border, *window, classification='a "word" ü'), windows)
            for border in [*sorted(borders), math.inf]
        )
    )
)


@given(
    st.builds(
        lambda window, rules, sigma, sd_image, manual: AdaptiveParameters(
            smoothing_in_plane_mm=sigma,
            first_lower_hu=window[0],
            first_upper_hu=window[1],
            rules=rules,
            sd_image=sd_image,
            manual_lower_hu=manual and manual[0],
            manual_upper_hu=manual and manual[1],
        ),
        windows,
        rule_tables,
        st.floats(0, 5),
        st.sampled_from(SdImage),
        st.none() | windows,
    ),
    st.sampled_from(["p.json", "p.toml"]),
)
def test_saved_parameters_come_back_the_same(tmp_path_factory, parameters, name):
    file = tmp_path_factory.mktemp("parameters") / name
    save_parameters(file, parameters)
    assert load_parameters(file, AdaptiveParameters) == parameters


def test_a_file_may_name_a_few_parameters_only(tmp_path):
    file = tmp_path / "site.toml"
    file.write_text("lower_hu = 45\n")
    assert load_parameters(file, GlobalParameters) == GlobalParameters(lower_hu=45.0)


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("p.json", "", "not JSON"),
        ("p.json", "[1, 2]", "no table"),
        ("p.json", "[" * 100_000, "not JSON|too large"),
        ("p.json", '{"first_lower": 50}', "unknown parameter first_lower"),
        ("p.json", '{"first_lower_hu": "50"}', "must be a number"),
        ("p.json", '{"first_lower_hu": NaN}', "nan HU"),
        ("p.json", '{"first_lower_hu": 1e999}', "inf HU"),
        ("p.json", '{"sd_image": "blurred"}', "one of original, enhanced"),
        ("p.json", '{"rules": {}}', "list of rows"),
        ("p.json", '{"rules": [{"lower_hu": 1}]}', "row 1: missing upper_hu"),
        ("p.json", '{"rules": [{"lower_hu": 1, "upper_hu": "x"}]}', "must be numbers"),
        ("p.json", '{"rules": [{"lower_hu": 1, "upper_hu": 2, "color": 3}]}', "unknown color"),
        ("p.toml", "first_lower_hu 50", "not TOML"),
        ("p.toml", "\0", "not TOML"),
    ],
)
def test_bad_files_are_refused_in_one_line_that_names_them(tmp_path, name, content, complaint):
    file = tmp_path / name
    file.write_text(content)
    with pytest.raises(InputError, match=complaint) as error:
        load_parameters(file, AdaptiveParameters)
    assert str(file) in str(error.value)
    assert "\n" not in str(error.value)


def test_binary_missing_and_misnamed_files_are_refused(tmp_path):
    (tmp_path / "binary.json").write_bytes(bytes(range(128, 256)))
    with pytest.raises(InputError, match="not text"):
        load_parameters(tmp_path / "binary.json", AdaptiveParameters)
    with pytest.raises(InputError, match="no such file"):
        load_parameters(tmp_path / "none.json", AdaptiveParameters)
    with pytest.raises(UsageError, match=r"ends in \.json or \.toml"):
        load_parameters(tmp_path / "p.yaml", AdaptiveParameters)
    with pytest.raises(OutputError, match="no folder"):
        save_parameters(tmp_path / "none" / "p.json", AdaptiveParameters())


def test_the_manual_of_one_method_is_no_parameter_of_the_other(tmp_path):
    file = tmp_path / "adaptive.json"
    file.write_text(json.dumps(AdaptiveParameters().as_dict()))
    with pytest.raises(HTSegError, match="unknown parameter first_lower_hu"):
        load_parameters(file, GlobalParameters)
