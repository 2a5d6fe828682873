package meter

// What a bare current is worth is not on the wire, and a wrong power of ten looks like a current, too. But voltage times
// current cannot be less than the power of the same telegram, which tells that an exponent is too small, and is seldom much
// more. It is more where import on one phase and export on another are taken off each other, for harmonics, for what flows at
// no load, and in grids of three wires: 1.7 times there.
const (
	// tooLittle is the ratio of voltage times current to power, in tenths, under which an exponent is impossible, and
	// enough the one from which it fits. They are less than 1 because a meter does not measure both at the same moment.
	tooLittle, enough = 5, 8
	// The highest ratio of voltage times current to power, in tenths, at which an exponent fits. mostOfLargest is for the
	// largest exponent that the make uses. mostOfTenth is for an exponent whose next power of ten is possible too: that
	// one may be right if import on one phase cancels most of the export on another. mostOfHundredth is for all others.
	mostOfLargest, mostOfTenth, mostOfHundredth = 50, 20, 40
	// leastPower is the power in VA from which on it is compared with currents, and leastCancelled the one from which a
	// current ten times as large cannot be what flows at no load.
	leastPower, leastCancelled = 10, 400
	// leastDigits is how much the currents must be, in their last digits, to have the finest exponent: below it rounding decides.
	leastDigits = 4
	// mostDirect is the largest current in A of a meter that counts hundredths, through which all of it flows: such meters are made
	// for 100 A at most, and bear a fifth more for a while.
	mostDirect = 120
)

// currentExponent returns the exponent of the currents of a load. exps are the exponents that the make uses, in rising order. ok is
// false if none of them fits or if several may. sure reports that no other exponent is possible, even if some phases import while others
// export, provided that their power factors are above 0.9. One case is misread: if a meter sends whole amperes, and import and export
// of its phases cancel to about 1 %, its first telegram may look like one in 0.01 A. Three sure telegrams in a row correct it (see
// replaced).
func (l *load) currentExponent(exps []int8, f *flow) (exp int8, ok, sure bool) {
	if l.failed || f.power < leastPower || f.sum == 0 {
		return 0, false, false
	}
	for i, exp := range exps {
		if f.impossible(exp) {
			continue
		}
		if i == 0 && f.sum < leastDigits*f.digitCarried {
			return 0, false, false // rounding decides
		}
		if i == len(exps)-1 {
			return exp, f.fits(exp, mostOfLargest), true
		}
		alone := f.power >= leastCancelled && l.reactiveSent && (f.ofPhases || f.carry == 1 || f.cannotCancel(exps[i+1]))
		sure = alone || exps[i+1] == -2 && f.amps > mostDirect*100
		if exps[i+1]-exp == 1 {
			return exp, sure && f.fits(exp, mostOfTenth), sure
		}
		return exp, f.fits(exp, mostOfHundredth), sure
	}
	return 0, false, false
}

// impossible tells that voltage times current is too little for the power, however the digits were rounded.
func (f *flow) impossible(exp int8) bool {
	return 10*(f.sum+f.digit) < tooLittle*f.power*power10(-exp)
}

// fits tells if voltage times current is the power, or up to so many tenths of it.
func (f *flow) fits(exp int8, most int64) bool {
	unit := f.power * power10(-exp)
	return 10*f.sum >= enough*unit && 10*f.sum <= most*unit
}

// cannotCancel tells that three times the power would be left at least, whichever phases imported and whichever exported.
func (f *flow) cannotCancel(exp int8) bool {
	left := 2*f.largest - f.sum
	return max(left, -left) >= 3*f.power*power10(-exp)
}

// power10 returns 10^n of n up to 3.
func power10(n int8) int64 { return [...]int64{1, 10, 100, 1000}[n&3] }

// A CurrentScaling is the decimal exponent of a meter's electric currents, which some meters do not send. A Decoder learns it from
// telegrams in which it fits the power. A program that keeps it over a restart publishes currents at once after the next start.
type CurrentScaling struct {
	// Family, Model, Serial and List identify the meter, with the values of its Readings.
	Family string `json:"family,omitempty"`
	Model  string `json:"model,omitempty"`
	Serial string `json:"serial,omitempty"`
	List   string `json:"list,omitempty"`
	// Exponent is the power of ten of its currents in A: -3 for mA. It has a meaning only if Found is true.
	Exponent int8 `json:"current"`
	Found    bool `json:"found"`
}

// CurrentScaling returns the exponent that the Decoder has learned; the zero CurrentScaling if it has learned none.
func (d *Decoder) CurrentScaling() CurrentScaling {
	if !d.scaling.Found {
		return CurrentScaling{}
	}
	return d.scaling.CurrentScaling
}

// SetCurrentScaling gives the Decoder the exponent that an earlier one has learned. The Decoder uses it until a telegram comes from
// another meter, or until several telegrams contradict it. Call it before the first call of Next.
func (d *Decoder) SetCurrentScaling(s CurrentScaling) { d.scaling = scaling{CurrentScaling: s} }

// scaling is what has been found, and what speaks against it.
type scaling struct {
	CurrentScaling
	rival   int8
	against int // how many telegrams in a row say rival
}

// enoughAgainst is how many telegrams must say another exponent than the one that was found, with none between that agrees.
const enoughAgainst = 3

// meet begins anew where another meter speaks. What a telegram leaves out says nothing.
func (s *scaling) meet(r *Reading) {
	same := follows(&s.Family, r.Family)
	same = follows(&s.Model, r.Meter.Model) && same
	same = follows(&s.Serial, r.Meter.Serial) && same
	same = follows(&s.List, r.Meter.List) && same
	if !same {
		*s = scaling{CurrentScaling: CurrentScaling{Family: r.Family, Model: r.Meter.Model, Serial: r.Meter.Serial, List: r.Meter.List}}
	}
}

// follows tells if said may be what was known, which it becomes.
func follows(known *string, said string) bool {
	if *known == "" {
		*known = said
	}
	return said == "" || said == *known
}

// An expectation is the exponent that a meter says to have by its type or its list; known is false where it says none.
type expectation struct {
	exp   int8
	known bool
}

// confirmed tells if the exponent that was found fits a telegram, as it nearly always does: no other does then.
func (s *scaling) confirmed(l *load, f *flow) bool {
	if !s.Found || l.failed || !f.fits(s.Exponent, mostOfTenth) {
		return false
	}
	s.against = 0
	return true
}

// current returns the exponent of the currents of a telegram. ok is false where it is not known, which leaves the finest that
// may be, and where the telegram contradicts what is known.
func (s *scaling) current(l *load, f *flow, exps []int8, expected expectation) (exp int8, ok bool) {
	found, ok, sure := l.currentExponent(exps, f)
	switch {
	case !ok:
	case !s.Found && (sure || !expected.known):
		s.Exponent, s.Found = found, true
	case s.Found && found == s.Exponent:
		s.against = 0
	case s.Found && sure && !s.replaced(found):
		return s.Exponent, false
	}
	known := s.Found || expected.known
	switch {
	case s.Found:
		exp = s.Exponent
	case expected.known:
		exp = expected.exp
	default:
		exp = exps[0] // nothing is lost of a zero that is written so
	}
	return exp, known && !l.failed && !f.impossible(exp)
}

// replaced tells if enough telegrams have said another exponent, which then is the one.
func (s *scaling) replaced(rival int8) bool {
	if rival != s.rival {
		s.rival, s.against = rival, 0
	}
	if s.against++; s.against < enoughAgainst {
		return false
	}
	s.Exponent, s.against = rival, 0
	return true
}
