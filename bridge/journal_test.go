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
		added              uint64 // how many telegrams were added to a journal that holds four
		cursor, next, lost uint64
		want               []uint64
	}{
		{"an empty journal", 0, 0, 0, 0, nil},
		{"all", 3, 0, 3, 0, []uint64{1, 2, 3}},
		{"one telegram after the cursor", 3, 2, 3, 0, []uint64{3}},
		{"no telegram after the cursor", 3, 3, 3, 0, nil},
		{"a full journal", 4, 0, 4, 0, []uint64{1, 2, 3, 4}},
		{"the oldest telegrams are overwritten", 10, 0, 10, 6, []uint64{7, 8, 9, 10}},
		{"one telegram after the cursor is overwritten", 10, 5, 10, 1, []uint64{7, 8, 9, 10}},
		{"the overwritten telegrams were read before", 10, 8, 10, 0, []uint64{9, 10}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			j := newJournal(4)
			for i := range tt.added {
				j.add(Telegram{Seq: i + 1})
			}
			got, next, lost := j.since(tt.cursor, nil)
			if diff := cmp.Diff(tt.want, seqs(got)); diff != "" || next != tt.next || lost != tt.lost {
				t.Errorf("got next cursor %d and %d lost, want %d and %d; telegrams (-want +got):\n%s", next, lost, tt.next, tt.lost, diff)
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
	j.add(Telegram{Seq: 3, Values: values}) // overwrites the first telegram
	if got := first[0].Values[0].Number.Coef; got != 7 {
		t.Errorf("value of the first telegram: got %d, want 7", got)
	}
	if again, _, _ := j.since(1, first[:0]); again[0].Values[0].Number.Coef != 8 {
		t.Errorf("value of the second telegram: got %d, want 8", again[0].Values[0].Number.Coef)
	}
}

// TestJournalAwaitDelivered checks that awaitDelivered waits until every output has delivered, also if two recordings wait.
func TestJournalAwaitDelivered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := newJournal(4)
		meters := []Meter{{ID: "house"}}
		one, two := newFeed(meters, j), newFeed(meters, j)
		j.add(Telegram{Seq: 1})
		waited := make(chan bool, 2)
		for range 2 {
			go func() { j.awaitDelivered(t.Context()); waited <- true }()
		}
		one.Take()
		one.Take() // confirms that the telegram was delivered
		two.Take() // takes the telegram; the next Take confirms that it was delivered
		synctest.Wait()
		if len(waited) > 0 {
			t.Fatal("awaitDelivered returned before the second output has delivered")
		}
		two.Take()
		synctest.Wait()
		if len(waited) != 2 {
			t.Fatalf("%d of two calls of awaitDelivered have returned after every output has delivered", len(waited))
		}
	})
}

// TestJournalAwaitDeliveredContext checks that awaitDelivered ends with its context.
func TestJournalAwaitDeliveredContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := newJournal(4)
		newFeed(nil, j)
		j.add(Telegram{Seq: 1})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		j.awaitDelivered(ctx) // if it did not end, synctest would report a deadlock
	})
}
