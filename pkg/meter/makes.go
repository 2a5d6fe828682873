package meter

// Makes that do nothing of their own: what they send says what it is.
var (
	// sagemcom: ELL is Ellevio, a grid company that has its name written into its meters; EST is Energie Steiermark.
	sagemcom   = family{name: "sagemcom", make: "Sagemcom", flags: []string{"ELL", "SAG", "ENE", "EST", "CTA"}}
	nes        = family{name: "nes", make: "NES", flags: []string{"NES"}}
	sanxing    = family{name: "sanxing", make: "Sanxing", flags: []string{"SAN", "AUX"}}
	holley     = family{name: "holley", make: "Holley", flags: []string{"HLY"}}
	energomera = family{name: "energomera", make: "Energomera", flags: []string{"EMR", "EM2"}}
	siemens    = family{name: "siemens", make: "Siemens", flags: []string{"SMS"}}
	honeywell  = family{name: "honeywell", make: "Honeywell", flags: []string{"ELS"}} // Elster
	wasion     = family{name: "wasion", make: "Wasion", flags: []string{"WSE"}}
	ebz        = family{name: "ebz", make: "eBZ", flags: []string{"EBZ"}}
	elgama     = family{name: "elgama", make: "Elgama", flags: []string{"EGM"}}
)

// easymeter has meters for both directions whose powers of import are negative while they export (Q3D: 1.7.0, 21.7.0 and so on).
var easymeter = family{name: "easymeter", make: "EasyMeter", flags: []string{"ESY"}, signed: true}
