# What find_package(Posenc) finds, in the build tree and installed.
include(CMakePackageConfigHelpers)
set(package lib/cmake/posenc)
set(libraries Posenc PosencRuntime PosencJit)

foreach(library IN LISTS libraries)
  target_include_directories(${library} INTERFACE
    $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}/include> $<BUILD_INTERFACE:${CMAKE_BINARY_DIR}/include>
    $<INSTALL_INTERFACE:include>)
endforeach()

export(TARGETS ${libraries} NAMESPACE Posenc::
       FILE ${CMAKE_BINARY_DIR}/${package}/PosencTargets.cmake)
set(POSENC_SOURCE_INCLUDE ${CMAKE_SOURCE_DIR}/include)
configure_package_config_file(cmake/PosencConfig.cmake.in
  ${CMAKE_BINARY_DIR}/${package}/PosencConfig.cmake INSTALL_DESTINATION ${package}
  INSTALL_PREFIX ${CMAKE_BINARY_DIR} PATH_VARS POSENC_SOURCE_INCLUDE)
write_basic_package_version_file(${CMAKE_BINARY_DIR}/${package}/PosencConfigVersion.cmake
                                 COMPATIBILITY SameMinorVersion)
configure_file(cmake/Posenc.cmake ${CMAKE_BINARY_DIR}/${package}/Posenc.cmake COPYONLY)

install(TARGETS ${libraries} EXPORT PosencTargets)
install(TARGETS pe-opt pe-translate pe-runner pe-bench pe-lsp-server)
install(TARGETS PosencPlugin LIBRARY DESTINATION lib)
install(EXPORT PosencTargets NAMESPACE Posenc:: DESTINATION ${package})
set(POSENC_SOURCE_INCLUDE include)
configure_package_config_file(cmake/PosencConfig.cmake.in
  ${CMAKE_BINARY_DIR}/installed/PosencConfig.cmake INSTALL_DESTINATION ${package}
  PATH_VARS POSENC_SOURCE_INCLUDE)
install(FILES ${CMAKE_BINARY_DIR}/installed/PosencConfig.cmake cmake/Posenc.cmake
              ${CMAKE_BINARY_DIR}/${package}/PosencConfigVersion.cmake DESTINATION ${package})
install(DIRECTORY include/posenc DESTINATION include
        FILES_MATCHING PATTERN "*.h" PATTERN "*.td")
install(DIRECTORY ${CMAKE_BINARY_DIR}/include/posenc DESTINATION include
        FILES_MATCHING PATTERN "*.inc")
