package billing_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"trueup/server/billing"
)

// TestCountSeats is section 2 of the rules: 10 purchased, 2 of them in grace, 7 held,
// and a trial of 3 beside.
func TestCountSeats(t *testing.T) {
	t.Parallel()
	e := billing.Evidence{
		SKUs: []billing.SKU{ // one SKU in two rows is summed
			{ID: theSKU, Enabled: 5, Warning: 2, Suspended: 50, LockedOut: 60, Consumed: 4},
			{ID: theSKU, Enabled: 6, Consumed: 3},
			{ID: "other", Enabled: 100, Consumed: 100},
		},
		Subscriptions: []billing.Subscription{
			{ID: subA, SKU: theSKU, Status: billing.SubscriptionEnabled, Seats: 8},
			{ID: subB, SKU: theSKU, Status: billing.SubscriptionWarning, Seats: 2},
			{ID: "trial", SKU: theSKU, Status: billing.SubscriptionEnabled, Seats: 3, Trial: true},
			{ID: "suspended", SKU: theSKU, Status: billing.SubscriptionSuspended, Seats: 50},
			{ID: "deleted", SKU: theSKU, Status: billing.SubscriptionDeleted, Seats: 9},
			{ID: "old trial", SKU: theSKU, Status: billing.SubscriptionSuspended, Seats: 70, Trial: true},
		},
	}
	whole := billing.LicenseRef{SKU: theSKU}
	for name, row := range map[string]struct {
		ref    billing.LicenseRef
		o      billing.Options
		billed int
		code   billing.Code
	}{
		"purchased, without the trial":          {whole, billing.Options{BillGrace: true}, 10, ""},
		"with the trial when the link says so":  {whole, billing.Options{BillGrace: true, BillTrials: billing.On}, 13, ""},
		"without grace":                         {whole, billing.Options{}, 8, ""},
		"assigned beside a trial, not answered": {whole, billing.Options{Basis: billing.Assigned}, 7, billing.TrialMixed},
		"assigned beside a trial, billed":       {whole, billing.Options{Basis: billing.Assigned, BillTrials: billing.On}, 7, ""},
		"assigned beside a trial, not billed":   {whole, billing.Options{Basis: billing.Assigned, BillTrials: billing.Off}, 4, ""},
		"included first":                        {whole, billing.Options{BillGrace: true, Included: 4}, 6, ""},
		"more included than there is":           {whole, billing.Options{BillGrace: true, Included: 40}, 0, ""},
		"included first, then minimum":          {whole, billing.Options{BillGrace: true, Included: 8, Minimum: 5}, 5, ""},
		"minimum that is reached":               {whole, billing.Options{BillGrace: true, Minimum: 10}, 10, ""},
		"minimum only while the SKU is there":   {billing.LicenseRef{SKU: "gone"}, billing.Options{Minimum: 5}, 0, ""},
		"a subscription":                        {billing.LicenseRef{SKU: theSKU, Subscription: subA}, billing.Options{}, 8, ""},
		"a subscription in grace":               {billing.LicenseRef{SKU: theSKU, Subscription: subB}, billing.Options{BillGrace: true}, 2, ""},
		"a subscription in grace, not billed":   {billing.LicenseRef{SKU: theSKU, Subscription: subB}, billing.Options{}, 0, ""},
		"a trial subscription":                  {billing.LicenseRef{SKU: theSKU, Subscription: "trial"}, billing.Options{}, 0, ""},
		"a trial subscription that is billed":   {billing.LicenseRef{SKU: theSKU, Subscription: "trial"}, billing.Options{BillTrials: billing.On}, 3, ""},
		"a suspended subscription":              {billing.LicenseRef{SKU: theSKU, Subscription: "suspended"}, billing.Options{BillGrace: true}, 0, ""},
		"a suspended one keeps the minimum":     {billing.LicenseRef{SKU: theSKU, Subscription: "suspended"}, billing.Options{Minimum: 2}, 2, ""},
		"a deleted subscription isn't there":    {billing.LicenseRef{SKU: theSKU, Subscription: "deleted"}, billing.Options{Minimum: 2}, 0, ""},
		"a subscription that nobody knows":      {billing.LicenseRef{SKU: theSKU, Subscription: "unknown"}, billing.Options{Minimum: 2}, 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, code := billing.CountSeats(e, row.ref, row.o)
			if c.Billed != row.billed || code != row.code {
				t.Errorf("billed %d, code %q; want %d, %q", c.Billed, code, row.billed, row.code)
			}
			for _, step := range c.Steps {
				if billing.Sentence(step) == step.Code {
					t.Errorf("step %q has no words", step.Code)
				}
			}
		})
	}
	c, _ := billing.CountSeats(e, whole, billing.Options{BillGrace: true})
	if c.Purchased != 13 || c.Assigned != 7 || c.Grace != 2 || c.Trial != 3 || c.Seats != 10 || c.Unassigned() != 6 || !c.Present {
		t.Errorf("counted %+v", c)
	}
}

