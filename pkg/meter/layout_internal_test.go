package meter

import (
	"fmt"
	"strings"
	"testing"

	"github.com/hanbridge/hanbridge/pkg/dlms"
	"github.com/hanbridge/hanbridge/pkg/obis"
)

// TestLayouts: types, or what else is looked at, tell the layouts apart, and each item has its code.
func TestLayouts(t *testing.T) {
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
			t.Errorf("%s: of which family?", l.types)
		}
		if len(l.codes) != len(l.types) || strings.Trim(l.types, letters) != "" {
			t.Errorf("%s: %d codes", l.types, len(l.codes))
		}
		once := map[obis.Code]bool{{}: false}
		for i, c := range l.codes {
			if once[c] {
				t.Errorf("%s: two items are %v", l.types, c)
			}
			once[c] = c != obis.Code{}
			if clock := c.IsClock(); clock != (l.types[i] == dlms.LayoutClock) {
				t.Errorf("%s: item %d is %v", l.types, i, c)
			}
		}
	}
	if len(layouts) < 21 {
		t.Errorf("%d layouts: the test looks at too few", len(layouts))
	}
}
