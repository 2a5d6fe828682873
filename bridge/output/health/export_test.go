package health

import "time"

// NewWithCheckInterval returns an Output that checks once per interval whether its socket still exists.
func NewWithCheckInterval(addresses []string, interval time.Duration) *Output {
	return &Output{addresses, interval}
}
