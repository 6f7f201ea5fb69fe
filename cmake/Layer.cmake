# sluice_layer(<name> SOURCES ... DEPS ... PRIVATE_DEPS ...): one layer of the daemon as a static library
# sluice::<name>. Headers stand beside their sources; DEPS are what a layer may see, and nothing else is on
# its include path but server/ itself.
function(sluice_layer name)
  cmake_parse_arguments(LAYER "" "" "SOURCES;DEPS;PRIVATE_DEPS" ${ARGN})
  add_library(sluice_${name} STATIC ${LAYER_SOURCES})
  add_library(sluice::${name} ALIAS sluice_${name})
  target_include_directories(sluice_${name} PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/server>)
  target_link_libraries(sluice_${name} PUBLIC ${LAYER_DEPS}
                        PRIVATE $<BUILD_INTERFACE:sluice::build_options> ${LAYER_PRIVATE_DEPS})
endfunction()

# sluice_test(<name> SOURCES ... DEPS ... LABELS ...): one GoogleTest binary per layer.
function(sluice_test name)
  cmake_parse_arguments(TEST "" "TIMEOUT" "SOURCES;DEPS;LABELS" ${ARGN})
  if(NOT TEST_TIMEOUT)
    set(TEST_TIMEOUT 300)
  endif()
  add_executable(${name} ${TEST_SOURCES})
  # The headers that tests include cost more than the tests.
  set_target_properties(${name} PROPERTIES UNITY_BUILD ON)
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/server)
  target_link_libraries(${name} PRIVATE ${TEST_DEPS} sluice::build_options GTest::gmock GTest::gtest_main)
  gtest_discover_tests(${name} DISCOVERY_TIMEOUT 60 PROPERTIES TIMEOUT ${TEST_TIMEOUT} LABELS "${TEST_LABELS}")
endfunction()
