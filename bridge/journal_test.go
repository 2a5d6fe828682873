package bridge

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/hanbridge/hanbridge/pkg/obis"
)

// seqs returns the numbers of telegrams.
func seqs(telegrams []*Telegram) (all []uint64) {
	for _, t := range telegrams {
		all = append(all, t.Seq)
	}
	return all
}

// telegramOfSize returns a telegram with one value, as in all tests of the journal.
func telegramOfSize(seq uint64) *Telegram {
	return &Telegram{Seq: seq, Values: []Value{{ID: 1, Number: obis.Decimal{Coef: 7}}}}
}

// journalFor returns a journal with room for this number of telegrams with one value.
func journalFor(telegrams int) *journal { return newJournal(telegrams * sizeOf(telegramOfSize(0))) }

// TestJournal checks which telegrams a reader takes, and how many are lost.
func TestJournal(t *testing.T) {
	tests := []struct {
		name        string
		before      uint64 // how many telegrams are added before the first take
		after       uint64 // how many telegrams are added between the first and the second take
		confirmed   bool   // the first take is confirmed
		rewound     bool
		first, then []uint64
		lost        uint64 // of the second take
		again       int    // of the second take
	}{
		{"an empty journal", 0, 0, true, false, nil, nil, 0, 0},
		{"telegrams are taken once", 3, 0, true, false, []uint64{1, 2, 3}, nil, 0, 0},
		{"new telegrams", 2, 1, true, false, []uint64{1, 2}, []uint64{3}, 0, 0},
		{"after rewind, telegrams that were not confirmed", 2, 1, false, true, []uint64{1, 2}, []uint64{1, 2, 3}, 0, 2},
		{"after rewind, no telegrams that were confirmed", 2, 1, true, true, []uint64{1, 2}, []uint64{3}, 0, 0},
		{"a full journal", 4, 4, true, false, []uint64{1, 2, 3, 4}, []uint64{5, 6, 7, 8}, 0, 0},
		{"the oldest telegrams are dropped", 1, 9, true, false, []uint64{1}, []uint64{7, 8, 9, 10}, 5, 0},
		{"telegrams that were not confirmed are dropped", 2, 4, false, true, []uint64{1, 2}, []uint64{3, 4, 5, 6}, 2, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			j := journalFor(4)
			c := j.reader("tested")
			for seq := range tt.before {
				j.append(telegramOfSize(seq + 1))
			}
			first := c.take(nil, 100)
			if tt.confirmed {
				c.confirm(first.end)
			}
			for seq := range tt.after {
				j.append(telegramOfSize(tt.before + seq + 1))
			}
			if tt.rewound {
				c.rewind()
			}
			then := c.take(nil, 100)
			diff := cmp.Diff([][]uint64{tt.first, tt.then}, [][]uint64{seqs(first.telegrams), seqs(then.telegrams)})
			if diff != "" || then.lost != tt.lost || then.again != tt.again {
				t.Errorf("got %d lost and %d again, want %d and %d; telegrams (-want +got):\n%s", then.lost, then.again, tt.lost, tt.again, diff)
			}
			if next := c.take(nil, 100); next.lost != 0 {
				t.Errorf("the next take: got %d lost again, want none", next.lost)
			}
		})
	}
}

// TestJournalIsEmptyAfterDelivery checks that a journal holds no telegram that all readers have delivered, and that a reader that delivers nothing
// keeps telegrams only up to the limit.
func TestJournalIsEmptyAfterDelivery(t *testing.T) {
	j := journalFor(4)
	quick, slow := j.reader("quick"), j.reader("slow")
	for seq := range uint64(100) {
		j.append(telegramOfSize(seq))
		quick.confirm(quick.take(nil, 100).end)
		if n := len(j.held()); n > 4 {
			t.Fatalf("the journal holds %d telegrams, want 4 at most", n)
		}
	}
	slow.confirm(slow.take(nil, 100).end)
	if len(j.held()) > 0 || j.size != 0 {
		t.Errorf("after the slow reader has delivered: the journal holds %d telegrams with %d bytes, want none", len(j.held()), j.size)
	}
}

// TestJournalWithoutReaders checks that a journal without readers holds nothing, and that a new reader begins at the end.
func TestJournalWithoutReaders(t *testing.T) {
	j := journalFor(4)
	j.append(telegramOfSize(1))
	c := j.reader("new")
	if len(j.held()) > 0 {
		t.Error("a journal without readers holds a telegram")
	}
	j.append(telegramOfSize(2))
	if got := seqs(c.take(nil, 100).telegrams); !slices.Equal(got, []uint64{2}) {
		t.Errorf("got telegrams %v, want telegram 2", got)
	}
}

// TestJournalReaders checks with random steps that the readers of a journal do not depend on each other: each takes every telegram that fits into
// the journal in order, and no telegram that it has confirmed.
func TestJournalReaders(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const room = 6
		j, last := journalFor(room), uint64(0)
		cursors := []*cursor{j.reader("a"), j.reader("b"), j.reader("c")}
		// Of each reader: the number before the telegram that must come next, the last number that was confirmed, and the highest that was taken.
		var next, confirmed, furthest [3]uint64
		reader := func(t *rapid.T) int { return rapid.IntRange(0, 2).Draw(t, "reader") }
		t.Repeat(map[string]func(*rapid.T){
			"append": func(*rapid.T) { last++; j.append(telegramOfSize(last)) },
			"rewind": func(t *rapid.T) { i := reader(t); cursors[i].rewind(); next[i] = confirmed[i] },
			"take": func(t *rapid.T) {
				i := reader(t)
				got := cursors[i].take(nil, rapid.IntRange(1, 4).Draw(t, "limit"))
				if got.lost > 0 && last-next[i] <= room {
					t.Fatalf("reader %d: %d of %d telegrams lost, want none", i, got.lost, last-next[i])
				}
				if next[i] += got.lost; got.lost > 0 {
					confirmed[i] = max(confirmed[i], next[i]) // telegrams that are lost do not come back
				}
				for k, seq := range seqs(got.telegrams) {
					if next[i]++; seq != next[i] {
						t.Fatalf("reader %d: got telegram %d, want %d", i, seq, next[i])
					}
					if again := k < got.again; again != (seq <= furthest[i]) {
						t.Fatalf("reader %d: telegram %d is returned again: got %v, want %v", i, seq, again, !again)
					}
				}
				furthest[i] = max(furthest[i], next[i])
				if rapid.Bool().Draw(t, "confirm") {
					cursors[i].confirm(got.end)
					confirmed[i] = next[i]
				}
			},
		})
	})
}
