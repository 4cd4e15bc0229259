package main

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"trueup/server/api"
	"trueup/server/billing"
	"trueup/server/reconcile"
	"trueup/server/store"
)

// seen is what a wish would lead to.
func (b linksBook) seen(seen reconcile.Previewed, one *wished) api.LinkSeen {
	key := one.link.Key
	out := api.LinkSeen{Plan: b.planOf(seen, key), Foreign: foreign(seen.Snapshot, one.link.Link), Checks: checksOf(seen.Snapshot, one.link.Link)}
	out.Fingerprint = fingerprintOf(out.Plan, one)
	if out.Plan != nil {
		out.NeedApproval = len(out.Plan.Holds) > 0 && api.Approvable(*out.Plan)
	}
	if at := slices.IndexFunc(seen.Plan.Links, func(l billing.LinkPlan) bool { return l.Key == key }); at >= 0 {
		out.Steps = seen.Plan.Links[at].Explain(seen.Snapshot.Today)
	}
	return out
}

// fingerprintOf names what a preview showed. That of a link which nobody saved has its key
// in front, because the serials of its lines are made of it.
func fingerprintOf(p *api.PlanState, one *wished) string {
	text := "nothing"
	if p != nil {
		text = p.Fingerprint
	}
	if one.license.Key == "" && one.license.Waits == "" {
		return string(one.link.Key) + "." + text
	}
	return text
}

// foreign are active lines of the link's product on its agreement that aren't ours.
func foreign(s billing.Snapshot, l billing.Link) []billing.Addition {
	if l.DoNotBill != "" {
		return nil
	}
	var out []billing.Addition
	for _, a := range s.Additions[l.Agreement] {
		_, ours := billing.ParseSerial(a.Serial)
		known := slices.ContainsFunc(l.Ledgers, func(g billing.Ledger) bool {
			return slices.ContainsFunc(g.Lines, func(line billing.Line) bool { return line.ID == a.ID })
		})
		if !ours && !known && a.Product == s.Profiles[l.Profile].Product && a.Cancelled >= s.Today && !a.Quantity.IsZero() {
			out = append(out, a)
		}
	}
	return out
}

// checksOf is what a person should know of the agreement and the product.
func checksOf(s billing.Snapshot, l billing.Link) []api.Check {
	a, ok := s.Agreements[l.Agreement]
	if l.DoNotBill != "" || !ok {
		return nil
	}
	var parent *billing.Agreement
	if up, ok := s.Agreements[a.Parent]; ok {
		parent = &up
	}
	terms, code := billing.TermsOf(a, parent, s.Workspace.Arrears[a.Type])
	out := []api.Check{{Code: "proration", Name: "Proration", Ok: terms.Prorate}}
	if !terms.Prorate {
		out[0].Text = "Prorate is off on this agreement: increases bill from the next period."
		out[0].Action = "Switch prorate on in Manage, if increases are to be billed from their day."
	}
	if code != "" {
		out = append(out, api.Check{Code: api.Code(code), Name: "Billing", Needed: true, Text: "The agreement can't be billed by as it is.", Action: billing.ActionFor(code)})
	}
	if terms.End < billing.Forever {
		out = append(out, api.Check{
			Code: "agreement_ends", Name: "End", Ok: terms.End > s.Today+60, Text: "The agreement ends on " + terms.End.String() + ".",
			Action: "Make the agreement that follows it, and move the link there in time.",
		})
	}
	if product, ok := s.Products[s.Profiles[l.Profile].Product]; ok && product.Inactive {
		out = append(out, api.Check{
			Code: api.Code(billing.ProductInactive), Name: "Product", Needed: true, Text: "The product " + product.Identifier + " is inactive.",
			Action: billing.ActionFor(billing.ProductInactive),
		})
	}
	return out
}

// SaveLinks saves the links of each customer in one transaction. Before it, everything is
// read as for the preview: the agreement must be one that can take it, and what was
// approved must still be what would be written.
func (b linksBook) SaveLinks(ctx context.Context, by billing.Actor, mayApprove bool, w billing.WorkspaceID, wishes []api.LinkWish) ([]api.LinkSaved, error) {
	out := make([]api.LinkSaved, len(wishes))
	err := b.each(ctx, w, wishes, func(ctx context.Context, group []*wished) {
		seen, err := b.look(ctx, w, group)
		var kept []*wished
		for _, one := range group {
			if one.err = cmp.Or(one.err, err); one.err != nil {
				out[one.index].Err = knownOr(one.err)
				continue
			}
			kept = append(kept, one)
			out[one.index] = b.judge(seen, one, mayApprove)
		}
		if len(kept) == 0 {
			return
		}
		if err := b.keep(ctx, by, w, kept, out); err != nil {
			for _, one := range kept {
				out[one.index] = api.LinkSaved{Err: err}
			}
		}
	}, func(index int, err error) { out[index].Err = err })
	return out, err
}

// judge says whether a link counts as approved as it was shown.
func (b linksBook) judge(seen reconcile.Previewed, one *wished, mayApprove bool) api.LinkSaved {
	s := api.LinkSaved{Customer: one.license.Customer.ID}
	if one.Approve == "" {
		return s
	}
	plan := b.planOf(seen, one.link.Key)
	if fingerprintOf(plan, one) != one.Approve {
		s.Moved = plan
		return s
	}
	if mayApprove {
		s.Approved = true
		if plan != nil {
			one.link.Approved = plan.Fingerprint
		}
	}
	return s
}

