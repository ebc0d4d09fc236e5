# Packaging is Slicer's own matter; that it was asked for is written down.
file(WRITE ${CMAKE_BINARY_DIR}/packaged.txt "${PROJECT_NAME}\n")
