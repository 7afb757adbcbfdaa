#!/bin/sh
# Renders people in three dimensions into shards of samples: ../README.md says what is in them.
#
#   render.sh --clothes FOLDER --output FOLDER [--first N] [--scenes N] [--step N] [--pictures N]
#
# Makes an environment of its own in the cache (LEFTFIELD_CACHE moves it, PYTHON names the interpreter). Resumable.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
cache=${LEFTFIELD_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/leftfield}/models
python=${PYTHON:-python3.11}
stamp=$cache/bodies3d/installed-$(sha256sum "$here/requirements.txt" | cut -c1-16)
if [ ! -e "$stamp" ]; then
  printf 'bodies3d: installing Blender and the body model into %s (about 4 GB, some minutes)\n' "$cache/bodies3d"
  rm -rf "$cache/bodies3d"
  "$python" -m venv "$cache/bodies3d"
  "$cache/bodies3d/bin/pip" install --quiet --require-hashes --only-binary :all: -r "$here/requirements.txt"
  : > "$stamp"
fi
PYTHONPATH=$here/../../..:$here/..
OMP_NUM_THREADS=1
ANNY_CACHE_DIR=$cache/anny
export PYTHONPATH OMP_NUM_THREADS ANNY_CACHE_DIR PYTHONDONTWRITEBYTECODE=1
exec "$cache/bodies3d/bin/python" -m bodies3d.samples "$@"
