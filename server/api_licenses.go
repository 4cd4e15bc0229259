package main

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/govalues/decimal"

	"trueup/server/api"
	"trueup/server/billing"
	"trueup/server/connectwise"
	"trueup/server/store"
	"trueup/server/upstream"
)

// linksBook keeps licenses, links and rules in the store, and previews them with the flow.
type linksBook struct {
	p       *product
	catalog *catalog
}

func newLinksBook(p *product) linksBook {
	return linksBook{p, &catalog{p: p, of: map[billing.WorkspaceID]pricesRead{}}}
}

// catalog keeps the catalog prices of the products that a workspace's profiles bill, for
// lists that show where a line has another.
type catalog struct {
	p  *product
	mu sync.Mutex
	of map[billing.WorkspaceID]pricesRead
}

type pricesRead struct {
	prices map[billing.ProductID]decimal.Decimal
	at     time.Time
}

// catalogWait is how long a list waits for Manage; without prices it is shown without.
const catalogWait = 2 * time.Second

// prices are a workspace's. While somebody else reads them, or Manage can't be asked, they
// are those of before.
func (c *catalog) prices(ctx context.Context, w billing.WorkspaceID, set *store.Settings) map[billing.ProductID]decimal.Decimal {
	if !c.mu.TryLock() {
		return nil
	}
	defer c.mu.Unlock()
	kept := c.of[w]
	if c.p.now().Sub(kept.at) < sharedFor {
		return kept.prices
	}
	ctx, cancel := context.WithTimeout(upstream.WithOnDemand(ctx), catalogWait)
	defer cancel()
	var ids []billing.ProductID
	for _, p := range set.Profiles {
		if !p.Price.Set && !p.Retired {
			ids = append(ids, p.Product)
		}
	}
	slices.Sort(ids)
	read := pricesRead{map[billing.ProductID]decimal.Decimal{}, c.p.now()}
	m, err := c.p.rooms.manage(ctx, w)
	if err == nil && len(ids) > 0 {
		var products []billing.Product
		products, err = m.Client.ProductList(ctx, connectwise.ProductQuery{IDs: slices.Compact(ids)})
		for _, p := range products {
			read.prices[p.ID] = p.Price
		}
	}
	if err != nil {
		read.prices = kept.prices // and not asked again for as long
	}
	c.of[w] = read
	return read.prices
}

// Licenses lists licenses with their links and what waits: four statements, however many.
func (b linksBook) Licenses(ctx context.Context, w billing.WorkspaceID, q api.LicenseQuery) ([]api.LicenseInfo, int, *api.LicensePlace, error) {
	in := b.p.store.In(w)
	today, set, err := b.p.dayIn(ctx, in)
	if err != nil {
		return nil, 0, nil, err
	}
	f, err := filterOf(q)
	if err != nil {
		return nil, 0, nil, err
	}
	f.Today, f.Prices = today, b.catalog.prices(ctx, w, set)
	if q.Limit > 0 {
		f.Limit = q.Limit + 1
	}
	rows, err := in.ListLicenses(ctx, f)
	if err != nil {
		return nil, 0, nil, err
	}
	var next *api.LicensePlace
	if q.Limit > 0 && len(rows) > q.Limit {
		rows = rows[:q.Limit]
		at := rows[q.Limit-1].Place
		next = &api.LicensePlace{Number: at.Number.String(), First: at.First, Second: at.Second, ID: at.ID}
	}
	total := 0
	if len(rows) > 0 {
		total = rows[0].Total
	}
	out, err := b.whole(ctx, in, rows, today, set, f.Prices)
	return out, total, next, err
}

func filterOf(q api.LicenseQuery) (store.LicenseFilter, error) {
	f := store.LicenseFilter{
		Text: q.Text, Customer: q.Customer, Company: q.Company, Tenant: q.Tenant, Agreement: q.Agreement, Profile: q.Profile, SKU: q.SKU,
		Only: q.Only, Sort: q.Sort,
	}
	for _, s := range q.States {
		f.States = append(f.States, string(s))
	}
	if a := q.After; a != nil {
		n, err := decimal.Parse(a.Number)
		if err != nil {
			return f, api.Faulty("cursor", "wrong_form", "It isn't one that a page before gave. Begin again without it.")
		}
		f.After = &store.LicensePlace{Number: n, First: a.First, Second: a.Second, ID: a.ID}
	}
	return f, nil
}

// License is one license, whole or a subscription.
func (b linksBook) License(ctx context.Context, w billing.WorkspaceID, ref billing.LicenseRef) (api.LicenseInfo, error) {
	in := b.p.store.In(w)
	today, set, err := b.p.dayIn(ctx, in)
	if err != nil {
		return api.LicenseInfo{}, err
	}
	row, err := in.ListedLicense(ctx, ref, today)
	if err != nil {
		return api.LicenseInfo{}, err
	}
	out, err := b.whole(ctx, in, []store.Listed{row}, today, set, b.catalog.prices(ctx, w, set))
	if err != nil {
		return api.LicenseInfo{}, err
	}
	return out[0], nil
}

