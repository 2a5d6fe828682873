package p1_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hanbridge/hanbridge/pkg/obis"
	"github.com/hanbridge/hanbridge/pkg/p1"
)

// TestParseLines tests that each line gives the wanted record.
func TestParseLines(t *testing.T) {
	at := obis.Time{Year: 2022, Month: 11, Day: 1, Hour: 21, Minute: 45, Second: 20}
	winter, summer, withoutSeconds := at, at, at
	withoutSeconds.Second = 0
	winter.Zone, winter.Offset = true, 60
	summer.Zone, summer.Offset = true, 120
	for _, tt := range []struct {
		line string
		want obis.Record // without Code
	}{
		{"1-0:1.8.0(00006619.795*kWh)", obis.Record{Kind: obis.Number, Value: obis.Decimal{Coef: 6619795}, Unit: obis.WattHour, Text: []byte("00006619.795*kWh")}},
		{"1-0:3.8.0(00003137.803*kVArh)", obis.Record{Kind: obis.Number, Value: obis.Decimal{Coef: 3137803}, Unit: obis.VarHour, Text: []byte("00003137.803*kVArh")}},
		{"1-0:3.8.0(00003137.803*kvarh)", obis.Record{Kind: obis.Number, Value: obis.Decimal{Coef: 3137803}, Unit: obis.VarHour, Text: []byte("00003137.803*kvarh")}},
		{"1-0:4.7.0(0000.132*kVAr)", obis.Record{Kind: obis.Number, Value: obis.Decimal{Coef: 132}, Unit: obis.Var, Text: []byte("0000.132*kVAr")}},
		{"1-0:1.7.0(0000.345*W)", obis.Record{Kind: obis.Number, Value: obis.Decimal{Coef: 345, Exp: -3}, Unit: obis.Watt, Text: []byte("0000.345*W")}},
		{"1-0:1.7.0(00345*W)", obis.Record{Kind: obis.Number, Value: obis.Decimal{Coef: 345}, Unit: obis.Watt, Text: []byte("00345*W")}},
		{"1-0:31.7.0(-000.6*A)", obis.Record{Kind: obis.Number, Value: obis.Decimal{Coef: -6, Exp: -1}, Unit: obis.Ampere, Text: []byte("-000.6*A")}},
		{"1-0:31.7.0(011*A)", obis.Record{Kind: obis.Number, Value: obis.Decimal{Coef: 11}, Unit: obis.Ampere, Text: []byte("011*A")}},
		{"1-0:32.7.0(230.0*V)", obis.Record{Kind: obis.Number, Value: obis.Decimal{Coef: 2300, Exp: -1}, Unit: obis.Volt, Text: []byte("230.0*V")}},
		{"1-0:1.8.0*01(1*kWh)", obis.Record{Kind: obis.Number, Value: obis.Decimal{Coef: 1, Exp: 3}, Unit: obis.WattHour, Text: []byte("1*kWh")}},
		{"0-0:1.0.0(221101214520W)", obis.Record{Kind: obis.Clock, Time: winter, Text: []byte("221101214520W")}},
		{"0-0:1.0.0(221101214520S)", obis.Record{Kind: obis.Clock, Time: summer, Text: []byte("221101214520S")}},
		{"0-0:1.0.0(221101214520)", obis.Record{Kind: obis.Clock, Time: at, Text: []byte("221101214520")}},
		{"0-1:1.0.0(221101214520)", obis.Record{Kind: obis.Clock, Time: at, Text: []byte("221101214520")}},
		{"0-0:1.0.0(20221101 21:45:20)", obis.Record{Kind: obis.Clock, Time: at, Text: []byte("20221101 21:45:20")}},
		{"0-0:1.0.0(221131214520W)", obis.Record{Kind: obis.Text, Text: []byte("221131214520W")}},         // 31 November
		{"0-0:1.0.0(221101214520X)", obis.Record{Kind: obis.Text, Text: []byte("221101214520X")}},         // a letter other than W and S
		{"0-0:1.0.0(2211012145W)", obis.Record{Kind: obis.Text, Text: []byte("2211012145W")}},             // no seconds
		{"0-0:1.0.0(20221101-21:45:20)", obis.Record{Kind: obis.Text, Text: []byte("20221101-21:45:20")}}, // dash in place of the blank
		{"0-0:96.1.0(221101214520W)", obis.Record{Kind: obis.Text, Text: []byte("221101214520W")}},        // not the code of a clock
		{"0-1:24.2.1(221101214520W)(00304.089*m3)", obis.Record{Kind: obis.Number, Time: winter, Value: obis.Decimal{Coef: 304089, Exp: -3}, Unit: obis.CubicMetre, Text: []byte("00304.089*m3")}},
		{"1-0:1.6.0(221101214520W)(03.5*kW)", obis.Record{Kind: obis.Number, Time: winter, Value: obis.Decimal{Coef: 35, Exp: 2}, Unit: obis.Watt, Text: []byte("03.5*kW")}},
		{"0-1:24.2.1(221101214520W)(00304.089)", obis.Record{Kind: obis.Text, Text: []byte("(221101214520W)(00304.089)")}},
		{"0-1:24.2.1(221199214520W)(1*m3)", obis.Record{Kind: obis.Text, Text: []byte("(221199214520W)(1*m3)")}}, // day 99
		{"0-1:24.2.1(221101214520W)(1*m3)(2*m3)", obis.Record{Kind: obis.Text, Text: []byte("(221101214520W)(1*m3)(2*m3)")}},
		{"0-0:98.1.0(221101214520W)(1*kWh)", obis.Record{Kind: obis.Text, Text: []byte("(221101214520W)(1*kWh)")}},
		{"1-0:99.97.0(1)(0-0:96.7.19)(221101214520W)(0000000240*s)", obis.Record{Kind: obis.Text, Text: []byte("(1)(0-0:96.7.19)(221101214520W)(0000000240*s)")}},
		{"1-0:99.97.0()", obis.Record{Kind: obis.Text, Text: []byte("")}},
		{"1-0:0.2.0((ER11))", obis.Record{Kind: obis.Text, Text: []byte("(ER11)")}},
		{"0-2:25.6.0(ER23)", obis.Record{Kind: obis.Text, Text: []byte("ER23")}},
		{"0-0:96.13.0()", obis.Record{Kind: obis.Text, Text: []byte("")}},
		{"0-0:96.13.0(a/b!c)", obis.Record{Kind: obis.Text, Text: []byte("a/b!c")}},
		{"1-0:1.7.0(*kW)", obis.Record{Kind: obis.Text, Text: []byte("*kW")}},
		{"1-0:1.7.0(---)", obis.Record{Kind: obis.Text, Text: []byte("---")}},
		{"1-0:1.7.0(---*kW)", obis.Record{Kind: obis.Text, Text: []byte("---*kW")}},
		{"1-0:1.7.0(1*kX)", obis.Record{Kind: obis.Text, Text: []byte("1*kX")}}, // not a unit
		{"1-0:1.7.0(1*k*W)", obis.Record{Kind: obis.Text, Text: []byte("1*k*W")}},
		{"1-0:1.7.0(0000.345kW)", obis.Record{Kind: obis.Number, Value: obis.Decimal{Coef: 345}, Unit: obis.Watt, Text: []byte("0000.345kW")}},
		{"1-0:4.7.0(-000.179kVAr)", obis.Record{Kind: obis.Number, Value: obis.Decimal{Coef: -179}, Unit: obis.Var, Text: []byte("-000.179kVAr")}},
		{"0-0:17.0.0(016A)", obis.Record{Kind: obis.Number, Value: obis.Decimal{Coef: 16}, Unit: obis.Ampere, Text: []byte("016A")}},
		{"0-1:24.2.1(221101214520W)(00304.089m3)", obis.Record{Kind: obis.Number, Time: winter, Value: obis.Decimal{Coef: 304089, Exp: -3}, Unit: obis.CubicMetre, Text: []byte("00304.089m3")}},
		{"1-0:1.7.0(kW)", obis.Record{Kind: obis.Text, Text: []byte("kW")}},
		{"1-0:1.7.0(m3)", obis.Record{Kind: obis.Text, Text: []byte("m3")}},
		{"1-0:1.7.0(0000.345kX)", obis.Record{Kind: obis.Text, Text: []byte("0000.345kX")}},
		{"1-0:32.32.0(00003)", obis.Record{Kind: obis.Text, Text: []byte("00003")}},
		{"0-0:96.1.0(303030304A)", obis.Record{Kind: obis.Text, Text: []byte("303030304A")}}, // a serial number that ends like a current
		{"1-0:0.0.0(1336001560A)", obis.Record{Kind: obis.Text, Text: []byte("1336001560A")}},
		{"0-0:42.0.0(5341473133303A)", obis.Record{Kind: obis.Text, Text: []byte("5341473133303A")}},
		{"1-0:81.7.1(120.5*deg)", obis.Record{Kind: obis.Number, Value: obis.Decimal{Coef: 1205, Exp: -1}, Unit: obis.Degree, Text: []byte("120.5*deg")}},
		{"0-0:1.1.0(221101214520W)", obis.Record{Kind: obis.Clock, Time: winter, Text: []byte("221101214520W")}},
		{"0-1:24.2.1(221101214520W)(00031.177*GJ)", obis.Record{Kind: obis.Number, Time: winter, Value: obis.Decimal{Coef: 31177, Exp: 6}, Unit: obis.Joule, Text: []byte("00031.177*GJ")}},
		{"0-1:24.2.1(632525252525S)(00000.000*m3)", obis.Record{Kind: obis.Text, Text: []byte("(632525252525S)(00000.000*m3)")}}, // month 25
		{"0-1:24.2.1(700101010000W)(1*m3)", obis.Record{Kind: obis.Number, Time: obis.Time{Year: 1970, Month: 1, Day: 1, Hour: 1, Zone: true, Offset: 60}, Value: obis.Decimal{Coef: 1}, Unit: obis.CubicMetre, Text: []byte("1*m3")}},
		{"0-0:98.1.0(2)(1-0:1.6.0)(1-0:1.6.0)(221101000000W)(221011114500S)(03.5*kW)", obis.Record{Kind: obis.Text, Text: []byte("(2)(1-0:1.6.0)(1-0:1.6.0)(221101000000W)(221011114500S)(03.5*kW)")}},
		{"0-0:98.1.0(221101000000W)(1*kWh)(2*kvarh)(03.5*kW)", obis.Record{Kind: obis.Text, Text: []byte("(221101000000W)(1*kWh)(2*kvarh)(03.5*kW)")}},
		{"1-0:1.6.0(002.612*kW)(22-11-01,21:45)", obis.Record{Kind: obis.Number, Time: withoutSeconds, Value: obis.Decimal{Coef: 2612}, Unit: obis.Watt, Text: []byte("002.612*kW")}},
		{"1-0:1.6.0(002.612*kW)(2211012145)", obis.Record{Kind: obis.Number, Time: withoutSeconds, Value: obis.Decimal{Coef: 2612}, Unit: obis.Watt, Text: []byte("002.612*kW")}},
		{"0-1:24.2.1(221101214520s)(1*m3)", obis.Record{Kind: obis.Number, Time: summer, Value: obis.Decimal{Coef: 1}, Unit: obis.CubicMetre, Text: []byte("1*m3")}},
		{"0-0:1.0.0(221101214520w)", obis.Record{Kind: obis.Clock, Time: winter, Text: []byte("221101214520w")}},
		{"0-0:1.0.0( 221101214520W )", obis.Record{Kind: obis.Clock, Time: winter, Text: []byte(" 221101214520W ")}},
		{"0-0:1.0.0(07E60B0102152D1400FFC400)", obis.Record{Kind: obis.Clock, Time: winter, Text: []byte("07E60B0102152D1400FFC400")}},
		{"0-0:1.0.0(07e60b0102152d1400ff8880)", obis.Record{Kind: obis.Clock, Time: summer, Text: []byte("07e60b0102152d1400ff8880")}},
		{"0-0:1.0.0(07E60B01FF152D1400800000)", obis.Record{Kind: obis.Clock, Time: at, Text: []byte("07E60B01FF152D1400800000")}},
		{"0-0:1.0.0(07E60BFFFF152D1400800000)", obis.Record{Kind: obis.Text, Text: []byte("07E60BFFFF152D1400800000")}}, // day not specified
		{"0-0:1.0.0(FFFF0B0102152D1400800000)", obis.Record{Kind: obis.Text, Text: []byte("FFFF0B0102152D1400800000")}}, // year not specified
		{"1-0:15.8.0(0000.345*kWh )", obis.Record{Kind: obis.Number, Value: obis.Decimal{Coef: 345}, Unit: obis.WattHour, Text: []byte("0000.345*kWh ")}},
		{"1-0:15.8.0( 0000.345 * kWh)", obis.Record{Kind: obis.Number, Value: obis.Decimal{Coef: 345}, Unit: obis.WattHour, Text: []byte(" 0000.345 * kWh")}},
		{"1-0:1.7.0(0000.345*KW) ", obis.Record{Kind: obis.Number, Value: obis.Decimal{Coef: 345}, Unit: obis.Watt, Text: []byte("0000.345*KW")}},
		{"1-0:1.7.0 (0000.345*kW)", obis.Record{Kind: obis.Number, Value: obis.Decimal{Coef: 345}, Unit: obis.Watt, Text: []byte("0000.345*kW")}},
		{" 1-0:1.7.0(0000.345*kW)\t", obis.Record{Kind: obis.Number, Value: obis.Decimal{Coef: 345}, Unit: obis.Watt, Text: []byte("0000.345*kW")}},
		{"0-1:24.2.1(1*m\xB3)", obis.Record{Kind: obis.Number, Value: obis.Decimal{Coef: 1}, Unit: obis.CubicMetre, Text: []byte("1*m\xB3")}},
		{"0-1:24.2.1(1*m³)", obis.Record{Kind: obis.Number, Value: obis.Decimal{Coef: 1}, Unit: obis.CubicMetre, Text: []byte("1*m³")}},
		{"0-0:96.13.0(a\xE4)", obis.Record{Kind: obis.Text, Text: []byte("a\xE4")}},
		{"0-0:96.13.0(a\x00\x00)", obis.Record{Kind: obis.Text, Text: []byte("a\x00\x00")}},
		{"0-0:96.13.0(one\r\ntwo (2)\r\n\r\nthree)", obis.Record{Kind: obis.Text, Text: []byte("one\r\ntwo (2)\r\n\r\nthree")}},
		{"0-0:96.13.0(\r\none)", obis.Record{Kind: obis.Text, Text: []byte("\r\none")}},
		{"0-0:96.13.0\r\n(one)", obis.Record{Kind: obis.Text, Text: []byte("one")}},
		{"1-0:1.7.0\r\n(1*W)", obis.Record{Kind: obis.Number, Value: obis.Decimal{Coef: 1}, Unit: obis.Watt, Text: []byte("1*W")}},
		{"1-0:1.6.0(03.5*kW)(221101214520W)", obis.Record{Kind: obis.Number, Time: winter, Value: obis.Decimal{Coef: 35, Exp: 2}, Unit: obis.Watt, Text: []byte("03.5*kW")}},
		{"1-0:1.6.0(03.5*kW)(221101214520)", obis.Record{Kind: obis.Number, Time: at, Value: obis.Decimal{Coef: 35, Exp: 2}, Unit: obis.Watt, Text: []byte("03.5*kW")}},
		{"1-0:1.6.0(03.5*kW)(221199214520)", obis.Record{Kind: obis.Text, Text: []byte("(03.5*kW)(221199214520)")}}, // day 99
		{"1-0:1.6.0(221101214520W)", obis.Record{Kind: obis.Text, Text: []byte("221101214520W")}},
		{"1-0:1.6.0(221101000000W)(221101214520W)", obis.Record{Kind: obis.Text, Text: []byte("(221101000000W)(221101214520W)")}},
		{"1-0:1.6.0(ER11)(221101214520W)", obis.Record{Kind: obis.Text, Text: []byte("(ER11)(221101214520W)")}},
		{"1-0:1.7.0.255(0000.345*kW)", obis.Record{Kind: obis.Number, Value: obis.Decimal{Coef: 345}, Unit: obis.Watt, Text: []byte("0000.345*kW")}},
		{"0-0:96.13.0(\xFF\xFF)", obis.Record{Kind: obis.Text, Text: []byte("\xFF\xFF")}},
		{"1-0:0.9.1(214520)", obis.Record{Kind: obis.Text, Text: []byte("214520")}},
		{"1-0:0.4.2(995)", obis.Record{Kind: obis.Text, Text: []byte("995")}},
	} {
		text, _, _ := strings.Cut(strings.TrimSpace(tt.line), "(")
		tt.want.Code = code(t, strings.TrimSpace(text))
		var got p1.Telegram
		if err := got.Parse([]byte(withChecksum("/ABC5", "", tt.line))); err != nil {
			t.Errorf("%s: %v", tt.line, err)
			continue
		}
		if diff := cmp.Diff([]obis.Record{tt.want}, got.Records); diff != "" {
			t.Errorf("%s, -want +got:\n%s", tt.line, diff)
		}
	}
}

