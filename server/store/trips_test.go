package store_test

import (
	"encoding/binary"
	"io"
	"maps"
	"net"
	"net/url"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"trueup/server/billing"
	"trueup/server/store"
	"trueup/server/store/storetest"
)

// meter stands between a store and its server and counts round trips: each ends with
// the server's ReadyForQuery (PostgreSQL, "Message Formats").
type meter struct {
	url   string
	trips atomic.Int64
}

func newMeter(tb testing.TB, at string) *meter {
	tb.Helper()
	u, err := url.Parse(at)
	must(tb, err)
	q := u.Query()
	socket := ".s.PGSQL." + q.Get("port")
	server, dir := filepath.Join(q.Get("host"), socket), tb.TempDir()
	l, err := net.Listen("unix", filepath.Join(dir, socket))
	must(tb, err)
	tb.Cleanup(func() { must(tb, l.Close()) })
	q.Set("host", dir)
	u.RawQuery = q.Encode()
	m := &meter{url: u.String()}
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			go m.join(client, server)
		}
	}()
	return m
}

func (m *meter) join(client net.Conn, server string) {
	defer client.Close()
	up, err := net.Dial("unix", server)
	if err != nil {
		return
	}
	defer up.Close()
	go io.Copy(up, client)
	head := make([]byte, 5)
	for {
		if _, err := io.ReadFull(up, head); err != nil {
			return
		}
		if head[0] == 'Z' {
			m.trips.Add(1)
		}
		if _, err := client.Write(head); err != nil {
			return
		}
		if _, err := io.CopyN(client, up, int64(binary.BigEndian.Uint32(head[1:]))-4); err != nil {
			return
		}
	}
}

// count says how many round trips f takes.
func (m *meter) count(f func()) int64 {
	before := m.trips.Load()
	f()
	return m.trips.Load() - before
}

// What an unchanged customer costs is what a night of 10,000 costs.
func TestUnchangedCustomerIsCheap(t *testing.T) {
	t.Parallel()
	at := storetest.URL(t)
	m := newMeter(t, at)
	h := furnish(t, open(t, m.url), at, "Contoso MSP")
	kept := ledgers{}
	for _, s := range []billing.SKUID{premium, exchange, "c", "d", "e", "f", "g", "h"} {
		kept[h.link(t, s).Key] = []billing.Ledger{ledger(10)}
	}
	e := read(sku(premium, 10, 10), sku(exchange, 10, 10))
	for i := range 1000 {
		e.Holders = append(e.Holders, holder(string(rune('a'+i%26))+time.Duration(i).String(), premium, exchange))
	}
	var claims []store.Claimed
	var loaded store.Loaded
	steps := []struct {
		name string
		most int64
		do   func() error
	}{
		{"mark due", 1, func() error {
			return h.workspace.MarkDue(t.Context(), []billing.CustomerID{h.customer.ID}, billing.Nightly, noTime)
		}},
		{"claim", 1, func() (err error) { claims, err = h.Claim(t.Context(), owner, 32, time.Minute); return err }},
		{"load", 2, func() (err error) { loaded, err = h.workspace.LoadCustomer(t.Context(), h.customer.ID); return err }},
		{"run", 1, func() error {
			f := store.Finish{Status: billing.RunDone, Planned: true, Evidence: []billing.Evidence{e}, Same: slices.Collect(maps.Keys(kept))}
			if len(loaded.Links[0].Ledgers) == 0 {
				f.Same, f.Ledgers = nil, kept
			}
			_, err := h.workspace.WholeRun(t.Context(), claims[0], billing.Run{Day: march}, f)
			return err
		}},
	}
	// Statements are prepared again on a connection that is new to them, so the first
	// rounds don't count; nor does the evidence's first read.
	const rounds = 4
	for round := range rounds {
		for _, s := range steps {
			trips := m.count(func() { must(t, s.do()) })
			if round == rounds-1 && trips > s.most {
				t.Errorf("%s takes %d round trips, want %d at most", s.name, trips, s.most)
			}
		}
	}
	if len(loaded.Links) != 8 || len(loaded.Links[0].Ledgers) != 1 {
		t.Errorf("loaded %+v", loaded.Links)
	}
}

// BenchmarkUnchangedCustomer is the store's part of a nightly run that finds nothing
// new: claim, load, and the run as a whole.
func BenchmarkUnchangedCustomer(b *testing.B) {
	at := storetest.URL(b)
	h := furnish(b, open(b, at), at, "Contoso MSP")
	kept := ledgers{}
	for _, s := range []billing.SKUID{premium, exchange, "c", "d", "e", "f", "g", "h"} {
		kept[h.link(b, s).Key] = []billing.Ledger{ledger(10)}
	}
	e := read(sku(premium, 10, 10), sku(exchange, 10, 10))
	for i := range 1000 {
		e.Holders = append(e.Holders, holder(time.Duration(i).String(), premium, exchange))
	}
	b.ReportAllocs()
	for b.Loop() {
		must(b, h.workspace.MarkDue(b.Context(), []billing.CustomerID{h.customer.ID}, billing.Nightly, noTime))
		claims, err := h.Claim(b.Context(), owner, 1, time.Minute)
		must(b, err)
		_, err = h.workspace.LoadCustomer(b.Context(), h.customer.ID)
		must(b, err)
		_, err = h.workspace.WholeRun(b.Context(), claims[0], billing.Run{Day: march}, store.Finish{
			Status: billing.RunDone, Planned: true, Evidence: []billing.Evidence{e}, Same: slices.Collect(maps.Keys(kept)),
		})
		must(b, err)
	}
}
