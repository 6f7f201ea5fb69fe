# The Debian package of the daemon and the command line: cpack in the build folder (tests/deploy/package.sh).
# Everything of the component "daemon", and nothing else.
include(GNUInstallDirs)
install(TARGETS sluiced sluice RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT daemon)

# Writes the manual; who has none (the build of an image) packs nothing.
find_package(Python3 COMPONENTS Interpreter)
if(NOT Python3_FOUND)
  return()
endif()

# The shells' completions are what the command prints.
set(completions ${PROJECT_BINARY_DIR}/completions)
file(MAKE_DIRECTORY ${completions})
add_custom_command(
  OUTPUT ${completions}/sluice.bash ${completions}/_sluice ${completions}/sluice.fish
  COMMAND sluice completion bash > ${completions}/sluice.bash
  COMMAND sluice completion zsh > ${completions}/_sluice
  COMMAND sluice completion fish > ${completions}/sluice.fish
  DEPENDS sluice
  COMMENT "Completions"
  VERBATIM)
# The manual: what --help says, as a page.
set(manual ${PROJECT_BINARY_DIR}/manual)
file(MAKE_DIRECTORY ${manual})
set(page ${PROJECT_SOURCE_DIR}/deploy/debian/manual_page.py)
add_custom_command(
  OUTPUT ${manual}/sluiced.1 ${manual}/sluice.1
  COMMAND Python3::Interpreter -B ${page} $<TARGET_FILE:sluiced> ${PROJECT_VERSION} > ${manual}/sluiced.1
  COMMAND Python3::Interpreter -B ${page} $<TARGET_FILE:sluice> ${PROJECT_VERSION} > ${manual}/sluice.1
  DEPENDS sluiced sluice ${page}
  COMMENT "Manual pages"
  VERBATIM)
add_custom_target(package_files DEPENDS
  sluiced sluice ${completions}/sluice.bash ${completions}/_sluice ${completions}/sluice.fish
  ${manual}/sluiced.1 ${manual}/sluice.1)

set(share ${CMAKE_INSTALL_DATAROOTDIR})
set(debian ${PROJECT_SOURCE_DIR}/deploy/debian)
install(FILES ${PROJECT_SOURCE_DIR}/deploy/systemd/sluiced.service
        DESTINATION /lib/systemd/system COMPONENT daemon)
install(FILES ${PROJECT_SOURCE_DIR}/deploy/sluice.toml DESTINATION /etc/sluice COMPONENT daemon)
install(FILES ${completions}/sluice.bash RENAME sluice
        DESTINATION ${share}/bash-completion/completions COMPONENT daemon)
install(FILES ${completions}/_sluice DESTINATION ${share}/zsh/vendor-completions COMPONENT daemon)
install(FILES ${completions}/sluice.fish
        DESTINATION ${share}/fish/vendor_completions.d COMPONENT daemon)
install(FILES ${manual}/sluiced.1 ${manual}/sluice.1 DESTINATION ${share}/man/man1 COMPONENT daemon)
install(FILES ${debian}/copyright DESTINATION ${share}/doc/sluice COMPONENT daemon)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME sluice)
set(CPACK_PACKAGE_CONTACT "The Sluice authors <sluice@localhost>")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_COMPONENTS_ALL daemon)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_DAEMON_PACKAGE_NAME sluice)
set(CPACK_DEBIAN_DAEMON_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_DAEMON_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_DAEMON_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_DAEMON_PACKAGE_CONTROL_EXTRA
    ${debian}/conffiles ${debian}/postinst ${debian}/prerm ${debian}/postrm)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_COMPONENT_DAEMON_DESCRIPTION "${PROJECT_DESCRIPTION}
 The daemon sluiced and the command sluice. Everything is kept in memory, bounded, and
 answered exactly; a restart forgets it.")
# Packing builds nothing: what it packs is the target package_files.
set(CMAKE_SKIP_INSTALL_ALL_DEPENDENCY TRUE CACHE INTERNAL "")
include(CPack)
