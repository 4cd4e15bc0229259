package microsoftsim

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// route is one line of a role's table of contents.
type route struct {
	method  string
	path    string // segments; * takes any one
	units   int    // resource units (Graph)
	app     []string
	user    []string
	roles   []string // directory roles of which a user needs one; nil: any
	appOnly bool
	serve   func(*graphCall) response
}

// graphCall is a Graph or Partner Center request that may be served; the lock is held for reading.
type graphCall struct {
	*request
	tenant *Tenant
	args   []string // what the path's * took
	day    Day
}

const throttledBody = `{"error":{"code":"TooManyRequests","message":"Please retry again later.","innerError":{"code":"429","message":"Please retry after","status":"429"}}}`

// graphRoutes are the calls with their permissions (devx-content permissions.json) and costs (throttling-limits).
func (s *Sim) graphRoutes() []route {
	organization := []string{"Organization.Read.All", "Organization.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"}
	licenses := append([]string{"LicenseAssignment.Read.All", "LicenseAssignment.ReadWrite.All"}, organization...)
	users := []string{"User.Read.All", "User.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"}
	directory := []string{"Directory.Read.All", "Directory.ReadWrite.All"}
	relations := []string{"DelegatedAdminRelationship.Read.All", "DelegatedAdminRelationship.ReadWrite.All"}
	lookup := append([]string{"CrossTenantInformation.ReadBasic.All"}, organization...) // least permission not confirmed
	readers := []string{roleDirectoryReaders, roleGlobalReader, roleGlobalAdmin, roleUserAdmin}
	licenseReaders := append([]string{roleLicenseAdmin}, readers...)
	get := http.MethodGet
	return []route{
		{get, "subscribedSkus", 3, licenses, licenses, licenseReaders, false, s.subscribedSKUs},
		{get, "directory/subscriptions", 1, organization, organization, readers, false, s.subscriptions},
		{get, "directory/subscriptions/*", 1, organization, organization, readers, false, s.subscription},
		{get, "users", 2, users, users, readers, false, s.users},
		{get, "users/$count", 2, users, users, readers, false, s.usersCount},
		{get, "users/*/licenseDetails", 2, append(licenses, users...), append(licenses, users...), licenseReaders, false, s.licenseDetails},
		{get, "organization", 1, organization, append([]string{"User.Read"}, organization...), nil, false, s.organization},
		{get, "contracts", 3, directory, directory, nil, false, s.contracts},
		{get, "tenantRelationships/delegatedAdminRelationships", 1, relations, relations, nil, false, s.relationships},
		{get, "tenantRelationships/delegatedAdminCustomers", 1, relations, relations, nil, false, s.delegatedCustomers},
		{get, "tenantRelationships/*", 1, lookup, lookup, nil, false, s.findTenantInformation},
	}
}

func (s *Sim) prepareGraph(q *request) {
	s.calls.priority(q.header.Get("x-ms-throttle-priority"))
	q.who, q.refused = s.identify(q.header.Get("Authorization"), []string{graphURL, graphAppID, q.urls.Graph})
	if q.who != nil {
		q.tenant = q.who.TenantID
	}
}

// serveGraph answers a call from outside: one route, or a batch of them.
func (s *Sim) serveGraph(q *request) response {
	version, path, _ := strings.Cut(strings.TrimPrefix(q.path, "/"), "/")
	if version != "v1.0" {
		return named("(unknown)", s.graphError(http.StatusBadRequest, "BadRequest", "Invalid version: "+version+"."))
	}
	if path == "$batch" {
		return named("/$batch", s.batch(q))
	}
	q.path = "/" + path
	return s.graphItem(q)
}

// graphItem answers one call, alone or in a batch: token, route, permission, budget, then the call itself.
func (s *Sim) graphItem(q *request) response {
	s.mu.RLock()
	defer s.mu.RUnlock()
	found, args := match(s.graphAPI, q.method, q.path)
	name := "(unknown)"
	if found != nil {
		name = "/" + found.path
	}
	tenant, refused := s.admit(q)
	if refused != "" {
		answer := s.graphError(http.StatusUnauthorized, "InvalidAuthenticationToken", refused)
		answer.header.Set("WWW-Authenticate", `Bearer realm="", authorization_uri="`+q.urls.Login+`/common/oauth2/authorize", error="invalid_token"`)
		return named(name, answer)
	}
	if found == nil {
		return named(name, s.graphError(http.StatusBadRequest, "BadRequest", "Resource not found for the segment '"+strings.TrimPrefix(q.path, "/")+"'."))
	}
	if answer, no := s.troubled(tenant); no {
		return named(name, answer)
	}
	if !permitted(found, q.who) {
		return named(name, s.graphError(http.StatusForbidden, "Authorization_RequestDenied", "Insufficient privileges to complete the operation."))
	}
	units := cost(found.units, q)
	share, retryAfter := s.buckets.take(s, tenant, q.who.AppID, units)
	if retryAfter > 0 {
		return named(name, s.throttled(tenant, q.who.AppID, retryAfter))
	}
	answer := found.serve(&graphCall{request: q, tenant: tenant, args: args, day: s.day})
	answer.header.Set("x-ms-resource-unit", strconv.Itoa(units))
	answer.header.Set("request-id", ID("request", q.tenant, q.path, s.now().String()))
	answer.header.Set("OData-Version", "4.0")
	answer.header.Set("Cache-Control", "no-cache")
	if share >= 0.8 {
		answer.header.Set("x-ms-throttle-limit-percentage", strconv.FormatFloat(share, 'f', 2, 64))
	}
	return named(name, answer)
}

