package line

// A fault is a wrong line setting that leaves signatures in the bytes.
type fault byte

const (
	noFault fault = iota
	faultInverted
	faultParity
	numFaults // number of the values above
)

// A signature is four bytes that a receiver reads if its line has a fault, and that no meter sends. A receiver with the fault reads a
// signature in place of bytes that many telegrams contain, such as line ends, OBIS codes and frame headers. signature_test.go computes each
// signature from the order of start, data, parity and stop bits, and from how receivers continue after a missing stop bit.

// invertedSignatures are the signatures of an inverted line, for all parities of sender and receiver.
var invertedSignatures = []uint32{
	0x01737F7F, 0x01F3FFFF, 0x060C617F, 0x0678617F, 0x068CE1FF, 0x06F449EF, 0x06F4E1FF, 0x0878617F,
	0x0C3F797D, 0x0CE1FDFF, 0x10743F7C, 0x1074493D, 0x1074617F, 0x10F43FFC, 0x10F449BD, 0x10F4E1FF,
	0x15FD4CE2, 0x1D251F0B, 0x1D4A1F0B, 0x2FAB95D5, 0x2FF5655D, 0x31FF3F7F, 0x31FF49EF, 0x31FFE1FF,
	0x330C617F, 0x3362FDE1, 0x338CE1FF, 0x39BD52FB, 0x3D276936, 0x3D526B2B, 0x3D676936, 0x3F7E7D7D,
	0x3FF9FDFE, 0x3FF9FDFF, 0x3FFDFDFF, 0x3FFEFDFD, 0x3FFEFEFD, 0x4478617F, 0x492F2B15, 0x495E697D,
	0x496F527D, 0x49BDD2EB, 0x49DE697D, 0x49EFD27D, 0x49EFDADF, 0x561D6936, 0x617B7232, 0x617F7E7F,
	0x6249694F, 0x6249E94F, 0x668C49EF, 0x66C4F8E1, 0x66C4FA49, 0x67251F0B, 0x67A59F8B, 0x796D737D,
	0x7D31492F, 0x7D31495E, 0x7D62126F, 0x7D67E96E, 0x7D7D7F7F, 0x7E014D7F, 0x7F01667F, 0x7FFEFFFF,
	0x86F8E1FD, 0x86F8E1FF, 0x88F8E1FF, 0x9D4A9F8B, 0x9DA59F8B, 0xBD2769B6, 0xBD56FB8B, 0xBD6769B6,
	0xD69DE96E, 0xE17FFFFF, 0xF97BBEFF, 0xF9EDF3FD, 0xFD31492F, 0xFD3149DE, 0xFD3149EF, 0xFD4C924F,
	0xFD6292BD, 0xFD6292EF, 0xFE01CDFF, 0xFF00BEFF, 0xFF01BEFF, 0xFF01E6FF,
}

// paritySignatures are the signatures of a line with another parity or number of data bits. In two cases there is often no signature,
// because the receiver reads the right bytes. In the first case, the receiver expects a parity bit, and the meter sends none (Linux passes on
// bytes with a wrong parity). In the second case, the receiver expects no parity bit, the meter sends one, and the receiver waits for an idle
// line before the next start bit.
var paritySignatures = []uint32{
	0x0040D687, 0x01041F68, 0x01340B58, 0x01675B08, 0x03425000, 0x0A455611, 0x0A4C09D2, 0x0A6C09D2,
	0x0AB12D30, 0x0AC5D611, 0x10FF1000, 0x19041040, 0x2E000F01, 0x2E800F01, 0x2E80DB21, 0x58365B04,
	0x60400001, 0x6667000F, 0x6667005B, 0x67017410, 0x68054D51, 0xD8B65B84, 0xDE000801, 0xE0010100,
	0xE701B40B, 0xE701F410, 0xE70F0100,
}

// signatureFaults maps each signature to its fault.
var signatureFaults = func() map[uint32]fault {
	m := map[uint32]fault{}
	for f, signatures := range [numFaults][]uint32{faultInverted: invertedSignatures, faultParity: paritySignatures} {
		for _, s := range signatures {
			m[s] = fault(f)
		}
	}
	return m
}()
