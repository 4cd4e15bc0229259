package billing_test

import (
	"fmt"
	"runtime"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/govalues/decimal"

	"trueup/server/billing"
)

const (
	benchCustomers = 1250
	benchLinks     = 8 // of a customer
)

// BenchmarkPlan plans 10,000 links, customers of 8 after each other as a night does:
// those whose lines are made, those for which nothing is to do, and those of which every
// count has changed by a seat.
func BenchmarkPlan(b *testing.B) {
	on, fresh := day("2026-03-17"), make([]billing.Snapshot, benchCustomers)
	for i := range fresh {
		fresh[i] = benchCustomer(i, on, 10)
	}
	settled, changed := make([]billing.Snapshot, benchCustomers), make([]billing.Snapshot, benchCustomers)
	for i := range fresh {
		settled[i] = written(b, fresh[i])
		settled[i].Today = on + 1
		changed[i] = settled[i]
		changed[i].Evidence = benchEvidence(i, 11)
	}
	for _, c := range []struct {
		name   string
		all    []billing.Snapshot
		writes int
	}{
		{"new", fresh, benchLinks}, {"unchanged", settled, 0}, {"changed", changed, benchLinks},
	} {
		b.Run(c.name, func(b *testing.B) { benchPlans(b, c.all, c.writes) })
	}
}

// benchPlans plans all; each plan has so many writes, so that it is known what was
// measured.
func benchPlans(b *testing.B, all []billing.Snapshot, writes int) {
	if got := len(writesOf(billing.NewPlan(all[0]))); got != writes {
		b.Fatalf("a plan has %d writes, want %d", got, writes)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	began := benchCPU(b)
	for b.Loop() {
		for i := range all {
			p := billing.NewPlan(all[i])
			runtime.KeepAlive(p)
		}
	}
	used := benchCPU(b) - began
	runtime.ReadMemStats(&after)
	links := float64(b.N) * float64(len(all)) * benchLinks
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/links, "ns/link")
	b.ReportMetric(float64(used.Nanoseconds())/links, "cpu-ns/link")
	b.ReportMetric(float64(after.Mallocs-before.Mallocs)/links, "allocs/link")
	b.ReportMetric(float64(after.TotalAlloc-before.TotalAlloc)/links, "B/link")
}

// benchCPU is the processor time that the process has used, collecting garbage too: on a
// machine that does other things besides it says more than the clock.
func benchCPU(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// written is the snapshot after all that its plan wants was written.
func written(b *testing.B, s billing.Snapshot) billing.Snapshot {
	b.Helper()
	p := billing.NewPlan(s)
	var done []billing.Change
	for i, c := range writesOf(p) {
		made := *c.After
		made.ID = billing.AdditionID(1000 + i)
		c.After = &made
		done = append(done, c)
	}
	if len(done) != benchLinks {
		b.Fatalf("the first plan has %d writes", len(done))
	}
	out := s
	out.Additions = map[billing.AgreementID][]billing.Addition{1: nil}
	for _, c := range done {
		out.Additions[1] = append(out.Additions[1], *c.After)
	}
	out.Links = nil
	for i, l := range s.Links {
		l.Ledgers = billing.Settle(p.Links[i].After, done)
		out.Links = append(out.Links, l)
	}
	return out
}

func writesOf(p billing.Plan) (out []billing.Change) {
	for _, d := range p.Decisions {
		for _, c := range d.Changes {
			if !d.Held() && c.Action != billing.Keep && c.Action != billing.None {
				out = append(out, c)
			}
		}
	}
	return out
}

func benchTenant(i int) billing.TenantID {
	return billing.TenantID(fmt.Sprintf("7f3e2b1a-0000-4a11-9b7e-%012d", i))
}

func benchSKU(k int) billing.SKUID {
	return billing.SKUID(fmt.Sprintf("cbdc14ab-d96c-4c30-b9f4-%012d", k))
}

// benchCustomer is a customer with its links on one agreement, all of one profile each.
func benchCustomer(i int, today billing.Day, seats int) billing.Snapshot {
	s := billing.Snapshot{
		Workspace: billing.Workspace{ID: 1, Zone: "UTC", Currency: "USD"},
		Customer:  billing.Customer{ID: billing.CustomerID(i + 1), Company: theCompany, Tenants: []billing.CustomerTenant{{Tenant: benchTenant(i)}}},
		Today:     today, Now: runHour, Evidence: benchEvidence(i, seats),
		Agreements: map[billing.AgreementID]billing.Agreement{1: {
			ID: 1, Name: "Managed 365", Company: theCompany, Type: inAdvance, TypeName: "Managed", Status: billing.AgreementActive, End: billing.Forever,
			BillStart: day("2025-01-01"), NextInvoice: day("2026-04-01"), Cycle: 1, CycleSet: true,
			Prorate: billing.FlagOf(true), ProratedAtOnce: billing.FlagOf(false), Currency: "USD",
		}},
		Additions: map[billing.AgreementID][]billing.Addition{1: nil},
		Products:  map[billing.ProductID]billing.Product{},
		Profiles:  map[billing.ProfileID]billing.Profile{},
	}
	for k := range benchLinks {
		product := billing.ProductID(k + 1)
		s.Products[product] = billing.Product{ID: product, Identifier: fmt.Sprint("M365-", k), Price: decimal.Hundred}
		s.Profiles[billing.ProfileID(product)] = billing.Profile{
			ID: billing.ProfileID(product), Name: fmt.Sprint("Profile ", k), Types: []billing.AgreementTypeID{inAdvance}, Product: product,
			Price: money(2000), Currency: "USD", Bill: billing.Billable,
		}
		s.Links = append(s.Links, billing.Link{
			Key: billing.LinkKey(fmt.Sprintf("%08d%02d", i, k)), License: billing.LicenseRef{Tenant: benchTenant(i), SKU: benchSKU(k)},
			Label: "SKU " + strconv.Itoa(k), Profile: billing.ProfileID(product), Agreement: 1,
			Options: billing.Options{Users: billing.UsersNone, Basis: billing.Purchased, BillGrace: true},
		})
	}
	return s
}

func benchEvidence(i, seats int) map[billing.TenantID]billing.Evidence {
	e := billing.Evidence{Tenant: benchTenant(i), ReadAt: runHour}
	for k := range benchLinks {
		e.SKUs = append(e.SKUs, billing.SKU{ID: benchSKU(k), PartNumber: fmt.Sprint("SKU_", k), Enabled: seats})
		e.Subscriptions = append(e.Subscriptions, billing.Subscription{
			ID: billing.SubscriptionID(fmt.Sprintf("0d8a1a7e-6f53-4e5c-9c1b-%012d", k)), SKU: benchSKU(k), Status: billing.SubscriptionEnabled, Seats: seats,
		})
	}
	return map[billing.TenantID]billing.Evidence{benchTenant(i): e}
}
