package broker_test

import (
	"os"
	"testing"

	"github.com/hanbridge/hanbridge/bridge/internal/broker"
)

// BenchmarkPublish measures how long it takes to publish a message and, with QoS 1, to receive its acknowledgement. The
// environment variable MQTT_URL is the address of the broker. If it is not set, a broker in this process is used.
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

// publish publishes b.N messages and flushes after every flushEvery messages. If flushEvery is 0, it flushes only at the end.
func publish(b *testing.B, url string, qos byte, flushEvery int) {
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
		if n++; flushEvery > 0 && n%flushEvery == 0 {
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
