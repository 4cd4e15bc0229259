package main

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"trueup/server/api"
	"trueup/server/billing"
	"trueup/server/reconcile"
	"trueup/server/store"
)

// manyWait bounds how long a request with many customers goes on asking Manage and
// Microsoft; the customers that it didn't come to are told.
const manyWait = 25 * time.Second

// manyAtOnce is how many customers of such a request are read side by side.
const manyAtOnce = 6

// wished is a link that a person wants, on its way: index is its place in the request.
type wished struct {
	api.LinkWish

	index   int
	license store.Listed
	link    store.Link // as it would be saved
	err     error
}

// PreviewLinks plans each customer once, as its links would be, with the flow that syncs.
func (b linksBook) PreviewLinks(ctx context.Context, w billing.WorkspaceID, wishes []api.LinkWish) ([]api.LinkSeen, error) {
	out := make([]api.LinkSeen, len(wishes))
	err := b.each(ctx, w, wishes, func(ctx context.Context, group []*wished) {
		seen, err := b.look(ctx, w, group)
		for _, one := range group {
			if one.err = cmp.Or(one.err, err); one.err != nil {
				out[one.index].Err = knownOr(one.err)
				continue
			}
			out[one.index] = b.seen(seen, one)
		}
	}, func(index int, err error) { out[index].Err = err })
	return out, err
}

// knownOr is an error in the words of whoever has some for it.
func knownOr(err error) error {
	if known := knownError(err); known != nil {
		return known
	}
	return err
}

// each does the wishes of each customer together, several customers side by side. One
// whose license isn't there, and those that time ran out for, are told one by one.
func (b linksBook) each(ctx context.Context, w billing.WorkspaceID, wishes []api.LinkWish, do func(context.Context, []*wished), fail func(int, error)) error {
	in := b.p.store.In(w)
	today, _, err := b.p.dayIn(ctx, in)
	if err != nil {
		return err
	}
	groups := map[billing.CustomerID][]*wished{}
	var order []billing.CustomerID
	for i, wish := range wishes {
		license, err := in.ListedLicense(ctx, wish.License, today)
		switch {
		case errors.Is(err, store.ErrNotFound):
			fail(i, err)
			continue
		case err != nil:
			return err
		}
		id := license.Customer.ID
		if _, ok := groups[id]; !ok {
			order = append(order, id)
		}
		groups[id] = append(groups[id], &wished{LinkWish: wish, index: i, license: license})
	}
	soon, cancel := context.WithTimeout(ctx, manyWait)
	defer cancel()
	var g errgroup.Group
	g.SetLimit(manyAtOnce)
	for _, id := range order {
		g.Go(func() error {
			if soon.Err() != nil {
				for _, one := range groups[id] {
					fail(one.index, context.DeadlineExceeded)
				}
				return nil
			}
			do(soon, groups[id])
			return nil
		})
	}
	g.Wait() //nolint:errcheck // each tells its own
	return ctx.Err()
}

// look plans the customer of the wishes as they would have it. A wish that can't be has
// its error and is left out of the plan. The error is one of the whole customer.
func (b linksBook) look(ctx context.Context, w billing.WorkspaceID, group []*wished) (reconcile.Previewed, error) {
	f, err := b.p.flow()
	if err != nil {
		return reconcile.Previewed{}, err
	}
	in := b.p.store.In(w)
	customer := group[0].license.Customer.ID
	loaded, err := in.LoadCustomer(ctx, customer)
	if err != nil {
		return reconcile.Previewed{}, err
	}
	for _, one := range group {
		one.err = b.draw(&loaded, one)
	}
	unsplit(group)
	seen, err := f.Preview(ctx, reconcile.Due{Workspace: w, Customer: customer, Trigger: billing.OnDemand}, func(r *reconcile.Record) {
		for _, one := range group {
			if one.err == nil {
				r.Links = withLink(r.Links, one.link.Link)
			}
		}
	})
	if err != nil {
		return seen, err
	}
	if e := seen.Run.Error; e != nil && seen.Run.Status == billing.RunFailed {
		return seen, &api.Refusal{Status: 502, Code: e.Code, Detail: e.Message, Action: e.Action}
	}
	for _, one := range group {
		if one.err == nil {
			one.err = b.stands(seen.Snapshot, &loaded, one)
		}
	}
	return seen, nil
}

