package line

import "bytes"

// start is the beginning of a stream in lower-case letters, by which other programs than meters are known.
type start struct {
	b [256]byte
	n int
}

func (s *start) add(x byte) {
	if s.n == len(s.b) {
		return
	}
	if 'A' <= x && x <= 'Z' {
		x |= 0x20
	}
	s.b[s.n] = x
	s.n++
}

var (
	webBegins = [][]byte{[]byte("http/"), []byte("<!doctype"), []byte("<html")}
	logins    = [][]byte{[]byte("login:"), []byte("password:"), []byte("username:"), []byte("user name:"), []byte("user access verification")}
)

// verdict tells if another program than a gateway speaks; 0, which is Silent, where it does not.
func (s *start) verdict() Verdict {
	b := bytes.TrimLeft(s.b[:s.n], "\r\n\t ")
	for _, web := range webBegins {
		if bytes.HasPrefix(b, web) {
			return Web
		}
	}
	if bytes.HasPrefix(b, []byte("ssh-")) {
		return Login
	}
	for _, question := range logins {
		if bytes.Contains(b, question) {
			return Login
		}
	}
	return Silent
}
