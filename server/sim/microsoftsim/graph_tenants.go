package microsoftsim

import (
	"encoding/base64"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

type verifiedDomain struct {
	Capabilities string `json:"capabilities"`
	IsDefault    bool   `json:"isDefault"`
	IsInitial    bool   `json:"isInitial"`
	Name         string `json:"name"`
	Type         string `json:"type"`
}

// organization is GET /organization: the tenant of the token, by its name of now.
func (s *Sim) organization(q *graphCall) response {
	t := q.tenant
	domains := []verifiedDomain{{"Email, OfficeCommunicationsOnline", true, len(t.Domains) == 0, t.DefaultDomain, "Managed"}}
	for n, name := range t.Domains {
		domains = append(domains, verifiedDomain{"Email", false, n == 0, name, "Managed"})
	}
	country := t.CountryCode
	if country == "" {
		country = "US"
	}
	row := map[string]any{
		"id": t.ID, "displayName": t.DisplayName, "countryLetterCode": country, "verifiedDomains": domains, "tenantType": "AAD", "partnerTenantType": nil,
		"createdDateTime": t.Created.stamp(), "businessPhones": []string{}, "city": nil, "country": nil, "assignedPlans": []any{},
	}
	return jsonAnswer(http.StatusOK, list{Context: q.urls.Graph + "/v1.0/$metadata#organization", Value: []any{row}})
}

// customers are the tenants that the caller's tenant looks after on the day.
func (s *Sim) customers(partner *Tenant) []*Tenant {
	var out []*Tenant
	for _, t := range s.order {
		if t.customerOf(partner, s.day) {
			out = append(out, t)
		}
	}
	return out
}

// customerOf says whether the tenant is in a partner's lists.
func (t *Tenant) customerOf(partner *Tenant, day Day) bool {
	p := t.Partnership
	return p != nil && strings.EqualFold(p.PartnerTenantID, partner.ID) && p.listed(day)
}

// contracts is GET /contracts: names are copies of when the relation began; the simulator has only one name.
func (s *Sim) contracts(q *graphCall) response {
	if refused := s.onlyOptions(q, "$select", "$filter", "$top", "$skiptoken"); refused != nil {
		return *refused
	}
	size, refused := s.top(q, 999, s.pageSize())
	if refused != nil {
		return *refused
	}
	keep, refused := s.equals(q, "customerId", "defaultDomainName", "displayName")
	if refused != nil {
		return *refused
	}
	kept := slices.DeleteFunc(s.customers(q.tenant), func(t *Tenant) bool {
		return !keep(map[string]string{"customerId": t.ID, "defaultDomainName": t.DefaultDomain, "displayName": t.DisplayName})
	})
	return s.tenantsAnswer(q, "contracts", kept, size, func(t *Tenant) any {
		kind := t.Partnership.Contract
		if kind == "" {
			kind = "ResellerPartner"
		}
		return map[string]any{"id": ID("contract", q.tenant.ID, t.ID), "contractType": kind, "customerId": t.ID, "defaultDomainName": t.DefaultDomain, "displayName": t.DisplayName}
	})
}

// tenantsAnswer is one page of a list of tenants.
func (s *Sim) tenantsAnswer(q *graphCall, context string, tenants []*Tenant, size int, row func(*Tenant) any) response {
	p, refused := s.pageOf(q, len(tenants), size)
	if refused != nil {
		return *refused
	}
	rows := []any{}
	for _, t := range tenants[p.from:p.to] {
		rows = append(rows, row(t))
	}
	return jsonAnswer(http.StatusOK, list{Context: q.urls.Graph + "/v1.0/$metadata#" + context, Next: p.next, Value: rows})
}

// equals reads a $filter of the form "property eq 'value'" (or a bare GUID) over the given properties.
func (s *Sim) equals(q *graphCall, properties ...string) (func(map[string]string) bool, *response) {
	text := strings.TrimSpace(q.query.Get("$filter"))
	if text == "" {
		return func(map[string]string) bool { return true }, nil
	}
	found := regexp.MustCompile(`^([A-Za-z/]+) eq (?:'((?:[^']|'')*)'|([0-9a-fA-F-]{36}))$`).FindStringSubmatch(text)
	for _, name := range properties {
		if found != nil && strings.EqualFold(found[1], name) {
			want := strings.ReplaceAll(found[2], "''", "'") + found[3]
			return func(row map[string]string) bool { return strings.EqualFold(row[name], want) }, nil
		}
	}
	refused := s.graphError(http.StatusBadRequest, "Request_UnsupportedQuery", "Unsupported Query.")
	return nil, &refused
}

// relationships is GET /tenantRelationships/delegatedAdminRelationships. Ended ones stay in the list with their status.
func (s *Sim) relationships(q *graphCall) response {
	if refused := s.onlyOptions(q, "$filter", "$top", "$skiptoken"); refused != nil {
		return *refused
	}
	size, refused := s.top(q, 300, 300)
	if refused != nil {
		return *refused
	}
	keep, refused := s.equals(q, "status", "customer/tenantId")
	if refused != nil {
		return *refused
	}
	var kept []*Tenant
	for _, t := range s.order {
		if p := t.Partnership; p == nil || !strings.EqualFold(p.PartnerTenantID, q.tenant.ID) || p.From > q.day {
			continue
		}
		if keep(map[string]string{"status": t.Partnership.shownStatus(q.day), "customer/tenantId": t.ID}) {
			kept = append(kept, t)
		}
	}
	return s.tenantsAnswer(q, "tenantRelationships/delegatedAdminRelationships", kept, size, func(t *Tenant) any { return relationship(q.tenant, t, q.day) })
}

// shownStatus is the relationship's status in the partner's list.
func (p *Partnership) shownStatus(day Day) string {
	if !p.listed(day) {
		return "terminated"
	}
	return p.status(day)
}

func relationship(partner, t *Tenant, day Day) map[string]any {
	p := t.Partnership
	roles := []map[string]string{}
	for _, id := range p.roles() {
		roles = append(roles, map[string]string{"roleDefinitionId": id})
	}
	ends := p.Ends
	if ends == 0 {
		ends = DayOf(p.From.Time().AddDate(2, 0, 0))
		for p.From != 0 && ends <= day { // it extends itself
			ends = DayOf(ends.Time().AddDate(0, 6, 0))
		}
	}
	row := map[string]any{
		"@odata.type": "#microsoft.graph.delegatedAdminRelationship", "id": ID("relationship", t.ID) + "-" + partner.ID, "displayName": t.DisplayName + " relationship",
		"duration": "P730D", "customer": map[string]string{"tenantId": t.ID, "displayName": t.DisplayName}, "accessDetails": map[string]any{"unifiedRoles": roles},
		"@odata.etag": etag(t.ID), "status": p.shownStatus(day), "autoExtendDuration": "P180D", "createdDateTime": p.From.stamp(), "lastModifiedDateTime": p.From.stamp(), "activatedDateTime": p.From.stampOrNull(),
		"endDateTime": ends.stamp(),
	}
	if p.Ends != 0 {
		row["autoExtendDuration"] = "PT0S"
	}
	return row
}

func etag(id string) string {
	return `W/"` + base64.StdEncoding.EncodeToString([]byte(id)) + `"`
}

// delegatedCustomers is GET /tenantRelationships/delegatedAdminCustomers: who has a relationship that is active.
func (s *Sim) delegatedCustomers(q *graphCall) response {
	if refused := s.onlyOptions(q, "$top", "$skiptoken"); refused != nil {
		return *refused
	}
	size, refused := s.top(q, 300, 300)
	if refused != nil {
		return *refused
	}
	kept := slices.DeleteFunc(s.customers(q.tenant), func(t *Tenant) bool { return t.Partnership.status(q.day) != "active" })
	return s.tenantsAnswer(q, "tenantRelationships/delegatedAdminCustomers", kept, size, func(t *Tenant) any {
		return map[string]any{"@odata.type": "#microsoft.graph.delegatedAdminCustomer", "@odata.etag": etag(t.ID), "id": t.ID, "tenantId": t.ID, "displayName": t.DisplayName}
	})
}

// findTenantInformation is GET /tenantRelationships/findTenantInformationByTenantId(tenantId='…'): anybody's public data.
func (s *Sim) findTenantInformation(q *graphCall) response {
	key, ok := strings.CutPrefix(q.args[0], "findTenantInformationByTenantId(tenantId='")
	if !ok || !strings.HasSuffix(key, "')") {
		return s.graphError(http.StatusBadRequest, "BadRequest", "Resource not found for the segment '"+q.args[0]+"'.")
	}
	key = strings.TrimSuffix(key, "')")
	t := s.tenants[strings.ToLower(key)]
	if t == nil || t.troubleOn(q.day) == TroubleTenantNotFound {
		return s.notFound(key)
	}
	return jsonAnswer(http.StatusOK, map[string]any{
		"@odata.context": q.urls.Graph + "/v1.0/$metadata#microsoft.graph.tenantInformation",
		"tenantId":       t.ID, "displayName": t.DisplayName, "defaultDomainName": t.DefaultDomain, "federationBrandName": nil,
	})
}
