package api

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"trueup/server/account"
	"trueup/server/billing"
)

// TestEmbedMayNamesWhatItIs: every operation of the table is one of the document, the ids
// of its path are among what it names, and a request of another type reaches nothing.
func TestEmbedMayNamesWhatItIs(t *testing.T) {
	t.Parallel()
	doc, err := Document()
	must(t, err)
	routes, err := Routes(doc)
	must(t, err)
	byID := map[string]Route{}
	for _, r := range routes {
		byID[r.ID] = r
	}
	for id, named := range embedMay() {
		r, ok := byID[id]
		if !ok {
			t.Errorf("%s is no operation", id)
			continue
		}
		got := named(struct{}{})
		if len(r.Scoped) > 0 && (len(got.Links) != 1 || got.Links[0] != "") {
			t.Errorf("%s names %+v of a request that isn't its own", id, got)
		}
	}
	in := &LinkInput{Agreement: 7}
	const id = "cbdc14ab-d96c-4c30-b9f4-6ada7cdc1d46.7f3e2b1a-0000-4a11-9b7e-2f6f0c1d2e3a"
	want := EmbedNamed{License: billing.LicenseRef{Tenant: "cbdc14ab-d96c-4c30-b9f4-6ada7cdc1d46", SKU: "7f3e2b1a-0000-4a11-9b7e-2f6f0c1d2e3a"}, Agreement: 7}
	if diff := cmp.Diff(want, embedMay()["saveLink"](SaveLinkRequestObject{License: id, Body: in})); diff != "" {
		t.Error(diff)
	}
	plans := []PlanChoice{{Link: "aaaaaaaaaa"}, {Link: "bbbbbbbbbb"}}
	want = EmbedNamed{Links: []billing.LinkKey{"aaaaaaaaaa", "bbbbbbbbbb"}}
	if diff := cmp.Diff(want, embedMay()["approvePlans"](ApprovePlansRequestObject{Body: &Approval{Plans: plans}})); diff != "" {
		t.Error(diff)
	}
}

// TestWithin: an agreement is told nothing of what is suggested on another.
func TestWithin(t *testing.T) {
	t.Parallel()
	found := ListSuggestionsFor200JSONResponse(SuggestionPage{Items: []Suggestion{
		{Agreement: AgreementRef{ID: 7}}, {Agreement: AgreementRef{ID: 8, Name: "Voice"}}, {DoNotBill: "free"},
	}})
	if got := within(found, account.Record{Screen: "agreement", ID: 7}); len(got.Items) != 2 || got.Items[0].Agreement.ID != 7 {
		t.Errorf("%+v", got)
	}
	if got := within(found, account.Record{Screen: "company", ID: 7}); len(got.Items) != 3 {
		t.Errorf("%+v", got)
	}
}

// TestNarrowRun: of a run an agreement sees its own changes, and their sums.
func TestNarrowRun(t *testing.T) {
	t.Parallel()
	money := billing.Money{Currency: "EUR"}
	run := RunState{Planned: 4, Written: 2, Held: 1, Failed: 1, Money: []billing.Money{money, money}, Run: billing.Run{Changes: []billing.Change{
		{Agreement: 7, Action: billing.Update, State: billing.Written, Money: money}, {Agreement: 7, Action: billing.Keep},
		{Agreement: 7, Action: billing.Create, State: billing.Held}, {Agreement: 8, Action: billing.Update, State: billing.Written, Money: money},
		{Agreement: 8, Action: billing.Create, State: billing.Failed},
	}}}
	got := NarrowRun(run, 7)
	if len(got.Changes) != 3 || got.Planned != 2 || got.Written != 1 || got.Held != 1 || got.Failed != 0 || len(got.Money) != 1 {
		t.Errorf("%+v", got)
	}
	if len(run.Changes) != 5 {
		t.Error("the run itself was changed")
	}
	if got := NarrowRun(run, 0); got.Planned != 4 || len(got.Changes) != 5 {
		t.Errorf("%+v", got)
	}
}
