package mqtt_test

import (
	"flag"
	"os"
	"testing"
)

// TestMain runs many tests side by side: they spend their time waiting for brokers.
func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", "16"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}
