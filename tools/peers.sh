#!/usr/bin/env bash
# The peers that judge us in the tests, and race us in the benchmarks: programs of others, as Debian packages. Installs only what is missing.
# Without apt it says what to install and lets the tests skip; in CI (CI=true) a missing peer fails the tests.
set -euo pipefail

PACKAGES=(dcmtk dicom3tools libgdcm-tools python3-pydicom python3-numpy python3-cryptography softhsm2 libxml2-utils openssl tesseract-ocr tesseract-ocr-eng postgresql rsyslog rsyslog-gnutls time orthanc nmap python3-odil chromium)

if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
  echo "peers: no apt here; the tests that need them say so and are skipped. Install yourself:" >&2
  echo "peers:   DCMTK, dicom3tools, GDCM's applications, tesseract, Python 3 with pydicom, numpy and cryptography, SoftHSM, xmllint, openssl, PostgreSQL, rsyslog with GnuTLS, GNU time, Orthanc, nmap, odil for Python, Chromium" >&2
  exit 0
fi

missing=()
for package in "${PACKAGES[@]}"; do
  state=$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null || true)
  [ "$state" = installed ] || missing+=("$package")
done
if [ ${#missing[@]} -eq 0 ]; then
  exit 0
fi

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null || ! sudo -n true 2>/dev/null; then
    echo "peers: not root and no sudo without password; run: apt-get install --no-install-recommends ${missing[*]}" >&2
    exit 0
  fi
  as_root=(sudo -n)
fi

install() {
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -q --no-install-recommends "${missing[@]}" >/dev/null
}

echo "peers: installing ${missing[*]}" >&2
if ! install 2>/dev/null; then
  # The package lists are absent or too old.
  "${as_root[@]}" apt-get update -q >/dev/null || true
  if ! install; then
    echo "peers: could not install ${missing[*]}; their tests are skipped, or fail in CI" >&2
    exit 0
  fi
fi
