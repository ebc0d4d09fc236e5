"""The robust threshold's values on their way between panel, library, files and picture."""

import dataclasses
import types
from xml.etree import ElementTree

import numpy as np
import pytest
import SimpleITK as sitk

from HTSegmentationLib.errors import ParameterError
from HTSegmentationLib.threshold.robust.parameters import ROBUST_LIMITS, RobustParameters

from .conftest import MODULE

OWN = RobustParameters(1.2, 6.0, 18.0, 30.0, 0.5, 120.0, 20.0)
NAMES = [field.name for field in dataclasses.fields(RobustParameters)]


def test_every_value_of_the_robust_threshold_reaches_the_library_and_comes_back(parameters):
    from HTSegmentationModule.parameters import storeParameters, toLibrary

    node = parameters(method="robust")
    assert toLibrary(node) == RobustParameters()
    storeParameters(node, OWN)
    assert toLibrary(node) == OWN


def test_the_values_of_one_method_leave_those_of_the_others_alone(parameters):
    from HTSegmentationModule.parameters import storeParameters, toLibrary

    node = parameters(manualThreshold=True, manualLower=51.0, manualUpper=71.0, smoothingInPlane=0.5)
    before = toLibrary(node), toLibrary(node, "global")
    storeParameters(node, OWN)
    assert (toLibrary(node), toLibrary(node, "global")) == before


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"robustShare": 0.95}, "bound_share: 0.95 must be from 0.1 to 0.9"),
        ({"robustLeastContrast": 18.0}, r"least_contrast_hu \(18 HU\) must not be above most_contrast_hu \(17 HU\)"),
        ({"robustPartGap": 60.0}, "part_gap_mm: 60.0 must be from 0 to 50 mm"),
    ],
)
def test_a_scenes_value_out_of_range_is_told_and_nothing_is_changed(logic, case, scene, fields, words):
    case.method = "robust"
    for name, value in fields.items():
        setattr(case, name, value)
    before = scene.GetNumberOfNodes()
    with pytest.raises(ParameterError, match=words):
        logic.apply(case)
    assert scene.GetNumberOfNodes() == before


def test_the_limits_are_those_that_the_library_keeps():
    assert list(ROBUST_LIMITS) == NAMES
    for name, (lowest, highest, unit) in ROBUST_LIMITS.items():
        others = {"least_contrast_hu": 5.0, "most_contrast_hu": 40.0}
        for value in (lowest, highest):
            assert getattr(RobustParameters(**(others | {name: value})), name) == value
        for value in (lowest - 0.01, highest + 0.01):
            with pytest.raises(ParameterError, match=f"from {lowest:g} to {highest:g} .?{unit.strip('()')}"):
                RobustParameters(**(others | {name: value}))


def test_each_value_has_a_box_in_the_panel_without_limits_of_its_own(slicer, parameters):
    from HTSegmentationModule.parameters import FIELDS

    tree = ElementTree.parse(MODULE / "Resources" / "UI" / "HTSegmentation.ui")  # noqa: S314  (our own file)
    boxes = {box.get("name"): box for box in tree.iter("widget") if box.get("class") == "QDoubleSpinBox"}
    for name in NAMES:
        properties = {item.get("name"): item[0].text for item in boxes[f"{FIELDS[name]}SpinBox"].iter("property")}
        assert properties["SlicerParameterName"] == FIELDS[name]
        assert not {"minimum", "maximum"} & set(properties)
        assert (properties["suffix"] or "").strip() == ROBUST_LIMITS[name][2].replace("(no unit)", "")
        # As many decimals as the fitted value needs, so that the panel shows what is computed.
        value = getattr(parameters(), FIELDS[name])
        assert round(value, int(properties["decimals"])) == value


@pytest.fixture
def drawn(logic, case):
    """Segments the phantom by a method and gives result and histogram."""
    from HTSegmentationModule.histogram_content import contentOf
    from HTSegmentationModule.segmenting import gather

    def draw(method, **fields):
        case.method = method
        for name, value in fields.items():
            setattr(case, name, value)
        logic.prepare(case.inputVolume)
        gathered = gather(logic, case)
        result = gathered.run(lambda stage, fraction: None)
        return result, contentOf(gathered, result)

    return draw


def test_the_histogram_of_the_robust_threshold_marks_the_masks_own_voxels(drawn):
    result, content = drawn("robust")
    assert content.marked.sum() == np.count_nonzero(sitk.GetArrayFromImage(result.mask))
    assert (content.marked <= content.counts).all()
    assert 0 < content.marked.sum() < content.counts.sum()
    details = result.details
    lower = details.background_hu + details.bound.contrast_hu
    assert content.bracket == (details.background_hu, lower)
    assert content.band == (lower, 100.0)
    assert content.word == f"contrast {details.bound.contrast_hu:.1f} HU"
    assert "about" in content.meaning


def test_the_histogram_of_an_empty_mask_has_no_bounds(logic, case, addVolume, phantom):
    from HTSegmentationModule.histogram_content import contentOf
    from HTSegmentationModule.segmenting import gather

    values, bleed = phantom
    case.inputVolume, case.method = addVolume(np.where(bleed > 0, values - 30, values)), "robust"
    logic.prepare(case.inputVolume)
    gathered = gather(logic, case)
    content = contentOf(gathered, gathered.run(lambda stage, fraction: None))
    assert content.counts.sum() > 0
    assert content.marked.sum() == 0
    assert (content.band, content.bracket) == (None, None)


def test_the_histogram_of_a_window_marks_what_lies_within_it(drawn):
    result, content = drawn("adaptive")
    lower, upper = result.details.threshold_hu
    hu = np.arange(content.counts.size)
    assert content.marked.tolist() == np.where((hu >= lower) & (hu <= upper), content.counts, 0).tolist()
    assert content.bracket == result.details.first_threshold_hu
    _, content = drawn("global")
    assert (content.band, content.bracket) == ((50.0, 80.0), None)
    assert "first" not in content.meaning


def test_a_method_without_bounds_has_no_histogram(slicer):
    from HTSegmentationModule.histogram_content import contentOf

    network = types.SimpleNamespace(details=types.SimpleNamespace())
    assert contentOf(types.SimpleNamespace(roi=object()), network) is None
    assert contentOf(types.SimpleNamespace(roi=None), network) is None
    assert contentOf(None, None) is None
