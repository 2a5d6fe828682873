package meter

// Some meters send currents without an exponent, and meters of the same make use different exponents. This file finds the exponent from the power
// in the same telegram. If the product of voltage and current is much less than the power, the exponent is too small. If the product is much
// more than the power, the exponent is too large, except in these cases: some phases import while others export; the currents have harmonics;
// the load is nearly zero; the grid has three wires (up to 1.7 times the power).
const (
	// The ratio is voltage times current divided by power, in tenths. If the ratio is below impossibleRatio, the exponent is impossible. The
	// exponent fits only if the ratio is at least minRatio. Both limits are below 10 tenths, because a meter does not measure voltage, current
	// and power at the same moment.
	impossibleRatio, minRatio = 5, 8
	// Maximum ratios, in tenths, at which an exponent fits. maxRatioLast is for the largest exponent that the make uses. maxRatioTenfold is for
	// an exponent if the make also uses the exponent that is larger by 1. maxRatioOther is for all other exponents. maxRatioTenfold is the
	// smallest of the three, because the larger exponent is possibly right if import and export of the phases cancel.
	maxRatioLast, maxRatioTenfold, maxRatioOther = 50, 20, 40
	// minPower is the minimum power, in VA, that is compared with currents. From minPowerAboveNoLoad on, a meter certainly has a load.
	minPower, minPowerAboveNoLoad = 10, 400
	// minMeanCurrent is the minimum mean current of the loaded phases, as sent, for which the smallest exponent is accepted. The rounding error
	// of smaller numbers is too large.
	minMeanCurrent = 4
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
		if i == 0 && v.sum < minMeanCurrent*v.oneDigitLoaded {
			return 0, false, false // the rounding error is too large
		}
		if i == len(exps)-1 {
			return exp, v.fits(exp, maxRatioLast), true
		}
		next := exps[i+1]
		// With next, the currents are too large for the power, unless import and export of the phases cancel in the power.
		noCancelling := v.perPhase || v.loadedPhases == 1 || v.cannotCancel(next)
		nextImpossible := noCancelling && m.reactiveSent && v.power >= minPowerAboveNoLoad
		nextTooManyAmps := next == -2 && v.largestAmps > maxDirectAmps*100 // the largest current would exceed maxDirectAmps
		sure = nextImpossible || nextTooManyAmps
		if next-exp == 1 {
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
func powerOfTen(n int8) int64 {
	return [...]int64{1, 10, 100, 1000}[n&3] // n&3 is n, and spares a bounds check
}

// A CurrentScaling is the decimal exponent of the currents of a meter that sends them without an exponent. A Decoder learns the exponent from
// telegrams in which only one exponent fits the power. If a program stores the CurrentScaling, it has currents from the first telegram after a
// restart.
type CurrentScaling struct {
	// Family, Model, Serial and List identify the meter. They are the fields of its Readings with these names.
	Family string `json:"family,omitempty"`
	Model  string `json:"model,omitempty"`
	Serial string `json:"serial,omitempty"`
	List   string `json:"list,omitempty"`
	// Exponent is the power of ten of the meter's currents in A: -3 for mA. Exponent has a meaning only if Found is true.
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
	otherExponent  int8 // the exponent of the last telegram that contradicts the learned exponent
	contradictions int  // number of telegrams with otherExponent since the last telegram with the learned exponent
}

// contradictionsToReplace is the number of contradictions after which otherExponent replaces the learned exponent.
const contradictionsToReplace = 3

// setMeter resets the scaling if the reading is of another meter than the earlier readings. It compares only fields that are not "" in both.
func (s *scaling) setMeter(r *Reading) {
	isSame := sameOrUnknown(&s.Family, r.Family)
	isSame = sameOrUnknown(&s.Model, r.Meter.Model) && isSame
	isSame = sameOrUnknown(&s.Serial, r.Meter.Serial) && isSame
	isSame = sameOrUnknown(&s.List, r.Meter.List) && isSame
	if !isSame {
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

// An expectation is the exponent of currents that the type or the list of a meter shows. known is false if they do not show the exponent.
type expectation struct {
	exp   int8
	known bool
}

// confirmed reports whether the learned exponent fits a telegram. If it does, no other exponent is tried. This saves time, because the learned
// exponent fits nearly all telegrams.
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
	case !ok: // nothing is learned from the telegram
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

// contradicted counts a telegram that fits only the exponent other, and not the learned exponent. After contradictionsToReplace telegrams that fit
// only other, contradicted makes other the learned exponent and returns true.
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
