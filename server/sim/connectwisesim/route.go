package connectwisesim

import (
	"net/http"
	"strconv"
	"strings"
)

// handler makes the answer to one call. It runs with the records locked: for reading on GET, else for writing. ids are the numbers in the path.
type handler func(s *Sim, c call, ids []int) reply

// route is one address of the API.
type route struct {
	pattern  string // as it is counted: /finance/agreements/{id}/additions
	resource string // as roles name it
	parts    []string
	methods  map[string]handler
	// forbidden are methods that work as documented and that Trueup must never use; they are counted on their own.
	forbidden []string
}

// routes is everything that is served under /apis/3.0.
func routes() []route {
	type m = map[string]handler
	const get, post, put, del = http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete
	const change = http.MethodPatch
	all := []route{
		{pattern: "/company/companies", resource: "company", methods: m{get: listCompanies, post: createCompany}},
		{pattern: "/company/companies/count", resource: "company", methods: m{get: countCompanies}},
		{pattern: "/company/companies/{id}", resource: "company", methods: m{get: getCompany, change: patchCompany, del: deleteCompany}},
		{pattern: "/finance/agreements", resource: "agreement", methods: m{get: listAgreements, post: createAgreement}},
		{pattern: "/finance/agreements/count", resource: "agreement", methods: m{get: countAgreements}},
		{pattern: "/finance/agreements/types", resource: "agreementType", methods: m{get: listTypes}},
		{pattern: "/finance/agreements/types/count", resource: "agreementType", methods: m{get: countTypes}},
		{pattern: "/finance/agreements/types/{id}", resource: "agreementType", methods: m{get: getType}},
		{pattern: "/finance/agreements/{id}", resource: "agreement", methods: m{get: getAgreement, change: patchAgreement, del: deleteAgreement}},
		{pattern: "/finance/agreements/{id}/invoice", resource: "invoice", methods: m{post: invoiceNow}, forbidden: []string{post}},
		{pattern: "/finance/agreements/{id}/additions", resource: "addition", methods: m{get: listAdditions, post: createAddition}},
		{pattern: "/finance/agreements/{id}/additions/count", resource: "addition", methods: m{get: countAdditions}},
		{pattern: "/finance/agreements/{id}/additions/{id}", resource: "addition", forbidden: []string{put},
			methods: m{get: getAddition, change: patchAddition, put: replaceAddition, del: deleteAddition}},
		{pattern: "/finance/invoices/count", resource: "invoice", methods: m{get: countInvoices}},
		{pattern: "/finance/agreementrecap/{id}", resource: "recap", methods: m{get: recap}},
		{pattern: "/finance/billingCycles", resource: "billingCycle", methods: m{get: listCycles}},
		{pattern: "/finance/billingCycles/count", resource: "billingCycle", methods: m{get: countCycles}},
		{pattern: "/finance/billingCycles/{id}", resource: "billingCycle", methods: m{get: getCycle}},
		{pattern: "/procurement/catalog", resource: "catalog", methods: m{get: listCatalog}},
		{pattern: "/procurement/catalog/count", resource: "catalog", methods: m{get: countCatalog}},
		{pattern: "/procurement/catalog/{id}", resource: "catalog", methods: m{get: getProduct}},
		{pattern: "/procurement/catalog/{id}/pricing", resource: "catalog", methods: m{post: pricing}},
		{pattern: "/company/contacts", resource: "contact", methods: m{get: nobody}},
		{pattern: "/company/contacts/count", resource: "contact", methods: m{get: countNobody}},
		{pattern: "/procurement/purchaseorders", resource: "purchaseOrder", methods: m{get: nobody}},
		{pattern: "/procurement/purchaseorders/count", resource: "purchaseOrder", methods: m{get: countNobody}},
		{pattern: "/system/members", resource: "member", methods: m{get: listMembers}},
		{pattern: "/system/members/count", resource: "member", methods: m{get: countMembers}},
		{pattern: "/system/members/{id}", resource: "member", methods: m{get: getMember}},
		{pattern: "/system/myMembers/info", resource: "me", methods: m{get: myInfo}},
		{pattern: "/system/connectWiseHostedScreens", resource: "hosted", methods: m{get: listScreens}},
		{pattern: "/system/connectWiseHostedScreens/count", resource: "hosted", methods: m{get: countScreens}},
		{pattern: "/system/connectWiseHostedScreens/{id}", resource: "hosted", methods: m{get: getScreen}},
		{pattern: "/system/connectwisehostedsetups", resource: "hosted", methods: m{get: listHosted, post: createHosted}},
		{pattern: "/system/connectwisehostedsetups/count", resource: "hosted", methods: m{get: countHosted}},
		{pattern: "/system/connectwisehostedsetups/{id}", resource: "hosted", methods: m{get: getHosted, change: patchHosted, del: deleteHosted}},
		{pattern: "/system/info", resource: "info", methods: m{get: getInfo}},
		{pattern: "/system/callbacks", resource: "callback", methods: m{get: listCallbacks, post: createCallback}},
		{pattern: "/system/callbacks/count", resource: "callback", methods: m{get: countCallbacks}},
		{pattern: "/system/callbacks/{id}", resource: "callback", methods: m{get: getCallback, change: patchCallback, del: deleteCallback}},
	}
	for i := range all {
		all[i].parts = strings.Split(all[i].pattern, "/")
	}
	return all
}

// find is the route of a path below /apis/3.0 and the ids in it; nil when there is none. Words win over {id}, as the table lists them first.
func (s *Sim) find(path string) (*route, []int) {
	parts := strings.Split(path, "/")
	for i := range s.routes {
		if ids, ok := s.routes[i].match(parts); ok {
			return &s.routes[i], ids
		}
	}
	return nil, nil
}

func (r *route) match(parts []string) ([]int, bool) {
	if len(parts) != len(r.parts) {
		return nil, false
	}
	var ids []int
	for i, want := range r.parts {
		if want != "{id}" {
			if !strings.EqualFold(want, parts[i]) {
				return nil, false
			}
			continue
		}
		id, err := strconv.Atoi(parts[i])
		if err != nil || id < 0 {
			return nil, false
		}
		ids = append(ids, id)
	}
	return ids, true
}

// action is the column of the security role that a method needs.
func action(method string) string {
	switch method {
	case http.MethodPost:
		return "add"
	case http.MethodPut, http.MethodPatch:
		return "edit"
	case http.MethodDelete:
		return "delete"
	}
	return "inquire"
}
