"""Suggest ROI: proposed regions become boxes of the scene, and what somebody drew or moved is never touched."""

import numpy as np
import pytest

from HTSegmentationLib.errors import Cancelled, UsageError
from HTSegmentationLib.progress import silent
from HTSegmentationLib.roi import BoxShape
from HTSegmentationLib.suggest import Candidate, Suggestions, Suspicion

from .conftest import BLEED_RAS, rigid

TURNED = tuple(map(tuple, rigid()[:3, :3].T.tolist()))
STRAIGHT = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
MIRRORED = ((-1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))


def candidate(side="left", center=(25.0, 10.0, 5.0), axes=STRAIGHT, ml=12.3, suspicion=None):
    """A region as the search gives it; LPS mm."""
    return Candidate(
        center=center,
        side=side,
        size_ml=ml,
        mean_hu=60.0,
        peak_hu=70.0,
        excess_hu=20.0,
        asymmetry_hu=21.0,
        standing_out=250.0,
        evidence=250.0,
        score=0.9,
        suspicion=suspicion,
        reason=f"{ml:.1f} mL; denser, 20 HU",
        box=BoxShape(center, axes, (40.0, 44.0, 36.0)),
    )


def suggestions(*proposed, set_aside=()):
    return Suggestions(tuple(proposed), tuple(set_aside), (), {})


@pytest.fixture
def propose(slicer, scene, logic, volume, parameters):
    """Puts regions into the scene as a search does that found them; the CT only has to be there."""
    from HTSegmentationModule.suggested_rois import GatheredSearch, finishSearch

    class Prepared:
        """Stands for a CT whose preparation is up to date."""

        def __init__(self):
            self.node, self.scan = parameters(volume), object()

        def __call__(self, *proposed, set_aside=()):
            found = suggestions(*proposed, set_aside=set_aside)
            return finishSearch(self, self.node, GatheredSearch(self.scan, None), found)

        def prepared(self, volumeNode, assumeHU):
            return self.scan

    return Prepared()


def names(parameterNode):
    return [node.GetName() for node in parameterNode.roiNodes]


def test_the_bleed_of_a_scan_becomes_a_box_that_says_why(slicer, logic, volume, parameters):
    node = parameters(volume)
    suggested = logic.suggestRois(node)
    (box,) = suggested.nodes
    assert list(node.roiNodes) == [box]
    assert box.IsPointInROIWorld(list(BLEED_RAS))
    assert box.GetName().startswith("Suggested 1 (left, ")
    assert box.GetDescription() == box.GetNthControlPointDescription(0) == suggested.found.proposed[0].reason
    result = logic.segment(node)
    assert result.volume_ml() == pytest.approx(7.0, abs=0.5)
    (told,) = [remark for remark in result.remarks if remark.code == "roi-automatic"]
    assert "staining" in told.text
    assert suggested.found.proposed[0].reason in told.text


def test_a_head_without_a_bleed_gets_no_box_and_a_plain_word(slicer, logic, addVolume, phantom, parameters, addBox):
    from HTSegmentationModule.suggestion_section import suggestionText

    values, bleed = phantom
    own = addBox()
    node = parameters(addVolume(np.where(bleed, values - 30, values)), [own])
    suggested = logic.suggestRois(node)
    assert suggested.nodes == ()
    assert list(node.roiNodes) == [own]
    assert [remark.code for remark in suggested.found.remarks] == ["no-region-found"]
    told = suggestionText(suggested)
    assert told.startswith("No region of the brain stands out")
    assert "does not exclude a bleed" in told
    assert told.endswith("press Box or Curve.")
    assert "staining" not in told


def test_a_turned_scan_under_a_transform_gets_its_box_where_the_bleed_is(
    slicer, logic, addVolume, phantom, addLinear, parameters
):
    from HTSegmentationModule.roi_conversion import shapeOfMarkups

    from .conftest import LPS_FROM_RAS, ORIGIN, SPACING

    straight = np.diag([*SPACING, 1.0])
    straight[:3, 3] = ORIGIN
    turned, moved = rigid((0, 0, 8), (3, -2, 1)), rigid((6, 0, 0), (20, 30, -15))
    volume = addVolume(phantom[0].copy(), turned @ LPS_FROM_RAS @ straight)
    volume.SetAndObserveTransformNodeID(addLinear(moved).GetID())
    (box,) = logic.suggestRois(parameters(volume)).nodes
    assert box.GetParentTransformNode() is None
    bleed = (moved @ turned @ [*BLEED_RAS, 1.0])[:3]
    assert np.linalg.norm(np.array(box.GetCenterWorld()) - bleed) < 4
    axes = np.array(shapeOfMarkups(box)[0].axes) @ np.diag([-1, -1, 1])
    assert np.abs(np.abs(axes @ (moved @ turned)[:3, :3]) - np.eye(3)).max() < 1e-6


@pytest.mark.parametrize("axes", [STRAIGHT, MIRRORED, TURNED])
def test_the_node_is_the_box_that_was_proposed(propose, axes):
    from HTSegmentationModule.roi_conversion import shapeOfMarkups

    region = candidate(axes=axes)
    (node,) = propose(region).nodes
    corners, expected = shapeOfMarkups(node)[0].corners(), region.box.corners()
    assert np.linalg.norm(corners[:, None] - expected[None], axis=-1).min(axis=1).max() < 1e-6
    assert node.GetObjectToWorldMatrix().Determinant() == pytest.approx(1)


