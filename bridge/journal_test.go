package bridge

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hanbridge/hanbridge/pkg/obis"
)

// seqs returns the numbers of telegrams.
func seqs(telegrams []Telegram) (all []uint64) {
	for _, t := range telegrams {
		all = append(all, t.Seq)
	}
	return all
}

// TestJournalSince checks which telegrams since returns for a cursor, and how many are lost.
func TestJournalSince(t *testing.T) {
	tests := []struct {
		name               string
		written            uint64
		cursor, head, lost uint64
		want               []uint64
	}{
		{"empty", 0, 0, 0, 0, nil},
		{"all", 3, 0, 3, 0, []uint64{1, 2, 3}},
		{"one after the cursor", 3, 2, 3, 0, []uint64{3}},
		{"none after the cursor", 3, 3, 3, 0, nil},
		{"full", 4, 0, 4, 0, []uint64{1, 2, 3, 4}},
		{"the oldest are overwritten", 10, 0, 10, 6, []uint64{7, 8, 9, 10}},
		{"one after the cursor is overwritten", 10, 5, 10, 1, []uint64{7, 8, 9, 10}},
		{"the overwritten ones were read before", 10, 8, 10, 0, []uint64{9, 10}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			j := newJournal(4)
			for i := range tt.written {
				j.add(Telegram{Seq: i + 1})
			}
			got, head, lost := j.since(tt.cursor, nil)
			if diff := cmp.Diff(tt.want, seqs(got)); diff != "" || head != tt.head || lost != tt.lost {
				t.Errorf("head %d, lost %d, want %d, %d; telegrams (-want +got):\n%s", head, lost, tt.head, tt.lost, diff)
			}
		})
	}
}

// TestJournalCopiesValues checks that neither the writer nor a reader shares slices with the journal.
func TestJournalCopiesValues(t *testing.T) {
	j := newJournal(2)
	values := []Value{{ID: 1, Number: obis.Decimal{Coef: 7}}}
	j.add(Telegram{Seq: 1, Values: values})
	values[0].Number.Coef = 8
	first, _, _ := j.since(0, nil)
	j.add(Telegram{Seq: 2, Values: values})
	j.add(Telegram{Seq: 3, Values: values}) // overwrites the first
	if got := first[0].Values[0].Number.Coef; got != 7 {
		t.Errorf("the telegram read first holds %d, want 7", got)
	}
	if again, _, _ := j.since(1, first[:0]); again[0].Values[0].Number.Coef != 8 {
		t.Errorf("the second holds %d, want 8", again[0].Values[0].Number.Coef)
	}
}

// TestJournalAwaitRead checks that awaitRead waits until every output has delivered, also if two recordings wait.
func TestJournalAwaitRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := newJournal(4)
		meters := []Meter{{ID: "house"}}
		one, two := newFeed(meters, j), newFeed(meters, j)
		j.add(Telegram{Seq: 1})
		waited := make(chan bool, 2)
		for range 2 {
			go func() { j.awaitRead(t.Context()); waited <- true }()
		}
		one.Take()
		one.Take()
		two.Take() // taken, not delivered
		synctest.Wait()
		if len(waited) > 0 {
			t.Fatal("awaitRead returned before the second output has delivered")
		}
		two.Take()
		synctest.Wait()
		if len(waited) != 2 {
			t.Fatalf("%d of two calls of awaitRead have returned after all was delivered", len(waited))
		}
	})
}

// TestJournalAwaitReadContext checks that awaitRead ends with its context.
func TestJournalAwaitReadContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := newJournal(4)
		newFeed(nil, j)
		j.add(Telegram{Seq: 1})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		j.awaitRead(ctx) // if it did not end, synctest would report a deadlock
	})
}
