package p1

import (
	"bytes"
	"fmt"
	"strconv"
)

// verify returns what stands between '/' and '!', also where the checksum is wrong, and whether a checksum vouches for it.
func verify(b []byte) (body []byte, checked bool, err error) {
	i := bytes.LastIndexByte(b, '!')
	if i < 1 || b[i-1] != '\n' {
		if len(b) >= MaxLength {
			return nil, false, errLong
		}
		return nil, false, errEnd
	}
	sum := trimmed(b[i+1:])
	if len(sum) == 0 {
		return b[:i], false, nil
	}
	got, ok := readChecksum(sum)
	if !ok {
		return b[:i], false, errChecksum
	}
	if want := Checksum(b[:i+1]); want != got {
		return b[:i], false, wrongChecksum(b[:i+1], want, got)
	}
	return b[:i], true, nil
}

// checksumDigits is how many hexadecimal digits a checksum has at most.
const checksumDigits = 4

// readChecksum reads up to four hexadecimal digits: some meters leave out zeros in front.
func readChecksum(b []byte) (sum uint16, ok bool) {
	if len(b) == 0 || len(b) > checksumDigits {
		return 0, false
	}
	v, err := strconv.ParseUint(string(b), 16, 16)
	return uint16(v), err == nil
}

// wrongChecksum is the error of a checksum that is not right. It says so where other ends of lines are to blame.
func wrongChecksum(b []byte, want, got uint16) error {
	if checksumWithCRLF(b) == got {
		return fmt.Errorf("p1: checksum: want %04X, got %04X (right with CR LF at the ends of its lines: "+
			"line ends were changed on the way; record and copy the telegram as bytes, not as text)", want, got)
	}
	return fmt.Errorf("p1: checksum: want %04X, got %04X", want, got)
}

// checksumWithCRLF returns the checksum that b would have if each of its lines ended with CR LF.
func checksumWithCRLF(b []byte) (sum uint16) {
	for {
		line, rest, more := bytes.Cut(b, []byte("\n"))
		if !more {
			return checksums.Update(sum, b)
		}
		sum = checksums.Update(sum, bytes.TrimRight(line, "\r"))
		sum = checksums.Update(sum, []byte("\r\n"))
		b = rest
	}
}
