package line_test

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hanbridge/hanbridge/pkg/line"
)

// The lines of this P1 telegram end with LF, because a program on the way removed each CR.
func ExampleEvidence() {
	var e line.Evidence
	for range 4 {
		e.Add([]byte("/ABC5 meter\n\n1-0:1.7.0(0000.345*kW)\n1-0:2.7.0(0000.000*kW)\n!\n"))
	}
	v := e.Verdict()
	advice, _, _ := strings.Cut(v.Advice(), ".")
	fmt.Printf("%d bytes: %v: %s\n", e.Bytes(), v, advice)
	fmt.Println("another line setting may help:", v.SuggestsOtherSetting())
	// Output:
	// 244 bytes: cooked: a program on the way rewrites line ends
	// another line setting may help: false
}

// A gateway in telnet mode doubles each FF of the meter. The filter turns FF FF into FF, and removes the commands of telnet.
func ExampleTelnetFilter() {
	var f line.TelnetFilter
	stream := f.Append(nil, []byte("\xFF\xFB\x00")) // WILL binary
	stream = f.Append(stream, []byte("\x7E\xA0\xFF\xFF\x10"))
	fmt.Printf("%x, telnet: %v\n", stream, f.Negotiated())
	// Output: 7ea0ff10, telnet: true
}

// The line was read with three settings. The most informative verdict sorts first.
func ExampleCompare() {
	verdicts := []line.Verdict{line.TooFewBytes, line.Inverted, line.OtherBaud}
	slices.SortFunc(verdicts, line.Compare)
	for _, v := range verdicts {
		fmt.Println(v)
	}
	// Output:
	// inverted
	// other-baud
	// too-few
}
