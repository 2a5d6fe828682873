package simulate

import (
	"slices"
	"strconv"

	"github.com/hanbridge/hanbridge/pkg/dlms"
)

// Sagemcom XT211 in Switzerland and the Czech Republic: attribute descriptors without tags. Only bare messages of it are
// known: the frame around them here is a guess.

var xt211Frame = frame{destination: "\x03", source: "\x03", control: controlUI}

func xt211(id uint32, relays int, who []field) list {
	relay := func(channel, state int) field {
		f := fixed(dlms.Enum, int64(state), "0-"+strconv.Itoa(channel)+":96.3.10")
		f.class, f.attribute = 70, 3
		return f
	}
	limit := fixed(dlms.Uint32, 0, "0-0:17.0.0")
	limit.class, limit.attribute = 71, 3
	tariff := octets("", "0-0:96.14.0")
	tariff.write = func(dst []byte, s *State) []byte { return dlms.AppendOctets(dst, "T"+strconv.FormatInt(s.Tariff, 10)) }
	switches := []field{relay(0, 1), limit}
	for i := 1; i <= relays; i++ {
		switches = append(switches, relay(i, i%2))
	}
	return list{shape: descripted, stamp: invoke{id: id, counts: true}.unstamped(), fields: slices.Concat(
		who, switches, []field{tariff},
		numbers(dlms.Uint32, 0, "1.7.0", "21.7.0", "41.7.0", "61.7.0", "2.7.0", "22.7.0", "42.7.0", "62.7.0"),
		numbers(dlms.Uint32, 0, "1.8.0", "1.8.1", "1.8.2", "1.8.3", "1.8.4", "2.8.0"),
	)}
}

func sagemcomFamilies() []Family {
	swiss := xt211(0x80000000, 4, []field{octets("1000000001", "0-0:96.1.1")})
	czech := xt211(0, 6, []field{octets("EGD000001", "0-0:42.0.0"), pushName("0-2:25.9.0"), octets("1000000001", "0-0:96.1.0")})
	czech.fields = append(czech.fields, octets("", "0-0:96.13.0"))
	return each(Family{Make: "Sagemcom", Country: "CH", Connector: rj12, Line: "9600 8N1"}, xt211Frame.carry,
		row{name: "sagemcom-ch", title: "Sagemcom XT211, bare attribute descriptors", list: swiss},
		row{name: "sagemcom-cz", title: "Sagemcom XT211 of EG.D, bare attribute descriptors", list: czech, country: "CZ"},
	)
}
