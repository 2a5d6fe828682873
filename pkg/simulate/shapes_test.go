package simulate_test

import (
	"time"

	"github.com/hanbridge/hanbridge/pkg/meter"
	"github.com/hanbridge/hanbridge/pkg/obis"
	"github.com/hanbridge/hanbridge/pkg/simulate"
)

// A telegramShape has what all telegrams of a family must have in common.
type telegramShape struct {
	family string
	// bytes is the length of a telegram without minus signs. It is 0 for families with lists of several lengths.
	bytes int
	// samples is how many samples a reading has, including samples that the decoder derives from others. It is 0 for families with several
	// lists.
	samples int
	// clock returns the time that the telegram of a state must have. If clock is nil, the time and the meter are not checked.
	clock func(*simulate.State) obis.Time
	meter meter.Meter
}

var shapes = []telegramShape{
	{"aidon-se", 581, 30, standardTime, meter.Meter{Make: "Aidon"}},
	{"aidon-se-1p", 337, 16, standardTime, meter.Meter{Make: "Aidon"}},
	{"aidon-no", 0, 0, nil, meter.Meter{}},
	{"aidon-no1", 44, 1, withoutTime, meter.Meter{Make: "Aidon"}},
	{"aidon-no2", 288, 11, withoutTime, norwegianMeter("6534")},
	{"aidon-no3", 396, 15, localHourWithoutZone, norwegianMeter("6534")},
	{"aidon-no2-1p", 212, 7, withoutTime, norwegianMeter("6515")},
	{"aidon-no3-3w", 377, 14, localHourWithoutZone, norwegianMeter("6525")},
	{"p1-se-aidon", 705, 30, standardTime, meter.Meter{Make: "Aidon", Model: "6534"}},
	{"p1-se-aidon-1p", 413, 16, standardTime, meter.Meter{Make: "Aidon", Model: "6515"}},
	{"p1-se-aidon-6560", 719, 30, standardTime, meter.Meter{Make: "Aidon", Model: "6560"}},
	{"p1-se-kamstrup", 700, 30, summerTime, meter.Meter{Make: "Kamstrup"}},
	{"p1-se-kaifa", 711, 30, standardTime, meter.Meter{Make: "Kaifa", Model: "KAIFA-METER"}},
	{"p1-se-landisgyr", 704, 30, standardTime, meter.Meter{Make: "Landis+Gyr", Model: "E360"}},
	{"p1-se-sagemcom", 712, 30, standardTime, meter.Meter{Make: "Sagemcom", Model: "200000001_A"}},
	{"p1-fi-aidon", 705, 30, finnishSummer, meter.Meter{Make: "Aidon", Model: "7534"}},
	{family: "landisgyr-no"},
	{family: "landisgyr-no1", bytes: 44, samples: 1},
	{family: "landisgyr-no2", bytes: 288, samples: 11},
	{family: "landisgyr-no3", bytes: 396, samples: 15},
	{family: "landisgyr-no3-zmf", bytes: 396, samples: 15},
	{family: "kaifa-no"},
	{family: "kaifa-no1", bytes: 41, samples: 1},
	{family: "kaifa-no2", bytes: 122, samples: 11},
	{family: "kaifa-no3", bytes: 156, samples: 15},
	{family: "kaifa-no2-1p", bytes: 103, samples: 7},
	{family: "kaifa-no3-1p", bytes: 137, samples: 11},
	{family: "kaifa-no3-3w", bytes: 157, samples: 15},
	{family: "kaifa-se", bytes: 287, samples: 15},
	{family: "kaifa-se-d", bytes: 157, samples: 15},
	{family: "kaifa-se-ct", bytes: 172, samples: 15},
	{family: "kamstrup-no"},
	{family: "kamstrup-no1", bytes: 228, samples: 11},
	{family: "kamstrup-no2", bytes: 302, samples: 15},
	{family: "kamstrup-no-1p", bytes: 262, samples: 11},
	{family: "kamstrup-no-ct", bytes: 228, samples: 11},
	{family: "kamstrup-se"},
	{family: "kamstrup-dk-ct", bytes: 461, samples: 34},
	{family: "kamstrup-dk-plain", bytes: 461, samples: 34},
	{family: "kamstrup-dk", bytes: 491, samples: 34},
	{family: "kamstrup-dk-1p", bytes: 317, samples: 18},
	{family: "kamstrup-dk-25", bytes: 258, samples: 11},
	{family: "kamstrup-ch", bytes: 491, samples: 34},
	{family: "landisgyr-ch", bytes: 504, samples: 13},
	{family: "landisgyr-ch-quadrants", bytes: 401, samples: 12},
	{family: "landisgyr-ch-glo", bytes: 332, samples: 17},
	{family: "landisgyr-e570", bytes: 640, samples: 21},
	{family: "landisgyr-e570-ct", bytes: 640, samples: 21},
	{family: "landisgyr-e360-ch", bytes: 354, samples: 13},
	{family: "landisgyr-si"},
	{family: "landisgyr-at", bytes: 120, samples: 11},
	{family: "landisgyr-at-11", bytes: 111, samples: 11},
	{family: "iskra-ch", bytes: 379, samples: 13},
	{family: "iskra-ch-registers", bytes: 379, samples: 15},
	{family: "iskra-si"},
	{family: "iskra-si1", bytes: 131, samples: 20},
	{family: "iskra-si2", bytes: 101, samples: 10},
	{family: "iskra-si-celje", bytes: 98, samples: 11},
	{family: "iskra-si-celje-1p", bytes: 86, samples: 7},
	{family: "iskra-si-1p", bytes: 102, samples: 10},
	{family: "iskra-si-1p-9", bytes: 99, samples: 6},
	{family: "iskra-si-energies", bytes: 103, samples: 12},
	{family: "iskra-si-tariffs", bytes: 93, samples: 9},
	{family: "iskra-si-short", bytes: 57, samples: 2},
	{family: "iskra-hr", bytes: 191, samples: 31},
	{family: "iskra-hr-28", bytes: 168, samples: 26},
	{family: "iskra-at", bytes: 121, samples: 8},
	{"landisgyr-at-wien", 105, 9, localTimeWithoutZone, meter.Meter{Make: "Landis+Gyr"}},
	{"iskra-at-wien", 105, 9, summerTime, meter.Meter{Make: "Iskraemeco"}},
	{"siemens-at-wien", 125, 9, summerTime, meter.Meter{Make: "Siemens", Serial: "SMS1030000000001"}},
	{"siemens-at-wels", 119, 7, summerTime, meter.Meter{Make: "Siemens", Serial: "1000000000001"}},
	{family: "kaifa-at", bytes: 282, samples: 12},
	{family: "kaifa-at-salzburg", bytes: 376, samples: 13},
	{family: "kaifa-at-vkw", bytes: 376, samples: 13},
	{family: "kaifa-pl", bytes: 376, samples: 13},
	{family: "sagemcom-at", bytes: 282, samples: 12},
	{family: "sagemcom-at-new", bytes: 282, samples: 12},
	{family: "sagemcom-ch", bytes: 369, samples: 21},
	{family: "sagemcom-cz", bytes: 449, samples: 22},
	{family: "p1-fi-landisgyr", bytes: 704, samples: 30},
	{family: "p1-dk-landisgyr", bytes: 704, samples: 30},
	{family: "p1-dk-nes", bytes: 701, samples: 30},
	{family: "p1-se-iskra", bytes: 557, samples: 22},
	{family: "p1-nl-22", bytes: 449, samples: 14},
	{family: "p1-nl-22-kamstrup", bytes: 447, samples: 14},
	{family: "p1-nl-3", bytes: 461, samples: 14},
	{family: "p1-nl-4-kaifa", bytes: 864, samples: 32},
	{family: "p1-nl-4-landisgyr", bytes: 864, samples: 34},
	{family: "p1-nl-4-iskra", bytes: 865, samples: 32},
	{family: "p1-nl-4-kamstrup", bytes: 870, samples: 32},
	{family: "p1-nl-5", bytes: 1094, samples: 36},
	{family: "p1-nl-5-iskra", bytes: 913, samples: 35},
	{family: "p1-nl-heat", bytes: 157, samples: 1},
	{family: "p1-be", bytes: 1100, samples: 33},
	{family: "p1-be-1p", bytes: 822, samples: 22},
	{family: "p1-hu-sagemcom", bytes: 1275, samples: 40},
	{family: "p1-hu-d545", bytes: 676, samples: 25},
	{family: "p1-hu-sanxing", bytes: 2266, samples: 40},
	{family: "p1-lt", bytes: 927, samples: 40},
	{family: "p1-lt-early", bytes: 756, samples: 29},
	{family: "p1-lu-plain", bytes: 1284, samples: 44},
	{family: "p1-at-est5-plain", bytes: 481, samples: 17},
	{family: "p1-pl-plain", bytes: 583, samples: 17},
	{family: "p1-ch", bytes: 909, samples: 36},
	{family: "p1-hr", bytes: 570, samples: 27},
	{family: "p1-si", bytes: 576, samples: 24},
	{family: "p1-de-easymeter", bytes: 293, samples: 14},
	{family: "p1-lu", bytes: 1314, samples: 44},
	{family: "p1-at-est5", bytes: 511, samples: 17},
	{family: "p1-pl", bytes: 604, samples: 17},
	{family: "p1-pl-kaifa", bytes: 612, samples: 17},
}

