# The commands of Slicer that this repository calls.

option(BUILD_TESTING "Whether tests are registered" ON)

function(ctkMacroCompilePythonScript)
  cmake_parse_arguments(MY "NO_INSTALL_SUBDIR" "TARGET_NAME;DESTINATION_DIR;INSTALL_DIR" "SCRIPTS;RESOURCES" ${ARGN})
  if(MY_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "ctkMacroCompilePythonScript does not know ${MY_UNPARSED_ARGUMENTS}")
  endif()
  foreach(name TARGET_NAME SCRIPTS DESTINATION_DIR INSTALL_DIR)
    if(NOT MY_${name})
      message(FATAL_ERROR "ctkMacroCompilePythonScript needs ${name}")
    endif()
  endforeach()
  add_custom_target(${MY_TARGET_NAME}_copied)
  foreach(file IN LISTS MY_SCRIPTS MY_RESOURCES)
    configure_file(${CMAKE_CURRENT_SOURCE_DIR}/${file} ${MY_DESTINATION_DIR}/${file} COPYONLY)
  endforeach()
  set(folder ${MY_DESTINATION_DIR})
  if(MY_NO_INSTALL_SUBDIR)
    set(folder ${folder}/)
  endif()
  install(DIRECTORY ${folder} DESTINATION ${MY_INSTALL_DIR})
endfunction()

function(slicerMacroBuildScriptedModule)
  cmake_parse_arguments(MY "WITH_GENERIC_TESTS" "NAME" "SCRIPTS;RESOURCES" ${ARGN})
  if(MY_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "slicerMacroBuildScriptedModule does not know ${MY_UNPARSED_ARGUMENTS}")
  endif()
  if(NOT MY_WITH_GENERIC_TESTS)
    message(FATAL_ERROR "The generic tests of ${MY_NAME} are left out")
  endif()
  ctkMacroCompilePythonScript(
    TARGET_NAME ${MY_NAME}
    SCRIPTS ${MY_SCRIPTS}
    RESOURCES ${MY_RESOURCES}
    DESTINATION_DIR ${CMAKE_BINARY_DIR}/${Slicer_QTSCRIPTEDMODULES_LIB_DIR}
    INSTALL_DIR ${Slicer_INSTALL_QTSCRIPTEDMODULES_LIB_DIR}
    NO_INSTALL_SUBDIR
    )
endfunction()

# Slicer builds a test's name and path from these; both are written down, so that what reads them can check them.
function(slicer_add_python_unittest)
  cmake_parse_arguments(MY "" "TESTNAME_PREFIX;SCRIPT" "SLICER_ARGS" ${ARGN})
  _write_test("unittest" "${MY_SCRIPT}" "${MY_UNPARSED_ARGUMENTS}")
endfunction()

function(slicer_add_python_test)
  cmake_parse_arguments(MY "" "TESTNAME_PREFIX;SCRIPT" "SLICER_ARGS;SCRIPT_ARGS" ${ARGN})
  _write_test("script" "${MY_SCRIPT}" "${MY_UNPARSED_ARGUMENTS}")
endfunction()

function(_write_test kind script unknown)
  if(unknown)
    message(FATAL_ERROR "The test of ${script} was given ${unknown}, which Slicer does not know")
  endif()
  if(NOT EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/${script})
    message(FATAL_ERROR "There is no script ${CMAKE_CURRENT_SOURCE_DIR}/${script} to test")
  endif()
  file(APPEND ${CMAKE_BINARY_DIR}/tests.txt "${kind} ${CMAKE_CURRENT_SOURCE_DIR}/${script}\n")
endfunction()
