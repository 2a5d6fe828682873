package meter

// Some meters send currents without an exponent, and meters of the same make use different exponents. This file finds the exponent with the
// power in the same telegram. With the right exponent, voltage times current is never much less than the power. If the product is much less,
// the exponent is too small. The product is much more than the power only in these cases: some phases import while others export; the
// currents have harmonics; the load is nearly zero; the grid has three wires (up to 1.7 times the power).
const (
	// Ratios of voltage times current to power, in tenths. Below impossibleRatio an exponent is impossible. From minRatio on it fits. Both are
	// less than 1, because a meter does not measure voltage, current and power at the same moment.
	impossibleRatio, minRatio = 5, 8
	// Maximum ratios, in tenths, at which an exponent fits. maxRatioLast is for the largest exponent that the make uses. maxRatioTenfold is for
	// an exponent if the make also uses the exponent that is larger by 1. maxRatioOther is for all other exponents. maxRatioTenfold is the
	// smallest, because the larger exponent is possibly the right one if import and export of the phases cancel.
	maxRatioLast, maxRatioTenfold, maxRatioOther = 50, 20, 40
	// minPower is the minimum power, in VA, that is compared with currents. From minPowerAboveNoLoad on, a meter certainly has a load.
	minPower, minPowerAboveNoLoad = 10, 400
	// minDigits is the minimum current as sent, without its exponent, for which the smallest exponent is accepted. The rounding error of
	// smaller numbers is too large.
	minDigits = 4
	// maxDirectAmps is the maximum current, in A, of a meter that sends 0.01 A. These meters have no current transformers. They are made for
	// at most 100 A, and carry at most 120 A for a short time.
	maxDirectAmps = 120
)

// currentExponent returns the exponent of the currents of a telegram. exps are the exponents that the make uses, in rising order. ok is
// false if none of them fits, or if several are possible.
//
// sure is true if no other exponent is possible, even if some phases import while others export. This assumes power factors above 0.9. A sure
// exponent is possibly wrong in one case: the meter sends whole amperes, and import and export of its phases cancel to about 1 %. The
// telegram then looks like a telegram in 0.01 A. Three later sure telegrams correct the exponent (see contradicted).
func (m *measurements) currentExponent(exps []int8, v *voltAmps) (exp int8, ok, sure bool) {
	if m.outOfRange || v.power < minPower || v.sum == 0 {
		return 0, false, false
	}
	for i, exp := range exps {
		if v.impossible(exp) {
			continue
		}
		if i == 0 && v.sum < minDigits*v.oneDigitLoaded {
			return 0, false, false // the rounding error is too large
		}
		if i == len(exps)-1 {
			return exp, v.fits(exp, maxRatioLast), true
		}
		// With the next exponent, the currents are too large for the power, unless import and export of the phases cancel in the power.
		nextImpossible := v.power >= minPowerAboveNoLoad && m.reactiveSent && (v.perPhase || v.loadedPhases == 1 || v.cannotCancel(exps[i+1]))
		sure = nextImpossible || exps[i+1] == -2 && v.largestAmps > maxDirectAmps*100
		if exps[i+1]-exp == 1 {
			return exp, sure && v.fits(exp, maxRatioTenfold), sure
		}
		return exp, v.fits(exp, maxRatioOther), sure
	}
	return 0, false, false
}

// impossible reports whether voltage times current is too small for the power, even if all currents were rounded down.
func (v *voltAmps) impossible(exp int8) bool {
	return 10*(v.sum+v.oneDigit) < impossibleRatio*v.power*powerOfTen(-exp)
}

// fits reports whether the ratio of voltage times current to power is between minRatio and maxRatio, in tenths.
func (v *voltAmps) fits(exp int8, maxRatio int64) bool {
	unit := v.power * powerOfTen(-exp)
	return 10*v.sum >= minRatio*unit && 10*v.sum <= maxRatio*unit
}

// cannotCancel reports whether exponent exp is too large for the power, even if some phases import and others export. The smallest net power is
// the power of the largest phase minus the power of the others. The exponent is too large if this net power is at least three times the power.
func (v *voltAmps) cannotCancel(exp int8) bool {
	smallestNet := 2*v.largest - v.sum
	return max(smallestNet, -smallestNet) >= 3*v.power*powerOfTen(-exp)
}

