package store_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"trueup/server/billing"
	"trueup/server/store"
)

// held lets a link's plan wait.
func (h *house) held(t *testing.T, key billing.LinkKey, fingerprint string) {
	t.Helper()
	claim, run := h.begin(t)
	must(t, h.workspace.FinishRun(t.Context(), claim, run, store.Finish{Status: billing.RunHeld, Planned: true, Held: []billing.Decision{{
		Group: string(key), Links: []billing.LinkKey{key}, Fingerprint: fingerprint, Holds: []billing.Hold{{Code: billing.RiseTooLarge, Reason: billing.Reason{Code: "rise_too_large"}}},
		Changes: []billing.Change{{Group: string(key), Link: key, License: "SPB", Agreement: agreement, Action: billing.None, State: billing.Held, Hold: billing.RiseTooLarge}},
	}}}))
}

// A plan is put aside as it was shown; another plan of the link isn't, and another
// workspace knows nothing of it.
func TestPostponed(t *testing.T) {
	t.Parallel()
	h := build(t)
	l := h.link(t, premium)
	h.held(t, l.Key, "one")
	aside := store.Postponed{Until: march + 7, Reason: "They give them back.", By: "sam"}
	if err := h.workspace.Postpone(t.Context(), l.Key, "two", aside); !errors.Is(err, store.ErrStale) {
		t.Errorf("another plan: %v", err)
	}
	must(t, h.workspace.Postpone(t.Context(), l.Key, "one", aside))
	open, err := h.workspace.OpenPlansOf(t.Context(), l.Key)
	must(t, err)
	if len(open) != 1 || open[0].Postponed == nil || open[0].Postponed.Until != march+7 || open[0].Company.ID != h.customer.ID ||
		open[0].License != l.License || open[0].ProfileName != "M365 Business Premium - Monthly" || len(open[0].Types) != 2 {
		t.Errorf("open is %+v", open)
	}
	h.held(t, l.Key, "two")
	open, err = h.workspace.OpenPlans(t.Context(), h.customer.ID)
	must(t, err)
	if len(open) != 1 || open[0].Postponed != nil {
		t.Errorf("another plan is put aside: %+v", open)
	}
	other := furnish(t, h.Store, h.url, "Fabrikam").workspace
	if none, err := other.OpenPlans(t.Context(), 0); len(none) != 0 || err != nil {
		t.Errorf("another workspace sees %v, %v", none, err)
	}
	if err := other.Resume(t.Context(), l.Key); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("another workspace takes it up: %v", err)
	}
	must(t, h.workspace.Resume(t.Context(), l.Key))
}

// An edit changes what was decided and nothing else; what it refuses changes nothing.
func TestEditLink(t *testing.T) {
	t.Parallel()
	h := build(t)
	l := h.link(t, premium)
	refused := errors.New("refused")
	if _, err := h.workspace.EditLink(t.Context(), l.Key, func(l *store.Link) error { l.Removed = true; return refused }); !errors.Is(err, refused) {
		t.Errorf("got %v", err)
	}
	was, err := h.workspace.EditLink(t.Context(), l.Key, func(l *store.Link) error {
		l.License.Subscription, l.Approved, l.InvoicesStayDeleted = "s", "f", true
		l.Drift = map[billing.AdditionID]billing.DriftAnswer{4: billing.DriftRevert}
		return nil
	})
	must(t, err)
	if diff := cmp.Diff(l, was.Link); diff != "" {
		t.Errorf("it was %s", diff)
	}
	states, err := h.workspace.LinkStates(t.Context(), l.Key, "aaaaaaaaaa")
	must(t, err)
	is := states[l.Key]
	if len(states) != 1 || is.License.Subscription != "s" || is.Approved != "f" || !is.InvoicesStayDeleted || is.Drift[4] != billing.DriftRevert ||
		is.Profile != h.profile || is.Customer != h.customer.ID || !is.CustomPrice || is.Product != 11 {
		t.Errorf("it is %+v", is)
	}
	other := h.link(t, premium)
	_, err = h.workspace.EditLink(t.Context(), other.Key, func(l *store.Link) error { l.License.Subscription = "s"; return nil })
	if !errors.Is(err, store.ErrConflict) {
		t.Errorf("two links of one subscription: %v", err)
	}
	if n, err := h.workspace.GoneSince(t.Context(), h.customer.ID, tenant, march); n != 2 || err != nil {
		t.Errorf("%d links are gone, %v", n, err)
	}
}

// A rule's links are kept for licenses that nobody decided anything for, and only while
// the claim is held.
func TestLinkByRule(t *testing.T) {
	t.Parallel()
	h := build(t)
	taken := h.link(t, premium)
	claim, err := h.workspace.ClaimOne(t.Context(), h.customer.ID, owner, billing.OnDemand, time.Minute)
	must(t, err)
	ruled := func(key billing.LinkKey, sku billing.SKUID) store.Link {
		return store.Link{Link: billing.Link{Key: key, License: billing.LicenseRef{Tenant: tenant, SKU: sku}, Label: "X", Profile: h.profile, Agreement: agreement}, AgreementName: "Managed 365"}
	}
	kept, err := h.workspace.LinkByRule(t.Context(), claim, []store.Link{ruled("aaaaaaaaaa", premium), ruled("bbbbbbbbbb", exchange)})
	must(t, err)
	if len(kept) != 1 || kept[0].Key != "bbbbbbbbbb" {
		t.Errorf("kept are %+v", kept)
	}
	states, err := h.workspace.LinkStates(t.Context(), taken.Key, "bbbbbbbbbb")
	must(t, err)
	if len(states) != 2 || states["bbbbbbbbbb"].AgreementName != "Managed 365" {
		t.Errorf("the links are %+v", states)
	}
	claim.Attempt--
	if _, err := h.workspace.LinkByRule(t.Context(), claim, []store.Link{ruled("cccccccccc", "another")}); !errors.Is(err, store.ErrStale) {
		t.Errorf("with a claim that is lost: %v", err)
	}
	if states, err := h.workspace.LinkStates(t.Context(), "cccccccccc"); len(states) != 0 || err != nil {
		t.Errorf("it was kept: %v, %v", states, err)
	}
}
