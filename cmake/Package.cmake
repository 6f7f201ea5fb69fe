# What `cmake --install <build> --component client` installs: the client library as the CMake package `sluice`,
# for find_package(sluice) and target_link_libraries(... sluice::client).
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

set(package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/sluice)
set_target_properties(sluice_client PROPERTIES EXPORT_NAME client)
set_target_properties(sluice_proto PROPERTIES EXPORT_NAME proto)
set_target_properties(sluice_wire PROPERTIES EXPORT_NAME wire)
# The last two are linked into whatever uses the first; their headers are not installed.
install(TARGETS sluice_client sluice_proto sluice_wire EXPORT sluice
        ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT client)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/client/include/sluice
        DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT client)
install(EXPORT sluice FILE sluiceTargets.cmake NAMESPACE sluice::
        DESTINATION ${package_folder} COMPONENT client)
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/sluiceConfig.cmake.in
                              ${PROJECT_BINARY_DIR}/sluiceConfig.cmake
                              INSTALL_DESTINATION ${package_folder})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/sluiceConfigVersion.cmake
                                 COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/sluiceConfig.cmake ${PROJECT_BINARY_DIR}/sluiceConfigVersion.cmake
        DESTINATION ${package_folder} COMPONENT client)
