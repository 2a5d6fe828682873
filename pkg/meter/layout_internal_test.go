package meter

import (
	"fmt"
	"strings"
	"testing"

	"github.com/hanbridge/hanbridge/pkg/dlms"
	"github.com/hanbridge/hanbridge/pkg/obis"
)

// TestLayoutTable tests that each layout has a code for each type, no code twice, and no two layouts fit the same lists.
func TestLayoutTable(t *testing.T) {
	letters := string([]byte{
		dlms.LayoutText, dlms.LayoutClock, dlms.LayoutUint, dlms.LayoutUint16, dlms.LayoutSigned, dlms.LayoutByte, dlms.LayoutArray,
	})
	seen := map[string]bool{}
	for _, l := range layouts {
		if key := fmt.Sprint(l.types, l.firstText, l.familyOnly); seen[key] {
			t.Errorf("%s: two layouts have these types", l.types)
		} else {
			seen[key] = true
		}
		if l.familyOnly && l.family == nil {
			t.Errorf("%s: familyOnly without a family", l.types)
		}
		if len(l.codes) != len(l.types) || strings.Trim(l.types, letters) != "" {
			t.Errorf("%s: %d codes", l.types, len(l.codes))
		}
		seenCodes := map[obis.Code]bool{{}: false}
		for i, c := range l.codes {
			if seenCodes[c] {
				t.Errorf("%s: two items are %v", l.types, c)
			}
			seenCodes[c] = c != obis.Code{}
			if clock := c.IsClock(); clock != (l.types[i] == dlms.LayoutClock) {
				t.Errorf("%s: item %d is %v", l.types, i, c)
			}
		}
	}
	if len(layouts) < 21 {
		t.Errorf("%d layouts: the test looks at too few", len(layouts))
	}
}
