package broker_test

import (
	"os"
	"testing"

	"github.com/hanbridge/hanbridge/bridge/internal/broker"
)

// BenchmarkPublish measures publishing and the acknowledgement of b.N messages. It uses the broker in this process, or the one that MQTT_URL
// names.
func BenchmarkPublish(b *testing.B) {
	url := os.Getenv("MQTT_URL")
	if url == "" {
		url = start(b).url
	}
	for _, qos := range []byte{0, 1} {
		b.Run([]string{"qos0", "qos1"}[qos], func(b *testing.B) { publish(b, url, qos, 0) })
	}
	b.Run("qos1/flush-every-30", func(b *testing.B) { publish(b, url, 1, 30) })
}

func publish(b *testing.B, url string, qos byte, every int) {
	c, err := broker.Dial(b.Context(), broker.Config{URL: url, ClientID: "bench"})
	if err != nil {
		b.Fatal(err)
	}
	m := broker.Message{Topic: "hanbridge/house/import_power", Payload: []byte("1727"), QoS: qos, Retain: true}
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		if err := c.Publish(m); err != nil {
			b.Fatal(err)
		}
		if n++; every > 0 && n%every == 0 {
			if err := c.Flush(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
	}
	if err := c.Close(b.Context()); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msg/s")
}
