// Package connectwise is the client of the ConnectWise Manage (PSA) REST API: what
// Trueup reads there (companies, agreements, additions, catalog, billing cycles) and
// the two writes that it makes (an addition made, fields of an addition patched).
//
// Vendor pages are named as "Developer Guide" (the pages of developer.connectwise.com
// under Best Practices) and by the path of the operation in the vendor's OpenAPI
// document, 2026.11.
//
// How a call goes: the first one asks the site for the company's codebase
// (/login/companyinfo) and keeps it; every path is that codebase, "apis/3.0" and the
// route. A 404 asks for the codebase again, and when an upgrade changed it the call is
// made once more, also in the middle of paging. Retries, the calls a minute, the
// breaker and the address guard are upstream's.
//
// What comes back are the nouns of billing; the shapes of the wire stay in here. An
// answer that lacks what matters (an id, a readable number or date) is a *DecodeError
// and never a zero. Fields that the vendor adds are ignored.
//
// Writes are never repeated blindly: ConnectWise has no idempotency key. A create
// looks for its serial before and after a lost answer, an update reads the line again
// (see CreateAddition and UpdateAddition).
//
// Every error that leaves this package has a stable Code, one plain sentence of what
// happened (Text) and one of what to do (Action); see Told. Keys, the authorization
// header, the company's login name and whole addresses are in none of them.
package connectwise
