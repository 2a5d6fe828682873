package health

import "time"

// NewWithCheckInterval returns an Output that checks at an interval whether its socket still exists.
func NewWithCheckInterval(addresses []string, every time.Duration) *Output {
	return &Output{addresses, every}
}
