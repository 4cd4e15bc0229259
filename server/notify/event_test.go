package notify

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/govalues/decimal"

	"trueup/server/billing"
)

const (
	tenant billing.TenantID = "7f3e2b1a-0000-4a11-9b7e-2f6f0c1d2e3a"
	sku    billing.SKUID    = "cbdc14ab-d96c-4c30-b9f4-6ada7cdc1d46"
)

// today is the day of noon.
const today = billing.Day(20529)

func free(_ billing.SKUID, part string) bool { return part == "FLOW_FREE" }

func hold(code billing.Code, parts map[string]string) []billing.Hold {
	return []billing.Hold{{Code: code, Reason: billing.Reason{Code: string(code), Parts: parts}}}
}

func change(link billing.LinkKey, agreement billing.AgreementID, monthly string) billing.Change {
	return billing.Change{Link: link, Agreement: agreement, Money: billing.Money{Currency: "AUD", Monthly: decimal.MustParse(monthly)}}
}

// said is an event in a line: kind, key, customer and text.
func said(all []billing.Notification) []string {
	var out []string
	for _, n := range all {
		line := string(n.Kind) + " " + n.Key + " " + n.Text
		if !n.By.IsZero() {
			line += " By " + n.By.String()
		}
		for _, m := range n.Money {
			line += " " + m.Monthly.String() + " " + m.Currency
		}
		out = append(out, line)
	}
	return out
}

