package simulate

import "github.com/hanbridge/hanbridge/pkg/dlms"

// The keys of every simulated meter that encrypts, as `decode --key` and `--auth-key` take them. They are public.
const (
	EncryptionKey     = "000102030405060708090A0B0C0D0E0F"
	AuthenticationKey = "D0D1D2D3D4D5D6D7D8D9DADBDCDDDEDF"
)

// Key returns the keys above, ready for use. It is the caller's own.
func Key() *dlms.Key { return mustKey(EncryptionKey, AuthenticationKey) }

// Ciphers of Family.Cipher: the security control byte of the messages (IEC 62056-5-3, 9.2.4.7).
const (
	encrypted     = 0x20 // no tag: nothing proves a telegram
	encryptedOne  = 0x21 // the same, of security suite 1
	authenticated = 0x30 // with a tag
)

func mustKey(encryption, authentication string) *dlms.Key {
	return must(dlms.ParseKeys(encryption + " " + authentication))[0]
}

// sealed is the encoder of the general-glo-ciphering of what e encodes. A State that says so is sealed with another key.
func sealed(title string, security byte, e encoder) encoder {
	return func(dst []byte, s *State) []byte {
		return dlms.AppendCiphered(dst, keyOf(s), []byte(title), security, frameCounter(s), e(nil, s))
	}
}

// keyOf returns the key that the meter uses. A Key is not safe for concurrent use, so that each telegram has its own.
func keyOf(s *State) *dlms.Key {
	if s.wrongKey {
		return mustKey(AuthenticationKey, EncryptionKey)
	}
	return Key()
}

// frameCounter counts seconds, so that it rises with each telegram of a meter.
func frameCounter(s *State) uint32 {
	const start = 1_577_836_800 // 2020
	return uint32(s.Time.Unix() - start)
}
