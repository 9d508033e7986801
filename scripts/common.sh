# Shared by the scripts of this folder: finds what they need on a Debian machine, and installs it.

cd "$(dirname "${BASH_SOURCE[0]}")/.."

# install_missing PACKAGE...: installs those Debian packages that are not there.
install_missing() {
  local missing=() package
  for package in "$@"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  local as_root=()
  [ "$(id -u)" = 0 ] || as_root=(sudo)
  echo "installing ${missing[*]}" >&2
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update -q >&2
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${missing[@]}" >&2
}

# target_directory: where cargo puts what it builds.
target_directory() {
  realpath -m "${CARGO_TARGET_DIR:-target}"
}

# need_rust: stops if there is no Rust toolchain, which no package of Debian has new enough.
need_rust() {
  command -v cargo >/dev/null || { echo "a Rust toolchain is needed (cargo, rustc 1.89 or later)" >&2; exit 1; }
  command -v cc >/dev/null || install_missing gcc libc6-dev
}