// TestExplain is "why 47": the steps from the evidence to what is due on a day.
func TestExplain(t *testing.T) {
	t.Parallel()
	d := from10(t, true, false, "03-31")
	d.link().Options.Included = 2
	p := d.sees("03-17", 14)
	var said []string
	for _, r := range p.Links[0].Explain(day("03-16")) {
		said = append(said, billing.Sentence(r))
	}
	want := []string{
		"Microsoft reports 14 purchased seats.",
		"2 are included in the agreement; 12 are left.",
		"So 12 seats count.",
		"On 2026-03-16 10 seats are due, by the days on which seats came and went.",
		"Invoices have charged 10 seats for 2026-03-16 already.",
	}
	if diff := cmp.Diff(want, said); diff != "" {
		t.Errorf("explanation (-want +got):\n%s", diff)
	}
}

func TestDescribe(t *testing.T) {
	t.Parallel()
	holders := []billing.Holder{
		{ID: "2", Name: "Zoë Ångström", UPN: "zoe@x.example"}, {ID: "1", Name: "adam  Smith\nJr", UPN: "adam@x.example"}, {ID: "3", Name: "", UPN: "noname@x.example"},
	}
	count := billing.Count{Purchased: 6, Assigned: 3}
	for name, row := range map[string]struct {
		o     billing.Options
		split bool
		want  string
	}{
		"own text":        {billing.Options{Description: "Licenses,\r\nas\x7f agreed"}, false, "Licenses, as agreed"},
		"names":           {billing.Options{Users: billing.UsersName}, false, "Business Premium | , adam Smith Jr, Zoë Ångström"},
		"addresses":       {billing.Options{Users: billing.UsersUPN}, false, "Business Premium | noname@x.example, adam@x.example, zoe@x.example"},
		"initials":        {billing.Options{Users: billing.UsersInitials}, false, "Business Premium | , aSJ, ZÅ"},
		"unassigned":      {billing.Options{ShowUnassigned: true}, false, "Business Premium | 3 unassigned"},
		"of a split row":  {billing.Options{Users: billing.UsersInitials, ShowUnassigned: true}, true, "Business Premium | Users of all subscriptions of this license: , aSJ, ZÅ | 3 unassigned"},
		"none, no wishes": {billing.Options{Users: billing.UsersNone}, false, "Business Premium"},
	} {
		if got := billing.Describe(row.o, "Business Premium", count, holders, row.split); got != row.want {
			t.Errorf("%s: %q, want %q", name, got, row.want)
		}
	}
}

// TestDescribeFits: ConnectWise takes 6,000 characters, however many users there are.
func TestDescribeFits(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, 200, 295, 300, 1000} {
		holders := make([]billing.Holder, n)
		for i := range holders {
			holders[i] = billing.Holder{ID: fmt.Sprint(i), Name: fmt.Sprintf("Ünal Nummer %05d", i)}
		}
		text := billing.Describe(billing.Options{Users: billing.UsersName, ShowUnassigned: true}, "Business Premium", billing.Count{Purchased: n}, holders, false)
		if length := utf8.RuneCountInString(text); length > 6000 {
			t.Errorf("%d users: %d characters", n, length)
		}
		listed := strings.Count(text, "Nummer")
		if listed < n && !strings.Contains(text, fmt.Sprintf("and %d more", n-listed)) {
			t.Errorf("%d users: %d are listed and the rest isn't counted: ...%s", n, listed, text[len(text)-60:])
		}
		if n == 300 && listed < 298-15 {
			t.Errorf("only %d of 300 users are listed though more fit", listed)
		}
	}
	long := billing.Describe(billing.Options{Description: strings.Repeat("ü", 7000)}, "", billing.Count{}, nil, false)
	if utf8.RuneCountInString(long) != 6000 {
		t.Errorf("an own text of 7,000 characters became %d", utf8.RuneCountInString(long))
	}
}

// TestNamesOnTheInvoice: users are written once a day at most, a change of names alone
// never waits for anybody, and what a dated line is stands on it.
func TestNamesOnTheInvoice(t *testing.T) {
	t.Parallel()
	d := newDesk(t, agreed(true, "04-01"))
	d.link().Options.Users = billing.UsersName
	name := "Ada"
	d.change = func(s *billing.Snapshot) {
		e := s.Evidence[theTenant]
		e.Holders = []billing.Holder{{ID: "1", Name: name, SKUs: []billing.SKUID{theSKU}}, {ID: "2", Name: "Else", SKUs: []billing.SKUID{"other"}}}
		s.Evidence[theTenant] = e
		p := s.Products[1]
		p.Description = "Business Premium"
		s.Products[1] = p
	}
	text := func() string { return d.m.lines[1][len(d.m.lines[1])-1].Description }
	d.sees("03-01", 10)
	if got := text(); got != "Business Premium | Ada" {
		t.Errorf("the new line says %q", got)
	}
	d.ws.Policy.Seats = new(0)
	name = "Ada L."
	if p := d.sees("03-02", 10); heldBy(p) != "" || text() != "Business Premium | Ada L." {
		t.Errorf("a changed name is held by %q, the line says %q", heldBy(p), text())
	}
	name = "Ada K."
	d.sees("03-02", 10)
	if got := text(); got != "Business Premium | Ada L." {
		t.Errorf("the line was written twice a day: %q", got)
	}
	d.ws.Policy.Seats = nil
	d.sees("03-03", 12)
	for _, a := range d.m.lines[1] {
		if billing.RoleOf(a) == billing.PendingLine && a.Description != "2 added 3 March" {
			t.Errorf("the pending line says %q", a.Description)
		}
	}
}

