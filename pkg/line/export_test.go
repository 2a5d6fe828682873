package line

// InvertedSigns and ParitySigns are the tables that signs_test.go derives.
var InvertedSigns, ParitySigns = invertedSigns, paritySigns
