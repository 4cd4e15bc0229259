package connectwise

import (
	"net/http"
	"strings"
)

// Permission is a permission of a security role in ConnectWise, as the screen names
// it.
type Permission string

// The permissions that the API member's role needs.
const (
	InquireCompanies  Permission = "Companies > Company Maintenance: inquire"
	AddAgreements     Permission = "Finance > Agreements: add"
	EditAgreements    Permission = "Finance > Agreements: edit"
	InquireAgreements Permission = "Finance > Agreements: inquire"
	InquireRecap      Permission = "Finance > Agreement Invoicing: inquire"
	InquireInvoices   Permission = "Finance > Invoicing: inquire"
	InquireCatalog    Permission = "Procurement > Product Catalog: inquire"
	InquireSetup      Permission = "System > Table Setup: inquire"
	Callbacks         Permission = "System > Callbacks (API): for installing"
	HostedAPI         Permission = "System > Manage Hosted API: for installing"
)

// permissionOf lists which permission a route needs; the first that matches counts.
var permissionOf = []struct {
	method, prefix string
	permission     Permission
}{
	{http.MethodPost, "/finance/agreements", AddAgreements},
	{http.MethodPatch, "/finance/agreements", EditAgreements},
	{"", "/finance/agreements/types", InquireSetup},
	{"", "/finance/agreementrecap", InquireRecap},
	{"", "/finance/agreements", InquireAgreements},
	{"", "/finance/invoices", InquireInvoices},
	{"", "/finance/billingCycles", InquireSetup},
	{"", "/company/companies", InquireCompanies},
	{"", "/procurement/catalog", InquireCatalog},
	{"", "/system/callbacks", Callbacks},
	{"", "/system/connectwisehosted", HostedAPI},
}

// Permission names what a call that was answered with 403 lacked.
func (e *APIError) Permission() Permission {
	for _, p := range permissionOf {
		if (p.method == "" || p.method == e.Method) && strings.HasPrefix(e.Route, p.prefix) {
			return p.permission
		}
	}
	return Permission(e.Method + " " + e.Route)
}
