package meter

// austrianLayouts are lists without codes that grid companies of Austria have chosen: meters of several makes send each, so
// that only system title and addresses tell whose. Numbers are in Wh, varh, W and var.
var austrianLayouts = []layout{
	// Wiener Netze: Landis+Gyr and Iskraemeco, then Siemens with its name first.
	{types: "cuuuuuuuu", codes: row("0-0:1.0.0", "1.8.0", "2.8.0", "3.8.0", "4.8.0", "1.7.0", "2.7.0", "3.7.0", "4.7.0")},
	{types: "tcuuuuuuuu", codes: row("0-0:42.0.0", "0-0:1.0.0", "1.8.0", "2.8.0", "3.8.0", "4.8.0", "1.7.0", "2.7.0", "3.7.0", "4.7.0")},
	// Wels: the name of the push setup, number, time and date first. Kärnten Netz has two texts more.
	{types: "ttttuuuuuu", first: "\x00\x06\x19\x09\x00\xFF", codes: row("", "0-0:96.1.0", "0.9.1", "0.9.2", "1.8.0", "2.8.0", "3.8.0", "4.8.0", "1.7.0", "2.7.0")},
	{types: "ttttuuuuuutt", codes: row(
		"", "0-0:96.1.0", "0.9.1", "0.9.2", "1.8.0", "2.8.0", "3.8.0", "4.8.0", "1.7.0", "2.7.0", "0-0:96.13.0", "0-0:96.13.1")},
}
