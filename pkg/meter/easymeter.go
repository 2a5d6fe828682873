package meter

// easymeter has meters for both directions whose powers of import are negative while they export (Q3D: 1.7.0, 21.7.0 and so on).
var easymeter = family{name: "easymeter", make: "EasyMeter", flags: []string{"ESY"}, signed: true}
