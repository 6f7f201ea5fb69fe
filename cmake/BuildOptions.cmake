# sluice::build_options: warnings, hardening and sanitizers of our own targets; linked PRIVATE, so that
# nothing of it reaches a user of the client library.
set(SLUICE_SANITIZE "" CACHE STRING "Sanitizers for our targets: address,undefined or thread")
option(SLUICE_WERROR "Warnings are errors" OFF)
option(SLUICE_FUZZ "Build the libFuzzer targets (clang)" OFF)

add_library(sluice_build_options INTERFACE)
add_library(sluice::build_options ALIAS sluice_build_options)
target_compile_options(sluice_build_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wnon-virtual-dtor -Wold-style-cast -Woverloaded-virtual
  -Wimplicit-fallthrough -Werror=switch -Werror=return-type -Werror=unused-result
  $<$<CXX_COMPILER_ID:Clang>:-Wthread-safety>
  $<$<BOOL:${SLUICE_WERROR}>:-Werror>
  -fstack-protector-strong)

if(SLUICE_SANITIZE)
  add_compile_options(-fsanitize=${SLUICE_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${SLUICE_SANITIZE})
  if(SLUICE_SANITIZE MATCHES "undefined")
    # It looks at an object through a pipe, and calls every object bad when no descriptor is left.
    add_compile_options(-fno-sanitize=vptr)
  endif()
endif()

find_program(SLUICE_CCACHE ccache)
if(SLUICE_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${SLUICE_CCACHE})
endif()