func TestEvents(t *testing.T) {
	t.Parallel()
	license := billing.LicenseState{Customer: 1, License: billing.LicenseRef{Tenant: tenant, SKU: sku}, Name: "E5", Assignable: true, Purchased: 10, Assigned: 10}
	broken := billing.ConnectionState{ID: 3, Name: "Partner", Broken: true, Code: "AADSTS7000222", Text: "The secret expired.", Action: "Make one."}
	manage := billing.ConnectionState{ID: 2, Manage: true, Name: "Manage", Broken: true, Code: "connectwise_wrong_key", Text: "Wrong key."}
	ends := func(days billing.Day) time.Time { return (today + days).Time().Add(5 * time.Hour) }
	key := string(tenant) + "." + string(sku)
	for name, c := range map[string]struct {
		in   billing.Situation
		want []string
	}{
		"nothing": {billing.Situation{Licenses: []billing.LicenseState{with(license, func(l *billing.LicenseState) { l.Answered = true })}}, nil},
		"unlinked and unassigned": {billing.Situation{Licenses: []billing.LicenseState{with(license, func(l *billing.LicenseState) { l.Assigned = 9 })}},
			[]string{"unassignedSeats unassigned:" + key + " E5: 1 of 10 seats are assigned to nobody.", "unlinkedLicenses unlinked:" + key + " E5: 10 seats that no link bills."}},
		"free, none, or the company's": {billing.Situation{Licenses: []billing.LicenseState{
			with(license, func(l *billing.LicenseState) { l.PartNumber = "FLOW_FREE" }), with(license, func(l *billing.LicenseState) { l.Purchased = 0 }),
			with(license, func(l *billing.LicenseState) { l.Answered, l.Assignable, l.Assigned = true, false, 0 }),
		}}, nil},
		"a hold": {billing.Situation{Waiting: []billing.Waits{{
			Customer: 1, Link: "aaaaaaaaaa", Label: "E5", Holds: hold(billing.DropTooLarge, map[string]string{"from": "60", "to": "10"}), ApproveBy: today + 3,
			Changes: []billing.Change{change("aaaaaaaaaa", 70, "-10"), change("bbbbbbbbbb", 70, "5"), change("aaaaaaaaaa", 70, "-2.5")},
		}}}, []string{"holdsWaiting hold:aaaaaaaaaa:drop_too_large E5: The drop from 60 to 10 seats is larger than the policy lets through. By 2026-03-20 -12.5 AUD"}},
		"the first hold that a person decides": {billing.Situation{Waiting: []billing.Waits{
			{Customer: 1, Link: "aaaaaaaaaa", Holds: append(hold(billing.Frozen, nil), hold(billing.CreditRefused, nil)...)},
			{Customer: 1, Link: "bbbbbbbbbb", Holds: append(hold(billing.TenantUnreadable, nil), hold(billing.ObserveOnly, nil)...)},
		}}, []string{"holdsWaiting hold:aaaaaaaaaa:credit_refused A license: ConnectWise refused the credit line."}},
		"nothing waits while observing": {billing.Situation{Workspace: billing.Workspace{Observe: true}, Waiting: []billing.Waits{
			{Customer: 1, Link: "aaaaaaaaaa", Holds: hold(billing.CreditRefused, nil)},
		}}, nil},
		"an agreement's holds together": {billing.Situation{Waiting: []billing.Waits{
			{Customer: 1, Link: "aaaaaaaaaa", Holds: hold(billing.AgreementNotActive, map[string]string{"agreement": "M365"}), Changes: []billing.Change{change("aaaaaaaaaa", 70, "1")}, ApproveBy: today + 9},
			{Customer: 1, Link: "bbbbbbbbbb", Holds: hold(billing.AgreementNotActive, map[string]string{"agreement": "M365"}), Changes: []billing.Change{change("bbbbbbbbbb", 70, "2")}, ApproveBy: today + 2},
			{Customer: 2, Link: "cccccccccc", Holds: hold(billing.AgreementNotActive, map[string]string{"agreement": "M365"})},
		}}, []string{"agreementChanged agreement:1:70:agreement_inactive Agreement M365 is not active. By 2026-03-19 3 AUD",
			"agreementChanged agreement:2:M365:agreement_inactive Agreement M365 is not active."}},
		"an agreement that ends": {billing.Situation{Ends: []billing.AgreementEnd{
			{Customer: 1, Agreement: 70, Name: "M365", End: today + 30}, {Customer: 1, Agreement: 71, End: today + 7}, {Customer: 1, Agreement: 72, End: today + 31}, {Customer: 1, Agreement: 73, End: today - 1},
		}}, []string{"agreementChanged ends:1:70:2026-04-16:30 Agreement M365 ends on 16 April 2026.", "agreementChanged ends:1:71:2026-03-24:7 Agreement 71 ends on 24 March 2026."}},
		"one trouble is told once": {billing.Situation{Connections: []billing.ConnectionState{broken, manage},
			Failures: []billing.SyncFailure{{Customer: 1, Failures: 5, Error: billing.RunError{Code: manage.Code}}, {Customer: 2, Failures: 2, Error: billing.RunError{Code: "unexpected", Message: "Something."}}},
			Faults:   []billing.TenantFault{{Customer: 1, Tenant: tenant, Connection: 3, Fault: billing.Fault{Hold: billing.TenantUnreadable}}}},
			[]string{"connectionBroken connection:2 The connection Manage is broken. Wrong key.", "connectionBroken connection:3 The connection Partner is broken. The secret expired.", "syncFailed sync:2 Something."}},
		"a first failure is tried again": {billing.Situation{Failures: []billing.SyncFailure{
			{Customer: 1, Failures: 1, Error: billing.RunError{Code: "unexpected"}}, {Customer: 2, Failures: 9, Error: billing.RunError{Code: "connectwise_not_connected"}},
		}}, nil},
		"tenants that can't be read": {billing.Situation{Faults: []billing.TenantFault{
			{Customer: 1, Tenant: "t1", Fault: billing.Fault{Hold: billing.TenantUnreadable, Text: "No consent."}},
			{Customer: 2, Tenant: "t2", Fault: billing.Fault{Hold: billing.SnapshotIncomplete}, Good: noon.Add(-time.Hour)},
			{Customer: 3, Tenant: "t3", Fault: billing.Fault{Hold: billing.SnapshotIncomplete, Text: "Half a page."}, Good: noon.Add(-25 * time.Hour)},
			{Customer: 4, Tenant: "t4", Fault: billing.Fault{Hold: billing.TenantRemoved, Text: "It is gone."}},
		}}, []string{"tenantsGone gone:t4 It is gone.", "syncFailed unread:t1 Its Microsoft tenant could not be read. No consent.", "syncFailed unread:t3 Its Microsoft tenant could not be read. Half a page."}},
		"what expires": {billing.Situation{Connections: []billing.ConnectionState{
			{ID: 1, Name: "a", Expires: ends(31)}, {ID: 2, Name: "b", Expires: ends(30)}, {ID: 3, Name: "c", Expires: ends(7)}, {ID: 4, Name: "d", Expires: ends(-3)},
		}}, []string{"credentialExpires expires:2:2026-04-16:30 What the connection b signs in with ends on 16 April 2026.",
			"credentialExpires expires:3:2026-03-24:7 What the connection c signs in with ends on 24 March 2026.",
			"credentialExpires expires:4:2026-03-14:7 What the connection d signs in with ends on 14 March 2026."}},
		"the partner's tenants": {billing.Situation{Tenants: []billing.PartnerTenant{
			{Tenant: "t1", Connection: 1, Name: "New", Domain: "new.example"}, {Tenant: "t2", Connection: 1, Customer: 4, GoneOn: today}, {Tenant: "t2", Connection: 2, Customer: 4},
			{Tenant: "t3", Connection: 1, Name: "Old", Customer: 5, GoneOn: today}, {Tenant: "t4", Connection: 1, GoneOn: today}, {Tenant: "t5", Connection: 1, Name: "Ends", Customer: 6, Ends: ends(9)},
		}}, []string{"tenantsGone gone:t3 The tenant Old is gone from the partner's list.",
			"credentialExpires relationship:t5:2026-03-26:30 The partner relationship with the tenant Ends ends on 26 March 2026.",
			"tenantsNotAdded tenant:t1 New (new.example) is in the partner's list and is not added."}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.in.Today = today
			got := Events(c.in, noon, free)
			if d := cmp.Diff(c.want, said(got)); d != "" {
				t.Error(d)
			}
			for _, n := range got {
				if n.Screen == "" || n.Action == "" && !strings.Contains(n.Text, "Wrong key") && !strings.Contains(n.Text, "Something") && n.Kind != billing.SyncFailed {
					t.Errorf("%s leads nowhere: %q %q", n.Key, n.Screen, n.Action)
				}
			}
		})
	}
}

