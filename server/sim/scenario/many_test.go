package scenario

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

func TestMany(t *testing.T) {
	t.Parallel()
	var text strings.Builder
	world, err := Many(Size{Customers: 40, Licenses: 8}, &text)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(world.Manage.Close)
	if world.Graph.Day().String() != "2026-03-02" || world.Manage.Today().String() != "2026-03-02" {
		t.Errorf("days %s and %s", world.Graph.Day(), world.Manage.Today())
	}
	var file workspaceFile
	if err := yaml.Unmarshal([]byte(text.String()), &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Customers) != 40 || len(file.BillingProfiles) != 8 || file.Customers[39].Company != "C00040" || len(file.Customers[39].Links) != 8 {
		t.Errorf("the file has %d customers and %d profiles", len(file.Customers), len(file.BillingProfiles))
	}
	for n, c := range file.Customers {
		if c.Tenant != world.Tenant(n) || c.Company != world.Company(n) {
			t.Errorf("customer %d is %s with %s", n, c.Company, c.Tenant)
		}
		if a, there := world.Manage.Agreement(world.Agreement(n)); !there || a.NextInvoice.String() != "2026-04-01" {
			t.Errorf("customer %d has agreement %+v", n, a)
		}
	}
	changed, err := world.Change(world.Graph.Day()+3, 7)
	if err != nil || changed != 46 {
		t.Errorf("%d changed, %v", changed, err)
	}
	history, err := world.Graph.SeatHistory(world.Tenant(0), "SPB", world.SubscriptionID(0, 0))
	if err != nil {
		t.Fatal(err)
	}
	last := history[len(history)-1]
	if last.Day.String() != "2026-03-05" || last.Seats != world.Seats(0, 0)+1 {
		t.Errorf("history %+v", history)
	}
	for n := range 40 {
		for k := range 8 {
			if seats := world.Seats(n, k); seats < 1 || seats >= 1000 {
				t.Errorf("customer %d license %d has %d seats", n, k, seats)
			}
		}
	}
}

// broken is a disk that is full.
type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("full") }

func TestManyRefusals(t *testing.T) {
	t.Parallel()
	for _, size := range []Size{{}, {Customers: 1}, {Customers: 1, Licenses: 17}, {Customers: -1, Licenses: 8}} {
		if _, err := Many(size, io.Discard); err == nil {
			t.Errorf("%+v was made", size)
		}
	}
	if _, err := Many(Size{Customers: 1, Licenses: 1}, broken{}); err == nil || !strings.Contains(err.Error(), "full") {
		t.Errorf("a file that can't be written: %v", err)
	}
}

func BenchmarkMany(b *testing.B) {
	for b.Loop() {
		world, err := Many(Size{Customers: 10000, Licenses: 8}, io.Discard)
		if err != nil {
			b.Fatal(err)
		}
		world.Manage.Close()
	}
}