func TestSerial(t *testing.T) {
	t.Parallel()
	s := billing.Serial{Key: "abcdefghi2", Role: billing.PendingLine, Effective: day("03-17")}
	if got := s.String(); got != "TU-abcdefghi2-P20260317" {
		t.Errorf("serial %q", got)
	}
	s.N = 12
	if back, ok := billing.ParseSerial(s.String()); !ok || back != s {
		t.Errorf("%q came back as %+v, %v", s, back, ok)
	}
	for _, bad := range []string{
		"", "TU", "TU-abc", "TU--S20260317", "XX-abc-S20260317", "TU-abc-X20260317", "TU-abc-S2026031", "TU-abc-S20261317",
		"TU-abc-S20260317-0", "TU-abc-S20260317-01", "TU-abc-S20260317-x", "TU-abc-S20260317-1-2", "TU-abc-S20260317--1",
	} {
		if s, ok := billing.ParseSerial(bad); ok {
			t.Errorf("%q is taken for %+v", bad, s)
		}
	}
	for role, word := range map[billing.Role]string{billing.Standing: "standing", billing.PendingLine: "pending", billing.Dated: "dated", billing.Other: "other"} {
		if role.String() != word {
			t.Errorf("role %d is %q, want %q", role, role, word)
		}
	}
}

func TestCycleOf(t *testing.T) {
	t.Parallel()
	for option, want := range map[string]billing.Cycle{
		"Monthly": 1, "BiMonthly": 2, "Quarterly": 3, "SemiAnnual": 6, "Yearly": 12, "Weekly": 0, "BiWeekly": 0, "NotRecurring": 0,
	} {
		if got, known := billing.CycleOf(option); got != want || !known {
			t.Errorf("%s is %d months, known %v", option, got, known)
		}
	}
	if _, known := billing.CycleOf("Fortnightly"); known {
		t.Error("a word that isn't ConnectWise's is known")
	}
}

func TestDay(t *testing.T) {
	t.Parallel()
	d := billing.DayOf(time.Date(2026, 3, 17, 23, 59, 0, 0, time.FixedZone("", 10*3600)))
	if d.String() != "2026-03-17" || d != day("03-17") {
		t.Errorf("day %q", d)
	}
	if billing.Forever.String() != "forever" || billing.Day(0).String() != "" || !billing.Day(0).IsZero() {
		t.Error("no day and forever have no words")
	}
	for _, bad := range []string{"", "17.03.2026", "2026-3-17", "2026-02-30"} {
		if got, err := billing.ParseDay(bad); err == nil || got != 0 {
			t.Errorf("%q is taken for %s", bad, got)
		}
	}
}

func TestInheritedTerms(t *testing.T) {
	t.Parallel()
	parent := billing.Agreement{BillStart: day("2025-01-01"), NextInvoice: day("04-01"), Cycle: 3, CycleSet: true, Prorate: billing.On, ProratedAtOnce: billing.On}
	terms, code := billing.TermsOf(billing.Agreement{Start: day("2025-05-05")}, &parent, true)
	want := billing.Terms{BillStart: day("2025-01-01"), NextInvoice: day("04-01"), Cycle: 3, Prorate: true, AtOnce: true, End: billing.Forever, Arrears: true}
	if code != "" || terms != want {
		t.Errorf("a child without anything bills by %+v, %q", terms, code)
	}
	if got := terms.Through(); got != day("2025-12-31") {
		t.Errorf("in arrears it is invoiced through %s", got)
	}
	own := billing.Agreement{
		Start: day("2025-05-05"), NextInvoice: day("04-01"), Cycle: 1, CycleSet: true, Prorate: billing.Off, ProratedAtOnce: billing.Off, End: day("12-31"),
	}
	terms, _ = billing.TermsOf(own, nil, false)
	want = billing.Terms{BillStart: day("2025-05-05"), NextInvoice: day("04-01"), Cycle: 1, End: day("12-31")}
	if terms != want {
		t.Errorf("bills by %+v", terms)
	}
	if terms, _ = billing.TermsOf(own, &parent, false); terms.Prorate || terms.Cycle != 1 {
		t.Errorf("a child's own words lose against its parent's: %+v", terms)
	}
}