// withLink is the links with one more, or with another in the place of the same license's.
func withLink(links []billing.Link, l billing.Link) []billing.Link {
	out := slices.Clone(links)
	at := slices.IndexFunc(out, func(k billing.Link) bool { return k.License == l.License })
	if at < 0 {
		return append(out, l)
	}
	l.Ledgers, l.Journaled = out[at].Ledgers, out[at].Journaled
	out[at] = l
	return out
}

// draw makes the link of a wish, from what the store knows: one that stands is changed,
// one that was removed comes back, and a new one gets its key now, so that the serials of
// its lines, and with them the fingerprint, are those that will be written.
func (b linksBook) draw(loaded *store.Loaded, one *wished) error {
	ref := one.License
	var l billing.Link
	at := slices.IndexFunc(loaded.Links, func(k billing.Link) bool { return k.License == ref })
	if at >= 0 {
		l = loaded.Links[at]
	}
	was := l
	if at < 0 {
		l = billing.Link{Key: keyIn(one.Approve), License: ref}
	}
	l.Label = cmp.Or(l.Label, one.license.PartNumber, string(ref.SKU))
	if ref.Subscription != "" {
		l.Label = string(ref.Subscription)
	}
	l.Removed, l.Approved, l.DoNotBill = false, "", one.DoNotBill
	if err := wholeOrSplit(loaded.Links, ref); err != nil {
		return err
	}
	l.Options = loaded.Workspace.LinkDefaults
	one.Options(&l.Options)
	if one.DoNotBill != "" {
		if one.Profile != 0 || one.Agreement != 0 {
			return api.Faulty("doNotBill", "both", "Give a profile and an agreement, or a reason not to bill; one of the two.")
		}
		l.Profile, l.Agreement, l.Answer = 0, 0, billing.Answer{}
		one.link = store.Link{Link: l}
		return nil
	}
	if err := fits(loaded, was, one); err != nil {
		return err
	}
	l.Profile, l.Agreement = one.Profile, one.Agreement
	switch {
	case one.Answer != nil:
		l.Answer = *one.Answer
	case was.Profile != l.Profile || was.Agreement != l.Agreement || was.Removed:
		l.Answer = billing.Answer{}
	}
	one.link = store.Link{Link: l}
	return nil
}

// keyIn is the key that a preview gave a link which nobody saved; a new one for none.
func keyIn(fingerprint string) billing.LinkKey {
	if key, _, ok := strings.Cut(fingerprint, "."); ok && linkKey(key) {
		return billing.LinkKey(key)
	}
	return reconcile.NewKey()
}

func linkKey(text string) bool {
	return len(text) == 10 && strings.Trim(text, "abcdefghijklmnopqrstuvwxyz234567") == ""
}

// wholeOrSplit refuses a license that is linked in the other way.
func wholeOrSplit(links []billing.Link, ref billing.LicenseRef) error {
	for _, k := range links {
		other := k.License.Tenant == ref.Tenant && k.License.SKU == ref.SKU && (k.License.Subscription == "") != (ref.Subscription == "")
		if !other || k.Removed {
			continue
		}
		if ref.Subscription != "" {
			return refusal("linked_whole", "The license of this subscription is linked whole.", "Remove the license's own link first; its lines go on until every subscription is linked.")
		}
		return refusal("linked_by_subscription", "The license is linked by its subscriptions.", "Remove the links of its subscriptions first.")
	}
	return nil
}

// unsplit refuses the second of wishes that link one license whole and by subscription.
func unsplit(group []*wished) {
	var drawn []billing.Link
	for _, one := range group {
		if one.err == nil {
			one.err = wholeOrSplit(drawn, one.License)
			drawn = append(drawn, one.link.Link)
		}
	}
}

func refusal(code, detail, action string) error {
	return &api.Refusal{Status: 409, Code: code, Detail: detail, Action: action}
}