// TestParseTelegram tests telegrams that Parse must accept.
func TestParseTelegram(t *testing.T) {
	for _, tt := range []struct {
		name, in string
		// what Parse must return
		ident   string
		checked bool
		records int
	}{
		{"space in the identification", withChecksum("/ADN9 6534", "", "1-0:1.7.0(1*kW)"), "ADN9 6534", true, 1},
		{"identification of four characters", withChecksum("/KAM5", "", "1-0:1.7.0(1*kW)"), "KAM5", true, 1},
		{"slash in the identification", withChecksum("/HLY5/D545-METER", "", "1-0:1.7.0(1*kW)"), "HLY5/D545-METER", true, 1},
		{"backslash in the identification", withChecksum(`/ELL5\253833635_A`, "", "1-0:1.7.0(1*kW)"), `ELL5\253833635_A`, true, 1},
		{"no empty line", withChecksum("/ABC5", "1-0:1.7.0(1*kW)"), "ABC5", true, 1},
		{"no data", withChecksum("/ABC5", ""), "ABC5", true, 0},
		{"line ends of one byte", "/ABC5\n\n1-0:1.7.0(1*kW)\n!" + checksumText("/ABC5\n\n1-0:1.7.0(1*kW)\n!"), "ABC5", true, 1},
		{"line end after the checksum", withChecksum("/ABC5", "", "1-0:1.7.0(1*kW)") + "\r\n", "ABC5", true, 1},
		{"checksum in lower case", strings.ToLower(withChecksum("/abc5", "", "1-0:1.7.0(1*kw)")), "abc5", true, 1},
		{"malformed lines with a checksum", withChecksum("/ABC5", "", "not a data line", "1-0:1.7.0(1*kW)", "(00908.123)"), "ABC5", true, 3},
		{"checksum without leading zeros", "/ABC5\r\n\r\n1-0:1.7.0(20061*W)\r\n!31", "ABC5", true, 1}, // the checksum is 0031
		{"space after the checksum", withChecksum("/ABC5", "", "1-0:1.7.0(1*kW)") + " \r\n", "ABC5", true, 1},
		{"nothing after the '!'", "/ABC5\r\n\r\n1-0:1.7.0(1*kW)\r\n!", "ABC5", false, 1},
		{"STX before the data", "/ABC5\r\n\r\n\x021-0:1.7.0(1*kW)\r\n!\r\n", "ABC5", false, 1},
		{"no checksum", "/ISK9\r\n\r\n1-0:1.7.0(1*kW)\r\n1-0:2.7.0(1*kW)\r\n!\r", "ISK9", false, 2},
		{"no checksum, line end of one byte", "/ISK9\n\n1-0:1.7.0(1*kW)\n!\n", "ISK9", false, 1},
		{"'!' within a line", withChecksum("/ABC5", "", "0-0:96.13.0(!1234)", "1-0:1.7.0(1*kW)"), "ABC5", true, 2},
		{"line of 4 kB", withChecksum("/ABC5", "", "0-0:98.1.0(221101000000W)"+strings.Repeat("(000040.777*kWh)", 250), "1-0:1.7.0(1*kW)"), "ABC5", true, 2},
		{"time and date in two lines", "/ISK9\r\n\r\n1-0:0.9.1(214520)\r\n1-0:0.9.2(221101)\r\n!\r\n", "ISK9", false, 2},
		{"text of 2 kB", withChecksum("/ABC5", "", "0-0:96.13.0("+strings.Repeat("41", 1024)+")"), "ABC5", true, 1},
	} {
		var got p1.Telegram
		if err := got.Parse([]byte(tt.in)); err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if string(got.Ident) != tt.ident || got.Checked != tt.checked || len(got.Records) != tt.records {
			t.Errorf("%s: got %q, checked %v, %d records; want %q, %v, %d",
				tt.name, got.Ident, got.Checked, len(got.Records), tt.ident, tt.checked, tt.records)
		}
	}
}

