package dlms_test

import (
	"errors"
	"fmt"

	"github.com/hanbridge/hanbridge/pkg/dlms"
	"github.com/hanbridge/hanbridge/pkg/obis"
)

// notification returns a data-notification with one register: a power of 345 W.
func notification() []byte {
	b := dlms.AppendNotification(nil, 0x40000000)
	b = dlms.AppendArray(b, 1)
	b = dlms.AppendStructure(b, 3)
	b = dlms.AppendLogicalName(b, obis.Code{1, 0, 1, 7, 0, obis.Any})
	b = dlms.AppendNumber(b, dlms.Uint32, 345)
	return dlms.AppendScalerUnit(b, 0, obis.Watt)
}

func ExampleNotification_Parse() {
	var n dlms.Notification
	if err := n.Parse(notification()); err != nil {
		fmt.Println(err)
		return
	}
	for _, r := range n.Records {
		fmt.Println(r.Code, r.Value, r.Unit)
	}
	err := n.Parse(notification()[:20])
	fmt.Println(errors.Is(err, dlms.ErrTruncated), err)
	// Output:
	// 1-0:1.7.0 345 W
	// true dlms: byte 20: the data ends too early
}

func ExampleKey_Decrypt() {
	encryption, err := dlms.ParseKey("00112233 44556677 8899AABB CCDDEEFF")
	if err != nil {
		fmt.Println(err)
		return
	}
	authentication, err := dlms.ParseKey("F0E1D2C3 B4A59687 78695A4B 3C2D1E0F")
	if err != nil {
		fmt.Println(err)
		return
	}
	key, err := dlms.NewKey(encryption, authentication)
	if err != nil {
		fmt.Println(err)
		return
	}
	message := dlms.AppendCiphered(nil, key, []byte("ABC\x00\x00\x00\x00\x01"), 0x30, 7, notification())

	var c dlms.Ciphered
	if err := c.Parse(message); err != nil {
		fmt.Println(err)
		return
	}
	plain, authentic, err := key.Decrypt(nil, &c)
	fmt.Println(len(plain), "bytes, authentic:", authentic, err)

	other, err := dlms.NewKey(make([]byte, 16), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	_, _, err = other.Decrypt(nil, &c)
	fmt.Println(errors.Is(err, dlms.ErrWrongKey), err)
	// Output:
	// 29 bytes, authentic: true <nil>
	// true dlms: the key does not fit
}
