package microsoftsim

import (
	"encoding/base64"
	"net/http"
	"regexp"
	"strconv"
	"strings"
)

// userFilter is a $filter of /users that the simulator knows.
type userFilter struct {
	licensed bool
	sku      string
}

// advanced says whether the call may use advanced queries: the header on this very request (a next link doesn't carry it).
func (q *graphCall) advanced() bool {
	return strings.EqualFold(q.header.Get("ConsistencyLevel"), "eventual")
}

func (q *graphCall) counted() bool { return strings.EqualFold(q.query.Get("$count"), "true") }

// bySKU is the filter for the holders of one SKU.
var bySKU = regexp.MustCompile(`^assignedLicenses/any\((\w+):(\w+)/skuId eq ([0-9a-fA-F-]{36})\)$`)

// userFilter reads $filter: all licensed users (an advanced query), or those of one SKU.
func (s *Sim) userFilter(q *graphCall) (userFilter, *response) {
	text := strings.Join(strings.Fields(q.query.Get("$filter")), " ")
	switch found := bySKU.FindStringSubmatch(text); {
	case text == "":
		return userFilter{}, nil
	case text == "assignedLicenses/$count ne 0":
		if !q.advanced() || !q.counted() {
			refused := s.graphError(http.StatusBadRequest, "Request_UnsupportedQuery", "Filter operator '$count' is not supported because the required parameters might be missing. Try adding $count=true query parameter and ConsistencyLevel:eventual header. Refer to https://aka.ms/graph-docs/advanced-queries for more information")
			return userFilter{}, &refused
		}
		return userFilter{licensed: true}, nil
	case found != nil && found[1] == found[2]:
		return userFilter{sku: strings.ToLower(found[3])}, nil
	}
	refused := s.graphError(http.StatusBadRequest, "Request_UnsupportedQuery", "Unsupported Query.")
	return userFilter{}, &refused
}

// users is GET /users.
func (s *Sim) users(q *graphCall) response {
	if refused := s.onlyOptions(q, "$select", "$filter", "$count", "$top", "$skiptoken"); refused != nil {
		return *refused
	}
	properties := userProperties()
	chosen, refused := s.selection(q, "user", properties, append(properties[1:11:11], "id"))
	if refused != nil {
		return *refused
	}
	filter, refused := s.userFilter(q)
	if refused != nil {
		return *refused
	}
	size, refused := s.top(q, 999, s.pageSize())
	if refused != nil {
		return *refused
	}
	everybody := q.tenant.people(q.day, filter.licensed, filter.sku)
	p, refused := s.pageOf(q, everybody.len(), size)
	if refused != nil {
		return *refused
	}
	return usersAnswer(q, everybody, p, chosen)
}

func usersAnswer(q *graphCall, everybody *roster, p page, chosen []string) response {
	b := make([]byte, 0, 256+(p.to-p.from)*400)
	b = append(b, `{"@odata.context":`...)
	b = appendText(b, q.urls.Graph+"/v1.0/$metadata#users("+strings.Join(chosen, ",")+")")
	if p.first && q.counted() && q.advanced() {
		b = append(b, `,"@odata.count":`...)
		b = strconv.AppendInt(b, int64(everybody.len()), 10)
	}
	if p.next != "" {
		b = append(b, `,"@odata.nextLink":`...)
		b = appendText(b, p.next)
	}
	b = append(b, `,"value":[`...)
	for n := p.from; n < p.to; n++ {
		if n > p.from {
			b = append(b, ',')
		}
		b = everybody.at(n).append(b, chosen)
	}
	b = append(b, `]}`...)
	return response{status: http.StatusOK, header: http.Header{"Content-Type": {"application/json;odata.metadata=minimal;charset=utf-8"}}, body: b, sound: true}
}

// usersCount is GET /users/$count, a number in plain text.
func (s *Sim) usersCount(q *graphCall) response {
	if !q.advanced() {
		return s.graphError(http.StatusBadRequest, "Request_BadRequest", "$count is not currently supported.")
	}
	q.query.Set("$count", "true")
	filter, refused := s.userFilter(q)
	if refused != nil {
		return *refused
	}
	n := q.tenant.people(q.day, filter.licensed, filter.sku).len()
	return response{status: http.StatusOK, header: http.Header{"Content-Type": {"text/plain"}}, body: strconv.AppendInt(nil, int64(n), 10)}
}

// licenseDetails is GET /users/{id or UPN}/licenseDetails.
func (s *Sim) licenseDetails(q *graphCall) response {
	everybody := q.tenant.people(q.day, false, "")
	for n := range everybody.len() {
		p := everybody.at(n)
		if !strings.EqualFold(p.id, q.args[0]) && !strings.EqualFold(p.upn, q.args[0]) {
			continue
		}
		rows := []map[string]any{}
		for _, a := range p.licenses {
			id := base64.RawURLEncoding.EncodeToString([]byte(ID("detail", p.id, a.SKUID)))
			rows = append(rows, map[string]any{"id": id, "skuId": a.SKUID, "skuPartNumber": q.tenant.sku(a.SKUID).PartNumber, "servicePlans": plans()})
		}
		return jsonAnswer(http.StatusOK, list{Context: q.urls.Graph + "/v1.0/$metadata#users('" + p.id + "')/licenseDetails", Value: rows})
	}
	return s.notFound(q.args[0])
}
