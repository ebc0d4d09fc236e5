"""Every volume of a threshold comes with its uncertainty and a confidence, and a corrected segment with neither."""

import math

import numpy as np
import pytest
import vtk

from HTSegmentationLib.methods import METHOD_NAMES, method
from HTSegmentationLib.segmenter import Confidence


def cells(table, row=0):
    names = ("UncertaintyMl", "Confidence", "ConfidenceReason")
    return tuple(table.GetTable().GetColumnByName(name).GetValue(row) for name in names)


@pytest.mark.parametrize("name", METHOD_NAMES)
def test_each_threshold_runs_from_the_panels_choices_and_its_row_tells_how_sure_it_is(logic, case, name):
    case.method = name
    outcome = logic.apply(case)
    result = outcome.result
    assert outcome.measurement.mask.volume_ml == pytest.approx(7.0, abs=0.7)
    assert cells(logic.tableNode()) == (result.uncertainty_ml, result.confidence.value, result.confidence.reason)
    assert 0 < result.uncertainty_ml < result.volume_ml()
    assert len(result.details.explain()) <= 3


def test_a_segment_that_was_corrected_is_told_without_the_methods_certainty(slicer, logic, case):
    logic.apply(case)
    before = cells(logic.tableNode())
    logic.remeasure(case)
    assert cells(logic.tableNode()) == before
    from HTSegmentationModule.segmentation_output import hemorrhageSegmentID

    node = case.outputSegmentation
    segment = node.GetSegmentation().GetSegment(hemorrhageSegmentID(node))
    image = segment.GetRepresentation("Binary labelmap")
    voxels = vtk.util.numpy_support.vtk_to_numpy(image.GetPointData().GetScalars())
    voxels[np.flatnonzero(voxels)[:50]] = 0
    image.Modified()
    logic.remeasure(case)
    uncertainty, confidence, reason = cells(logic.tableNode())
    assert math.isnan(uncertainty)
    assert math.isnan(confidence)
    assert reason == ""


def test_rows_of_a_scene_that_knew_no_confidence_have_none(logic, case):
    logic.apply(case)
    table = logic.tableNode()
    for name in ("UncertaintyMl", "Confidence"):
        table.RemoveColumn(table.GetColumnIndex(name))
    logic.remeasure(case)
    assert [math.isnan(value) for value in cells(table)[:2]] == [True, True]


def test_the_words_for_uncertainty_and_confidence(slicer):
    from HTSegmentationModule.sureness import confidenceText, volumeText

    assert volumeText(12.345) == "12.35 mL"
    assert volumeText(12.345, 0.8) == "12.35 ± 0.80 mL"
    assert confidenceText(Confidence(0.55, "touches the skull")) == "0.55 (moderate): touches the skull"


def test_the_panel_knows_the_parameters_of_each_method_from_the_library(slicer):
    from HTSegmentationModule.parameters import parameterNames

    assert {"rules", "manual_lower_hu", "closing_diameter_voxels"} <= parameterNames(method("adaptive"))
    assert {"lower_hu", "closing_diameter_voxels"} <= parameterNames(method("global"))
    assert not {"rules", "lower_hu", "closing_diameter_voxels", "smoothing_in_plane_mm"} & parameterNames(method("robust"))


def test_a_comparison_tells_both_uncertainties(logic, case):
    from HTSegmentationModule.comparison_section import comparisonText

    comparison = logic.compare(case, "robust")
    text = comparisonText(comparison)
    for ml, uncertaintyMl in zip(comparison.volumesMl, comparison.uncertaintiesMl, strict=True):
        assert f"{ml:.2f} ± {uncertaintyMl:.2f} mL" in text
