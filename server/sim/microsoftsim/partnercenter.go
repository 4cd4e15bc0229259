package microsoftsim

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// partnerCenterRoutes are the calls of the Partner Center API. Permissions are the user's roles, checked in the calls.
func (s *Sim) partnerCenterRoutes() []route {
	return []route{
		{method: http.MethodGet, path: "customers", serve: s.pcCustomers},
		{method: http.MethodGet, path: "customers/*", serve: s.pcCustomer},
		{method: http.MethodGet, path: "customers/*/subscriptions", serve: s.pcSubscriptions},
		{method: http.MethodGet, path: "customers/*/subscriptions/*", serve: s.pcSubscription},
		{method: http.MethodGet, path: "customers/*/subscribedskus", serve: s.pcSubscribedSKUs},
	}
}

func (s *Sim) preparePartnerCenter(q *request) {
	q.who, q.refused = s.identify(q.header.Get("Authorization"), []string{partnerCenterURL, partnerCenterAppID, "api://" + partnerCenterAppID, q.urls.PartnerCenter})
	parts := strings.Split(strings.Trim(q.path, "/"), "/")
	if len(parts) > 2 {
		q.tenant = parts[2]
	}
}

// servePartnerCenter answers a call with the identifiers that it came with.
func (s *Sim) servePartnerCenter(q *request) response {
	answer := s.partnerCenter(q)
	if answer.header == nil {
		answer.header = http.Header{}
	}
	for _, name := range []string{"MS-RequestId", "MS-CorrelationId"} {
		id := q.header.Get(name)
		if id == "" {
			id = ID(name, s.now().String())
		}
		answer.header.Set(name, id)
	}
	if strings.EqualFold(q.header.Get("ValidateMfa"), "true") && q.who != nil {
		answer.header.Set("isMfaCompliant", strconv.FormatBool(slices.Contains(q.who.Methods, "mfa")))
	}
	return answer
}

func (s *Sim) partnerCenter(q *request) response {
	version, path, _ := strings.Cut(strings.TrimPrefix(q.path, "/"), "/")
	if strings.Contains(path, "/applicationconsents") {
		return s.pcConsents(q, strings.Split(path, "/"))
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	found, args := match(s.pcAPI, q.method, path)
	if found == nil || version != "v1" {
		return named("(unknown)", pcError(http.StatusNotFound, "404", "Resource not found."))
	}
	partner, answer, ok := s.pcAdmit(q)
	if !ok {
		return named("/"+found.path, answer)
	}
	q.path = "/" + path
	return named("/"+found.path, found.serve(&graphCall{request: q, tenant: partner, args: args, day: s.day}))
}

// pcAdmit checks the token: of the partner's tenant, with MFA where that is enforced (app-only tokens are free of it).
func (s *Sim) pcAdmit(q *request) (*Tenant, response, bool) {
	if q.who == nil {
		return nil, pcError(http.StatusUnauthorized, "401", q.refused), false
	}
	partner, refused := s.admitted(q.who)
	switch {
	case refused != "":
		return nil, pcError(http.StatusUnauthorized, "401", refused), false
	case q.who.Type == "user" && !strings.Contains(" "+q.who.Scopes+" ", " user_impersonation "):
		return nil, pcError(http.StatusForbidden, "403", "Access is denied."), false
	case q.who.Type == "user" && s.settings.PartnerMFA && !slices.Contains(q.who.Methods, "mfa"):
		return nil, pcError(http.StatusUnauthorized, "900421", "MFA required. The access token was not issued with multi-factor authentication."), false
	}
	return partner, response{}, true
}

// pcFault is an error body. Codes that are numbers are written as such.
type pcFault struct {
	Code        any      `json:"code"`
	Description string   `json:"description"`
	Data        []string `json:"data"`
	Source      string   `json:"source"`
}

func pcError(status int, code, description string) response {
	out := pcFault{Code: code, Description: description, Data: []string{}, Source: "PartnerFD"}
	if n, err := strconv.Atoi(code); err == nil {
		out.Code = n
	}
	answer := jsonAnswer(status, out)
	answer.header.Set("Content-Type", "application/json; charset=utf-8")
	return answer
}

type pcLink struct {
	URI     string     `json:"uri"`
	Method  string     `json:"method"`
	Headers []pcHeader `json:"headers"`
}

type pcHeader struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

type pcList struct {
	TotalCount int               `json:"totalCount"`
	Items      any               `json:"items"`
	Links      map[string]pcLink `json:"links,omitempty"`
	Attributes map[string]string `json:"attributes"`
}

func pcCollection(uri string, total int, items any) pcList {
	return pcList{total, items, map[string]pcLink{"self": {uri, http.MethodGet, []pcHeader{}}}, map[string]string{"objectType": "Collection"}}
}

// pcCustomers is GET /v1/customers?size=. The next page is named by links.next with its MS-ContinuationToken header (documented for invoice
// lines; for customers not confirmed).
func (s *Sim) pcCustomers(q *graphCall) response {
	size := 100
	if text := q.query.Get("size"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > 500 {
			return pcError(http.StatusBadRequest, "2000", "The page size is not between 1 and 500.")
		}
		size = n
	}
	from := 0
	if q.query.Get("seekOperation") == "Next" {
		n, ok := openSkipToken(q.header.Get("MS-ContinuationToken"), s.skipSeal(q, ""))
		if !ok {
			return pcError(http.StatusBadRequest, "2000", "The continuation token is missing or invalid.")
		}
		from = n
	}
	all := s.customers(q.tenant)
	to := min(from+size, len(all))
	items := []any{}
	for _, t := range all[min(from, to):to] {
		items = append(items, pcCustomerRow(t))
	}
	out := pcCollection("/customers?size="+itoa(size), len(all), items)
	if to < len(all) {
		token := skipToken(s.skipSeal(q, ""), to)
		out.Links["next"] = pcLink{"/customers?size=" + itoa(size) + "&seekOperation=Next", http.MethodGet, []pcHeader{{"MS-ContinuationToken", token}}}
	}
	return pcAnswer(out)
}

func pcAnswer(value any) response {
	answer := jsonAnswer(http.StatusOK, value)
	answer.header.Set("Content-Type", "application/json; charset=utf-8")
	return answer
}

func pcCustomerRow(t *Tenant) map[string]any {
	return map[string]any{
		"id": t.ID, "relationshipToPartner": "reseller", "attributes": map[string]string{"objectType": "Customer"},
		"companyProfile": map[string]any{"tenantId": t.ID, "domain": t.DefaultDomain, "companyName": t.DisplayName, "attributes": map[string]string{"objectType": "CustomerCompanyProfile"}},
	}
}

// pcFind finds the customer of a call and pays for it.
func (s *Sim) pcFind(q *graphCall) (*Tenant, *response) {
	t := s.tenants[strings.ToLower(q.args[0])]
	if t == nil || !t.customerOf(q.tenant, s.day) {
		refused := pcError(http.StatusNotFound, "2002", "The customer was not found or has no relationship with the partner.")
		return nil, &refused
	}
	if after := s.buckets.payPartnerCenter(s, t.ID); after > 0 {
		refused := jsonAnswer(http.StatusTooManyRequests, map[string]any{"statusCode": 429, "message": "Rate limit is exceeded. Try again in " + itoa(after) + " seconds."})
		refused.header.Set("Retry-After", itoa(after))
		return nil, &refused
	}
	return t, nil
}

func (s *Sim) pcCustomer(q *graphCall) response {
	t, refused := s.pcFind(q)
	if refused != nil {
		return *refused
	}
	return pcAnswer(pcCustomerRow(t))
}
