package line

// InvertedSignatures and ParitySignatures are the tables that signature_test.go derives.
var InvertedSignatures, ParitySignatures = invertedSignatures, paritySignatures
