package broker

import "github.com/eclipse/paho.mqtt.golang/packets"

// noStore is paho's memory of messages to send again on the next connection. A Conn has no next connection.
type noStore struct{}

func (noStore) Open()                             {}
func (noStore) Put(string, packets.ControlPacket) {}
func (noStore) Get(string) packets.ControlPacket  { return nil }
func (noStore) All() []string                     { return nil }
func (noStore) Del(string)                        {}
func (noStore) Close()                            {}
func (noStore) Reset()                            {}
