# Installation and the Debian package. Profiles, parts and the schema are installed by configs/CMakeLists.txt.
#   cmake --install build/release --prefix DIR     DIR/lib, DIR/bin, DIR/share, DIR/etc/OpenCL/vendors
#   (cd build/release && cpack -G DEB)             /usr and /etc
install(TARGETS sluice_opencl LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} NAMELINK_COMPONENT development)
# Loaded when they are needed, from a folder beside the driver.
install(TARGETS sluice_kernels sluice_perfetto LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/sluice)
if(TARGET sluice)
  install(TARGETS sluice RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
  # Written when it was linked.
  install(DIRECTORY ${CMAKE_BINARY_DIR}/share/man/man1/ DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
  install(FILES ${CMAKE_BINARY_DIR}/share/completion/sluice.bash RENAME sluice
    DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
endif()
if(TARGET sluice_vtime)
  install(TARGETS sluice_vtime LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
endif()
if(TARGET sluice_strict)
  install(TARGETS sluice_strict LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
endif()
install(FILES ${CMAKE_SOURCE_DIR}/LICENSE ${CMAKE_SOURCE_DIR}/CHANGELOG.md DESTINATION ${CMAKE_INSTALL_DOCDIR})

# The prefix is known only at install time. In /usr the loader's folder is /etc/OpenCL/vendors and a bare file name
# is found by ld.so; elsewhere the folder is below the prefix and the .icd names the driver by its path.
install(CODE "
  set(library_dir \"${CMAKE_INSTALL_LIBDIR}\")
  set(soname \"$<TARGET_SONAME_FILE_NAME:sluice_opencl>\")
  set(data_dir \"${CMAKE_INSTALL_DATADIR}\")
  set(zsh_completion \"${CMAKE_BINARY_DIR}/share/completion/_sluice\")
")
install(CODE [[
  get_filename_component(prefix "${CMAKE_INSTALL_PREFIX}" ABSOLUTE)
  if(prefix STREQUAL "/usr")
    set(vendors "/etc/OpenCL/vendors")
    set(driver "${soname}")
    set(zsh "${prefix}/${data_dir}/zsh/vendor-completions")  # where Debian's zsh looks for packages' own
  else()
    set(vendors "${prefix}/etc/OpenCL/vendors")
    set(driver "${prefix}/${library_dir}/${soname}")
    set(zsh "${prefix}/${data_dir}/zsh/site-functions")
  endif()
  if(EXISTS "${zsh_completion}")
    file(INSTALL "${zsh_completion}" DESTINATION "${zsh}")
  endif()
  message(STATUS "Installing: $ENV{DESTDIR}${vendors}/sluice.icd")
  file(WRITE "$ENV{DESTDIR}${vendors}/sluice.icd" "${driver}\n")
  list(APPEND CMAKE_INSTALL_MANIFEST_FILES "${vendors}/sluice.icd")
]])

set(CPACK_PACKAGE_NAME sluice)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_VENDOR "The Sluice developers")
set(CPACK_PACKAGE_CONTACT "The Sluice developers <sluice@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "OpenCL device simulated in SystemC, timed to the picosecond")
set(CPACK_PACKAGE_DESCRIPTION "An OpenCL driver whose device is a SystemC model of a GPU and its host link.
Unmodified programs run on it through the ICD loader and get the times that the
described hardware would need for every map, unmap, copy and fill, with a trace
of where each picosecond went.")
set(CPACK_RESOURCE_FILE_LICENSE ${CMAKE_SOURCE_DIR}/LICENSE)
set(CPACK_STRIP_FILES ON)
set(CPACK_VERBATIM_VARIABLES ON)
# DESTDIR staging, so that the rule above sees the final prefix.
set(CPACK_SET_DESTDIR ON)
set(CPACK_INSTALL_PREFIX /usr)
set(CPACK_GENERATOR DEB)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION libs)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
# Dependencies are shared libraries, found in the files; clang's header and libclc are part of the plug-in.
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "ocl-icd-libopencl1 | libopencl1, clinfo")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
include(CPack)
