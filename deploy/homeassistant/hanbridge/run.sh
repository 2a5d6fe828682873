#!/bin/sh
# Starts hanbridge as an add-on: options become its variables (mqtt_url: HANBRIDGE_MQTT_URL), the broker is the one that Home
# Assistant knows. No secret is ever an argument of a program. Plain sh, with jq and curl.
set -eu

# exports turns an object into commands for eval. jq's @sh quotes whatever a value holds.
exports='to_entries[] | select(.value != null and .value != "")
	| "export " + ("HANBRIDGE_\(.key | ascii_upcase)=\(.value)" | @sh)'

service='select(.result == "ok").data
	| {mqtt_url: "mqtt\(if .ssl then "s" else "" end)://\(.host):\(.port)", mqtt_username: .username, mqtt_password: .password}'

# ask asks the Supervisor who the broker is.
ask() {
	printf 'header = "Authorization: Bearer %s"\n' "${SUPERVISOR_TOKEN:-}" |
		curl --silent --max-time 10 --config - http://supervisor/services/mqtt
}

# find_broker waits for a broker: after a boot it may come later than this.
find_broker() {
	until found=$(ask | jq -r "$service | $exports" 2>/dev/null) && [ -n "$found" ]; do
		[ -n "${told:-}" ] || echo 'hanbridge: there is no MQTT broker yet: install and start the add-on "Mosquitto broker",' \
			'or set mqtt_url to a broker of your own. Looking again every 5 s.' >&2
		told=yes
		sleep 5
	done
	eval "$found"
}

# need_port has a person choose among several ports: Zigbee and Z-Wave sticks must not be opened by another.
need_port() {
	[ -z "${HANBRIDGE_METER_PORT:-}" ] && [ $# -gt 1 ] || return 0
	echo 'hanbridge: there are several serial ports. Set meter_port to that of the meter:' >&2
	printf '  %s\n' "$@" >&2
	exit 2
}

export HANBRIDGE_STATE_DIR=/data HANBRIDGE_LOG_FORMAT=console

file=/config/hanbridge.yaml
if [ -f "$file" ]; then
	echo "hanbridge: $file counts alone, the options do not" >&2
	grep -q '^mqtt:' "$file" || find_broker
	exec hanbridge run --config "$file"
fi

options=$(jq -r "$exports" /data/options.json)
eval "$options"
need_port /dev/serial/by-id/*
if [ -z "${HANBRIDGE_MQTT_URL:-}" ]; then
	find_broker
	eval "$options" # a user and password set here are meant
fi
exec hanbridge run
