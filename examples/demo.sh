#!/usr/bin/env bash
# The main job, start to end, on a copy of examples/quickstart: plan, apply, ask, plan again, destroy.
# Usage: demo.sh [PROJECT]. Wants `mlplan` and its `python` on the path. What it shows is what a user would see.
set -euo pipefail

project="${1:-$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/quickstart}"
scratch="$(mktemp -d)"
cp -r "$project" "$scratch/quickstart"
cd "$scratch/quickstart"
rm -rf .mlplan
port="$(python -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')"
export MLPLAN_VAR_port="$port"

clean_up() {
  mlplan destroy -y >"$scratch/destroy.txt" 2>&1 || cat "$scratch/destroy.txt" >&2
  rm -rf "$scratch"
}
trap clean_up EXIT

show() {
  printf '\n$ %s\n' "$*"
  "$@"
}

echo "In a copy of the quickstart: $PWD (port $port)"
show mlplan apply -y
show mlplan service list
show mlplan service score digits -d @testdata.json
show mlplan plan
printf '\nDone. The service is ended and the copy removed. To have them stay:\n    %s -C examples/quickstart apply\n' \
  "$(command -v mlplan)"