// fits checks what the store knows of a wish to bill.
func fits(loaded *store.Loaded, was billing.Link, one *wished) error {
	at := slices.IndexFunc(loaded.Profiles, func(p billing.Profile) bool { return p.ID == one.Profile })
	o := one.draft(loaded)
	switch {
	case one.Profile == 0:
		return api.Faulty("profile", "required", "Give a billing profile, or a reason not to bill.")
	case one.Agreement == 0:
		return api.Faulty("agreement", "required", "Give the agreement to bill it on.")
	case at < 0:
		return api.Faulty("profile", "unknown", "There is no such billing profile.")
	case loaded.Profiles[at].Retired && (was.Profile != one.Profile || was.Removed):
		return api.Faulty("profile", "retired", "This billing profile is retired. Choose another.")
	case o.Basis == billing.Assigned && one.License.Subscription != "":
		return api.Faulty("options.basis", "assigned_split", "Assigned seats can't be told apart by subscription. Count purchased ones.")
	case one.Answer != nil && one.Answer.Kind != billing.Alongside && len(one.Answer.Additions) != 1:
		return api.Faulty("answer.additions", "one", "It speaks of one line; name its id.")
	case one.Answer != nil && len(one.Answer.Additions) == 0:
		return api.Faulty("answer.additions", "required", "Name the lines that it speaks of.")
	}
	return nil
}

func (one *wished) draft(loaded *store.Loaded) billing.Options {
	o := loaded.Workspace.LinkDefaults
	one.Options(&o)
	return o
}

// stands checks what Manage says of a wish to bill: an active agreement of the company, of
// one of the profile's types. A link that stands there already may stay.
func (b linksBook) stands(s billing.Snapshot, loaded *store.Loaded, one *wished) error {
	if one.DoNotBill != "" {
		return nil
	}
	a, known := s.Agreements[one.Agreement]
	profile := s.Profiles[one.Profile]
	one.link.AgreementName = a.Name
	stood := slices.ContainsFunc(loaded.Links, func(k billing.Link) bool {
		return k.License == one.License && !k.Removed && k.Agreement == one.Agreement && k.Profile == one.Profile
	})
	switch {
	case stood:
		return nil
	case !known || a.Deleted || a.Company != s.Customer.Company:
		return api.Faulty("agreement", "unknown", "The customer's company has no such agreement.")
	case a.Status != billing.AgreementActive:
		return api.Faulty("agreement", "inactive", "This agreement is not active. Choose another, or make it active in Manage.")
	case a.OneTime:
		return api.Faulty("agreement", "one_time", "This is a one-time agreement; it takes no lines.")
	case !slices.Contains(profile.Types, a.Type):
		return api.Faulty("agreement", "type_not_allowed", "The billing profile may not be used with agreements of this type. Choose another, or add the type to the profile.")
	}
	return nil
}

// planOf is the plan of a link in a preview; nil when nothing would change.
func (b linksBook) planOf(seen reconcile.Previewed, key billing.LinkKey) *api.PlanState {
	at := slices.IndexFunc(seen.Plan.Decisions, func(d billing.Decision) bool { return slices.Contains(d.Links, key) })
	if at < 0 || !seen.Plan.Decisions[at].Writes() && !seen.Plan.Decisions[at].Held() {
		return nil
	}
	p := previewedPlan(seen, seen.Plan.Decisions[at], key)
	return &p
}

// previewedPlan is a decision of a preview as the API shows it, as one of its links.
func previewedPlan(seen reconcile.Previewed, d billing.Decision, key billing.LinkKey) api.PlanState {
	s := seen.Snapshot
	p := api.PlanState{
		Link: key, Customer: s.Customer, Fingerprint: d.Fingerprint, Holds: d.Holds, Changes: d.Changes, Since: s.Today, ApproveBy: d.ApproveBy,
		Types: map[billing.AgreementTypeID]string{},
	}
	at := slices.IndexFunc(s.Links, func(l billing.Link) bool { return l.Key == key })
	if at < 0 {
		return p
	}
	l := s.Links[at]
	p.License, p.Name, p.PartNumber = l.License, l.Label, l.Label
	for _, sku := range s.Evidence[l.License.Tenant].SKUs {
		if sku.ID == l.License.SKU {
			p.Name, p.PartNumber = cmp.Or(sku.Name, sku.PartNumber), sku.PartNumber
		}
	}
	p.Profile, p.ProfileName, p.Agreement, p.AgreementName = l.Profile, s.Profiles[l.Profile].Name, l.Agreement, s.Agreements[l.Agreement].Name
	if a, ok := s.Agreements[l.Agreement]; ok {
		p.Types[a.Type] = a.TypeName
	}
	if n := len(l.Ledgers); n > 0 {
		p.Billed = l.Ledgers[n-1].Due.Last()
	}
	return p
}
