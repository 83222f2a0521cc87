#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Installs what a checkout needs and is missing: Debian packages (as root), then .venv with the tool and its tests.
# Usage: prepare.sh run|test|all. Exit 3, with the one line to run, where packages are missing and we are not root.
set -eu
cd "$(dirname "$0")/.."
purpose=${1:-test}

# A python3 that can make virtual environments, or nothing. Debian splits ensurepip off into python3-venv.
python() {
  for candidate in python3 /usr/bin/python3; do
    if "$candidate" -c 'import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      command -v "$candidate"
      return
    fi
  done
}

missing_packages() {
  [ -n "$(python)" ] || printf ' python3 python3-venv'
  command -v gcc >/dev/null || printf ' gcc'
  [ -e /usr/include/stdio.h ] || printf ' libc6-dev' # only recommended by gcc
  command -v ld >/dev/null || printf ' binutils'
  command -v qemu-system-x86_64 >/dev/null || printf ' qemu-system-x86'
  [ -e /usr/share/seabios/bios-256k.bin ] || printf ' seabios'
  [ "$purpose" != run ] || return 0
  command -v clang-format >/dev/null || printf ' clang-format'
  command -v cppcheck >/dev/null || printf ' cppcheck'
  command -v g++ >/dev/null || printf ' g++'
  command -v cmake >/dev/null || printf ' cmake'
  command -v pkg-config >/dev/null || printf ' pkg-config'
  command -v grub-mkimage >/dev/null || printf ' grub-common'
  [ -e /usr/lib/grub/i386-pc/moddep.lst ] || printf ' grub-pc-bin'
  [ -e /usr/lib/grub/x86_64-efi/moddep.lst ] || printf ' grub-efi-amd64-bin'
  command -v mformat >/dev/null || printf ' mtools'
  [ -e /sbin/fsck.fat ] || [ -e /usr/sbin/fsck.fat ] || printf ' dosfstools'
  command -v curl >/dev/null || printf ' curl'
  [ -e /usr/share/OVMF/OVMF_CODE_4M.fd ] || printf ' ovmf'
  [ "$purpose" = all ] || return 0
  command -v rustc >/dev/null || printf ' rustc' # half a gigabyte: only for make test-all
}

install_packages() {
  packages=$(missing_packages)
  [ -n "$packages" ] || return 0
  line="apt-get install --no-install-recommends -y$packages"
  if [ "$(id -u)" -ne 0 ]; then
    echo "missing packages; as root: $line" >&2
    exit 3
  fi
  echo "prepare: $line"
  export DEBIAN_FRONTEND=noninteractive
  # the lists of a fresh machine are absent or old: fetched only when the packages are not to be had without
  $line -qq >/dev/null 2>&1 || {
    apt-get update -qq || exit 1
    $line -qq >/dev/null || exit 1
  }
  installed=yes
}

# What .venv was made from, two lines: another place makes it stale, another pyproject.toml incomplete.
recipe() {
  echo "$PWD"
  cksum <pyproject.toml
}

install_venv() {
  made=.venv/made-from
  if [ -e "$made" ] && [ "$(cat "$made")" = "$(recipe)" ] && .venv/bin/python -c 'import parclose' 2>/dev/null; then
    return 0
  fi
  echo "prepare: .venv, from pyproject.toml"
  if [ ! -e "$made" ] || [ "$(head -n 1 "$made")" != "$PWD" ] || ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
    "$(python)" -m venv --clear .venv # scripts in it hold the place that it was made in
  fi
  .venv/bin/python -m pip install -q --disable-pip-version-check -e '.[dev]'
  recipe >"$made"
  installed=yes
}

installed=
install_packages
install_venv
# Saves a fifth of a second each time the tool starts, where Python may not write such files itself.
.venv/bin/python -m compileall -q builder/parclose || exit 1
[ -n "$installed" ] || echo "prepare: nothing to install"
