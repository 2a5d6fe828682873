package source

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// A Line is the setting of a serial line. It can be compared with ==.
type Line struct {
	Baud     int  // bits a second
	DataBits int  // 5 to 8
	Parity   byte // 'N', 'E' or 'O'
	StopBits int  // 1 or 2
}

// UsualLines are the settings that meters use, the most frequent first. They must not be changed.
var UsualLines = []Line{
	{115200, 8, 'N', 1}, // P1, and Aidon meters with an RJ12 port
	{2400, 8, 'E', 1},   // M-Bus ports (RJ45)
	{2400, 8, 'N', 1},   // Kamstrup
	{9600, 7, 'E', 1},   // DSMR 2.2
	{115200, 7, 'E', 1}, // Iskraemeco in Slovenia
	{115200, 8, 'E', 1}, // NES
	{9600, 8, 'N', 1},
	{38400, 8, 'N', 1}, // Iskraemeco at Elektro Ljubljana, as owners of such meters report
}

var settingPattern = regexp.MustCompile(`^([1-9]\d{1,6}) ([5-8])([NEO])([12])$`)

// ParseLine reads a setting such as "2400 8E1": bits a second, data bits, parity (N, E or O) and stop bits. The error shows how to write a
// setting.
func ParseLine(text string) (Line, error) {
	m := settingPattern.FindStringSubmatch(strings.ToUpper(text))
	if m == nil {
		return Line{}, fmt.Errorf(`%q is not a line setting: write for example "2400 8E1" or "115200 8N1"`, text)
	}
	baud, err := strconv.Atoi(m[1])
	return Line{Baud: baud, DataBits: int(m[2][0] - '0'), Parity: m[3][0], StopBits: int(m[4][0] - '0')}, err
}

// String returns the setting in the form that ParseLine reads.
func (l Line) String() string {
	return fmt.Sprintf("%d %d%c%d", l.Baud, l.DataBits, l.Parity, l.StopBits)
}
