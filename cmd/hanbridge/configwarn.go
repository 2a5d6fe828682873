package main

// A warning is about a setting that is allowed and not harmless.
type warning struct {
	message string // without values
	source  string // the file that it is about, or the setting
}

// warnings are said when the bridge starts, and by check.
func (m MeterConfig) warnings() []warning {
	var all []warning
	if m.Checksum == "ignore" {
		all = append(all, warning{"checksums are ignored: a telegram that was damaged on its way is published like a sound one, " +
			"so wrong values can reach the hub; set this only for a meter that sends wrong checksums", "checksum: ignore"})
	}
	if m.KeyFile != "" && openToAll(m.KeyFile) {
		all = append(all, warning{"every user of this machine may read the file of keys: take that right away with chmod o-rwx", m.KeyFile})
	}
	return all
}

// warnings are said when the bridge starts, and by check.
func (m MQTTConfig) warnings() []warning {
	if !m.InsecureSkipVerify {
		return nil
	}
	return []warning{{"the broker's certificate is not looked at: whoever is between hanbridge and the broker can read and change everything, " +
		"the password too; set mqtt.ca_file to the certificate of its authority instead", "mqtt.insecure_skip_verify"}}
}