func with[T any](v T, change func(*T)) T {
	change(&v)
	return v
}

// TestEventsAreClean: what comes from outside is in one line and bounded.
func TestEventsAreClean(t *testing.T) {
	t.Parallel()
	evil := lines + rtl + strings.Repeat("x", 10_000)
	for _, n := range Events(billing.Situation{
		Today:       today,
		Licenses:    []billing.LicenseState{{Customer: 1, Name: evil, Purchased: 2, Assignable: true}},
		Waiting:     []billing.Waits{{Link: "aaaaaaaaaa", Label: evil, Holds: hold(billing.ProductInactive, map[string]string{"product": evil})}},
		Connections: []billing.ConnectionState{{ID: 1, Name: evil, Broken: true, Text: evil, Action: evil, Expires: noon}},
		Tenants:     []billing.PartnerTenant{{Tenant: "t", Name: evil, Domain: evil}},
		Ends:        []billing.AgreementEnd{{Name: evil, End: today}},
	}, noon, free) {
		if text := n.Text + n.Action; strings.ContainsAny(text, "\r\n\x00\u202e\u2029") || len([]rune(n.Text)) > textMost+1 {
			t.Errorf("%s: %q", n.Key, text)
		}
	}
}

// That callbacks don't come is told as long as it is so, unless nothing of Manage comes; a
// repair is told for two days.
func TestCallbackEvents(t *testing.T) {
	t.Parallel()
	manage := billing.ConnectionState{ID: 2, Manage: true, Name: "Manage", Broken: true, Code: "connectwise_wrong_key", Text: "Wrong key."}
	trouble := billing.CallbackState{Trouble: "The role lacks it.", Action: "Give it."}
	for name, c := range map[string]struct {
		in   billing.Situation
		want []string
	}{
		"all is well": {billing.Situation{}, nil},
		"trouble":     {billing.Situation{Callbacks: trouble}, []string{"callbacks"}},
		"all broken":  {billing.Situation{Callbacks: trouble, Connections: []billing.ConnectionState{manage}}, []string{"connection:2"}},
		"repaired":    {billing.Situation{Callbacks: billing.CallbackState{Repaired: today - 1}}, []string{"callbacks:repaired:" + (today - 1).String()}},
		"long ago":    {billing.Situation{Callbacks: billing.CallbackState{Repaired: today - 2}}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.in.Today = today
			var keys []string
			for _, n := range Events(c.in, today.Time(), free) {
				if n.Kind != billing.ConnectionBroken || n.Text == "" || n.Action == "" && n.Key != "connection:2" || n.Screen != "/connections" {
					t.Errorf("%+v", n)
				}
				keys = append(keys, n.Key)
			}
			if d := cmp.Diff(c.want, keys); d != "" {
				t.Error(d)
			}
		})
	}
}
