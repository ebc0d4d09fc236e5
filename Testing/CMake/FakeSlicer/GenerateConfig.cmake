# Writes down what the extension says of itself.
file(WRITE ${CMAKE_BINARY_DIR}/extension.txt "")
foreach(name HOMEPAGE CATEGORY CONTRIBUTORS DESCRIPTION ICONURL SCREENSHOTURLS DEPENDS)
  file(APPEND ${CMAKE_BINARY_DIR}/extension.txt "${name}=${EXTENSION_${name}}\n")
endforeach()
