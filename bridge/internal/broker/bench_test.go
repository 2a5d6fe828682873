package broker_test

import (
	"os"
	"strconv"
	"testing"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"github.com/hanbridge/hanbridge/bridge/internal/broker"
)

// brokerURL returns the address of the broker for a benchmark: the environment variable MQTT_URL or, if it is not set, a broker in this
// process.
func brokerURL(b *testing.B) string {
	if url := os.Getenv("MQTT_URL"); url != "" {
		return url
	}
	return start(b).url
}

// BenchmarkPublish measures how long it takes to publish a message and, with QoS 1, to receive its acknowledgement.
func BenchmarkPublish(b *testing.B) {
	url := brokerURL(b)
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

const (
	telegramMessages = 31  // the number of messages in a telegram
	benchWindow      = 300 // the largest number of messages in flight
)

// telegram returns the messages of a telegram: the values, and the telegram as JSON.
func telegram() (messages []broker.Message) {
	for i := range telegramMessages {
		messages = append(messages, broker.Message{Topic: "hanbridge/house/quantity_" + strconv.Itoa(i), Payload: []byte("1727.5"), QoS: 1, Retain: true})
	}
	last := &messages[telegramMessages-1]
	last.Topic, last.Payload, last.Retain = "hanbridge/house/telegram", make([]byte, 900), false
	return messages
}

// BenchmarkTelegram measures how long it takes to publish a telegram with QoS 1 while up to benchWindow messages are in flight. It compares Conn
// with a client of paho.
func BenchmarkTelegram(b *testing.B) {
	url := brokerURL(b)
	b.Run("conn", func(b *testing.B) { publishTelegrams(b, url) })
	b.Run("paho", func(b *testing.B) { publishTelegramsWithPaho(b, url) })
}

// publishTelegrams publishes b.N telegrams with a Conn.
func publishTelegrams(b *testing.B, url string) {
	c, err := broker.Dial(b.Context(), broker.Config{URL: url, ClientID: "bench", MaxInFlight: benchWindow})
	if err != nil {
		b.Fatal(err)
	}
	messages := telegram()
	b.ReportAllocs()
	for b.Loop() {
		for i := range messages {
			if err := c.Publish(messages[i]); err != nil {
				b.Fatal(err)
			}
		}
		c.Send()
		c.Acknowledged()
	}
	if err := c.Close(b.Context()); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "telegrams/s")
}

// publishTelegramsWithPaho publishes b.N telegrams with a client of paho.
func publishTelegramsWithPaho(b *testing.B, url string) {
	c := mqtt.NewClient(mqtt.NewClientOptions().AddBroker(url).SetClientID("bench-paho"))
	if token := c.Connect(); token.Wait() && token.Error() != nil {
		b.Fatal(token.Error())
	}
	defer c.Disconnect(1000)
	messages, inFlight := telegram(), make(chan mqtt.Token, benchWindow)
	awaitOne := func() {
		if token := <-inFlight; token.Wait() && token.Error() != nil {
			b.Fatal(token.Error())
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		for i := range messages {
			if len(inFlight) == benchWindow {
				awaitOne()
			}
			m := &messages[i]
			inFlight <- c.Publish(m.Topic, m.QoS, m.Retain, m.Payload)
		}
	}
	for len(inFlight) > 0 {
		awaitOne()
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "telegrams/s")
}
