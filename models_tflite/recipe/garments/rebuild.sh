#!/bin/sh
# Rebuilds models_tflite/garments.tflite from rendered people: about 3 hours of two slow cores with the defaults.
#
#   garments/rebuild.sh [--clothing FOLDER] [--minutes N] [--shards N] [--passes N] [--work FOLDER] [--output FOLDER]
#
# Run recipe/rebuild.sh first: it leaves the converter's environment and Debian's pictures in the cache.
# --clothing names the CC0 clothing photos (images.csv, images/); without it, all cloth is procedural.
# Coarse labels of real silhouettes (garments/distil.py, needs a body-part model) are used when $work/shards has them.
# --passes N fits the last layers of the kinds once more (garments/heads.py): it helped a network that was short of training,
# and not the shipped one, so it is left out unless asked for.
# Resumable: shards that are there are kept, training goes on from the last pass, and is not done twice.
# LEFTFIELD_CACHE moves the cache, --work what is rendered and trained.
set -eu

recipe=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
output=$(dirname -- "$recipe")
cache=${LEFTFIELD_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/leftfield}/models
clothing=''
minutes=120
shards=105
passes=0
work=$cache/garments

stop() { printf 'garments: %s\nFix: %s\n' "$1" "$2" >&2; exit 1; }
while [ $# -gt 0 ]; do
  [ $# -gt 1 ] || stop "$1 needs a value" "see the head of $0"
  case $1 in
    --clothing) clothing=$2 ;;
    --minutes) minutes=$2 ;;
    --shards) shards=$2 ;;
    --passes) passes=$2 ;;
    --work) work=$2 ;;
    --output) output=$2 ;;
    *) stop "unknown argument $1" "see the head of $0" ;;
  esac
  shift 2
done
python=$cache/venv/bin/python
streets=$cache/calibration/usr/share/doc/opencv-doc/examples/data
[ -x "$python" ] || stop "no converter in $cache/venv" "run $recipe/rebuild.sh first"
[ -e "$streets/vtest.avi" ] || stop "no pictures in $streets" "run $recipe/rebuild.sh first"

PYTHONPATH=$recipe/../..:$recipe
export PYTHONPATH TF_CPP_MIN_LOG_LEVEL=3 PYTHONDONTWRITEBYTECODE=1
mkdir -p "$work" "$output"
say() { printf 'garments: %s\n' "$1"; }
say "rendering $shards shards of people (those that are there are kept)"
for first in 0 1; do
  "$python" -m people_renderer.samples ${clothing:+--clothing "$clothing"} --streets "$streets" \
    --output "$work/shards" --shards "$shards" --first "$first" --step 2 &
done
wait
[ "$(find "$work/shards" -name 'people-*.npz' | wc -l)" -ge "$shards" ] || stop "not every shard was rendered" "run it again"
if [ ! -e "$work/trained" ]; then
  say "training for $minutes minutes"
  "$python" -m garments.train --shards "$work/shards" --output "$work/garments.weights.h5" --minutes "$minutes"
  : > "$work/trained"
fi
weights=$work/garments.weights.h5
if [ "$passes" -gt 0 ]; then
  say "rendering people to judge by, and training the heads"
  "$python" -m people_renderer.samples ${clothing:+--clothing "$clothing"} --streets "$streets" \
    --output "$work/held" --first 900 --shards $((shards < 4 ? 901 : 904))
  "$python" -m garments.heads --weights "$weights" --shards "$work/shards" --held "$work/held" \
    --passes "$passes" --output "$work/heads.weights.h5"
  weights=$work/heads.weights.h5
fi
"$python" -m garments.export --weights "$weights" --shards "$work/shards" --output "$output/garments.tflite"
"$python" "$recipe/describe.py" "$output"
printf 'garments: rebuilt; run tests/bench/bench_garments.py before you trust it\n'