// TestParseErrorKinds tests that errors.Is finds an exported error in each error.
func TestParseErrorKinds(t *testing.T) {
	good := string(swedishTelegram())
	encrypted := p1.AppendEncrypted(nil, "EGM5G35", encryptedBody(60))
	for _, tt := range []struct {
		name, in string
		want     error
	}{
		{"changed value", strings.Replace(good, "345", "346", 1), p1.ErrChecksum},
		{"line ends changed", strings.ReplaceAll(good, "\r\n", "\n"), p1.ErrChecksum},
		{"a G in the checksum", good[:len(good)-6] + "12G4\r\n", p1.ErrChecksum},
		{"truncated within a line", good[:30], p1.ErrTruncated},
		{"checksum cut off", good[:len(good)-6], p1.ErrTruncated},
		{"too long", "/ABC5\r\n" + strings.Repeat("x", p1.MaxLength), p1.ErrTruncated},
		{"no identification line", "xABC5\r\n\r\n!" + checksumText("xABC5\r\n\r\n!"), p1.ErrMalformed},
		{"malformed line without checksum", "/ISK9\r\n\r\n1-0:1.7.0(1*kW\r\n!\r", p1.ErrMalformed},
		{"no data, no checksum", "/ABC5\r\n\r\nF.F(00)\r\n!\r\n", p1.ErrMalformed},
		{"encrypted", string(encrypted), p1.ErrEncrypted},
	} {
		got, err := p1.Parse([]byte(tt.in))
		if !errors.Is(err, tt.want) || got != nil {
			t.Errorf("%s: got telegram %v and error %v, want no telegram and error %v", tt.name, got, err, tt.want)
		}
	}
	encrypted[40] ^= 1
	if _, err := p1.CheckEncrypted(encrypted); !errors.Is(err, p1.ErrChecksum) {
		t.Errorf("CheckEncrypted of a damaged telegram: got error %v, want ErrChecksum", err)
	}
	if _, err := p1.CheckEncrypted([]byte(good)); !errors.Is(err, p1.ErrMalformed) {
		t.Errorf("CheckEncrypted of a plain telegram: got error %v, want ErrMalformed", err)
	}
}

