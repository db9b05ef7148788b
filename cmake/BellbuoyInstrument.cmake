# Sanitizers, coverage and hardening: one variable each, set by the presets.
set(BELLBUOY_SANITIZE "" CACHE STRING "Comma-separated sanitizers, such as address,undefined")
option(BELLBUOY_COVERAGE "Instrument for gcov" OFF)
option(BELLBUOY_HARDEN "Fortify, stack protector, PIE, full RELRO" OFF)

if(BELLBUOY_SANITIZE)
    add_compile_options(-fsanitize=${BELLBUOY_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
    add_link_options(-fsanitize=${BELLBUOY_SANITIZE})
endif()
if(BELLBUOY_FUZZ)
    # The libraries too report to libFuzzer which way an input took.
    add_compile_options(-fsanitize=fuzzer-no-link)
endif()
if(BELLBUOY_COVERAGE)
    # Counters updated atomically: the receiver has several threads.
    add_compile_options(--coverage -fprofile-update=atomic)
    add_link_options(--coverage)
endif()
if(BELLBUOY_HARDEN)
    include(CheckPIESupported)
    check_pie_supported()
    add_compile_options(-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 -fstack-protector-strong
                        -fstack-clash-protection)
    # The same bytes in whatever folder it is built.
    add_compile_options(-ffile-prefix-map=${CMAKE_SOURCE_DIR}/=)
    add_link_options(-Wl,-z,relro -Wl,-z,now -Wl,--as-needed)
endif()