// keep saves links of one customer with who did it, and makes it due.
func (b linksBook) keep(ctx context.Context, by billing.Actor, w billing.WorkspaceID, kept []*wished, out []api.LinkSaved) error {
	customer := kept[0].license.Customer.ID
	slices.SortFunc(kept, func(a, b *wished) int { return cmp.Compare(a.link.Key, b.link.Key) })
	err := b.p.store.InTx(ctx, func(tx *store.Tx) error {
		in := tx.In(w)
		if err := in.Lock(ctx); err != nil { // whole or split is for one person at a time
			return err
		}
		today, _, err := b.p.dayIn(ctx, in)
		if err != nil {
			return err
		}
		loaded, err := in.LoadCustomer(ctx, customer)
		if err != nil {
			return err
		}
		for _, one := range kept {
			if err := wholeOrSplit(loaded.Links, one.License); err != nil { // somebody else was faster
				return err
			}
			was, err := in.LinkStates(ctx, one.license.Key)
			if err != nil {
				return err
			}
			key, err := in.SaveLink(ctx, customer, one.link)
			if err != nil {
				return err
			}
			now, err := in.LinkStates(ctx, key)
			if err != nil {
				return err
			}
			out[one.index].Link = *linkInfo(now[key], today)
			e := linkNoted(by, one, was[one.license.Key], now[key])
			if out[one.index].Approved {
				e.After["approved"] = one.Approve
			}
			if err := in.Audit(ctx, e); err != nil {
				return err
			}
		}
		return in.MarkDue(ctx, []billing.CustomerID{customer}, billing.OnDemand, time.Time{})
	})
	if errors.Is(err, store.ErrConflict) {
		if _, told := errors.AsType[*api.Refusal](err); !told {
			return &api.Refusal{
				Status: http.StatusConflict, Code: "preview_used", Detail: "The link can't be saved from that preview.",
				Action: "Look at the preview anew, then save it.", Cause: err,
			}
		}
	}
	return err
}

func linkNoted(by billing.Actor, one *wished, was, now store.LinkState) billing.AuditEntry {
	e := billing.AuditEntry{
		Actor: by, Action: "link_saved", Text: "Linked a license.", Customer: one.license.Customer.ID, SubjectKind: "link", SubjectID: string(now.Key),
		SubjectName: cmp.Or(one.license.Name, one.license.PartNumber), After: linkSides(now),
	}
	if was.Key != "" {
		e.Text, e.Before = "Changed a link.", linkSides(was)
	}
	if now.DoNotBill != "" {
		e.Action, e.Text = "link_not_billed", "Said that a license is not billed."
	}
	return e
}

// linkSides is a link as the audit names it.
func linkSides(l store.LinkState) map[string]any {
	noted := map[string]any{"license": strings.TrimRight(string(l.License.Tenant)+"."+string(l.License.SKU)+"."+string(l.License.Subscription), ".")}
	if l.DoNotBill != "" {
		noted["doNotBill"] = l.DoNotBill
		return noted
	}
	o := l.Options
	noted["profile"], noted["agreement"], noted["agreementId"] = l.ProfileName, l.AgreementName, int(l.Agreement)
	noted["basis"], noted["users"], noted["included"], noted["minimum"] = string(o.Basis), string(o.Users), o.Included, o.Minimum
	noted["allowNegativeProrate"], noted["billGrace"] = o.AllowCredit, o.BillGrace
	if !o.StartDate.IsZero() {
		noted["startDate"] = o.StartDate.String()
	}
	if l.Answer.Kind != "" {
		noted["answer"], noted["additions"] = string(l.Answer.Kind), l.Answer.Additions
	}
	return noted
}

// RemoveLink removes the link of a license; its lines end as the rules say, once a person
// approved it.
func (b linksBook) RemoveLink(ctx context.Context, by billing.Actor, w billing.WorkspaceID, ref billing.LicenseRef) (billing.CustomerID, error) {
	in := b.p.store.In(w)
	today, _, err := b.p.dayIn(ctx, in)
	if err != nil {
		return 0, err
	}
	license, err := in.ListedLicense(ctx, ref, today)
	if err == nil && license.Key == "" {
		err = store.ErrNotFound
	}
	if err != nil {
		return 0, err
	}
	customer := license.Customer.ID
	return customer, b.p.store.InTx(ctx, func(tx *store.Tx) error {
		in := tx.In(w)
		was, err := in.LinkStates(ctx, license.Key)
		if err != nil {
			return err
		}
		if err := in.RemoveLink(ctx, license.Key); err != nil {
			return err
		}
		if err := in.Audit(ctx, billing.AuditEntry{
			Actor: by, Action: "link_removed", Text: "Removed a link.", Customer: customer, SubjectKind: "link", SubjectID: string(license.Key),
			SubjectName: cmp.Or(license.Name, license.PartNumber), Before: linkSides(was[license.Key]),
		}); err != nil {
			return err
		}
		return in.MarkDue(ctx, []billing.CustomerID{customer}, billing.OnDemand, time.Time{})
	})
}
