package billing_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"trueup/server/billing"
)

// stepsOf writes the steps of a count, one after the other: "purchased 7; included 2, 5 left".
func stepsOf(steps []billing.Reason) string {
	var out []string
	for _, r := range steps {
		text := r.Code
		for _, part := range slices.Sorted(maps.Keys(r.Parts)) {
			text += fmt.Sprintf(" %s=%s", part, r.Parts[part])
		}
		out = append(out, text)
	}
	return strings.Join(out, "; ")
}

const (
	enabled = billing.SubscriptionEnabled
	warning = billing.SubscriptionWarning
)

// sku is evidence of one SKU: enabled, in warning, held by users, with subscriptions.
func sku(on, warned, held int, subs ...billing.Subscription) billing.Evidence {
	return billing.Evidence{Subscriptions: subs, SKUs: []billing.SKU{
		{ID: "other", Enabled: 50, Warning: 5, Consumed: 40}, {ID: theSKU, Enabled: on, Warning: warned, Consumed: held},
	}}
}

func sub(id billing.SubscriptionID, status billing.SubscriptionStatus, n int) billing.Subscription {
	return billing.Subscription{ID: id, SKU: theSKU, Status: status, Seats: n}
}

func trial(status billing.SubscriptionStatus, n int) billing.Subscription {
	s := sub("trial", status, n)
	s.Trial = true
	return s
}

// TestCountSteps is section 2 of the rules from the evidence to what is billed, with
// each step that is told; what doesn't happen isn't told.
func TestCountSteps(t *testing.T) {
	t.Parallel()
	whole, one := billing.LicenseRef{SKU: theSKU}, billing.LicenseRef{SKU: theSKU, Subscription: subA}
	ofTrial := billing.LicenseRef{SKU: theSKU, Subscription: "trial"}
	for name, row := range map[string]struct {
		e     billing.Evidence
		ref   billing.LicenseRef
		o     billing.Options
		want  billing.Count
		steps string
		code  billing.Code
	}{
		"purchased": {
			e: sku(7, 0, 3), ref: whole, o: billing.Options{BillGrace: true},
			want: billing.Count{Present: true, Purchased: 7, Assigned: 3, Seats: 7, Billed: 7}, steps: "purchased n=7",
		},
		"one seat in grace is billed": {
			e: sku(0, 1, 0), ref: whole, o: billing.Options{BillGrace: true},
			want:  billing.Count{Present: true, Purchased: 1, Grace: 1, Seats: 1, Billed: 1},
			steps: "purchased n=1; with_grace n=1",
		},
		"one seat in grace is not billed": {
			e: sku(4, 1, 0), ref: whole,
			want:  billing.Count{Present: true, Purchased: 5, Grace: 1, Seats: 4, Billed: 4},
			steps: "purchased n=5; without_grace n=1",
		},
		"none in grace": {
			e: sku(4, 0, 0), ref: whole,
			want: billing.Count{Present: true, Purchased: 4, Seats: 4, Billed: 4}, steps: "purchased n=4",
		},
		"one seat on trial isn't billed unless the link says so": {
			e: sku(4, 0, 0, trial(enabled, 1)), ref: whole,
			want:  billing.Count{Present: true, Purchased: 4, Trial: 1, Seats: 3, Billed: 3},
			steps: "purchased n=4; without_trials n=1",
		},
		"more on trial than there is": {
			e: sku(4, 0, 0, trial(enabled, 9)), ref: whole,
			want:  billing.Count{Present: true, Purchased: 4, Trial: 9},
			steps: "purchased n=4; without_trials n=9",
		},
		"a trial in grace is taken off once": {
			e: sku(6, 4, 0, trial(warning, 3)), ref: whole,
			want:  billing.Count{Present: true, Purchased: 10, Grace: 4, Trial: 3, Seats: 6, Billed: 6},
			steps: "purchased n=10; without_grace n=4",
		},
		"a trial in grace that is billed for": {
			e: sku(6, 4, 0, trial(warning, 3)), ref: whole, o: billing.Options{BillGrace: true},
			want:  billing.Count{Present: true, Purchased: 10, Grace: 4, Trial: 3, Seats: 7, Billed: 7},
			steps: "purchased n=10; with_grace n=4; without_trials n=3",
		},
		"only this SKU's trials count": {
			e: sku(4, 0, 0, billing.Subscription{SKU: "other", Status: enabled, Seats: 2, Trial: true}), ref: whole,
			want: billing.Count{Present: true, Purchased: 4, Seats: 4, Billed: 4}, steps: "purchased n=4",
		},
		"assigned": {
			e: sku(7, 0, 3), ref: whole, o: billing.Options{Basis: billing.Assigned},
			want: billing.Count{Present: true, Purchased: 7, Assigned: 3, Seats: 3, Billed: 3}, steps: "assigned n=3",
		},
		"assigned beside one seat on trial must be answered": {
			e: sku(7, 0, 3, trial(enabled, 1)), ref: whole, o: billing.Options{Basis: billing.Assigned}, code: billing.TrialMixed,
			want: billing.Count{Present: true, Purchased: 7, Assigned: 3, Trial: 1, Seats: 3, Billed: 3}, steps: "assigned n=3",
		},
		"assigned, one seat on trial is not billed": {
			e: sku(7, 0, 3, trial(enabled, 1)), ref: whole, o: billing.Options{Basis: billing.Assigned, BillTrials: billing.Off},
			want:  billing.Count{Present: true, Purchased: 7, Assigned: 3, Trial: 1, Seats: 2, Billed: 2},
			steps: "assigned n=3; without_trials n=1",
		},
		"assigned, trials are billed": {
			e: sku(7, 0, 3, trial(enabled, 1)), ref: whole, o: billing.Options{Basis: billing.Assigned, BillTrials: billing.On},
			want: billing.Count{Present: true, Purchased: 7, Assigned: 3, Trial: 1, Seats: 3, Billed: 3}, steps: "assigned n=3",
		},
		"assigned without a trial, whatever was answered": {
			e: sku(7, 0, 3), ref: whole, o: billing.Options{Basis: billing.Assigned, BillTrials: billing.Off},
			want: billing.Count{Present: true, Purchased: 7, Assigned: 3, Seats: 3, Billed: 3}, steps: "assigned n=3",
		},
		"one is included": {
			e: sku(7, 0, 0), ref: whole, o: billing.Options{Included: 1},
			want: billing.Count{Present: true, Purchased: 7, Seats: 7, Billed: 6}, steps: "purchased n=7; included left=6 n=1",
		},
		"more is included than there is": {
			e: sku(3, 0, 0), ref: whole, o: billing.Options{Included: 4},
			want: billing.Count{Present: true, Purchased: 3, Seats: 3}, steps: "purchased n=3; included left=0 n=4",
		},
		"a minimum that is just reached isn't told": {
			e: sku(5, 0, 0), ref: whole, o: billing.Options{Minimum: 5},
			want: billing.Count{Present: true, Purchased: 5, Seats: 5, Billed: 5}, steps: "purchased n=5",
		},
		"a minimum of one more": {
			e: sku(5, 0, 0), ref: whole, o: billing.Options{Minimum: 6},
			want: billing.Count{Present: true, Purchased: 5, Seats: 5, Billed: 6}, steps: "purchased n=5; minimum n=6",
		},
		"a SKU that is gone": {
			e: billing.Evidence{}, ref: whole, o: billing.Options{Minimum: 5}, steps: "gone",
		},
		"a subscription": {
			e: sku(9, 0, 0, sub(subB, enabled, 4), sub(subA, enabled, 5)), ref: one,
			want: billing.Count{Present: true, Purchased: 5, Seats: 5, Billed: 5}, steps: "subscription n=5 status=Enabled",
		},
		"a subscription of one seat in grace": {
			e: sku(9, 0, 0, sub(subA, warning, 1)), ref: one,
			want:  billing.Count{Present: true, Purchased: 1, Grace: 1},
			steps: "subscription n=1 status=Warning; without_grace n=1",
		},
		"a subscription of one seat in grace that is billed": {
			e: sku(9, 0, 0, sub(subA, warning, 1)), ref: one, o: billing.Options{BillGrace: true},
			want:  billing.Count{Present: true, Purchased: 1, Grace: 1, Seats: 1, Billed: 1},
			steps: "subscription n=1 status=Warning",
		},
		"a trial of one seat": {
			e: sku(9, 0, 0, trial(enabled, 1)), ref: ofTrial,
			want:  billing.Count{Present: true, Purchased: 1, Trial: 1},
			steps: "subscription n=1 status=Enabled; without_trials n=1",
		},
		"a suspended trial has nothing to take off": {
			e: sku(9, 0, 0, trial(billing.SubscriptionSuspended, 1)), ref: ofTrial,
			want: billing.Count{Present: true}, steps: "subscription n=0 status=Suspended",
		},
		"a subscription that is gone": {
			e: sku(9, 0, 0, sub(subB, enabled, 9)), ref: one, o: billing.Options{Minimum: 5}, steps: "gone",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, code := billing.CountSeats(row.e, row.ref, row.o)
			if diff := cmp.Diff(row.want, c, cmpopts.IgnoreFields(billing.Count{}, "Steps")); diff != "" || code != row.code {
				t.Errorf("code %q, want %q; count (-want +got):\n%s", code, row.code, diff)
			}
			if got := stepsOf(c.Steps); got != row.steps {
				t.Errorf("it says %q, want %q", got, row.steps)
			}
			for _, r := range c.Steps {
				if len(r.Parts) == 0 && r.Parts != nil {
					t.Errorf("step %q has parts that are nothing", r.Code)
				}
			}
		})
	}
}