// powerOfTen returns 10^n, for n from 0 to 3.
func powerOfTen(n int8) int64 { return [...]int64{1, 10, 100, 1000}[n&3] }

// A CurrentScaling is the decimal exponent of the currents of a meter that sends them without an exponent. A Decoder learns the exponent from
// telegrams in which only one exponent fits the power. If a program stores the CurrentScaling, it has currents from the first telegram after a
// restart.
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

// CurrentScaling returns the exponent that the Decoder has learned. It returns the zero CurrentScaling if it has learned none.
func (d *Decoder) CurrentScaling() CurrentScaling {
	if !d.scaling.Found {
		return CurrentScaling{}
	}
	return d.scaling.CurrentScaling
}

// SetCurrentScaling gives the Decoder the exponent that an earlier Decoder has learned. The Decoder uses the exponent until it reads a telegram
// of another meter, or until several telegrams contradict the exponent. Call SetCurrentScaling before the first call of Next.
func (d *Decoder) SetCurrentScaling(s CurrentScaling) { d.scaling = scaling{CurrentScaling: s} }

// scaling has the learned exponent, and counts the telegrams that contradict it.
type scaling struct {
	CurrentScaling
	otherExponent  int8 // the exponent that the last contradicting telegram fits
	contradictions int  // number of telegrams with otherExponent since the last telegram that fits the learned exponent
}

// contradictionsToReplace is the number of contradictions after which otherExponent replaces the learned exponent.
const contradictionsToReplace = 3

// setMeter resets the scaling if the reading is of another meter than the readings before. It compares only fields that both have.
func (s *scaling) setMeter(r *Reading) {
	same := sameOrUnknown(&s.Family, r.Family)
	same = sameOrUnknown(&s.Model, r.Meter.Model) && same
	same = sameOrUnknown(&s.Serial, r.Meter.Serial) && same
	same = sameOrUnknown(&s.List, r.Meter.List) && same
	if !same {
		*s = scaling{CurrentScaling: CurrentScaling{Family: r.Family, Model: r.Meter.Model, Serial: r.Meter.Serial, List: r.Meter.List}}
	}
}

// sameOrUnknown reports whether sent equals *known, or one of the two is "". If *known is "", sameOrUnknown sets it to sent.
func sameOrUnknown(known *string, sent string) bool {
	if *known == "" {
		*known = sent
	}
	return sent == "" || sent == *known
}

// An expectation is the exponent of currents for the type or the list of a meter. known is false if type and list do not show the exponent.
type expectation struct {
	exp   int8
	known bool
}

// confirmed reports whether the learned exponent fits a telegram. It fits nearly all telegrams, and no other exponent is then tried.
func (s *scaling) confirmed(m *measurements, v *voltAmps) bool {
	if !s.Found || m.outOfRange || !v.fits(s.Exponent, maxRatioTenfold) {
		return false
	}
	s.contradictions = 0
	return true
}

// exponent returns the exponent of the currents of a telegram. ok is false if no exponent is known, or if the telegram contradicts
// the known exponent. If ok is false, exp is right only for currents of 0.
func (s *scaling) exponent(m *measurements, v *voltAmps, exps []int8, expected expectation) (exp int8, ok bool) {
	fitting, ok, sure := m.currentExponent(exps, v)
	switch {
	case !ok:
	case !s.Found && (sure || !expected.known):
		s.Exponent, s.Found = fitting, true
	case s.Found && fitting == s.Exponent:
		s.contradictions = 0
	case s.Found && sure && !s.contradicted(fitting):
		return s.Exponent, false
	}
	known := s.Found || expected.known
	switch {
	case s.Found:
		exp = s.Exponent
	case expected.known:
		exp = expected.exp
	default:
		exp = exps[0]
	}
	return exp, known && !m.outOfRange && !v.impossible(exp)
}

// contradicted counts a telegram that fits only the exponent other, and not the learned exponent. After contradictionsToReplace telegrams with
// the same other exponent, it makes other the learned exponent and returns true.
func (s *scaling) contradicted(other int8) bool {
	if other != s.otherExponent {
		s.otherExponent, s.contradictions = other, 0
	}
	if s.contradictions++; s.contradictions < contradictionsToReplace {
		return false
	}
	s.Exponent, s.contradictions = other, 0
	return true
}
