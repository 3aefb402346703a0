# posenc_tablegen(TD OUTPUT_DIR PAIR...): runs mlir-tblgen once per pair
# "suffix=generator" and collects everything in target posenc-tablegen. Also for
# projects that find_package(Posenc).
if(NOT TARGET posenc-tablegen)
  add_custom_target(posenc-tablegen)
endif()

function(posenc_tablegen td output_dir)
  get_filename_component(td ${td} ABSOLUTE)
  list(TRANSFORM POSENC_TABLEGEN_DIRS PREPEND "-I" OUTPUT_VARIABLE includes)
  foreach(pair IN LISTS ARGN)
    string(REGEX MATCH "^([^=]+)=(.*)$" _ ${pair})
    set(output ${output_dir}/${CMAKE_MATCH_1})
    separate_arguments(flags NATIVE_COMMAND ${CMAKE_MATCH_2})
    add_custom_command(OUTPUT ${output}
      COMMAND ${MLIR_TABLEGEN_EXE} ${flags} ${td} -o ${output} -d ${output}.d
              ${includes} --write-if-changed
      DEPENDS ${td} DEPFILE ${output}.d
      COMMENT "" VERBATIM)
    string(MAKE_C_IDENTIFIER "tablegen-${output}" target)
    add_custom_target(${target} DEPENDS ${output})
    add_dependencies(posenc-tablegen ${target})
  endforeach()
endfunction()
