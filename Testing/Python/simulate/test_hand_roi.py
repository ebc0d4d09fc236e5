"""The hand that draws the ROI."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk

from HTSegmentationLib.simulate.hand_roi import hand_drawn_roi

from .helpers import array


def drawn(margin_mm):
    blood = np.zeros((6, 96, 96), bool)
    blood[2:4, 40:56, 40:56] = True
    grid = sitk.Image(96, 96, 6, sitk.sitkInt16)
    head = np.ones(blood.shape, bool)
    return blood, array(hand_drawn_roi(np.random.default_rng(1), blood, head, grid, margin_mm).on_grid(grid)) > 0


@pytest.mark.parametrize("margin_mm", [2.0, 8.0, 20.0])
def test_the_roi_keeps_the_margin_that_was_asked_for(margin_mm):
    blood, roi = drawn(margin_mm)
    assert not (blood & ~roi).any()
    columns = np.flatnonzero(roi[2].any(axis=0))
    reach = [40 - columns[0], columns[-1] - 55]
    assert all(margin_mm - 4 <= side <= margin_mm + 6 for side in reach)


def test_a_wider_margin_makes_a_wider_roi():
    areas = [drawn(margin)[1].sum() for margin in (1.0, 4.0, 10.0, 20.0)]
    assert areas == sorted(areas)
    assert areas[-1] > 3 * areas[0]