func named(route string, a response) response {
	a.route = route
	if a.header == nil {
		a.header = http.Header{}
	}
	return a
}

// admit checks the token with the tenant.
func (s *Sim) admit(q *request) (*Tenant, string) {
	if q.who == nil {
		return nil, q.refused
	}
	return s.admitted(q.who)
}

// troubled are the troubles that only Graph has.
func (s *Sim) troubled(t *Tenant) (response, bool) {
	switch t.troubleOn(s.day) {
	case TroubleForbidden:
		return s.graphError(http.StatusForbidden, "Authorization_RequestDenied", "Insufficient privileges to complete the operation."), true
	case TroubleUnavailable:
		answer := s.graphError(http.StatusServiceUnavailable, "serviceNotAvailable", "The service is temporarily unavailable.")
		answer.header.Set("Retry-After", "5")
		return answer, true
	}
	return response{}, false
}

// match finds a route; more stars match less.
func match(routes []route, method, path string) (*route, []string) {
	parts := strings.Split(strings.Trim(path, "/"), "/")
	for n := range routes {
		if routes[n].method != method {
			continue
		}
		if args, ok := matchPath(strings.Split(routes[n].path, "/"), parts); ok {
			return &routes[n], args
		}
	}
	return nil, nil
}

func matchPath(pattern, parts []string) ([]string, bool) {
	if len(pattern) != len(parts) {
		return matchKey(pattern, parts)
	}
	var args []string
	for n, want := range pattern {
		switch {
		case want == "*":
			args = append(args, parts[n])
		case !strings.EqualFold(want, parts[n]):
			return matchKey(pattern, parts)
		}
	}
	return args, true
}

// matchKey takes an alternate key, subscriptions(commerceSubscriptionId='…'), as subscriptions/*.
func matchKey(pattern, parts []string) ([]string, bool) {
	last := len(parts) - 1
	if len(pattern) != len(parts)+1 || pattern[last+1] != "*" {
		return nil, false
	}
	name, key, ok := strings.Cut(parts[last], "(")
	if !ok || !strings.EqualFold(name, pattern[last]) || !slices.Equal(pattern[:last], parts[:last]) {
		return nil, false
	}
	return []string{"(" + key}, true
}

// permitted checks the token's permissions and, for users, the directory role.
func permitted(r *route, who *identity) bool {
	need := r.app
	if who.Type == "user" {
		need = r.user
	}
	if !who.has(need) {
		return false
	}
	return who.Type == "app" || r.roles == nil || slices.ContainsFunc(who.Directory, func(id string) bool { return slices.Contains(r.roles, id) })
}

// graphError is Graph's error body; innerError carries what the support asks for.
func (s *Sim) graphError(status int, code, message string) response {
	now := s.now().UTC().Format("2006-01-02T15:04:05")
	id := ID("request", now, code, message)
	return jsonAnswer(status, map[string]any{"error": map[string]any{
		"code": code, "message": message,
		"innerError": map[string]string{"date": now, "request-id": id, "client-request-id": id},
	}})
}

// selection reads $select and refuses properties that the type hasn't.
func (s *Sim) selection(q *graphCall, kind string, properties, fallback []string) ([]string, *response) {
	if !q.query.Has("$select") {
		return fallback, nil
	}
	var chosen []string
	for _, name := range strings.Split(q.query.Get("$select"), ",") {
		name = strings.TrimSpace(name)
		at := slices.IndexFunc(properties, func(p string) bool { return strings.EqualFold(p, name) })
		if at < 0 {
			refused := s.graphError(http.StatusBadRequest, "BadRequest", fmt.Sprintf("Parsing OData Select and Expand failed: Could not find a property named '%s' on type 'microsoft.graph.%s'.", name, kind))
			return nil, &refused
		}
		chosen = append(chosen, properties[at])
	}
	return chosen, nil
}

// onlyOptions refuses query options that a call doesn't take.
func (s *Sim) onlyOptions(q *graphCall, allowed ...string) *response {
	for name := range q.query {
		if !strings.HasPrefix(name, "$") || slices.Contains(allowed, name) {
			continue
		}
		refused := s.graphError(http.StatusBadRequest, "Request_UnsupportedQuery", fmt.Sprintf("The query option '%s' is not supported for this resource.", name))
		return &refused
	}
	return nil
}

// top reads $top.
func (s *Sim) top(q *graphCall, most, fallback int) (int, *response) {
	if !q.query.Has("$top") {
		return fallback, nil
	}
	n, err := strconv.Atoi(q.query.Get("$top"))
	if err != nil || n < 1 || n > most {
		refused := s.graphError(http.StatusBadRequest, "Request_BadRequest", fmt.Sprintf("Invalid page size specified: '%s'. Must be between 1 and %d inclusive.", q.query.Get("$top"), most))
		return 0, &refused
	}
	return n, nil
}
