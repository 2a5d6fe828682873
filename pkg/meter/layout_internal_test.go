package meter

import (
	"fmt"
	"strings"
	"testing"

	"github.com/hanbridge/hanbridge/pkg/dlms"
	"github.com/hanbridge/hanbridge/pkg/obis"
)

// TestLayoutTable tests that each layout has one code for each type, that no code is twice in a layout, and that clocks have the type of a clock. Two
// layouts must differ in types, firstText or familyOnly.
func TestLayoutTable(t *testing.T) {
	letters := string([]byte{
		dlms.LayoutText, dlms.LayoutClock, dlms.LayoutUint, dlms.LayoutUint16, dlms.LayoutSigned, dlms.LayoutByte, dlms.LayoutArray,
	})
	seen := map[string]bool{}
	for _, l := range layouts {
		if key := fmt.Sprint(l.types, l.firstText, l.familyOnly); seen[key] {
			t.Errorf("%s: two layouts have the same types, firstText and familyOnly", l.types)
		} else {
			seen[key] = true
		}
		if l.familyOnly && l.family == nil {
			t.Errorf("%s: familyOnly without a family", l.types)
		}
		if len(l.codes) != len(l.types) || strings.Trim(l.types, letters) != "" {
			t.Errorf("%s: got %d codes for %d types of the letters %s, want one code for each type", l.types, len(l.codes), len(l.types), letters)
		}
		seenCodes := map[obis.Code]bool{}
		for i, c := range l.codes {
			isKnown := c != obis.Code{} // several values of a layout can have the zero Code
			if isKnown && seenCodes[c] {
				t.Errorf("%s: two values have code %v", l.types, c)
			}
			seenCodes[c] = true
			if clock := c.IsClock(); clock != (l.types[i] == dlms.LayoutClock) {
				t.Errorf("%s: value %d has type %c and code %v, want type %c only for a clock", l.types, i, l.types[i], c, dlms.LayoutClock)
			}
		}
	}
	if len(layouts) < 21 { // so that no layout is lost by mistake
		t.Errorf("got %d layouts, want at least 21", len(layouts))
	}
}
