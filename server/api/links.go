package api

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/govalues/decimal"

	"trueup/server/account"
	"trueup/server/billing"
)

// LinksBook is what the screen needs. D4: licenses, links, suggestions and rules.
type LinksBook interface {
	LicensesBook
	LinkBook
	ExplanationBook
	SuggestionsBook
	RulesBook
}

// LinkBook keeps links. Whatever it refuses is a *Refusal, and ErrNotFound is a license
// or link that isn't in the workspace.
type LinkBook interface {
	// Link is a link, removed or not.
	Link(ctx context.Context, w billing.WorkspaceID, key billing.LinkKey) (LinkInfo, error)
	// PreviewLinks says what each of the links would lead to, in their order, each by
	// itself or with those of its customer; nothing is written.
	PreviewLinks(ctx context.Context, w billing.WorkspaceID, wishes []LinkWish) ([]LinkSeen, error)
	// SaveLinks saves them, those of a customer in one transaction, which makes it due.
	// One that names the fingerprint of its preview counts as approved as shown, where
	// mayApprove says that who asks may approve and it is still the same.
	SaveLinks(ctx context.Context, by billing.Actor, mayApprove bool, w billing.WorkspaceID, wishes []LinkWish) ([]LinkSaved, error)
	// RemoveLink removes the link of a license and makes its customer due, which it names.
	RemoveLink(ctx context.Context, by billing.Actor, w billing.WorkspaceID, ref billing.LicenseRef) (billing.CustomerID, error)
}

// LinkInfo is a link with all that is remembered of its lines.
type LinkInfo struct {
	billing.Link

	AgreementName, ProfileName string
	Today                      billing.Day
}

// LinkWish is a link as a person wants it.
type LinkWish struct {
	License   billing.LicenseRef
	DoNotBill string
	Profile   billing.ProfileID
	Agreement billing.AgreementID
	// Options changes the workspace's defaults into what is wanted.
	Options func(*billing.Options)
	Answer  *billing.Answer // nil: none is given
	Approve string          // the fingerprint of the preview; "" for none
}

// LinkSeen is what a link would lead to, or why it can't be.
type LinkSeen struct {
	Err          error
	Fingerprint  string
	Plan         *PlanState // nil: nothing would change
	Steps        []billing.Reason
	Foreign      []billing.Addition // active lines of the product that are not ours
	Checks       []Check
	NeedApproval bool
}

// LinkSaved is a link as it was saved, or why it wasn't.
type LinkSaved struct {
	Err      error
	Link     LinkInfo
	Customer billing.CustomerID // which was made due
	Approved bool
	Moved    *PlanState // what would be written now, when it isn't what was shown
}

type linksScreen struct {
	book LinksBook
	now  func() time.Time
}

// wish reads a link to save; what is left out of its options is the workspace's default.
func wish(license LicenseID, in LinkInput) (LinkWish, error) {
	w := LinkWish{
		License: licenseIn(license), DoNotBill: in.DoNotBill, Profile: billing.ProfileID(in.Profile), Agreement: billing.AgreementID(in.Agreement),
		Approve: in.Approve,
	}
	o := in.Options
	start := cmp.Or(o.StartDate, new(Day))
	day, err := dayIn("options.startDate", *start)
	if err != nil {
		return w, err
	}
	w.Options = func(to *billing.Options) {
		given(&to.Users, (*billing.NameForm)(o.Users))
		given(&to.Basis, (*billing.Basis)(o.Basis))
		given(&to.Description, o.Description)
		given(&to.ShowUnassigned, o.ShowUnassigned)
		given(&to.Included, o.Included)
		given(&to.Minimum, o.Minimum)
		given(&to.AllowCredit, o.AllowNegativeProrate)
		given(&to.BillGrace, o.BillGrace)
		to.StartDate = day
		if o.BillTrials != nil {
			to.BillTrials = billing.FlagOf(*o.BillTrials)
		}
	}
	if a := in.Answer; a.Kind != "" {
		w.Answer = &billing.Answer{
			Kind: billing.AnswerKind(a.Kind), WithoutProration: a.WithoutProration,
			Additions: each(a.Additions, func(id int) billing.AdditionID { return billing.AdditionID(id) }),
		}
	}
	return w, nil
}

// given sets what was given.
func given[T any](to, value *T) {
	if value != nil {
		*to = *value
	}
}

// PreviewLink shows the exact additions and money that a link would lead to.
func (s linksScreen) PreviewLink(ctx context.Context, r PreviewLinkRequestObject) (PreviewLinkResponseObject, error) {
	want, err := wish(r.License, *r.Body)
	if err != nil {
		return nil, err
	}
	seen, err := s.book.PreviewLinks(ctx, workspaceOf(ctx), []LinkWish{want})
	if err == nil {
		err = seen[0].Err
	}
	if err != nil {
		return nil, err
	}
	out, err := seenOf(ctx, seen[0])
	return PreviewLink200JSONResponse(out), err
}

func seenOf(ctx context.Context, s LinkSeen) (LinkPreview, error) {
	out := LinkPreview{
		Fingerprint: s.Fingerprint, Money: []Money{}, Descriptions: []string{}, NeedsApproval: s.NeedApproval,
		MayApprove: principal(ctx).May(account.Billing), Steps: each(s.Steps, reasonOf),
		Foreign: each(s.Foreign, func(a billing.Addition) Addition { return additionOf(&a) }), Checks: list(s.Checks),
	}
	if s.Plan == nil {
		return out, nil
	}
	var err error
	if out.Money, err = sumOf(moneyIn(s.Plan.Changes)); err != nil {
		return out, err
	}
	for _, c := range s.Plan.Changes {
		if c.After != nil && c.After.Description != "" && (c.Before == nil || c.Before.Description != c.After.Description) {
			out.Descriptions = append(out.Descriptions, c.After.Description)
		}
	}
	out.Plan, err = planOf(*s.Plan)
	return out, err
}

