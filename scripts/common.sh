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

# build_tests: builds the program and the tests with real servers, and says where those are. The program, which they start, is
# optimized; they are not: it would take four times as long.
build_tests() {
  local built
  built=$(cargo rustc --locked --quiet --test it --message-format=json-render-diagnostics -- -C opt-level=0) || return
  sed -n 's/.*"name":"it".*"executable":"\([^"]*\)".*/\1/p' <<<"$built"
}

# need_rust: stops if there is no Rust toolchain, which no package of Debian has new enough.
need_rust() {
  command -v cargo >/dev/null || { echo "a Rust toolchain is needed (cargo, rustc 1.89 or later)" >&2; exit 1; }
  command -v cc >/dev/null || install_missing gcc libc6-dev
}

# python_tools NAME: the programs that tests/NAME/requirements.txt pins, in target/NAME-tools. They are fetched once.
python_tools() {
  local pinned=tests/$1/requirements.txt tools=target/$1-tools
  if ! cmp -s "$pinned" "$tools/pinned"; then
    install_missing python3-venv
    echo "installing the tools of $pinned" >&2
    rm -rf "$tools"
    python3 -m venv "$tools"
    "$tools/bin/pip" install --quiet --disable-pip-version-check --no-deps --only-binary :all: --require-hashes \
      -r "$pinned"
    cp "$pinned" "$tools/pinned"
  fi
}

# cargo_tool NAME VERSION: that program of crates.io, in target/cargo-tools/bin. It is built once, which takes minutes.
cargo_tool() {
  local root=target/cargo-tools
  if ! grep -qs "^\"$1 $2 " "$root/.crates.toml"; then
    echo "building $1 $2" >&2
    cargo install --locked --quiet --root "$root" "$1@$2" >&2
  fi
}

# debian_mirror: where this machine gets Debian's packages from.
debian_mirror() {
  apt-get indextargets --format '$(CODENAME) $(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' |
    awk '$1 !~ /-/ { print $2; found = 1; exit } END { exit !found }' ||
    { echo "apt knows no mirror of Debian" >&2; return 1; }
}
