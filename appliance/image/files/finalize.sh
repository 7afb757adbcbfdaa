#!/bin/sh
# Last hand on the tree, inside mkosi: what must not be in an image, whatever the packages did.
set -eu
cd "$BUILDROOT"
# No key is born in an image: machines that are flashed from one card image would share it.
rm -rf etc/leftfield etc/ssh/ssh_host_* var/lib/leftfield var/lib/mosquitto
mkdir -p etc/leftfield state
# What differs from build to build and is made again, or not needed, on a read-only root.
rm -rf var/log/* var/cache/* var/lib/apt/* var/lib/dpkg/*-old etc/machine-id- etc/passwd- etc/group- etc/shadow- etc/gshadow- \
  etc/subuid- etc/subgid- etc/.pwd.lock
: > etc/machine-id
# No login: no getty on any console.
mkdir -p etc/systemd/system-generators
ln -sf /dev/null etc/systemd/system-generators/systemd-getty-generator
rm -rf usr/share/doc usr/share/man usr/share/info usr/share/locale usr/share/lintian usr/share/bash-completion
