package api

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"trueup/server/account"
	"trueup/server/billing"
)

// EmbedReach says what the record of a session reaches.
type EmbedReach interface {
	// Reaches is ErrNotFound when anything that is named isn't of the record.
	Reaches(ctx context.Context, w billing.WorkspaceID, r account.Record, n EmbedNamed) error
	// EmbedCustomer is the customer that the record's company is; ErrNotFound when none.
	EmbedCustomer(ctx context.Context, w billing.WorkspaceID, r account.Record) (billing.CustomerID, error)
}

// EmbedNamed is what a request names beside the record, which it never names.
type EmbedNamed struct {
	Links     []billing.LinkKey
	License   billing.LicenseRef
	Agreement billing.AgreementID // that a license is to be linked to
	Run       billing.RunID
}

// errNotHere is what a session of a record may not do, whatever its role.
var errNotHere = errors.New("it can't be done from a record of Manage")

// embedMay lists every operation that a session of a record may use, with what the request
// names: whatever isn't here is refused, and whatever is named must be of the record.
// Nothing else in this package decides that.
func embedMay() map[string]func(request any) EmbedNamed {
	nothing := func(any) EmbedNamed { return EmbedNamed{} }
	license := func(id LicenseID) EmbedNamed { return EmbedNamed{License: licenseIn(id)} }
	links := func(keys ...LinkKey) EmbedNamed {
		return EmbedNamed{Links: each(keys, func(k LinkKey) billing.LinkKey { return billing.LinkKey(k) })}
	}
	chosen := func(plans []PlanChoice) EmbedNamed {
		return links(each(plans, func(p PlanChoice) LinkKey { return p.Link })...)
	}
	linked := func(id LicenseID, in *LinkInput) EmbedNamed {
		n := license(id)
		n.Agreement = billing.AgreementID(in.Agreement)
		return n
	}
	return map[string]func(any) EmbedNamed{
		// The screen's own: they take the record from the session.
		"getEmbedSession": nothing, "endEmbed": nothing, "askEmbedAccess": nothing, "getEmbedView": nothing, "listEmbedAgreements": nothing,
		"listEmbedProfiles": nothing, "listEmbedRuns": nothing, "getEmbedSync": nothing, "startEmbedSync": nothing, "cancelEmbedSync": nothing,
		"streamEmbedEvents": nothing,
		"getEmbedRun":       naming(func(r GetEmbedRunRequestObject) EmbedNamed { return EmbedNamed{Run: billing.RunID(r.Run)} }),
		// A new session begins without regard to the one before.
		"beginEmbed": nothing, "openEmbed": nothing, "exchangeEmbedCode": nothing,

		"getLicense":         naming(func(r GetLicenseRequestObject) EmbedNamed { return license(r.License) }),
		"listHolders":        naming(func(r ListHoldersRequestObject) EmbedNamed { return license(r.License) }),
		"getLicenseTrends":   naming(func(r GetLicenseTrendsRequestObject) EmbedNamed { return license(r.License) }),
		"listSuggestionsFor": naming(func(r ListSuggestionsForRequestObject) EmbedNamed { return license(r.License) }),
		"previewLink":        naming(func(r PreviewLinkRequestObject) EmbedNamed { return linked(r.License, r.Body) }),
		"saveLink":           naming(func(r SaveLinkRequestObject) EmbedNamed { return linked(r.License, r.Body) }),
		"removeLink":         naming(func(r RemoveLinkRequestObject) EmbedNamed { return license(r.License) }),

		"getLink":     naming(func(r GetLinkRequestObject) EmbedNamed { return links(r.Link) }),
		"explainLink": naming(func(r ExplainLinkRequestObject) EmbedNamed { return links(r.Link) }),
		"getPlan":     naming(func(r GetPlanRequestObject) EmbedNamed { return links(r.Link) }),
		"answerHold":  naming(func(r AnswerHoldRequestObject) EmbedNamed { return links(r.Link) }),

		"approvePlans":  naming(func(r ApprovePlansRequestObject) EmbedNamed { return chosen(r.Body.Plans) }),
		"postponePlans": naming(func(r PostponePlansRequestObject) EmbedNamed { return chosen(r.Body.Plans) }),
		"resumePlans":   naming(func(r ResumePlansRequestObject) EmbedNamed { return links(r.Body.Links...) }),
		"answerDrift": naming(func(r AnswerDriftRequestObject) EmbedNamed {
			return links(each(r.Body.Items, func(i DriftAnswerInput) LinkKey { return i.Link })...)
		}),
	}
}

// naming reads what a request of one type names. A request of another type names a link
// that nobody has, so that a mistake in the table above opens nothing.
func naming[R any](of func(R) EmbedNamed) func(any) EmbedNamed {
	return func(request any) EmbedNamed {
		r, ok := request.(R)
		if !ok {
			return EmbedNamed{Links: []billing.LinkKey{""}}
		}
		return of(r)
	}
}

// embedAdmits says why a session of a record may not use the operation; nil when it may,
// and for everybody else.
func (r *Route) embedAdmits(p account.Principal) error {
	if !p.Record.Bound() {
		return nil
	}
	if _, ok := embedMay()[r.ID]; ok {
		return nil
	}
	return &Refusal{
		Status: http.StatusForbidden, Code: "not_here", Detail: "This can't be done from inside ConnectWise.", Action: "Open the dashboard and do it there.",
		Cause: errNotHere,
	}
}

// bound keeps a session of a record to it: what a request names must be of the record, and
// what an answer tells beyond it is left out.
func (s *Server) bound(f StrictHandlerFunc, operation string) StrictHandlerFunc {
	var named func(any) EmbedNamed
	for id, n := range embedMay() {
		if strings.EqualFold(id, operation) { // the generated name writes initialisms in capitals
			named = n
		}
	}
	return func(c *gin.Context, request any) (any, error) {
		p := principal(c)
		if !p.Record.Bound() {
			return f(c, request)
		}
		if named == nil || s.embed == nil {
			return nil, errNotHere
		}
		n := named(request)
		if on := p.Record.Agreement(); on != 0 && n.Agreement != 0 && int(n.Agreement) != on {
			return nil, ErrNotFound
		}
		if err := s.embed.Reaches(c, p.Workspace, p.Record, n); err != nil {
			return nil, err
		}
		answer, err := f(c, request)
		if found, ok := answer.(ListSuggestionsFor200JSONResponse); ok && err == nil {
			return within(found, p.Record), nil
		}
		return answer, err
	}
}

// within leaves out what is suggested on another agreement than that of the record.
func within(found ListSuggestionsFor200JSONResponse, r account.Record) ListSuggestionsFor200JSONResponse {
	kept := []Suggestion{}
	for _, s := range found.Items {
		if r.Agreement() == 0 || s.Agreement.ID == 0 || s.Agreement.ID == r.Agreement() {
			kept = append(kept, s)
		}
	}
	found.Items = kept
	return found
}
