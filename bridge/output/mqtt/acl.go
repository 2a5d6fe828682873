package mqtt

// An Access is what a Rule permits. Publish and Read can be combined: Publish | Read.
type Access uint8

const (
	// Publish permits publishing under the topics that match a filter.
	Publish Access = 1 << iota
	// Read permits subscribing to a filter and receiving its messages.
	Read
)

// A Rule is one permission that a bridge needs at its broker.
type Rule struct {
	Access Access
	Filter string // an MQTT topic filter
	Why    string // what the permission is for, in words for users
}

// ACL returns the permissions that the bridge and the commands need at the broker with this configuration. The rules are the same for each
// Style, because after a change of Style the bridge removes the old announcements. The rules match the announcements of every device, because
// most brokers have no wildcard for a part of a level, such as hanbridge_+. With a rule for each meter, users would have to add a rule for each
// new meter. No program would report a missing rule, because a broker also acknowledges a message that its rules forbid.
func (c Config) ACL() []Rule {
	rules := []Rule{
		{Publish, c.BaseTopic + "/#", "values, states, telegrams and events of the bridge and its meters"},
		{Read, c.BaseTopic + "/status", "to detect that another client publishes that the bridge is offline"},
		{Read, c.valueFilter(), "to detect another bridge; to read retained values (rates, discovery diff, discovery clear) and test messages (the bridge, check, doctor)"},
		{Publish | Read, c.announcementTestTopic(), "test messages of check and doctor below the discovery prefix"},
		{Read, c.StatusTopic, "the birth message of Home Assistant"},
	}
	for _, filter := range c.announcedFilters("+") {
		rules = append(rules, Rule{Publish | Read, filter, "to publish, read, compare and remove announcements"})
	}
	return rules
}

// valueFilter returns the filter that matches the retained topics of all meters.
func (c Config) valueFilter() string { return c.BaseTopic + "/+/+" }

// statusTopic returns the topic of the bridge's status.
func (c Config) statusTopic() string { return c.BaseTopic + "/" + bridgeStatus }

// InfoTopic returns the topic with the retained description of a meter and the mark of the bridge that publishes it.
func (c Config) InfoTopic(meter string) string { return c.BaseTopic + "/" + meter + "/info" }

// testTopic and announcementTestTopic are the topics of the test messages of Check.
func (c Config) testTopic() string             { return c.BaseTopic + "/bridge/check" }
func (c Config) announcementTestTopic() string { return c.Prefix + "/hanbridge_bridge/check" }

// announcedFilters returns the filters that match the announcements of a device in each style. The device "+" matches every device, including
// those of other programs. Bridges announce only sensors and binary sensors, so they need no permission for other kinds of entities.
func (c Config) announcedFilters(device string) []string {
	filters := []string{c.Prefix + "/device/" + device + "/config"}
	for _, platform := range [...]string{"sensor", "binary_sensor"} {
		filters = append(filters, c.Prefix+"/"+platform+"/"+device+"/+/config")
	}
	return filters
}
