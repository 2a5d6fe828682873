package bridge

// Answers waits until each lock of the bridge's pipelines and outputs has been free once. It waits for ever when something is
// stuck: what a watchdog wants to know. A meter that is silent or a broker that is away holds no lock. It takes no telegram's
// time worth telling, and is safe for concurrent use.
func (f *Feed) Answers() {
	for _, l := range f.journal.locks {
		l.Lock()
		l.Unlock() //nolint:staticcheck // SA2001: to get it is all that is wanted
	}
}
