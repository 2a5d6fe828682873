// Command reference publishes as many messages as the bridge with a bare MQTT client. The benchmarks compare the bridge with it. Its arguments are
// the address of the broker and "second" (a telegram each second, without end) or "replay" and a number of telegrams.
package main

import (
	"fmt"
	"log"
	"os"
	"strconv"
	"strings"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

// messages is the number of messages of a telegram: 30 numbers and one JSON.
const messages = 31

// window is the number of messages that replay sends before it waits for an acknowledgement.
const window = 300

func main() {
	log.SetFlags(0)
	client := mqtt.NewClient(mqtt.NewClientOptions().AddBroker("tcp://" + os.Args[1]).SetClientID("reference"))
	wait(client.Connect())
	wait(client.Publish("reference/status", 1, true, "online"))
	telegrams, every := -1, time.NewTicker(time.Second)
	if os.Args[2] == "replay" {
		n, err := strconv.Atoi(os.Args[3])
		if err != nil {
			log.Fatal(err)
		}
		telegrams = n
	}
	var flight []mqtt.Token
	for sent := 0; sent != telegrams; sent++ {
		if telegrams < 0 {
			<-every.C
		}
		flight = publish(client, flight)
		for telegrams < 0 && len(flight) > 0 || len(flight) > window-messages {
			wait(flight[0])
			flight = flight[1:]
		}
	}
	for _, token := range flight {
		wait(token)
	}
	client.Disconnect(0) // every message is acknowledged
}

// filler gives the JSON the size of that of a telegram with 30 quantities.
var filler = strings.Repeat("x", 900)

// publish publishes one telegram, and appends its tokens to flight. The JSON has the time of the first message, in ns since 1970.
func publish(client mqtt.Client, flight []mqtt.Token) []mqtt.Token {
	started := time.Now().UnixNano()
	for i := range messages - 1 {
		flight = append(flight, client.Publish(fmt.Sprint("reference/meter/quantity_", i), 1, true, "1234.567"))
	}
	return append(flight, client.Publish("reference/meter/telegram", 1, false, fmt.Sprintf(`{"started":%d,"filler":%q}`, started, filler)))
}

func wait(token mqtt.Token) {
	if token.Wait(); token.Error() != nil {
		log.Fatal(token.Error())
	}
}