func shapeOf(family string) *telegramShape {
	for i := range shapes {
		if shapes[i].family == family {
			return &shapes[i]
		}
	}
	return nil
}

func norwegianMeter(model string) meter.Meter {
	return meter.Meter{Make: "Aidon", Model: model, Serial: "7359990000000001", List: "AIDON_V0001"}
}

// timeAhead returns the time of a clock that is some hours ahead of UTC.
func timeAhead(t time.Time, hours int) obis.Time {
	return obis.FromTime(t.In(time.FixedZone("", hours*60*60)))
}

func standardTime(s *simulate.State) obis.Time { return timeAhead(s.Time, 1) }
func summerTime(s *simulate.State) obis.Time   { return timeAhead(s.Time, 2) }
func withoutTime(*simulate.State) obis.Time    { return obis.Time{} }

// finnishSummer returns the local time of Finland, but with the offset of Central Europe, which is one hour less. The parser sets this offset
// for the letter S.
func finnishSummer(s *simulate.State) obis.Time {
	c := timeAhead(s.Time, 3)
	c.Offset = 120
	return c
}

func localTimeWithoutZone(s *simulate.State) obis.Time { return withoutZone(s.Time) }

func localHourWithoutZone(s *simulate.State) obis.Time { return withoutZone(s.Hour) }

// withoutZone returns the Central European summer time, as a clock that sends no zone.
func withoutZone(t time.Time) obis.Time {
	c := timeAhead(t, 2)
	c.Zone, c.Offset = false, 0
	return c
}

// length returns the length of the telegram of a state in bytes, with its minus signs.
func (sh *telegramShape) length(s *simulate.State) int {
	n := sh.bytes
	switch sh.family {
	case "p1-fi-aidon":
		for _, mA := range s.Current {
			n += minusLength(mA + 49) // rounded to 0.1 A
		}
	case "p1-de-easymeter":
		watts, _ := s.Net()
		for _, w := range append(s.Power[:], watts) {
			n += minusLength(w)
		}
	}
	return n
}

// minusLength returns the length of the minus sign of v.
func minusLength(v int64) int {
	if v < 0 {
		return 1
	}
	return 0
}
