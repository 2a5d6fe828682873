package dlms

import "github.com/hanbridge/hanbridge/pkg/obis"

// readRegisters reads count structures {logical name, value} or {logical name, value, scaler-unit}: what Aidon meters and
// the modules that speak like them send (Aidon HAN interface description 1.7A, 3.2), and Kaifa in Vorarlberg and Poland.
func (n *Notification) readRegisters(r *reader, count int) {
	for range count {
		if r.fault != "" {
			return
		}
		readRegister(r, n.add(obis.Code{}))
	}
}

func readRegister(r *reader, rec *obis.Record) {
	at := r.at
	tag, fields := r.byte(), r.byte()
	if tag != tagStructure || fields != 2 && fields != 3 {
		r.fail(at, "an item that is not a structure of two or three fields")
		return
	}
	if !readName(r, &rec.Code) {
		return
	}
	readValue(r, rec)
	if fields == 3 {
		readScalerUnit(r, rec)
	}
}

// readName reads a logical name: an octet-string of six bytes. The module EMBRIQ_V1 in Landis+Gyr ZMF1 meters writes tag
// and length in the wrong order for its currents.
func readName(r *reader, code *obis.Code) bool {
	if !r.follows("\x09\x06") && !r.follows("\x06\x09") {
		r.fail(r.at, "an item that does not begin with a logical name")
		return false
	}
	r.bytes(2)
	return copy(code[:], r.bytes(len(code))) == len(code)
}

// scalerUnit begins a structure of scaler and unit.
const scalerUnit = "\x02\x02\x0F"

// readScalerUnit reads structure {scaler int8, unit enum} (IEC 62056-6-2, 4.3.2).
func readScalerUnit(r *reader, rec *obis.Record) {
	at := r.at
	b := r.bytes(6)
	if r.fault != "" {
		return
	}
	if b[0] != tagStructure || b[1] != 2 || b[2] != tagInt8 || b[4] != tagEnum {
		r.fail(at, "no scaler and unit behind a value of three fields")
		return
	}
	rec.Value.Exp, rec.Unit = int8(b[3]), obis.Unit(b[5])
}
