package line

// InvertedSignatures and ParitySignatures are the tables that signature_test.go checks.
var InvertedSignatures, ParitySignatures = invertedSignatures, paritySignatures
