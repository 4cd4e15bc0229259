package api

import (
	"context"
	"time"

	"trueup/server/billing"
)

// LicensesBook knows the licenses of a workspace's customers.
type LicensesBook interface {
	// Licenses lists them; next is nil after the last page.
	Licenses(ctx context.Context, w billing.WorkspaceID, q LicenseQuery) (page []LicenseInfo, total int, next *LicensePlace, err error)
	// License is one of them; ErrNotFound.
	License(ctx context.Context, w billing.WorkspaceID, ref billing.LicenseRef) (LicenseInfo, error)
	// Holders are who held it on a day (zero: today); known is false for a day before the
	// first read. ErrNotFound.
	Holders(ctx context.Context, w billing.WorkspaceID, ref billing.LicenseRef, day billing.Day) (on billing.Day, known bool, holders []billing.Holder, err error)
	// Trends are its months, oldest first. ErrNotFound.
	Trends(ctx context.Context, w billing.WorkspaceID, ref billing.LicenseRef, months int) ([]MonthState, error)
}

// LicenseQuery narrows and orders a list; zero fields don't narrow.
type LicenseQuery struct {
	Text       string
	Customer   billing.CustomerID
	Company    billing.CompanyID
	Tenant     billing.TenantID
	Agreement  billing.AgreementID
	Profile    billing.ProfileID
	SKU        billing.SKUID
	States     []LicenseState
	Only, Sort string
	Limit      int // 0: no bound
	After      *LicensePlace
}

// LicensePlace is where a license stands in the order of a list.
type LicensePlace struct{ Number, First, Second, ID string }

// LicenseInfo is a license of a customer as last seen, with its link and what waits.
type LicenseInfo struct {
	Customer                           billing.Customer // without its tenants
	Ref                                billing.LicenseRef
	PartNumber, Name                   string
	CompanyWide                        bool
	Purchased, Assigned, Unused, Grace int
	Renewal                            time.Time
	Term                               string
	FirstSeen, LastSeen, GoneOn        billing.Day
	State                              LicenseState
	Rule                               string // the rule that covers it
	Link                               *LinkInfo
	Plan                               *PlanState
	Parts                              []PartInfo    // its subscriptions
	Catalog                            billing.Price // where the line has another price
	Currency                           string
	Today                              billing.Day
}

// PartInfo is a subscription of a license.
type PartInfo struct {
	Ref          billing.LicenseRef
	Seats        int
	Status       string
	Trial        bool
	Term         string
	TermGuessed  bool
	BillingCycle string
	Renewal      time.Time
	Link         billing.LinkKey
}

// MonthState is a license at the end of a month, or now in the running one.
type MonthState struct {
	Month                       string // 2026-03
	Purchased, Assigned, Billed int
	Unused                      int
	Price                       billing.Price // of a seat a month
	Currency                    string
	Bills                       bool
}

// ListLicenses lists licenses with their links and what waits of them.
func (s linksScreen) ListLicenses(ctx context.Context, r ListLicensesRequestObject) (ListLicensesResponseObject, error) {
	p := r.Params
	q := LicenseQuery{
		Text: p.Q, Customer: billing.CustomerID(p.Customer), Company: billing.CompanyID(p.Company), Tenant: billing.TenantID(p.Tenant),
		Agreement: billing.AgreementID(p.Agreement), Profile: billing.ProfileID(p.Profile), SKU: billing.SKUID(p.SKU), States: p.State,
		Only: string(p.Only), Sort: string(p.Sort), Limit: limitOf(p.Limit, 100),
	}
	if p.Cursor != "" {
		q.After = &LicensePlace{}
		if err := readCursor(p.Cursor, q.After); err != nil {
			return nil, err
		}
	}
	found, total, next, err := s.book.Licenses(ctx, workspaceOf(ctx), q)
	if err != nil {
		return nil, err
	}
	page := LicensePage{Items: make([]License, len(found)), Total: total}
	for i, l := range found {
		if page.Items[i], err = licenseOf(l); err != nil {
			return nil, err
		}
	}
	if next != nil {
		if page.Next, err = cursorOf(next); err != nil {
			return nil, err
		}
	}
	return ListLicenses200JSONResponse(page), nil
}

// ExportLicenses is the same list whole.
func (s linksScreen) ExportLicenses(ctx context.Context, r ExportLicensesRequestObject) (ExportLicensesResponseObject, error) {
	p := r.Params
	found, _, _, err := s.book.Licenses(ctx, workspaceOf(ctx), LicenseQuery{
		Text: p.Q, Customer: billing.CustomerID(p.Customer), Company: billing.CompanyID(p.Company), Tenant: billing.TenantID(p.Tenant),
		Agreement: billing.AgreementID(p.Agreement), Profile: billing.ProfileID(p.Profile), SKU: billing.SKUID(p.SKU), States: p.State,
		Only: string(p.Only), Sort: string(p.Sort),
	})
	if err != nil {
		return nil, err
	}
	out := newSheet("customer", "license", "part number", "SKU", "subscription", "state", "purchased", "assigned", "unused", "billed", "profile",
		"agreement", "not billed because", "unit price", "currency", "per month", "unused per month", "renewal", "term")
	for _, f := range found {
		l, err := licenseOf(f)
		if err != nil {
			return nil, err
		}
		renewal := csvDay("")
		if !l.Renewal.IsZero() {
			renewal = csvDay(l.Renewal.Format(time.DateOnly))
		}
		out.row(l.Customer.Name, l.Name, l.PartNumber, l.SKU, l.Subscription, string(l.State), l.Purchased, l.Assigned, l.Unused, l.Billed,
			l.Link.Profile.Name, l.Link.Agreement.Name, l.Link.DoNotBill, csvNumber(l.UnitPrice), l.Monthly.Currency, csvNumber(l.Monthly.Amount),
			csvNumber(l.UnusedMonthly.Amount), renewal, l.Term)
	}
	body, length, err := out.body()
	if err != nil {
		return nil, err
	}
	return ExportLicenses200TextCsvResponse{Body: body, ContentLength: length}, nil
}

