package guard

// serials tell which meter it is, as far as telegrams say.
type serials struct {
	now   string
	other string // another number, and how many telegrams in a row have named it, of those that name one
	times int
	left  string // the meter before this one
}

const (
	// enoughNames is how many telegrams in a row make another number another meter.
	enoughNames = 2
	// enoughBack is how many it takes to go back to the meter that was left: those of two meters may come by turns.
	enoughBack = 100
)

// changed tells if a telegram shows that the meter was replaced, and which one it was.
func (s *serials) changed(serial string) (from string, changed bool) {
	switch {
	case serial == "":
		return "", false
	case s.now == "":
		s.now = serial
	case serial == s.now:
		s.other, s.times = "", 0
	case serial != s.other:
		s.other, s.times = serial, 1
	default:
		s.times++
	}
	if s.times < enoughNames || s.other == s.left && s.times < enoughBack {
		return "", false
	}
	*s = serials{now: serial, left: s.now}
	return s.left, true
}
