#!/usr/bin/env bash
# Inside an image's builder: completes /image, the root of a service's image.
#
# Usage: scripts/image-root.sh SERVICE [--tool PROGRAM]... [--compiled-in PACKAGE]... [FILE...]
#
#   SERVICE         its program becomes /usr/bin/bellbuoy-SERVICE
#   --tool          another program of the build, such as manager/ctl/buoyctl, goes to /usr/bin
#   FILE            goes along, at the same place: a program of a package
#   --compiled-in   a package that is part of the program itself: named in the SBOM
#   --help          this text
#
# Adds the libraries that the programs load and no others, certificate authorities, the user 10001, the
# copyright of each package, and an SBOM (CycloneDX 1.5). What lies in /image before stays. Every file's
# time is SOURCE_DATE_EPOCH, so that the same content gives the same layer.
set -euo pipefail

# shellcheck source=scripts/lib.sh
source "$(dirname "$0")/lib.sh"

readonly IMAGE=/image
readonly EPOCH=${SOURCE_DATE_EPOCH:-0}
readonly CERTIFICATES=/etc/ssl/certs/ca-certificates.crt

SERVICE=
FILES=()
TOOLS=()
COMPILED_IN=()
declare -A FILES_OF=() # of each package: those in the image, one per line

parse_options() {
    while [[ $# -gt 0 ]]; do
        case $1 in
        --tool) take_value "$@" && TOOLS+=("$VALUE") && shift ;;
        --compiled-in) take_value "$@" && COMPILED_IN+=("$VALUE") && shift ;;
        --help) print_help && exit ;;
        -*) usage_error "unknown option '$1'" ;;
        *) FILES+=("$1") ;;
        esac
        shift
    done
    [[ ${#FILES[@]} -gt 0 ]] || usage_error "for which service?"
    SERVICE=${FILES[0]} FILES=("${FILES[@]:1}")
}

# ---------------------------------------------------------------- files

add_programs() {
    local tool
    add_program "$SERVICE/$SERVICE" "bellbuoy-$SERVICE"
    for tool in "${TOOLS[@]}"; do add_program "$tool" "${tool##*/}"; done
    install -D --mode 644 "$ROOT/LICENSE" "$IMAGE/usr/share/doc/bellbuoy/LICENSE"
}

# add_program PATH NAME: from the build's folder, as /usr/bin/NAME.
add_program() {
    local program=$ROOT/build/release/$1
    [[ -x $program ]] || die "there is no $program: the build makes no such program"
    install -D --strip "$program" "$IMAGE/usr/bin/$2"
}

# add_packaged FILE...: those of installed packages, with the packages' copyrights. The libraries are
# looked for in /lib, which is a link to /usr/lib: dpkg may know either name.
add_packaged() {
    local package file
    local -A owner=()
    while read -r package file; do owner[$file]=$package; done < <(
        dpkg-query --search "$@" "${@/#//usr}" 2>/dev/null | sed -E 's/^([^:,]+)[^/]*/\1 /'
    )
    for file in "$@"; do
        package=${owner[$file]:-${owner[/usr$file]:-}}
        [[ -n $package ]] || die "no package has $file"
        mkdir -p "$IMAGE${file%/*}"
        cp --dereference "$file" "$IMAGE$file"
        if [[ -z ${FILES_OF[$package]:-} ]]; then add_copyright "$package"; fi
        FILES_OF[$package]+=$file$'\n'
    done
}

add_copyright() {
    install -D --mode 644 "/usr/share/doc/$1/copyright" "$IMAGE/usr/share/doc/$1/copyright"
}

# What the loader loads for the programs in the image, and the loader itself.
libraries() {
    local program
    for program in "$IMAGE"/usr/{bin,sbin}/*; do
        if [[ -x $program ]]; then ldd "$program"; fi
    done | sed -n -e 's/^.* => \(\/[^ ]*\) .*/\1/p' -e 's/^[[:space:]]*\(\/[^ ]*\) .*/\1/p' | sort -u
}

# Generated from the package's certificates, so that dpkg does not know the file.
add_certificates() {
    install -D --mode 644 "$CERTIFICATES" "$IMAGE$CERTIFICATES"
    add_copyright ca-certificates
    FILES_OF[ca-certificates]=$CERTIFICATES$'\n'
}

add_user() {
    mkdir -p "$IMAGE/etc"
    echo 'bellbuoy:x:10001:10001:Bellbuoy:/:/sbin/nologin' >"$IMAGE/etc/passwd"
    echo 'bellbuoy:x:10001:' >"$IMAGE/etc/group"
    echo 'hosts: files dns' >"$IMAGE/etc/nsswitch.conf"
}

# ---------------------------------------------------------------- SBOM

write_sbom() {
    local file=$IMAGE/usr/share/sbom/bellbuoy-$SERVICE.cdx.json
    mkdir -p "${file%/*}"
    {
        sbom_head
        # shellcheck disable=SC2016  # dpkg-query's variables, not the shell's
        dpkg-query --show --showformat '${Package} ${Version} ${Architecture}\n' "${!FILES_OF[@]}" | sort |
            while read -r -a package; do sbom_package "${package[@]}"; done
        printf '\n  ]\n}\n'
    } >"$file"
}

sbom_head() {
    local version
    version=$(sed -n 's/^project(bellbuoy VERSION \([^ ]*\).*/\1/p' "$ROOT/CMakeLists.txt")
    cat <<JSON
{
  "bomFormat": "CycloneDX",
  "specVersion": "1.5",
  "version": 1,
  "metadata": {
    "timestamp": "$(date --utc --date "@$EPOCH" +%Y-%m-%dT%H:%M:%SZ)",
    "component": {"type": "container", "name": "bellbuoy/$SERVICE", "version": "$version"}
  },
  "components": [
    {
      "type": "application", "name": "bellbuoy-$SERVICE", "version": "$version",
      "licenses": [{"license": {"id": "Apache-2.0"}}],
      "evidence": {"occurrences": [$(printf '%s\n' "bellbuoy-$SERVICE" "${TOOLS[@]##*/}" | sbom_list '{"location": "/usr/bin/&"}')]}
JSON
    printf '    }'
}

# sbom_package NAME VERSION ARCHITECTURE: with Debian's own names of licences, since not all of them are
# SPDX's; where the copyright file is prose, the place to read it.
sbom_package() {
    cat <<JSON
,
    {
      "type": "library", "name": "$1", "version": "$2",
      "purl": "pkg:deb/debian/$1@${2//+/%2B}?arch=$3&distro=$(sbom_distribution)",
      "licenses": [$(sbom_licences "$1" | sbom_list '{"license": {"name": "&"}}')],
      "evidence": {"occurrences": [$(sbom_list '{"location": "&"}' <<<"${FILES_OF[$1]}")]}
JSON
    printf '    }'
}

# sbom_list FORMAT: its lines in FORMAT, with commas.
sbom_list() { sed "/^\$/d; s|.*|$1|" | paste -sd, | sed 's/},{/}, {/g'; }

sbom_distribution() { sed -n 's/^VERSION_ID="\(.*\)"/debian-\1/p' /etc/os-release; }

sbom_licences() {
    local file=/usr/share/doc/$1/copyright
    if head -n 5 "$file" | grep -qi '^Format:.*copyright-format'; then
        sed -n 's/^License:[[:space:]]*\([A-Za-z0-9][A-Za-z0-9 .+,()-]*\)$/\1/p' "$file" | sort -u
    else
        echo "see $file"
    fi
}

# ----------------------------------------------------------------

main() {
    local package
    local -a libraries
    parse_options "$@"
    add_programs
    if [[ ${#FILES[@]} -gt 0 ]]; then add_packaged "${FILES[@]}"; fi
    mapfile -t libraries < <(libraries)
    add_packaged "${libraries[@]}"
    add_certificates
    for package in "${COMPILED_IN[@]}"; do
        add_copyright "$package"
        FILES_OF[$package]=/usr/bin/bellbuoy-$SERVICE
    done
    add_user
    write_sbom
    find "$IMAGE" -exec touch --no-dereference --date "@$EPOCH" {} +
}

main "$@"