// TestUnassigned is never below nothing: users may hold more than was bought.
func TestUnassigned(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ purchased, assigned, want int }{{5, 3, 2}, {4, 3, 1}, {3, 3, 0}, {3, 4, 0}} {
		if got := (billing.Count{Purchased: row.purchased, Assigned: row.assigned}).Unassigned(); got != row.want {
			t.Errorf("%d bought, %d held: %d unassigned, want %d", row.purchased, row.assigned, got, row.want)
		}
	}
}

// TestSerialNumbers: the first line of a day has no number, the next begin at 1.
func TestSerialNumbers(t *testing.T) {
	t.Parallel()
	s := billing.Serial{Key: "abcdefghi2", Role: billing.Dated, Effective: day("03-17")}
	for n, want := range []string{"TU-abcdefghi2-D20260317", "TU-abcdefghi2-D20260317-1", "TU-abcdefghi2-D20260317-2"} {
		s.N = n
		if got := s.String(); got != want {
			t.Errorf("number %d is %q, want %q", n, got, want)
		}
		if back, ok := billing.ParseSerial(want); !ok || back != s {
			t.Errorf("%q came back as %+v, %v", want, back, ok)
		}
	}
	for serial, want := range map[string]billing.Role{
		"TU-abcdefghi2-S20260317": billing.Standing, "TU-abcdefghi2-P20260317": billing.PendingLine,
		"TU-abcdefghi2-D20260317": billing.Dated, "4711": 0, "": 0,
	} {
		if got := billing.RoleOf(billing.Addition{Serial: serial}); got != want {
			t.Errorf("%q has role %q, want %q", serial, got, want)
		}
	}
}
