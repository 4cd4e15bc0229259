// Package connectwisesim is a ConnectWise Manage with state: the REST API as it is documented, strict about what it is sent, with knobs for bad
// days and an invoice engine (package invoice) that judges what the lines of an agreement bill.
//
// A Sim is an http.Handler for one login company. It serves, under the codebase of the day:
//
//	/login/companyinfo/{company}                        no sign-in
//	/{codebase}/apis/3.0/company/companies              GET POST, /{id} GET PATCH DELETE, /count
//	/{codebase}/apis/3.0/finance/agreements             GET POST, /{id} GET PATCH DELETE, /count
//	/{codebase}/apis/3.0/finance/agreements/{id}/additions   GET POST, /{id} GET PUT PATCH DELETE, /count
//	/{codebase}/apis/3.0/finance/agreements/{id}/invoice     POST (counted as forbidden, as PUT on an addition is)
//	/{codebase}/apis/3.0/finance/agreements/types       GET, /{id}, /count; /finance/agreementrecap/{id}; /finance/billingCycles
//	/{codebase}/apis/3.0/procurement/catalog            GET, /{id}, /count, /{id}/pricing POST
//	/{codebase}/apis/3.0/system/info, /system/callbacks GET POST, /{id} GET PATCH DELETE, /count
//	/{codebase}/apis/3.0/system/members GET, /{id}, /count; /system/myMembers/info; /system/connectWiseHostedScreens GET;
//	/{codebase}/apis/3.0/system/connectwisehostedsetups GET POST, /{id} GET PATCH DELETE; and the /count of what a role is probed by
//	/{codebase}/system/callbackkey/index.rails          the key that a callback is signed with, no sign-in
//
// Go programs load it with AddCompany, AddAgreement and so on and turn its knobs by methods; other programs do both over Management, a second
// handler that belongs on a port of its own. What ConnectWise does not document is decided in one named place each and said there: Agreement.Arrears,
// SetAdditionsFireAgreements, RefuseNegativeQuantity, the status of an addition.
//
// A Sim is safe for concurrent use and holds some ten thousand companies with their agreements and a hundred thousand additions; lists by id,
// company, type or agreement are looked up, not scanned.
package connectwisesim
