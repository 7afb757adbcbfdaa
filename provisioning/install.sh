#!/bin/sh
# Puts Leftfield's units, accounts and rights in place on a Debian-like machine: sh provisioning/install.sh hub|unit
# Run as root, again after each update. Keys are not touched: see docs/install.md.
set -eu

role=${1:-}
source=$(CDPATH='' cd -- "$(dirname -- "$0")/../systemd" && pwd)
root=${DESTDIR:-}

case $role in
  hub)
    units="leftfield-watch.service leftfield-pages.service leftfield-desk.service leftfield-reload.path leftfield-reload.service"
    units="$units leftfield-certificate.path leftfield-certificate.service leftfield-renew.service leftfield-renew.timer leftfield-offer.service leftfield-metrics.service leftfield-limits.service"
    ;;
  unit)
    units="leftfield-epoch.service leftfield-sense.service leftfield-card.service leftfield-relay.service leftfield-pipe.socket"
    units="$units leftfield-pair.service leftfield-aim.service leftfield-setup.path leftfield-setup.service"
    ;;
  *)
    echo "say what this machine is: sh $0 hub|unit (both may be said, one after the other)" >&2
    exit 2
    ;;
esac

put() { # put SOURCE DIRECTORY
  install -D -m 0644 "$source/$1" "$root$2/$(basename "$1")"
}

for unit in $units; do put "$unit" /etc/systemd/system; done
put sysusers.d/leftfield.conf /etc/sysusers.d
put tmpfiles.d/leftfield.conf /etc/tmpfiles.d
put journald.conf.d/leftfield.conf /etc/systemd/journald.conf.d
if [ "$role" = unit ]; then put udev/70-leftfield.rules /etc/udev/rules.d; fi
if [ "$role" = hub ]; then put mosquitto.service.d/leftfield.conf /etc/systemd/system/mosquitto.service.d; fi
install -d -m 0755 "$root/etc/leftfield"

# With DESTDIR this only fills an image's tree; its first start does the rest.
if [ -z "$root" ]; then
  for program in leftfield $([ "$role" = hub ] && echo mosquitto); do
    PATH=$PATH:/usr/sbin command -v "$program" >/dev/null || echo "still missing: $program" >&2
  done
  systemd-sysusers leftfield.conf
  systemd-tmpfiles --create leftfield.conf
  systemctl daemon-reload
  systemctl try-reload-or-restart systemd-journald
  # A broker that Debian has started already runs with its own settings: a reload would leave it on no port of ours.
  if [ "$role" = hub ] && [ -f /etc/leftfield/broker/mosquitto.conf ]; then systemctl restart mosquitto; fi
fi
echo "$role: units are in place; next: docs/install.md"
