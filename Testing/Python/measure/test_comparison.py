import json

import numpy as np
import pytest
import SimpleITK as sitk

from HTSegmentationLib.errors import ROIError, UsageError
from HTSegmentationLib.measure import measure_mask, measure_overlap
from HTSegmentationLib.measure.agreement import measure_agreement
from HTSegmentationLib.measure.comparison import compare_masks
from HTSegmentationLib.measure.lesions import detect_lesions
from HTSegmentationLib.measure.surface import measure_surfaces
from HTSegmentationLib.roi import Roi

from .conftest import blob, made, rotation, shifted

COLUMNS = [
    "dice",
    "iou",
    "precision",
    "volume_ml",
    "reference_volume_ml",
    "volume_difference_ml",
    "sensitivity_roi",
    "specificity_roi",
    "auc_roi",
    "sensitivity_brain",
    "specificity_brain",
    "auc_brain",
    "sensitivity_image",
    "specificity_image",
    "auc_image",
    "hd95_mm",
    "mean_surface_distance_mm",
    "reference_lesions",
    "lesions_found",
    "lesion_sensitivity",
    "false_positive_lesions",
    "abc2_ml",
    "reference_abc2_ml",
]
GRID = {"spacing": (0.6, 0.7, 4.0), "direction": rotation((0, 12, 20)), "origin": (-20.0, 30.0, 5.0)}


@pytest.fixture
def scan():
    """Mask, reference, ROI, brain and probability, surrounded by empty voxels."""
    arrays = [shifted(blob(seed, sigma=1.6, level=0.06), (1, -2, 2)) for seed in (1, 2, 3, 4)]
    images = [made(array, **GRID) for array in arrays]
    probability = np.random.default_rng(5).random(arrays[0].shape) * 0.6 + 0.4 * arrays[1]
    return (*images[:2], Roi.from_mask(images[2]), images[3], made(probability, **GRID, kind=np.float32))


def test_the_columns_have_their_names_and_order(scan):
    assert list(compare_masks(*scan[:2]).as_dict()) == COLUMNS


def test_every_value_is_that_of_its_own_function(scan):
    mask, reference, roi, brain, probability = scan
    for chances in (None, probability):
        found = compare_masks(mask, reference, roi=roi, brain=brain, probability=chances)
        overlap, surfaces = measure_overlap(mask, reference), measure_surfaces(mask, reference)
        lesions = detect_lesions(mask, reference)
        in_roi, in_brain, in_image = (
            measure_agreement(mask, reference, probability=chances, **domain)
            for domain in ({"roi": roi}, {"brain": brain}, {})
        )
        assert list(found.as_dict().values()) == [
            overlap.dice,
            overlap.iou,
            overlap.precision,
            overlap.mask_volume_ml,
            overlap.reference_volume_ml,
            overlap.volume_difference_ml,
            *(
                getattr(part, name)
                for part in (in_roi, in_brain, in_image)
                for name in ("sensitivity", "specificity", "auc")
            ),
            surfaces.hd95_mm,
            surfaces.mean_mm,
            lesions.reference_lesions,
            lesions.lesions_found,
            lesions.lesion_sensitivity,
            lesions.false_positive_lesions,
            measure_mask(mask).abc2_ml,
            measure_mask(reference).abc2_ml,
        ]
        assert None not in found.as_dict().values()


def test_without_roi_or_brain_their_columns_are_none(scan):
    found = compare_masks(*scan[:2]).as_dict()
    assert {name for name, value in found.items() if value is None} == {
        f"{name}_{domain}" for name in ("sensitivity", "specificity", "auc") for domain in ("roi", "brain")
    }


def test_two_empty_masks_agree_and_have_nothing_else(scan):
    empty = sitk.Image(scan[0]) * 0
    found = compare_masks(empty, empty, roi=scan[2], brain=scan[3]).as_dict()
    assert {name: value for name, value in found.items() if value is not None} == {
        "dice": 1,
        "iou": 1,
        "volume_ml": 0,
        "reference_volume_ml": 0,
        "volume_difference_ml": 0,
        "specificity_roi": 1,
        "specificity_brain": 1,
        "specificity_image": 1,
        "hd95_mm": 0,
        "mean_surface_distance_mm": 0,
        "reference_lesions": 0,
        "lesions_found": 0,
        "false_positive_lesions": 0,
    }


def test_an_empty_mask_misses_the_whole_reference(scan):
    found = compare_masks(sitk.Image(scan[0]) * 0, scan[1])
    assert (found.dice, found.iou, found.precision, found.sensitivity_image, found.hd95_mm) == (0, 0, None, 0, None)
    assert found.abc2_ml is None
    assert found.reference_abc2_ml > 0


def test_a_mask_compared_with_itself_is_perfect(scan):
    mask, _, roi, brain, _ = scan
    found = compare_masks(mask, mask, roi=roi, brain=brain)
    perfect = ("dice", "iou", "precision", "sensitivity_roi", "specificity_roi", "auc_roi", "auc_brain", "auc_image")
    assert {getattr(found, name) for name in (*perfect, "lesion_sensitivity")} == {1}
    assert (found.hd95_mm, found.mean_surface_distance_mm, found.false_positive_lesions) == (0, 0, 0)


def test_the_place_in_the_grid_changes_nothing_but_the_share_of_the_image():
    arrays = [blob(seed) for seed in (1, 2)]
    here, there = (compare_masks(*(made(shifted(array, by)) for array in arrays)) for by in ((0, 0, 0), (3, -2, 1)))
    assert here.as_dict() == pytest.approx(there.as_dict())


def test_mask_and_reference_may_name_the_label_differently(scan):
    mask, reference = scan[:2]
    other = compare_masks(mask * 2, reference * 7, label=2, reference_label=7)
    assert other == compare_masks(mask, reference)


def test_the_record_is_plain_json(scan):
    values = compare_masks(*scan[:2], roi=scan[2], brain=scan[3], probability=scan[4]).as_dict()
    assert json.loads(json.dumps(values, allow_nan=False)) == values


def test_images_on_other_grids_are_refused(scan):
    mask, reference, *_ = scan
    foreign = made(np.ones((2, 3, 4)))
    with pytest.raises(UsageError, match="mask and reference lie on different grids"):
        compare_masks(mask, foreign)
    with pytest.raises(UsageError, match="brain mask and mask lie on different grids"):
        compare_masks(mask, reference, brain=foreign)
    with pytest.raises(UsageError, match="probability and mask lie on different grids"):
        compare_masks(mask, reference, probability=foreign)
    with pytest.raises(ROIError, match="make it anew"):
        compare_masks(mask, reference, roi=Roi.from_mask(foreign))
