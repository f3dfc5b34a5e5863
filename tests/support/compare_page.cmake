# Fails unless PAGE is what GENERATOR writes now.
execute_process(COMMAND ${GENERATOR} ${FRESH} COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${CMAKE_COMMAND} -E compare_files ${FRESH} ${PAGE} RESULT_VARIABLE differs)
if(differs)
  message(FATAL_ERROR "${PAGE} is stale: build the target opcode_docs")
endif()
