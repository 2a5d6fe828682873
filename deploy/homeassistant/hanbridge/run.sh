#!/bin/sh
# Starts hanbridge as an add-on. Each option becomes an environment variable: mqtt_url becomes HANBRIDGE_MQTT_URL. Without the option
# mqtt_url, the broker is Home Assistant's own. No secret is an argument of a program, because other programs could see it there.
set -eu

# A jq filter that converts an object to export commands for eval. @sh quotes each value.
exports='to_entries[] | select(.value != null and .value != "")
	| "export " + ("HANBRIDGE_\(.key | ascii_upcase)=\(.value)" | @sh)'

# A jq filter that converts the answer of Home Assistant's Supervisor to options.
service='select(.result == "ok").data
	| {mqtt_url: "mqtt\(if .ssl then "s" else "" end)://\(.host):\(.port)", mqtt_username: .username, mqtt_password: .password}'

# ask prints the Supervisor's answer about the broker.
ask() {
	printf 'header = "Authorization: Bearer %s"\n' "${SUPERVISOR_TOKEN:-}" |
		curl --silent --max-time 10 --config - http://supervisor/services/mqtt
}

# find_broker waits until the Supervisor knows a broker, and exports its address, user and password. The broker possibly starts later than
# this add-on.
find_broker() {
	until found=$(ask | jq -r "$service | $exports" 2>/dev/null) && [ -n "$found" ]; do
		[ -n "${reported:-}" ] || echo 'hanbridge: there is no MQTT broker yet: install and start the add-on "Mosquitto broker",' \
			'or set mqtt_url to another broker. hanbridge looks again every 5 s.' >&2
		reported=yes
		sleep 5
	done
	eval "$found"
}

# need_port gets the paths of the serial ports as arguments. It ends the add-on if there are several ports and the option meter_port is empty,
# because hanbridge must not open the port of a Zigbee or Z-Wave stick.
need_port() {
	[ -z "${HANBRIDGE_METER_PORT:-}" ] && [ $# -gt 1 ] || return 0
	echo 'hanbridge: there are several serial ports. Set meter_port to the port of the meter, which is one of' >&2
	printf '  %s\n' "$@" >&2
	exit 2
}

export HANBRIDGE_STATE_DIR=/data HANBRIDGE_LOG_FORMAT=console

file=/config/hanbridge.yaml
if [ -f "$file" ]; then
	echo "hanbridge: using $file; the options of the add-on are ignored" >&2
	grep -q '^mqtt:' "$file" || find_broker
	exec hanbridge run --config "$file"
fi

options=$(jq -r "$exports" /data/options.json)
eval "$options"
need_port /dev/serial/by-id/*
if [ -z "${HANBRIDGE_MQTT_URL:-}" ]; then
	find_broker
	eval "$options" # user name and password of the options override those of the Supervisor
fi
exec hanbridge run
