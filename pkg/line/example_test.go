package line_test

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hanbridge/hanbridge/pkg/line"
)

// A P1 meter whose line ends lost their CR on the way.
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

// A gateway in telnet mode doubles each byte FF of the meter. The filter removes the doubled bytes and the commands of telnet.
func ExampleTelnetFilter() {
	var f line.TelnetFilter
	stream := f.Append(nil, []byte("\xFF\xFB\x00")) // WILL binary
	stream = f.Append(stream, []byte("\x7E\xA0\xFF\xFF\x10"))
	fmt.Printf("%x, telnet: %v\n", stream, f.Negotiated())
	// Output: 7ea0ff10, telnet: true
}

// Of two verdicts on one line, read with two settings, the one that says more about the line sorts first.
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
