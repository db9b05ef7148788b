# The warnings that all of our code is built with. They are errors in the presets (BELLBUOY_WERROR),
# never for a packager who builds with a compiler that we have not seen.
option(BELLBUOY_WERROR "Treat warnings as errors" OFF)

add_compile_options(
    -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wformat=2
    -Wundef -Wvla -Wcast-qual -Wwrite-strings -Wnull-dereference)

if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
    add_compile_options(-Wlogical-op -Wduplicated-cond -Wduplicated-branches)
endif()
if(BELLBUOY_WERROR)
    add_compile_options(-Werror)
endif()
