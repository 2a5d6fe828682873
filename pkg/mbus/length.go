package mbus

// Length returns how many bytes the frame that begins at b[0] takes: 0 when b does not hold its end yet, -1 when no frame
// begins there. More bytes behind b never change an answer other than 0.
func Length(b []byte) int {
	n := announced(b)
	if n > len(b) {
		return 0
	}
	return n
}

// Proven tells if b begins as the frame of a meter that pushes does, by all bytes up to A: whatever follows, a frame was
// sent.
func Proven(b []byte) bool { return announced(b) > 0 && len(b) > body+1 && pushed(b) }

// announced returns how long the frame at b[0] is by its head: 0 when b is too short to tell, -1 when there is none.
func announced(b []byte) int {
	switch {
	case len(b) > 0 && b[0] != Start,
		len(b) > 2 && b[1] != b[2],
		len(b) > 3 && b[3] != Start:
		return -1
	case len(b) < body:
		return 0
	}
	n := int(b[1])
	if n < shortest {
		n += wrap
		switch {
		case n > longest:
			return -1
		case len(b) < body+2:
			return maybe(b)
		case !pushed(b):
			return -1
		}
	}
	return n + overhead
}

// maybe tells whether a head that is cut before A may still be a push: 0, or -1 when it is none.
func maybe(b []byte) int {
	if len(b) > body && b[body] != Push {
		return -1
	}
	return 0
}

func pushed(b []byte) bool { return b[body] == Push && b[body+1] == Broadcast }
