package simulate

import (
	"slices"
	"strings"

	"github.com/hanbridge/hanbridge/pkg/dlms"
)

// A list is a DLMS list as a meter sends it: a data-notification with items in a certain shape.
type list struct {
	shape  shape
	fields []field
	// header appends the header of the data-notification.
	header encoder
	// hourly is true if the energies are those of the last whole hour.
	hourly bool
}

// A shape is how a list assigns codes to values.
type shape int

const (
	positional     shape = iota // only values, in an order that a document of the manufacturer defines
	pairs                       // code, value, code, value
	triples                     // code, value, {scaler, unit}
	registers                   // structures {code, value, {scaler, unit}}, in an array
	structured                  // the same structures, in a structure
	pushList                    // a list of codes, then the values in the order of the codes
	describedItems              // structures {attribute descriptor without tags, value}
)

// shapes are the names of the shapes in list files, in the order of the constants.
var shapes = []string{"positional", "pairs", "triples", "registers", "structured", "pushList", "describedItems"}

// listEncoder returns the encoder of the list in telegrams/<file>.list. header appends the header of the data-notification. c is the clock of
// the times in the list. The file's first line is the name of the shape. The line "hourly" follows if the energies are those of the last
// whole hour. Each further line is one item. Lines that begin with '#' are comments. Items are, for example:
//
//	1.7.0 uint32                 the number of a register, as uint32
//	32.7.0 uint16 -1             the number of a register in tenths (scaler -1), as uint16
//	0-0:17.0.0 uint32 =17250     a constant number
//	0-0:96.1.0 octets "1000"     a constant octet-string
//	0-0:96.1.0 visible "1000"    a constant visible-string
//	0-0:1.0.0 clock              the time
//	0-0:1.0.0 hour               the last whole hour
//	0-0:1.0.0 date               a name of clock.variables
//	0-8:25.9.0 setup             the push setup
//	0-8:25.9.0 name              the logical name of the push setup
//	null                         null-data
//
// The word bare follows if the item is sent without its code. The word swapped follows if the tag and the length of the code are in the
// wrong order. The words "class 70" or "class 71" follow if the item is a switch or a limit.
func listEncoder(file string, header encoder, c clock) encoder {
	b := must(telegrams.ReadFile("telegrams/" + file + ".list"))
	isComment := func(line string) bool { return strings.HasPrefix(line, "#") }
	lines := slices.DeleteFunc(strings.Split(strings.TrimSpace(string(b)), "\n"), isComment)
	l := list{shape: shape(slices.Index(shapes, lines[0])), header: header}
	if l.shape < 0 {
		panic("simulate: the first line is not a shape in " + file)
	}
	if lines = lines[1:]; lines[0] == "hourly" {
		l.hourly, lines = true, lines[1:]
	}
	for _, line := range lines {
		l.fields = append(l.fields, parseField(line, c))
	}
	return l.append
}

// append appends the data-notification that shows s.
func (l list) append(dst []byte, s *State) []byte {
	shown := *s
	if l.hourly {
		shown.Energies = s.HourEnergies
	}
	dst = l.header(dst, &shown)
	switch l.shape {
	case registers:
		dst = dlms.AppendArray(dst, len(l.fields))
	case describedItems:
		dst = dlms.AppendArray(dlms.AppendNumber(dlms.AppendStructure(dst, 2), dlms.Enum, 1), len(l.fields))
	case pushList:
		dst = l.appendPushObjects(dst)
	default:
		dst = dlms.AppendStructure(dst, l.itemCount())
	}
	for i := range l.fields {
		if l.shape != pushList || l.fields[i].attribute != 0 {
			dst = l.fields[i].append(dst, l.shape, &shown)
		}
	}
	return dst
}

// itemCount returns how many items the outermost structure has.
func (l list) itemCount() int {
	n := 0
	for i := range l.fields {
		switch f := &l.fields[i]; {
		case l.shape == pairs && !f.withoutCode:
			n += 2
		case l.shape == triples && !f.withoutCode:
			n += 3
		default:
			n++
		}
	}
	return n
}

// appendPushObjects appends the beginning of a push list: a structure whose first item lists the objects. The push setup (attribute 0 in
// field) is listed with attribute 2. It has no value, because Landis+Gyr and Iskraemeco do not send the value of the push setup.
func (l list) appendPushObjects(dst []byte) []byte {
	values := 0
	for i := range l.fields {
		if l.fields[i].attribute != 0 {
			values++
		}
	}
	dst = dlms.AppendArray(dlms.AppendStructure(dst, values+1), len(l.fields))
	for i := range l.fields {
		f := &l.fields[i]
		attribute := f.attribute
		if attribute == 0 {
			attribute = 2
		}
		dst = dlms.AppendPushObject(dst, f.class, f.code, int8(attribute))
	}
	return dst
}