def test_another_search_replaces_its_own_boxes_and_no_other(propose, addBox, addCurve):
    box, curve = addBox(name="mine"), addCurve([(0, 0, 0), (9, 0, 0), (0, 9, 0)], name="drawn")
    propose.node.roiNodes = [box, curve]
    left, right = propose(candidate(), candidate("right", (-25.0, 10.0, 5.0), ml=3.21)).nodes
    assert names(propose.node) == ["mine", "drawn", "Suggested 1 (left, 12 mL)", "Suggested 2 (right, 3.2 mL)"]
    right.SetCenterWorld(24.0, -10.0, 5.0)
    propose(candidate(ml=11.0))
    assert names(propose.node) == ["mine", "drawn", "Suggested 2 (right, 3.2 mL)", "Suggested 1 (left, 11 mL)"]
    assert left.GetScene() is None
    propose()
    assert names(propose.node) == ["mine", "drawn", "Suggested 2 (right, 3.2 mL)"]


@pytest.mark.parametrize("change", ["size", "center", "transform"])
def test_a_box_that_was_moved_is_the_users_own(propose, addLinear, change):
    from HTSegmentationModule.suggested_mark import isAsSuggested, reasonOf, suggestedRemarks

    (node,) = propose(candidate()).nodes
    node.SetDisplayVisibility(False)
    node.SetName("renamed")
    assert isAsSuggested(node)
    assert reasonOf(node)
    if change == "size":
        node.SetSize(40.0, 44.0, 37.0)
    elif change == "center":
        node.SetCenterWorld(-25.0, -10.0, 5.5)
    else:
        node.SetAndObserveTransformNodeID(addLinear(rigid((0, 0, 1), (0, 0, 0))).GetID())
    assert not isAsSuggested(node)
    assert reasonOf(node) == ""
    assert suggestedRemarks([node]) == []


def test_a_drawn_box_tells_of_no_program(slicer, addBox):
    from HTSegmentationModule.suggested_mark import isAsSuggested, suggestedRemarks

    box = addBox()
    assert not isAsSuggested(box)
    assert suggestedRemarks([box]) == []


def test_a_saved_scene_knows_which_boxes_were_proposed(slicer, scene, propose, tmp_path):
    from HTSegmentationModule.suggested_mark import isAsSuggested, reasonOf

    region = candidate(axes=TURNED)
    (node,) = propose(region).nodes
    path = str(tmp_path / "box.mrk.json")
    scene.RegisterNodeClass(slicer.vtkMRMLMarkupsROIJsonStorageNode())
    storage = scene.AddNewNodeByClass("vtkMRMLMarkupsROIJsonStorageNode")
    storage.SetFileName(path)
    assert storage.WriteData(node)
    mark = {name: node.GetAttribute(name) for name in node.GetAttributeNames()}
    scene.RemoveNode(node)
    loaded = scene.AddNewNodeByClass("vtkMRMLMarkupsROINode")
    assert storage.ReadData(loaded)
    for name, value in mark.items():
        loaded.SetAttribute(name, value)
    assert isAsSuggested(loaded)
    assert reasonOf(loaded) == region.reason


def test_a_ct_that_was_changed_meanwhile_gets_no_box(logic, volume, parameters, addVolume, phantom):
    from HTSegmentationModule.suggested_rois import finishSearch, gatherSearch

    node = parameters(volume)
    with pytest.raises(UsageError, match="not prepared"):
        gatherSearch(logic, node)
    logic.prepare(volume)
    gathered = gatherSearch(logic, node)
    node.inputVolume = addVolume(phantom[0].copy())
    with pytest.raises(UsageError, match="changed while it was searched"):
        finishSearch(logic, node, gathered, suggestions(candidate()))
    node.inputVolume = None
    with pytest.raises(UsageError, match="changed while it was searched"):
        finishSearch(logic, node, gathered, suggestions(candidate()))
    assert node.roiNodes == []


def test_a_search_that_was_stopped_changed_nothing(logic, scene, volume, parameters):
    from HTSegmentationModule.suggested_rois import gatherSearch

    logic.prepare(volume)

    def stop(stage, fraction):
        raise Cancelled

    node = parameters(volume)
    with pytest.raises(Cancelled):
        gatherSearch(logic, node).run(stop)
    with pytest.raises(Cancelled):
        logic.suggestRois(node, stop)
    assert node.roiNodes == []
    assert scene.GetNumberOfNodesByClass("vtkMRMLMarkupsROINode") == 0
    assert gatherSearch(logic, node).run(silent).proposed


def test_the_message_tells_what_was_proposed_and_set_aside_and_that_staining_looks_the_same(propose):
    from HTSegmentationModule.suggestion_section import suggestionText

    plexus = candidate("midline", ml=0.44, suspicion=Suspicion.CALCIFICATION)
    text = suggestionText(propose(candidate(), set_aside=[plexus]))
    assert text.startswith("Suggested 1 (left, 12 mL): 12.3 mL; denser, 20 HU.\n")
    assert "staining" in text
    assert "Set aside: calcification (midline, L 25, P 10, S 5 mm, 0.4 mL)." in text
    assert "Box or Curve" not in text
    many = suggestionText(propose(candidate(), set_aside=[plexus] * 5))
    assert many.count("calcification") == 3
    assert "2 more." in many
