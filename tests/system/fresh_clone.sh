#!/bin/bash
# A fresh clone, with nothing but Python, pip and make: `make serve` ends in a server that answers curl, and
# `make test` passes. Not a part of `make test`, since it needs the network.
#
#     tests/system/fresh_clone.sh [PYTHON ...]
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

for python in "${@:-python3}"; do
    clone=$folder/$(basename "$python")
    git clone --quiet "$root" "$clone"
    cd "$clone"

    setsid make serve PYTHON="$python" PORT=0 >serve.log 2>&1 &
    make=$!
    until url=$(grep -o 'http://127.0.0.1:[0-9]*' serve.log); do
        kill -0 $make || { cat serve.log; exit 1; }
        sleep 0.2
    done
    [ "$(curl --silent --show-error --fail --noproxy '*' "$url/")" = "Hello, World!" ]
    kill -INT -- -$make # to its whole group, as a terminal does
    wait $make || true  # of make, whatever it makes of an interrupt
    grep -q 'INFO stopped' serve.log

    make test PYTHON="$python" ARGS="-n 2 -rs"
    echo "$("$python" --version): a fresh clone serves and passes its tests"
done
