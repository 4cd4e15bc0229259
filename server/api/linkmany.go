package api

import (
	"context"

	"trueup/server/account"
	"trueup/server/billing"
)

// wishes reads links to save; a license that is named twice is a fault.
func wishes(in []BulkLink) ([]LinkWish, error) {
	out := make([]LinkWish, len(in))
	known := map[LicenseID]bool{}
	for i, l := range in {
		if known[l.License] {
			return nil, Faulty("items", "twice", "A license is named twice. Give it one link.")
		}
		known[l.License] = true
		var err error
		if out[i], err = wish(l.License, l.Link); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// PreviewLinks shows what many links would lead to; one that can't be doesn't keep the
// others from being shown.
func (s linksScreen) PreviewLinks(ctx context.Context, r PreviewLinksRequestObject) (PreviewLinksResponseObject, error) {
	want, err := wishes(r.Body.Items)
	if err != nil {
		return nil, err
	}
	seen, err := s.book.PreviewLinks(ctx, workspaceOf(ctx), want)
	if err != nil {
		return nil, err
	}
	out := BulkPreview{Items: make([]BulkPreviewItem, len(seen))}
	var money []billing.Money
	for i, one := range seen {
		item := BulkPreviewItem{License: r.Body.Items[i].License}
		if one.Err != nil {
			item.Problem = problemOf(i, one.Err)
		} else if item.Preview, err = seenOf(ctx, one); err != nil {
			return nil, err
		}
		if one.Plan != nil {
			money = append(money, moneyIn(one.Plan.Changes)...)
		}
		if one.NeedApproval {
			out.NeedApproval++
		}
		out.Items[i] = item
	}
	out.Money, err = sumOf(money)
	return PreviewLinks200JSONResponse(out), err
}

// SaveLinks saves many links; one that can't be doesn't keep the others from being saved.
func (s linksScreen) SaveLinks(ctx context.Context, r SaveLinksRequestObject) (SaveLinksResponseObject, error) {
	want, err := wishes(r.Body.Items)
	if err != nil {
		return nil, err
	}
	saved, err := s.book.SaveLinks(ctx, actor(ctx), principal(ctx).May(account.Billing), workspaceOf(ctx), want)
	if err != nil {
		return nil, err
	}
	return SaveLinks200JSONResponse(bulk(len(saved), func(i int) (string, billing.CustomerID, error) {
		return string(saved[i].Link.Key), saved[i].Customer, saved[i].Err
	})), nil
}
