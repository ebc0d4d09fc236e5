"""The 3D Slicer side of HTSegmentation: everything that knows MRML, VTK or Qt.

Importing the package costs nothing: the library and its packages are imported where they are first used.
"""

from HTSegmentationModule.library_path import addLibraryToPath

addLibraryToPath()
