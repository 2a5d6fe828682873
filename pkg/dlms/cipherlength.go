package dlms

// CipheredLength returns how many bytes the general-glo-ciphering that begins at b[0] takes: 0 when b does not hold its end
// yet, -1 when none begins there. It is for streams that hold such messages with nothing around them (Luxembourg, Smarty P1
// 1.1.3), where a message proves itself only to who has the key; so it is strict: a title of 8 bytes, a text of 8 to 4096
// bytes, a security that Parse reads. More bytes behind b never change an answer other than 0.
func CipheredLength(b []byte) int {
	const start = "\xDB\x08"
	if n := min(len(b), len(start)); string(b[:n]) != start[:n] {
		return -1
	}
	r := reader{b: b}
	r.bytes(len(start) + titleLength)
	size := r.length()
	at := r.at
	security := r.byte()
	end := at + size
	switch {
	case r.fault == short:
		return 0
	case r.fault != "" || unread(security) != "":
		return -1
	case size < headLength+minStream+tagOf(security) || size > headLength+maxStream:
		return -1
	case end > len(b):
		return 0
	}
	return end
}