// GetLicense answers with a license.
func (s linksScreen) GetLicense(ctx context.Context, r GetLicenseRequestObject) (GetLicenseResponseObject, error) {
	l, err := s.book.License(ctx, workspaceOf(ctx), licenseIn(r.License))
	if err != nil {
		return nil, err
	}
	out, err := licenseOf(l)
	return GetLicense200JSONResponse(out), err
}

// licenseOf is a license as the document calls it. A month's money is that of the lines
// as we left them.
func licenseOf(l LicenseInfo) (License, error) {
	out := License{
		ID: licenseID(l.Ref), Customer: customerRef(l.Customer), Tenant: string(l.Ref.Tenant), SKU: string(l.Ref.SKU),
		Subscription: string(l.Ref.Subscription), PartNumber: l.PartNumber, Name: l.Name, CompanyWide: l.CompanyWide,
		Purchased: l.Purchased, Assigned: l.Assigned, Unused: l.Unused, Grace: l.Grace, Subscriptions: each(l.Parts, partOf),
		Renewal: l.Renewal, Term: l.Term, FirstSeen: firstDay(l.FirstSeen), LastSeen: firstDay(l.LastSeen), GoneOn: firstDay(l.GoneOn),
		State: l.State, Rule: l.Rule, PriceDiffers: priceOf(l.Catalog),
	}
	if l.Link != nil {
		var err error
		if out.Link, err = linkOf(*l.Link); err != nil {
			return out, err
		}
		price, cycle := l.Link.price()
		out.Billed, out.UnitPrice = out.Link.Billed, priceOf(price)
		if price.Set {
			if out.Monthly, err = amountOf(l.Currency, price, l.Link.charged(), cycle); err != nil {
				return out, err
			}
			if out.UnusedMonthly, err = amountOf(l.Currency, price, l.Unused, cycle); err != nil {
				return out, err
			}
		}
	}
	if l.Plan != nil {
		var err error
		if out.Plan, err = planOf(*l.Plan); err != nil {
			return out, err
		}
	}
	return out, nil
}

// firstDay is a day, and nothing for none.
func firstDay(d billing.Day) Day {
	if d.IsZero() {
		return ""
	}
	return dayOf(d)
}

func partOf(p PartInfo) Subscription {
	return Subscription{
		ID: string(p.Ref.Subscription), License: licenseID(p.Ref), Seats: p.Seats, Status: p.Status, Trial: p.Trial, Term: p.Term,
		TermGuessed: p.TermGuessed, BillingCycle: p.BillingCycle, Renewal: p.Renewal, Link: string(p.Link),
	}
}

// ListHolders lists who held a license on a day.
func (s linksScreen) ListHolders(ctx context.Context, r ListHoldersRequestObject) (ListHoldersResponseObject, error) {
	day, err := dayIn("day", r.Params.Day)
	if err != nil {
		return nil, err
	}
	on, known, holders, err := s.book.Holders(ctx, workspaceOf(ctx), licenseIn(r.License), day)
	if err != nil {
		return nil, err
	}
	return ListHolders200JSONResponse{Day: dayOf(on), Known: known, Holders: each(holders, func(h billing.Holder) Holder {
		return Holder{ID: h.ID, Name: h.Name, UPN: h.UPN, Enabled: h.Enabled}
	})}, nil
}

// GetLicenseTrends answers with the months of a license.
func (s linksScreen) GetLicenseTrends(ctx context.Context, r GetLicenseTrendsRequestObject) (GetLicenseTrendsResponseObject, error) {
	months, err := s.book.Trends(ctx, workspaceOf(ctx), licenseIn(r.License), limitOf(r.Params.Months, 12))
	if err != nil {
		return nil, err
	}
	out := Trends{Points: make([]TrendPoint, len(months))}
	for i, m := range months {
		p := TrendPoint{Month: m.Month, Purchased: m.Purchased, Assigned: m.Assigned, BilledSeats: m.Billed, Billed: []Amount{}, Unused: []Amount{}}
		if m.Price.Set && m.Bills {
			billed, err := amountOf(m.Currency, m.Price, m.Billed, 1)
			if err != nil {
				return nil, err
			}
			unused, err := amountOf(m.Currency, m.Price, m.Unused, 1)
			if err != nil {
				return nil, err
			}
			p.Billed, p.Unused = append(p.Billed, billed), append(p.Unused, unused)
		}
		out.Points[i] = p
	}
	return GetLicenseTrends200JSONResponse(out), nil
}
