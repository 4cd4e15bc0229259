package api

import (
	"context"

	"trueup/server/billing"
)

// SuggestionsBook proposes links. Nothing is linked by it.
type SuggestionsBook interface {
	// Suggestions are for licenses that nobody linked, from what the store knows; next is
	// nil after the last page.
	Suggestions(ctx context.Context, w billing.WorkspaceID, q LicenseQuery) (page []SuggestionState, next *LicensePlace, err error)
	// SuggestionsFor are for one license, with what stands in Manage; ErrNotFound.
	SuggestionsFor(ctx context.Context, w billing.WorkspaceID, ref billing.LicenseRef) ([]SuggestionState, error)
}

// SuggestionState is a link that others, a rule or what stands in Manage suggest.
type SuggestionState struct {
	Customer         billing.Customer
	License          billing.LicenseRef
	Name, PartNumber string
	Profile          billing.ProfileID // 0: not to be billed
	ProfileName      string
	Agreement        billing.AgreementID // 0: a person chooses
	AgreementName    string
	DoNotBill        string
	Evidence         []SuggestionEvidence
	Sure             bool
}

// ListSuggestions lists links that are suggested for licenses without one.
func (s linksScreen) ListSuggestions(ctx context.Context, r ListSuggestionsRequestObject) (ListSuggestionsResponseObject, error) {
	p := r.Params
	q := LicenseQuery{Text: p.Q, Customer: billing.CustomerID(p.Customer), SKU: billing.SKUID(p.SKU), Limit: limitOf(p.Limit, 100)}
	if p.Cursor != "" {
		q.After = &LicensePlace{}
		if err := readCursor(p.Cursor, q.After); err != nil {
			return nil, err
		}
	}
	found, next, err := s.book.Suggestions(ctx, workspaceOf(ctx), q)
	if err != nil {
		return nil, err
	}
	page := SuggestionPage{Items: each(found, suggestionOf)}
	if next != nil {
		if page.Next, err = cursorOf(next); err != nil {
			return nil, err
		}
	}
	return ListSuggestions200JSONResponse(page), nil
}

// ListSuggestionsFor lists links that are suggested for a license.
func (s linksScreen) ListSuggestionsFor(ctx context.Context, r ListSuggestionsForRequestObject) (ListSuggestionsForResponseObject, error) {
	found, err := s.book.SuggestionsFor(ctx, workspaceOf(ctx), licenseIn(r.License))
	if err != nil {
		return nil, err
	}
	return ListSuggestionsFor200JSONResponse(SuggestionPage{Items: each(found, suggestionOf)}), nil
}

func suggestionOf(s SuggestionState) Suggestion {
	out := Suggestion{
		License: LicenseName{ID: licenseID(s.License), Name: s.Name, PartNumber: s.PartNumber}, Customer: customerRef(s.Customer),
		DoNotBill: s.DoNotBill, Evidence: list(s.Evidence), Sure: s.Sure,
	}
	if s.Profile != 0 {
		out.Profile = ProfileRef{ID: int(s.Profile), Name: s.ProfileName}
	}
	if s.Agreement != 0 {
		out.Agreement = AgreementRef{ID: int(s.Agreement), Name: s.AgreementName}
	}
	return out
}