// TestParseErrors tests the text of each error, and that the Telegram is empty after an error.
func TestParseErrors(t *testing.T) {
	good := withChecksum("/ADN9 6534", "", "1-0:1.7.0(0000.345*kW)", "1-0:2.7.0(0000.000*kW)")
	body := good[:len(good)-4]
	for _, tt := range []struct{ name, in, want string }{
		{"no bytes", "", "no '!'"},
		{"only a slash", "/", "no '!'"},
		{"truncated within a line", good[:30], "no '!'"},
		{"truncated before the '!'", good[:len(good)-5], "no '!'"},
		{"truncated after the '!', clock of a meter that sends checksums", "/ABC5\r\n\r\n0-0:1.0.0(221101214520W)\r\n1-0:1.7.0(1*kW)\r\n!", "cut"},
		{"truncated after the '!', time stamp of a meter that sends checksums", "/ABC5\r\n\r\n0-1:24.2.1(221101214520W)(1*m3)\r\n!", "cut"},
		{"truncated within the checksum", good[:len(good)-1], "checksum: want"},
		{"wrong checksum", body + "0000", "checksum: want " + good[len(good)-4:] + ", got 0000"},
		{"checksum with a letter", body + "00G0", "not a checksum"},
		{"checksum of three digits", body + "000\r", "checksum: want " + good[len(good)-4:] + ", got 0000"},
		{"line ends changed", strings.ReplaceAll(good, "\r\n", "\n"), "line ends were changed on the way"},
		{"line ends doubled", strings.ReplaceAll(good, "\r\n", "\r\r\n"), "line ends were changed on the way"},
		{"checksum of five digits", good + "0", "not a checksum"},
		{"character after the line end", good + "\r\nx", "not a checksum"},
		{"changed value", strings.Replace(good, "345", "346", 1), "checksum"},
		{"lost byte", strings.Replace(good, "345", "35", 1), "checksum"},
		{"'!' within a line only", "/ABC5\r\n0-0:96.13.0(!1234", "no '!'"},
		{"first byte is not a slash", "xABC5\r\n\r\n!" + checksumText("xABC5\r\n\r\n!"), "identification"},
		{"no line feed before the '!'", "/ABC5\r!" + checksumText("/ABC5\r!"), "no '!'"},
		{"malformed line without checksum", "/ISK9\r\n\r\n1-0:1.7.0(1*kW)\r\n1-0:2.7.0(1*kW\r\n!\r", "line 4"},
		{"malformed code without checksum", "/ISK9\r\n\r\n1-0:4:24.7.0(1*kW)\r\n!\r", "line 3"},
		{"no data and no checksum", "/\n!\n", "without checksum"},
		{"only labels, no checksum", "/ABC5\r\n\r\nF.F(00)\r\n!\r\n", "no data"},
		{"high byte without checksum", "/ABC5\r\n\r\n0-0:96.1.0(12\xB4)\r\n!\r\n", "line 3"},
		{"high byte in the identification without checksum", "/ABC5\xE4\r\n\r\n1-0:1.7.0(1*kW)\r\n!\r\n", "line 1 is"},
		{"number with a letter", "/ABC5\r\n\r\n1-0:1.7.0(0A1*kW)\r\n!\r\n", "line 3"},
		{"number with a letter, no star", "/ABC5\r\n\r\n1-0:1.7.0(0A1kW)\r\n!\r\n", "line 3"},
		{"number with two points", "/ABC5\r\n\r\n1-0:1.7.0(0.1.2*kW)\r\n!\r\n", "line 3"},
		{"number with a letter after a time stamp", "/ABC5\r\n\r\n0-1:24.2.1(221101214520)(0A1*m3)\r\n!\r\n", "line 3"},
		{"gas with a letter", "/ABC3\r\n\r\n0-1:24.3.0(221101210000)(00)(60)(1)(0-1:24.2.1)(m3)\r\n(0090B.123)\r\n!\r\n", "line 4"},
		{"code with a second colon without checksum", "/ABC5\r\n\r\n1-0:4:24.7.0(1)\r\n!\r\n", "line 3"},
		{"number over two lines without checksum", "/ABC5\r\n\r\n1-0:1.7.0(00\r\n01*kW)\r\n!\r\n", "line 3"},
		{"block without end, without checksum", "/ABC5\r\n\r\n0-0:98.1.0\r\n(\r\n1-0:1.7.0(1*kW)\r\n!\r\n", "line 3"},
		{"too long", "/ABC5\r\n" + strings.Repeat("x", p1.MaxLength), "no end after 8192 bytes"},
	} {
		var got p1.Telegram
		err := got.Parse([]byte(tt.in))
		if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.HasPrefix(err.Error(), "p1: ") {
			t.Errorf("%s: got error %v, want an error with %q", tt.name, err, tt.want)
		}
		if len(got.Ident) > 0 || got.Checked || len(got.Records) > 0 {
			t.Errorf("%s: got Ident %q and %d records after an error, want an empty Telegram", tt.name, got.Ident, len(got.Records))
		}
	}
}
