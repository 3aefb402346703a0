#!/bin/bash
# Installs what the build and the tests need and is not there yet: Debian
# packages (as root or with sudo) and, in build/venv, Python packages.
set -euo pipefail
cd "$(dirname "$0")/.."

packages=(clang-22 lld-22 llvm-22 llvm-22-dev llvm-22-tools libmlir-22-dev
          mlir-22-tools libomp-22-dev cmake ninja-build python3 python3-venv)
python_packages=(numpy tokenizers)

missing=()
for package in "${packages[@]}"; do
  [[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true) == installed ]] ||
    missing+=("$package")
done
if ((${#missing[@]})); then
  echo "installing ${missing[*]}"
  sudo=; ((EUID == 0)) || sudo=sudo
  log=$(mktemp)
  { $sudo apt-get update &&
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
      "${missing[@]}"; } >"$log" 2>&1 || { cat "$log"; exit 1; }
fi

# The stamp names the packages, so that a changed list is installed again.
stamp=build/venv/.installed
if [[ $(cat $stamp 2>/dev/null || true) != "${python_packages[*]}" ]]; then
  echo "installing Python packages ${python_packages[*]}"
  mkdir -p build
  /usr/bin/python3 -m venv build/venv
  build/venv/bin/pip install --quiet --disable-pip-version-check "${python_packages[@]}"
  echo "${python_packages[*]}" >$stamp
fi
