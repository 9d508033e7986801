# Shared by the scripts that need another Debian than the machine's: makes its root below target/roots, and runs
# commands in it. All of it needs root.

[ "$(id -u)" = 0 ] || { echo "$0 makes roots of other systems, for which it must be run by root" >&2; exit 1; }

# The oldest first. What a mirror does not have any more is left out.
suites=(wheezy jessie stretch buster bullseye bookworm trixie)

# debian_root SUITE [ARCHITECTURE]: prints the folder of a small system of this suite, which is made once. One of another
# architecture than the machine's is only unpacked.
debian_root() {
  local suite=$1 architecture=${2:-$(dpkg --print-architecture)}
  local folder=$PWD/target/roots/$suite-$architecture how=(--variant=minbase)
  [ "$architecture" = "$(dpkg --print-architecture)" ] || how+=(--foreign)
  if [ ! -e "$folder/complete" ]; then
    install_missing debootstrap
    rm -rf "$folder"
    mkdir -p "$folder"
    if ! debootstrap "${how[@]}" "--arch=$architecture" "$suite" "$folder" "$(debian_mirror)" >"$folder.log" 2>&1; then
      rm -rf "$folder"
      return 1
    fi
    touch "$folder/complete"
  fi
  echo "$folder"
}

# oldest_debian_root [ARCHITECTURE]: the same, of the oldest suite that is to be had.
oldest_debian_root() {
  local suite
  for suite in "${suites[@]}"; do
    if debian_root "$suite" "$@"; then return; fi
  done
  echo "no root of Debian could be made: see $PWD/target/roots" >&2
  return 1
}

# in_root FOLDER COMMAND...: runs the command there. It sees the machine's network, and no process of it; its own
# processes end with it.
in_root() {
  unshare --mount --pid --fork --kill-child sh -ceu '
    root=$0
    mount -t proc proc "$root/proc"
    mount --rbind /dev "$root/dev"
    for place in ${PLACES:-}; do
      mkdir -p "$root$place"
      mount --bind "$place" "$root$place"
    done
    exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 chroot "$root" "$@"' "$@"
}
