package health

import "time"

// NewLooking returns an Output that looks every so often if its socket is still there.
func NewLooking(places []string, every time.Duration) *Output { return &Output{places, every} }
