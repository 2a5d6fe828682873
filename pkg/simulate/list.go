package simulate

import (
	"slices"
	"strings"

	"github.com/hanbridge/hanbridge/pkg/dlms"
)

// A list is the body of a data-notification: what is in it, and in which shape.
type list struct {
	shape  shape
	fields []field
	// stamp writes the head up to the body.
	stamp encoder
	// hourly is for lists with the counters of the last whole hour.
	hourly bool
}

// A shape is how a list says which value is which.
type shape int

const (
	positional shape = iota // values alone: a table of the make tells
	pairs                   // code, value, code, value
	triples                 // code, value, {scaler, unit}
	registers               // structures {code, value, {scaler, unit}}, in an array
	structured              // the same in a structure
	pushed                  // a list of codes, then the values in its order
	descripted              // structures {bare attribute descriptor, value}
)

// shapes are their names.
var shapes = []string{"positional", "pairs", "triples", "registers", "structured", "pushed", "descripted"}

// readList reads the list that a file of the folder telegrams holds: the name of its shape, "hourly" where it is that, then an item a
// line. Lines that begin with a '#' say what is to be known of it. c is the clock of its times.
//
//	1.7.0 uint32                 a register's number, of that type
//	32.7.0 uint16 -1             in tenths
//	0-0:17.0.0 uint32 =17250     a number that never changes
//	0-0:96.1.0 octets "1000"     a text; visible for a visible-string
//	0-0:1.0.0 clock              one of clock.changing; hour is that of the last whole hour
//	0-8:25.9.0 setup             the push itself; name for its name
//	null                         nothing
//
// Behind an item stand bare where it has no code, swapped where tag and length of its code have changed places, and class 70 or 71 where
// it is no register.
func readList(file string, stamp encoder, c clock) encoder {
	b := must(telegrams.ReadFile("telegrams/" + file + ".list"))
	lines := slices.DeleteFunc(strings.Split(strings.TrimSpace(string(b)), "\n"), func(s string) bool { return strings.HasPrefix(s, "#") })
	l := list{shape: shape(slices.Index(shapes, lines[0])), stamp: stamp}
	if l.shape < 0 {
		panic("simulate: no shape of a list in " + file)
	}
	if lines = lines[1:]; lines[0] == "hourly" {
		l.hourly, lines = true, lines[1:]
	}
	for _, line := range lines {
		l.fields = append(l.fields, parseField(line, c))
	}
	return l.append
}

// append appends the data-notification.
func (l list) append(dst []byte, s *State) []byte {
	at := *s
	if l.hourly {
		at.Energies = s.HourEnergies
	}
	dst = l.stamp(dst, &at)
	switch l.shape {
	case registers:
		dst = dlms.AppendArray(dst, len(l.fields))
	case descripted:
		dst = dlms.AppendArray(dlms.AppendNumber(dlms.AppendStructure(dst, 2), dlms.Enum, 1), len(l.fields))
	case pushed:
		dst = l.appendObjects(dst)
	default:
		dst = dlms.AppendStructure(dst, l.items())
	}
	for i := range l.fields {
		if l.shape != pushed || l.fields[i].attribute != 0 {
			dst = l.fields[i].append(dst, l.shape, &at)
		}
	}
	return dst
}

// items counts the items of the outermost structure.
func (l list) items() int {
	n := 0
	for i := range l.fields {
		switch f := &l.fields[i]; {
		case l.shape == pairs && !f.bare:
			n += 2
		case l.shape == triples && !f.bare:
			n += 3
		default:
			n++
		}
	}
	return n
}

// appendObjects appends the head of a push list: a structure whose first item lists the objects. One of attribute 0 is listed
// as attribute 2 and has no value: the setting of the push itself, which Landis+Gyr and Iskraemeco leave out.
func (l list) appendObjects(dst []byte) []byte {
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
