package systemd

import "time"

// NewStuckAfter returns an Output to which a part is stuck after another time than usual.
func NewStuckAfter(d time.Duration) *Output { return &Output{stuckAfter: d} }
