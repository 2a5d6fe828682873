package mqtt

// An Access is what a Rule allows. Publish and Read may be joined.
type Access uint8

const (
	// Publish allows to publish under the topics of a filter.
	Publish Access = 1 << iota
	// Read allows to subscribe to a filter, and to be given its messages.
	Read
)

// A Rule is a part of what a bridge must be allowed to do at its broker.
type Rule struct {
	Access Access
	Filter string // of MQTT: "+" is a whole level, "#" all levels from there on
	Why    string // for people
}

// ACL returns all that a bridge with this configuration, and the commands beside it, publish and read: the least that a broker must allow.
// It does not depend on Style: who changes it has the announcements of the old one taken back. Nor does it name meters: most brokers
// know no wildcard for a part of a level such as hanbridge_+, and with a line for each meter one that is added later would be
// announced to nobody, since a broker acknowledges what it forbids.
func (c Config) ACL() []Rule {
	rules := []Rule{
		{Publish, c.BaseTopic + "/#", "values, states, telegrams and events of the bridge and its meters"},
		{Read, c.BaseTopic + "/status", "whether somebody else says that the bridge is offline"},
		{Read, c.valueFilter(), "whether another bridge publishes a meter; what meters last sent: the commands rates, discovery diff and discovery clear; what check and doctor try out"},
		{Publish | Read, c.announcementTestTopic(), "the same for announcements"},
		{Read, c.StatusTopic, "when Home Assistant starts"},
	}
	for _, filter := range c.announcedFilters("+") {
		rules = append(rules, Rule{Publish | Read, filter, "announcements: made, seen to arrive, compared, taken back"})
	}
	return rules
}

// valueFilter matches what is retained of meters.
func (c Config) valueFilter() string { return c.BaseTopic + "/+/+" }

// InfoTopic is where a meter is described, and which bridge publishes it.
func (c Config) InfoTopic(meter string) string { return c.BaseTopic + "/" + meter + "/info" }

// testTopic and announcementTestTopic are what Check tries out.
func (c Config) testTopic() string             { return c.BaseTopic + "/bridge/check" }
func (c Config) announcementTestTopic() string { return c.Prefix + "/hanbridge_bridge/check" }

// announcedFilters are those that match announcements of a device in any style; "+" is every device, of this bridge and of others.
// All that bridges announce are sensors, so that a bridge needs no say over lamps and switches.
func (c Config) announcedFilters(device string) []string {
	filters := []string{c.Prefix + "/device/" + device + "/config"}
	for _, platform := range [...]string{"sensor", "binary_sensor"} {
		filters = append(filters, c.Prefix+"/"+platform+"/"+device+"/+/config")
	}
	return filters
}
