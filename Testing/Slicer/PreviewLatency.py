"""The latency of the live preview by ROI size, in a running Slicer.

    Slicer --testing --additional-module-paths HTSegmentation --python-script PreviewLatency.py

On a simulated 512x512x30 head, a box is moved by a millimetre again and again. Printed is the time from the moved box to
the result that the preview shows: taking the ROI from its node, segmenting, and writing the preview segment; each as the
median of several moves.
"""

import statistics
import time

import slicer

_SIZES_MM = ((30, 30, 20), (60, 60, 40), (100, 100, 60))
"""Small, typical and generous ROIs."""

_MOVES = 9
"""Moves of each box; their median is printed."""


def _box(center, size):
    """A box ROI around a point in RAS mm."""
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsROINode", "Latency")
    node.SetCenter(center)
    node.SetSize(size)
    return node


def _middle(case):
    """The middle of the bleed in RAS mm."""
    import numpy as np
    import SimpleITK as sitk

    inside = np.argwhere(sitk.GetArrayFromImage(case.hemorrhage) > 0).mean(axis=0)
    x, y, z = case.scan.image.TransformContinuousIndexToPhysicalPoint([float(n) for n in inside[::-1]])
    return [-x, -y, z]


def _median_ms(move, work):
    """Median wall time in ms of ``work`` after each ``move``."""
    times = []
    for number in range(_MOVES):
        move(number)
        start = time.perf_counter()
        work()
        times.append(1000 * (time.perf_counter() - start))
    return statistics.median(times)


def main():
    """Measures every size."""
    from HTSegmentationModule.library_path import addLibraryToPath

    addLibraryToPath()
    import SimpleITK as sitk

    from HTSegmentationLib.simulate.head import simulate_head
    from HTSegmentationLib.simulate.parameters import SimulationParameters
    from HTSegmentationModule.logic import HTSegmentationLogic
    from HTSegmentationModule.preview_segment import PreviewSegment

    case = simulate_head(SimulationParameters(seed=3))
    volume = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "Latency CT")
    image = case.scan.image
    slicer.util.updateVolumeFromArray(volume, sitk.GetArrayFromImage(image))
    volume.SetSpacing(image.GetSpacing())
    x, y, z = image.GetOrigin()
    volume.SetOrigin(-x, -y, z)
    volume.SetIJKToRASDirections(-1, 0, 0, 0, -1, 0, 0, 0, 1)

    logic = HTSegmentationLogic()
    parameters = logic.getParameterNode()
    parameters.inputVolume = volume
    start = time.perf_counter()
    logic.prepare(volume)
    print(f"preparing {image.GetSize()}: {time.perf_counter() - start:.2f} s")
    center = _middle(case)
    for size in _SIZES_MM:
        roi = _box(center, size)
        parameters.roiNodes = [roi]

        def move(number, roi=roi):
            roi.SetCenter(center[0] + number % 2, center[1], center[2])

        shown = PreviewSegment()

        def follow(shown=shown):
            shown.show(logic.segment(parameters).mask, logic.roi(parameters, volume))

        follow()
        print(f"ROI {' x '.join(map(str, size)):>14} mm: {_median_ms(move, follow):6.1f} ms")
        shown.remove()
        slicer.mrmlScene.RemoveNode(roi)


main()
slicer.util.exit(0)
