package simulate

import "github.com/hanbridge/hanbridge/pkg/dlms"

// A list is the body of a data-notification: what is in it, and in which shape.
type list struct {
	shape  shape
	fields []field
	// stamp writes the head up to the body.
	stamp func(dst []byte, s *State) []byte
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

// append appends the data-notification.
func (l list) append(dst []byte, s *State) []byte {
	at := *s
	if l.hourly {
		at.Energies = s.HourEnergies
	}
	dst = l.stamp(dst, &at)
	switch l.shape {
	case registers:
		dst = dlms.AppendList(dst, len(l.fields))
	case descripted:
		dst = dlms.AppendList(dlms.AppendNumber(dlms.AppendStructure(dst, 2), dlms.Enum, 1), len(l.fields))
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
	dst = dlms.AppendList(dlms.AppendStructure(dst, values+1), len(l.fields))
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
