package api

import (
	"context"
	"slices"
	"strings"

	"trueup/server/billing"
	"trueup/server/workspace"
)

// Matcher says which tenants companies may be.
type Matcher interface {
	// Matches compares the companies of Manage with the tenants that connections reach
	// and no customer has. Companies that are customers and have no such tenant are left
	// out. Fresh reads both sides anew; else they may be some minutes old.
	Matches(ctx context.Context, w billing.WorkspaceID, fresh bool) ([]workspace.Match, map[billing.CompanyID]billing.CustomerID, error)
}

// matchPlace is where a page of matches ends: they are in one order, and the company
// says where in it.
type matchPlace struct {
	At      int               `json:"a"`
	Company billing.CompanyID `json:"c"`
}

// ListMatches lists companies with the tenants that they may be: the sure ones, the likely
// ones, then the others, each by name.
func (s customersScreen) ListMatches(ctx context.Context, r ListMatchesRequestObject) (ListMatchesResponseObject, error) {
	var after matchPlace
	if err := readCursor(r.Params.Cursor, &after); err != nil {
		return nil, err
	}
	all, customers, err := s.book.Matches(ctx, workspaceOf(ctx), r.Params.Cursor == "")
	if err != nil {
		return nil, err
	}
	out := ListMatches200JSONResponse{}
	for _, m := range all {
		switch confidenceOf(m) {
		case ConfidenceSure:
			out.Sure++
		case ConfidenceLikely:
			out.Likely++
		case ConfidenceNone:
			out.Unmatched++
		}
	}
	text := strings.TrimSpace(r.Params.Q)
	all = slices.DeleteFunc(slices.Clone(all), func(m workspace.Match) bool {
		names := []string{m.Company.Name, m.Company.Identifier}
		for _, p := range m.Proposals {
			names = append(names, p.Name)
			names = append(names, p.Domains...)
		}
		return r.Params.Confidence != "" && confidenceOf(m) != r.Params.Confidence || text != "" && !containsFold(text, names...)
	})
	all = all[beginsAfter(all, after):]
	limit := limitOf(r.Params.Limit, usualMany)
	if len(all) > limit {
		all = all[:limit]
		if out.Next, err = cursorOf(matchPlace{after.At + limit, all[limit-1].Company.ID}); err != nil {
			return nil, err
		}
	}
	out.Items = each(all, func(m workspace.Match) Match { return matchOf(m, customers[m.Company.ID]) })
	return out, nil
}

// beginsAfter is where a page begins: after the company that ended the one before, or,
// when it is there no more, where it stood.
func beginsAfter(all []workspace.Match, after matchPlace) int {
	if after.Company == 0 {
		return 0
	}
	if at := slices.IndexFunc(all, func(m workspace.Match) bool { return m.Company.ID == after.Company }); at >= 0 {
		return at + 1
	}
	return max(0, min(after.At, len(all)))
}

func confidenceOf(m workspace.Match) Confidence {
	switch {
	case m.Sure:
		return ConfidenceSure
	case len(m.Proposals) > 0:
		return ConfidenceLikely
	}
	return ConfidenceNone
}

func matchOf(m workspace.Match, customer billing.CustomerID) Match {
	out := Match{
		Company: Company{
			ID: int(m.Company.ID), Identifier: m.Company.Identifier, Name: m.Company.Name, Status: m.Company.Status, Website: m.Company.Website,
			Customer: int(customer),
		},
		Confidence: confidenceOf(m), Duplicate: m.Duplicate, Evidence: []MatchEvidence{}, Others: []Tenant{},
	}
	for i, p := range m.Proposals {
		if i > 0 {
			out.Others = append(out.Others, tenantOf(p.Reached))
			continue
		}
		out.Tenant = tenantOf(p.Reached)
		out.Evidence = each(p.Evidence, func(e workspace.Evidence) MatchEvidence {
			return MatchEvidence{Code: MatchEvidenceCode(e), Text: evidenceText(e, m.Company, p.Reached)}
		})
	}
	return out
}

func tenantOf(t workspace.Reached) Tenant {
	out := Tenant{ID: string(t.Tenant), Name: t.Name, Connection: int(t.Connection), Delegated: t.Delegated, RelationshipEnds: t.Ends}
	if len(t.Domains) > 0 {
		out.Domain = t.Domains[0]
	}
	return out
}

// evidenceText says in a sentence what two have in common.
func evidenceText(e workspace.Evidence, c billing.Company, t workspace.Reached) string {
	domains := strings.Join(t.Domains, ", ")
	switch e {
	case workspace.SameWebsite:
		return "The website of the company, " + c.Website + ", is at a domain of the tenant: " + domains + "."
	case workspace.SameName:
		return "Both are called " + t.Name + "."
	case workspace.SameDomain:
		return "A domain of the tenant is named as the company: " + domains + "."
	case workspace.SimilarName:
		return "The names have most words in common: " + c.Name + ", " + t.Name + "."
	}
	return ""
}
