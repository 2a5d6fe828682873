//go:build !linux

package source

// holding is not known on this system.
type holding struct{}

func holders() holding { return holding{} }

func (holding) of(string) []holder { return nil }