// whole gives licenses their links and plans.
func (b linksBook) whole(ctx context.Context, in *store.Scope, rows []store.Listed, today billing.Day, set *store.Settings, prices map[billing.ProductID]decimal.Decimal) ([]api.LicenseInfo, error) {
	var keys, waiting []billing.LinkKey
	for _, r := range rows {
		if r.Key != "" {
			keys = append(keys, r.Key)
		}
		if r.Waits != "" {
			waiting = append(waiting, r.Waits)
		}
	}
	links, err := in.LinkStates(ctx, keys...)
	if err != nil {
		return nil, err
	}
	open, err := in.OpenPlansOf(ctx, waiting...)
	if err != nil {
		return nil, err
	}
	plans, err := planStates(ctx, in, open, today)
	if err != nil {
		return nil, err
	}
	of := make(map[billing.LinkKey]*api.PlanState, len(plans))
	for i := range plans {
		of[plans[i].Link] = &plans[i]
	}
	out := make([]api.LicenseInfo, len(rows))
	for i, r := range rows {
		out[i] = licenseInfo(r, today, set)
		out[i].Plan = of[r.Waits]
		if l, ok := links[r.Key]; ok {
			out[i].Link = linkInfo(l, today)
			out[i].Catalog = differing(l, prices)
		}
	}
	return out, nil
}

func licenseInfo(r store.Listed, today billing.Day, set *store.Settings) api.LicenseInfo {
	l := api.LicenseInfo{
		Customer: r.Customer, Ref: r.Ref, PartNumber: r.PartNumber, Name: cmp.Or(r.Name, r.PartNumber, string(r.Ref.SKU)), CompanyWide: r.CompanyWide,
		Purchased: r.Purchased, Assigned: r.Consumed, Unused: r.Unused, Grace: r.Warning, FirstSeen: r.FirstSeen, LastSeen: r.LastSeen,
		GoneOn: r.GoneOn, State: api.LicenseState(r.State), Rule: r.Rule, Currency: set.Workspace.Currency, Today: today,
	}
	parts := r.Parts
	if r.Ref.Subscription != "" {
		own := r.License
		own.Linked = r.Key
		parts = []store.License{own}
	}
	for _, p := range parts {
		l.Parts = append(l.Parts, api.PartInfo{
			Ref: p.Ref, Seats: p.Seats, Status: string(p.Status), Trial: p.Trial, Term: cmp.Or(p.Term, p.TermGuess),
			TermGuessed: p.Term == "" && p.TermGuess != "", BillingCycle: p.BillingCycle, Renewal: p.Renewal, Link: p.Linked,
		})
		if l.Renewal.IsZero() || !p.Renewal.IsZero() && p.Renewal.Before(l.Renewal) {
			l.Renewal = p.Renewal
		}
		l.Term = cmp.Or(l.Term, p.Term)
	}
	return l
}

func linkInfo(l store.LinkState, today billing.Day) *api.LinkInfo {
	return &api.LinkInfo{Link: l.Link.Link, AgreementName: l.AgreementName, ProfileName: l.ProfileName, Today: today}
}

// differing is the catalog's price where the link's open line has another, and its profile
// has none of its own.
func differing(l store.LinkState, prices map[billing.ProductID]decimal.Decimal) billing.Price {
	price, known := prices[l.Product]
	g, ok := l.Current()
	if !known || !ok || l.CustomPrice || g.Ended {
		return billing.Price{}
	}
	for _, line := range g.Lines {
		if line.Cancelled >= billing.Forever && line.UnitPrice.Set && line.UnitPrice.Amount.Cmp(price) != 0 {
			return billing.PriceOf(price)
		}
	}
	return billing.Price{}
}

// Holders are who held a license on a day, as the reads of the tenant show it.
func (b linksBook) Holders(ctx context.Context, w billing.WorkspaceID, ref billing.LicenseRef, day billing.Day) (billing.Day, bool, []billing.Holder, error) {
	in := b.p.store.In(w)
	today, _, err := b.p.dayIn(ctx, in)
	if err != nil {
		return 0, false, nil, err
	}
	if _, err := in.ListedLicense(ctx, ref, today); err != nil {
		return 0, false, nil, err
	}
	if day.IsZero() {
		day = today
	}
	known, err := b.knownOn(ctx, in, ref.Tenant, day)
	if err != nil || !known {
		return day, false, nil, err
	}
	holders, err := in.HoldersOn(ctx, ref.Tenant, ref.SKU, day)
	return day, true, holders, err
}

// knownOn says whether a tenant was read on a day or before it.
func (b linksBook) knownOn(ctx context.Context, in *store.Scope, tenant billing.TenantID, day billing.Day) (bool, error) {
	set, err := in.Settings(ctx)
	if err != nil {
		return false, err
	}
	first, err := in.FirstRead(ctx, tenant)
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	zone, err := time.LoadLocation(set.Workspace.Zone)
	if err != nil {
		return false, err
	}
	return day >= billing.DayOf(first.In(zone)), nil
}

// Link is a link, removed or not.
func (b linksBook) Link(ctx context.Context, w billing.WorkspaceID, key billing.LinkKey) (api.LinkInfo, error) {
	in := b.p.store.In(w)
	today, _, err := b.p.dayIn(ctx, in)
	if err != nil {
		return api.LinkInfo{}, err
	}
	states, err := in.LinkStates(ctx, key)
	if err != nil {
		return api.LinkInfo{}, err
	}
	l, ok := states[key]
	if !ok {
		return api.LinkInfo{}, store.ErrNotFound
	}
	return *linkInfo(l, today), nil
}