func reasonOf(r billing.Reason) Reason { return Reason{Code: r.Code, Text: billing.Sentence(r)} }

// SaveLink saves a link; its customer is synced next.
func (s linksScreen) SaveLink(ctx context.Context, r SaveLinkRequestObject) (SaveLinkResponseObject, error) {
	want, err := wish(r.License, *r.Body)
	if err != nil {
		return nil, err
	}
	saved, err := s.book.SaveLinks(ctx, actor(ctx), principal(ctx).May(account.Billing), workspaceOf(ctx), []LinkWish{want})
	if err == nil {
		err = saved[0].Err
	}
	if err != nil {
		return nil, err
	}
	one := saved[0]
	out := SavedLink{Sync: syncOf([]billing.CustomerID{one.Customer}), Approved: one.Approved}
	if out.Link, err = linkOf(one.Link); err == nil && one.Moved != nil {
		out.Moved, err = planOf(*one.Moved)
	}
	return SaveLink200JSONResponse(out), err
}

// RemoveLink removes a link; its lines end as the rules say.
func (s linksScreen) RemoveLink(ctx context.Context, r RemoveLinkRequestObject) (RemoveLinkResponseObject, error) {
	customer, err := s.book.RemoveLink(ctx, actor(ctx), workspaceOf(ctx), licenseIn(r.License))
	if err != nil {
		return nil, err
	}
	return RemoveLink200JSONResponse(syncOf([]billing.CustomerID{customer})), nil
}

// GetLink answers with a link.
func (s linksScreen) GetLink(ctx context.Context, r GetLinkRequestObject) (GetLinkResponseObject, error) {
	l, err := s.book.Link(ctx, workspaceOf(ctx), billing.LinkKey(r.Link))
	if err != nil {
		return nil, err
	}
	out, err := linkOf(l)
	return GetLink200JSONResponse{Body: out, Headers: GetLink200ResponseHeaders{ETag: quoted(out.Version)}}, err
}

// linkOf is a link as the document calls it.
func linkOf(l LinkInfo) (Link, error) {
	o := l.Options
	out := Link{
		Key: string(l.Key), License: licenseID(l.License), DoNotBill: l.DoNotBill, Lines: []Addition{}, Billed: l.billed(),
		Options: LinkOptions{
			Users: UsersForm(cmp.Or(o.Users, billing.UsersNone)), Description: o.Description, ShowUnassigned: o.ShowUnassigned,
			Basis: Basis(cmp.Or(o.Basis, billing.Purchased)), Included: o.Included, Minimum: o.Minimum, StartDate: firstDay(o.StartDate),
			AllowNegativeProrate: o.AllowCredit, BillGrace: o.BillGrace,
		},
	}
	if o.BillTrials != billing.Unset {
		bill := o.BillTrials == billing.On
		out.Options.BillTrials = &bill
	}
	if l.DoNotBill == "" && l.Profile != 0 {
		out.Profile = ProfileRef{ID: int(l.Profile), Name: l.ProfileName}
		out.Agreement = AgreementRef{ID: int(l.Agreement), Name: l.AgreementName}
	}
	if a := l.Answer; a.Kind != "" {
		out.Answer = LinkAnswer{
			Kind: LinkAnswerKind(a.Kind), WithoutProration: a.WithoutProration,
			Additions: each(a.Additions, func(id billing.AdditionID) int { return int(id) }),
		}
	}
	for _, line := range l.lines() {
		out.Lines = append(out.Lines, additionOf(&line))
	}
	var err error
	out.Version, err = versionOf(out)
	return out, err
}

// billed are the seats that are due today, as last written.
func (l LinkInfo) billed() int {
	n := 0
	for _, g := range l.Ledgers {
		n += g.Due.At(l.Today)
	}
	return n
}

// lines are ours that can still be charged, as we left them.
func (l LinkInfo) lines() []billing.Addition {
	var out []billing.Addition
	for _, g := range l.Ledgers {
		for _, line := range g.Lines {
			if !line.Quantity.IsZero() && (line.Cancelled > g.Through || line.MadeAt >= g.Through) {
				out = append(out, line.Addition)
			}
		}
	}
	return out
}

// price is what the newest standing line costs a seat and cycle, and the cycle's months.
func (l LinkInfo) price() (price billing.Price, cycle int) {
	cycle = 1
	for _, g := range l.Ledgers {
		for _, line := range g.Lines {
			if billing.RoleOf(line.Addition) == billing.Standing && line.Bill == billing.Billable && line.UnitPrice.Set {
				price, cycle = line.UnitPrice, max(1, int(g.Terms.Cycle))
			}
		}
	}
	return price, cycle
}

// charged are the seats of open lines.
func (l LinkInfo) charged() int {
	n := 0
	for _, line := range l.lines() {
		if line.Cancelled >= billing.Forever && line.Bill == billing.Billable {
			q, _, _ := line.Quantity.Int64(0)
			n += int(q)
		}
	}
	return n
}

// amountOf is what seats come to a month, to the cent.
func amountOf(currency string, price billing.Price, seats, cycle int) (Amount, error) {
	n, err := decimal.New(int64(seats), 0)
	if err == nil {
		n, err = n.Mul(price.Amount)
	}
	if err == nil {
		n, err = n.Quo(decimal.MustNew(int64(cycle), 0))
	}
	if err != nil {
		return Amount{}, fmt.Errorf("work out %d seats a month: %w", seats, err)
	}
	return Amount{Currency: currency, Amount: n.Round(2).String()}, nil
}
